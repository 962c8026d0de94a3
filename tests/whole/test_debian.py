# SPDX-License-Identifier: MIT
#
# The Debian packages that `./run deb` left in build-deb/: what is in them, and that it works from
# there: the daemon, the command and its programs, and a program built with the -dev package.
# They are unpacked into a folder; /usr/libexec/iotc-token, which is compiled in, is laid over the
# system's for these programs alone.

import glob
import os
import re
import subprocess

import pytest

from util_daemon import Cli, Daemon, Home, entra_account

pytestmark = pytest.mark.plain

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
DEBS = os.path.join(TOP, 'build-deb')
APP = 'contoso.azureiotcentral.com'
PACKAGES = ('iotc-token', 'libiotc-token0', 'libiotc-token-dev')
FILES = {
    'iotc-token': '''
        etc/xdg/autostart/iotc-tokend.desktop
        usr/bin/iotc-token
        usr/bin/iotc-tokend
        usr/lib/systemd/user/iotc-token-open.service
        usr/lib/systemd/user/iotc-tokend.service
        usr/lib/systemd/user/iotc-tokend.socket
        usr/libexec/iotc-token/az/az
        usr/libexec/iotc-token/iotc-token-api
        usr/libexec/iotc-token/iotc-token-exec
        usr/libexec/iotc-token/iotc-token-fetch
        usr/libexec/iotc-token/iotc-token-open
        usr/share/bash-completion/completions/iotc-token
        usr/share/dbus-1/interfaces/org.iotc.Token1.xml
        usr/share/dbus-1/services/org.iotc.Token1.Opener.service
        usr/share/dbus-1/services/org.iotc.Token1.service
        usr/share/fish/vendor_completions.d/iotc-token.fish
        usr/share/lintian/overrides/iotc-token
        usr/share/locale/de/LC_MESSAGES/iotc-token.mo
        usr/share/man/man1/iotc-token.1.gz
        usr/share/man/man5/iotc-token-accounts.5.gz
        usr/share/man/man7/org.iotc.Token1.7.gz
        usr/share/man/man8/iotc-tokend.8.gz
        usr/share/zsh/vendor-completions/_iotc-token''',
    'libiotc-token0': 'LIB/libiotc-token.so.0',
    'libiotc-token-dev': '''
        usr/include/iotc-token.h
        LIB/libiotc-token.so
        LIB/pkgconfig/iotc-token.pc''',
}
# Run a program of the packages, in its own process, where the rest of its package is.
WRAPPER = '''#!/bin/sh
exec /usr/bin/unshare --map-current-user --keep-caps --mount /bin/sh -c '
    /bin/mount -t tmpfs none /usr/libexec && /bin/mkdir /usr/libexec/iotc-token &&
    /bin/mount --bind {root}/usr/libexec/iotc-token /usr/libexec/iotc-token &&
    exec "$0" "$@"' {root}/usr/bin/{name} "$@"
'''


def deb(package):
    found = glob.glob(os.path.join(DEBS, f'{package}_*.deb'))
    if not found:
        pytest.skip('no packages in build-deb/: ./run deb makes them')
    return found[0]


def output(*argv, **named):
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60,
                          **named).stdout


@pytest.fixture(scope='session')
def library_folder():
    return 'usr/lib/' + output('dpkg-architecture', '-qDEB_HOST_MULTIARCH').strip()


@pytest.fixture
def root(folder):
    path = os.path.join(folder, 'root')
    for package in PACKAGES:
        output('dpkg-deb', '-x', deb(package), path)
    return path


