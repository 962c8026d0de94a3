# SPDX-License-Identifier: MIT
#
# Programs in a Flatpak or a Snap may get tokens but change nothing. The Flatpak here is a real
# bubblewrap sandbox with /.flatpak-info in its root; the Snap a process in a cgroup of that name.

import os
import subprocess

import pytest

from util_daemon import ACCOUNT, MANAGER, NAME, ROOT, account_path, entra_account

DENIED = 'sandbox may get tokens'
CALLS = [
    (ROOT, MANAGER, 'AddAccount', 'ssa{sv}', 'other', 'entra', '0'),
    (account_path('work'), ACCOUNT, 'Remove'),
    (account_path('work'), ACCOUNT, 'SignIn', 'a{sv}', '0'),
    (account_path('work'), ACCOUNT, 'SignOut'),
    (account_path('work'), ACCOUNT, 'SetSecret', 's', 'x'),
    (account_path('work'), ACCOUNT, 'Configure', 'a{sv}', '0'),
]
WRITES = [
    (ROOT, MANAGER, 'DefaultAccount', 's', ''),
    (account_path('work'), ACCOUNT, 'Apps', 'as', '0'),
]


def busctl(daemon, prefix, *arguments):
    return subprocess.run([*prefix, 'busctl', '--user', *arguments], env=daemon.home.env | {
        'PATH': '/usr/bin:/bin'}, capture_output=True, text=True, timeout=60, check=False)


def flatpak(daemon, folder):
    """bwrap as flatpak calls it, as far as it matters: a root of its own with /.flatpak-info."""
    info = os.path.join(folder, 'flatpak-info')
    with open(info, 'w', encoding='utf-8') as file:
        file.write('[Application]\nname=org.example.App\n')
    bwrap = ['bwrap', '--ro-bind', '/usr', '/usr', '--symlink', 'usr/lib', '/lib',
            '--symlink', 'usr/lib64', '/lib64', '--symlink', 'usr/bin', '/bin', '--proc', '/proc',
            '--bind', folder, folder, '--ro-bind', info, '/.flatpak-info', '--die-with-parent']
    probe = subprocess.run([*bwrap, 'true'], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f'no sandbox can be made here: {probe.stderr.strip()}')
    return bwrap


def snap(folder):
    """sh that enters a cgroup as snapd names it; what it made goes with the test."""
    roots = ('/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd')
    for root in roots:
        group = os.path.join(root, f'snap.iotc-test.{os.getpid()}')
        if not os.path.exists(os.path.join(root, 'cgroup.procs')):
            continue
        try:
            os.mkdir(group)
            with open(os.path.join(group, 'cgroup.procs'), encoding='utf-8'):
                pass
        except OSError:
            continue
        return group, ['sh', '-c', f'echo $$ >{group}/cgroup.procs && exec "$@"', 'sh']
    pytest.skip('no cgroup can be made here')


def check(daemon, prefix):
    for call in CALLS:
        done = busctl(daemon, prefix, 'call', NAME, *call)
        assert done.returncode != 0 and DENIED in done.stderr, f'{call[2]}: {done.stderr}'
    for write in WRITES:
        done = busctl(daemon, prefix, 'set-property', NAME, *write)
        assert done.returncode != 0 and DENIED in done.stderr, f'{write[2]}: {done.stderr}'
    assert [path for path in daemon.objects() if '/account/' in path] == [account_path('work')]
    done = busctl(daemon, prefix, 'call', NAME, ROOT, MANAGER, 'GetToken', 'sa{sv}', 'work', '0')
    assert done.returncode == 0 and 'bearer' in done.stdout, done.stderr


def test_flatpak_gets_tokens_but_changes_nothing(daemon, entra, keyring, folder):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    check(daemon, flatpak(daemon, folder))
    # The very same call from outside is allowed.
    assert busctl(daemon, (), 'call', NAME, *CALLS[1]).returncode == 0


def test_snap_gets_tokens_but_changes_nothing(daemon, entra, keyring, folder):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    group, prefix = snap(folder)
    try:
        check(daemon, prefix)
    finally:
        os.rmdir(group)
