# SPDX-License-Identifier: MIT
#
# ./run in a newcomer's first minute, on a machine where nothing is as it should be. The script is
# the real one, alone in a folder with a space in its name; around it are programs that say what
# such a machine's would, and write down how they were called.

import os
import shutil
import subprocess

import pytest

from util_machine import is_anybody
from util_process import Process, wait_until

pytestmark = pytest.mark.plain

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
TOOLS = ('bash basename cat chmod cmp cp dirname env find flock grep mkdir mktemp mv readlink '
         'realpath rm sed stat tee touch').split()
LOCKED = 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 12 (apt-get)'
NOBODY = 65534
# Called: it leaves a line in the log, and says and does what a file of its name tells it.
STUB = '''#!/bin/bash
echo "${0##*/} $*" >>"$STUBS/log"
[ ! -e "$STUBS/${0##*/}.does" ] || . "$STUBS/${0##*/}.does"
'''
MESON = '''case $1 in
setup) mkdir -p "$STUBS/../a tree/build" && touch "$STUBS/../a tree/build/build.ninja" ;;
esac
'''


class Newcomer:
    def __init__(self, folder):
        self.folder = folder
        self.tree = os.path.join(folder, 'a tree')
        self.home = os.path.join(folder, 'home')
        self.stubs = os.path.join(folder, 'stubs')
        for path in (self.tree, self.home, self.stubs):
            os.mkdir(path)
        shutil.copy(os.path.join(TOP, 'run'), self.tree)
        # As an ordinary user; the folders are hers.
        self.user = []
        if os.getuid() == 0:
            self.user = [shutil.which('setpriv'), f'--reuid={NOBODY}', '--clear-groups']
            for path in (folder, self.tree, self.home, self.stubs):
                os.chown(path, NOBODY, -1)
        for tool in TOOLS:
            os.symlink(shutil.which(tool), os.path.join(self.stubs, tool))
        self.has('sleep')
        self.has('id', 'case $1 in -u) echo 1000 ;; *) echo ada ;; esac')
        self.has('sudo', '"$@"')
        self.has('apt-get')
        self.has('meson', MESON)
        self.has('ninja')
        self.has('ldconfig')
        self.env = {'PATH': self.stubs, 'STUBS': self.stubs, 'HOME': self.home}

    def has(self, name, does=''):
        """A program of that name; does: what bash does then."""
        path = os.path.join(self.stubs, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(STUB.replace('/bin/bash', shutil.which('bash')))
        os.chmod(path, 0o755)
        with open(path + '.does', 'w', encoding='utf-8') as file:
            file.write(does)

    def has_not(self, name):
        os.unlink(os.path.join(self.stubs, name))

    def argv(self, *arguments):
        return [*self.user, os.path.join(self.tree, 'run'), *arguments]

    def run(self, *arguments, cwd='/'):
        return subprocess.run(self.argv(*arguments), cwd=cwd,
                              env=self.env, stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)

    def calls(self, name):
        try:
            with open(os.path.join(self.stubs, 'log'), encoding='utf-8') as file:
                return [line.strip() for line in file if line.startswith(name + ' ')]
        except FileNotFoundError:
            return []


@pytest.fixture
def newcomer(folder):
    if os.getuid() == 0 and not is_anybody():
        pytest.skip('only root with CAP_SETUID can be an ordinary user')
    return Newcomer(folder)


def test_from_elsewhere_without_a_language(newcomer):
    done = newcomer.run('build')
    assert done.returncode == 0, done.stdout
    install = newcomer.calls('apt-get')[1]
    assert '-y --no-install-recommends' in install and ' meson' not in install
    assert 'gettext' in install and newcomer.calls('ninja') == ['ninja -C build']


@pytest.mark.parametrize('lock', [LOCKED, LOCKED.replace('apt/lists', 'dpkg/lock-frontend')])
def test_another_apt_is_waited_for(newcomer, lock):
    newcomer.has('apt-get', f'''case $(grep -c ^apt-get "$STUBS/log") in
1 | 3) echo '{lock}' >&2; exit 100 ;;
esac''')
    done = newcomer.run('build')
    assert done.returncode == 0 and done.stdout.count('waiting for it') == 2, done.stdout
    assert [call.split()[4] for call in newcomer.calls('apt-get')] \
        == ['update', 'update', 'install', 'install']
    assert all('DPkg::Lock::Timeout=' in call for call in newcomer.calls('apt-get'))


def test_nothing_to_install_with(newcomer):
    newcomer.has_not('sudo')
    done = newcomer.run('build')
    assert done.returncode == 1 and 'there is no sudo' in done.stdout
    assert 'As root, once:\n' in done.stdout and 'apt-get install' in done.stdout
    newcomer.has_not('apt-get')
    done = newcomer.run('build')
    assert done.returncode == 1 and 'no apt-get here: this is for Debian 12' in done.stdout
    assert newcomer.calls('meson') == []


def test_no_network(newcomer):
    newcomer.has('apt-get', '[ "$4" = update ] || { echo "E: Unable to fetch" >&2; exit 100; }')
    done = newcomer.run('build')
    assert done.returncode == 1 and newcomer.calls('meson') == []
    assert 'E: Unable to fetch' in done.stdout and 'It takes a network' in done.stdout


@pytest.mark.parametrize('node, npm, says', [
    ('echo v12.22.9', 'echo 8.1.0', 'stubs/node is v12.22.9'),
    ('echo v18.20.4', 'echo 6.14.1', 'stubs/npm is 6.14.1'),
    ('echo v18.20.4', 'exit 1', 'stubs/npm is broken')])
def test_an_unfit_node(newcomer, node, npm, says):
    newcomer.has('node', node)
    newcomer.has('npm', npm)
    done = newcomer.run('demo')
    assert done.returncode == 1 and says in done.stdout and 'node 18 and npm 7' in done.stdout
    assert 'PATH=/usr/bin:$PATH ./run' in done.stdout and newcomer.calls('meson') == []


def test_npm_has_no_network(newcomer):
    newcomer.has('node', 'echo v20.1.0')
    newcomer.has('npm', '[ "$1" = --version ] && echo 9.2.0 || { echo ECONNREFUSED; exit 1; }')
    for name in 'servers', 'clients':
        os.makedirs(os.path.join(newcomer.tree, 'tests', name))
    done = newcomer.run('demo')
    assert done.returncode == 1 and 'ECONNREFUSED' in done.stdout
    assert 'npm could not install the packages of tests/servers' in done.stdout


def test_a_tree_that_is_not_ones_own(newcomer):
    os.chmod(newcomer.tree, 0o555)
    done = newcomer.run('build')
    os.chmod(newcomer.tree, 0o755)
    assert done.returncode == 1 and 'a tree cannot be written to' in done.stdout


def test_a_build_folder_of_another_user(newcomer):
    os.mkdir(os.path.join(newcomer.tree, 'build'), 0o555)
    done = newcomer.run('build')
    assert done.returncode == 1 and "sudo chown -R ada '" in done.stdout


def test_a_build_folder_that_came_from_elsewhere(newcomer):
    assert newcomer.run('build').returncode == 0
    assert newcomer.run('build').returncode == 0
    assert len(newcomer.calls('meson')) == 1
    with open(os.path.join(newcomer.tree, 'build/made-in'), 'w', encoding='utf-8') as file:
        file.write('/somewhere/else\n')
    assert newcomer.run('build').returncode == 0
    assert len(newcomer.calls('meson')) == 2


def test_one_at_a_time(newcomer, folder):
    newcomer.has('ninja', 'while [ ! -e "$STUBS/go" ]; do read -rt 0.1 <> <(:) || :; done')
    processes = [Process(newcomer.argv('build'), newcomer.env, os.path.join(folder, 'log'))
                 for _ in range(2)]
    wait_until(lambda: newcomer.calls('ninja') and 'Another ./run works' in processes[0].text(),
               'the second to wait')
    assert len(newcomer.calls('ninja')) == 1
    os.close(os.open(os.path.join(newcomer.stubs, 'go'), os.O_CREAT, 0o600))
    assert [process.wait() for process in processes] == [0, 0]
    assert len(newcomer.calls('ninja')) == 2


def configured(newcomer):
    """The options that the build was given last."""
    call = [call for call in newcomer.calls('meson') if call.startswith('meson configure')][-1]
    return dict(word.lstrip('-').removeprefix('D').split('=') for word in call.split()[3:])


@pytest.mark.parametrize('prefix', ['.local', 'opt/x'])
def test_installed_in_ones_home(newcomer, prefix):
    done = newcomer.run('install', prefix, cwd=newcomer.home)
    assert done.returncode == 0, done.stdout
    assert configured(newcomer) == {
        'prefix': f'{newcomer.home}/{prefix}',
        'systemd-user-unit-dir': f'{newcomer.home}/.local/share/systemd/user',
        'dbus-service-dir': f'{newcomer.home}/.local/share/dbus-1/services',
        'autostart-dir': f'{newcomer.home}/.config/autostart'}
    assert not any('meson' in call for call in newcomer.calls('sudo'))
    assert f'PATH={newcomer.home}/{prefix}/bin:$PATH' in done.stdout
    assert ('of bash and fish are found' in done.stdout) == (prefix == 'opt/x')


def test_installed_for_all(newcomer):
    newcomer.env['PATH'] += ':/usr/local/bin'
    for arguments in ([], ['/usr/local'], ['/opt/nowhere/x']):
        done = newcomer.run('install', *arguments)
        assert done.returncode == 0, done.stdout
        assert configured(newcomer) == {
            'prefix': [*arguments, '/usr/local'][0],
            'systemd-user-unit-dir': '/usr/local/lib/systemd/user',
            'dbus-service-dir': '/usr/local/share/dbus-1/services',
            'autostart-dir': '/etc/xdg/autostart'}
        assert 'fish are found with' in done.stdout
        assert ('Not yet on PATH' in done.stdout) == (arguments == ['/opt/nowhere/x'])
    assert 'install -C build' in newcomer.calls('sudo')[-2]
    done = newcomer.run('install', 'a place', cwd=newcomer.home)
    assert done.returncode == 1 and "can't name the prefix" in done.stdout