@pytest.fixture
def installed(folder, root, bus, library_folder):
    """A home whose daemon and command are those of the packages."""
    probe = subprocess.run(['unshare', '--map-current-user', '--keep-caps', '--mount', 'mount',
                            '-t', 'tmpfs', 'none', '/usr/libexec'], capture_output=True,
                           text=True, check=False)
    if probe.returncode:
        pytest.skip(f'no folder can be laid over another here: {probe.stderr.strip()}')
    for path, name in (('daemon', 'iotc-tokend'), ('client', 'iotc-token')):
        os.makedirs(os.path.join(folder, 'view', path))
        wrapper = os.path.join(folder, 'view', path, name)
        with open(wrapper, 'w', encoding='utf-8') as file:
            file.write(WRAPPER.format(root=root, name=name))
        os.chmod(wrapper, 0o755)
    os.mkdir(os.path.join(folder, 'home'), 0o700)
    home = Home(os.path.join(folder, 'home'), bus, os.path.join(folder, 'view'))
    home.extra['LD_LIBRARY_PATH'] = os.path.join(root, library_folder)
    return home


@pytest.mark.parametrize('package', PACKAGES)
def test_files(package, library_folder):
    lines = [line.split() for line in output('dpkg-deb', '-c', deb(package)).splitlines()]
    files = {line[5][2:] for line in lines if not line[5].endswith('/')}
    files = {file for file in files if not file.startswith('usr/share/doc/')}
    assert files == set(FILES[package].replace('LIB', library_folder).split())
    assert all(line[1] == 'root/root' and (line[0][0] == 'l' or line[0][-2] != 'w')
               for line in lines)
    # Whoever can read these files can trace their processes, and so read a secret.
    assert [line[0] for line in lines
            if line[5].endswith(('/iotc-token/iotc-token-fetch', '/bin/iotc-tokend'))] \
        == ['-rwx--x--x'] * 2 * (package == 'iotc-token')


def test_libraries_are_the_systems(root, library_folder):
    programs = [os.path.join(root, path) for path in FILES['iotc-token'].split()
                if re.search(r'/(bin|libexec)/', path)]
    library = os.path.join(root, library_folder, 'libiotc-token.so.0')
    assert len(programs) == 7
    for path in [*programs, library]:
        assert not re.search(r'RPATH|RUNPATH', output('readelf', '-d', path)), path


def test_what_it_starts_is_installed(root):
    for path in ('usr/share/dbus-1/services/org.iotc.Token1.service',
                 'usr/lib/systemd/user/iotc-tokend.service',
                 'etc/xdg/autostart/iotc-tokend.desktop'):
        with open(os.path.join(root, path), encoding='utf-8') as file:
            assert re.search(r'=/usr/bin/iotc-tokend( --replace)?\n', file.read())


def test_the_manual_is_found(root):
    for section, name in ((1, 'iotc-token'), (5, 'iotc-token-accounts'), (7, 'org.iotc.Token1'),
                          (8, 'iotc-tokend')):
        text = output('man', '-M', os.path.join(root, 'usr/share/man'), str(section), name,
                      env={'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'})
        assert text.startswith(f'{name.upper()}({section})')


def test_it_works(installed, root, folder, bus, entra, keyring):
    daemon, cli = Daemon(installed, bus), Cli(installed)
    daemon.start(entra_account(entra, apps=APP))
    try:
        daemon.sign_in(entra)
        token = daemon.get_token()[0]
        assert cli.ok('get', APP) == token + '\n'
        assert cli.ok('api', '--help').startswith('Usage: iotc-token api ')
        assert cli.ok('api-token', 'create', '--help').startswith('Usage: iotc-token api-token ')
        shown = cli.ok('exec', '--az', '--', 'az', 'account', 'get-access-token', '--resource',
                       'https://apps.azureiotcentral.com')
        assert f'"accessToken": "{token}"' in shown

        flags = output('pkg-config', '--cflags', '--libs', 'iotc-token', env={
            'PATH': '/usr/bin:/bin', 'PKG_CONFIG_SYSROOT_DIR': root,
            'PKG_CONFIG_PATH': os.path.join(installed.extra['LD_LIBRARY_PATH'], 'pkgconfig')})
        program = os.path.join(folder, 'plain')
        output('cc', '-o', program, os.path.join(
            root, 'usr/share/doc/libiotc-token-dev/examples/plain.c'), *flags.split())
        shown = output(program, APP, env=installed.environment())
        assert shown == f'Authorization: Bearer {token}\n'
    finally:
        daemon.close()
