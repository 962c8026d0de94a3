# SPDX-License-Identifier: MIT
#
# Where the command finds the session bus when nothing tells it (cron, su -, env -i), and what it
# says where there is none. /run/user is the test's own, in a mount namespace.

import json
import os
import subprocess

import pytest

from util_daemon import entra_account

SPACE = ['unshare', '--mount'] if os.geteuid() == 0 else [
    'unshare', '--user', '--map-current-user', '--keep-caps', '--mount']
RUN = '''set -e
mount -t tmpfs none /run
mkdir -p "/run/user/$(id -u)"
[ -z "$1" ] || mount --bind "$1" "/run/user/$(id -u)"
shift
exec "$@"
'''
VARIABLES = ('DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR')
NOBODY = 65534


@pytest.fixture
def inside(cli):
    """Runs a program where /run/user/UID is the folder, or empty; with these variables alone."""
    done = subprocess.run([*SPACE, 'sh', '-c', RUN, 'sh', '', 'true'], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        pytest.skip(f'no mount namespace can be made here: {done.stderr.strip()}')

    def run(folder, *argv, **env):
        environment = {name: value for name, value in cli.environment().items()
                       if name not in VARIABLES}
        environment['PATH'] = f'{os.path.dirname(cli.program)}:{environment["PATH"]}'
        return subprocess.run([*SPACE, 'sh', '-c', RUN, 'sh', folder or '', *argv], text=True,
                              env={**environment, **env}, capture_output=True, timeout=60,
                              check=False)
    return run


def bus_finding(done):
    return next(f for f in json.loads(done.stdout) if f['check'] == 'bus')


def mended(inside, folder, command, **env):
    """What doctor finds of the bus in a shell in which its command was run."""
    return bus_finding(inside(folder, 'sh', '-c', f'{command}; iotc-token doctor --json', **env))


def test_the_bus_of_this_user_is_found(well, folder, inside):
    done = inside(folder, 'iotc-token', 'get', 'work')
    assert done.returncode == 0 and len(done.stdout) > 40, done.stderr
    assert bus_finding(inside(folder, 'iotc-token', 'doctor', '--json'))['state'] == 'ok'
    # A runtime folder without a bus is no reason to miss it.
    done = inside(folder, 'iotc-token', 'get', 'work', XDG_RUNTIME_DIR=well.home.folder)
    assert done.returncode == 0, done.stderr


def test_not_in_a_folder_that_others_may_write(daemon, entra, folder, inside):
    daemon.start(entra_account(entra))
    for mode, code in ((0o770, 1), (0o707, 1), (0o700, 0)):
        os.chmod(folder, mode)
        done = inside(folder, 'iotc-token', 'list')
        assert done.returncode == code, done.stderr
        assert code == 0 or "the session bus is another user's" in done.stderr


def test_no_bus_anywhere(inside):
    done = inside(None, 'iotc-token', 'get')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR' in done.stderr
    assert 'sudo loginctl enable-linger' in done.stderr and 'dbus-run-session' in done.stderr


def test_an_address_of_a_session_that_ended(daemon, entra, folder, inside):
    daemon.start(entra_account(entra))
    dead = {'DBUS_SESSION_BUS_ADDRESS': f'unix:path={folder}/ended'}
    done = inside(folder, 'iotc-token', 'list', **dead)
    assert done.returncode == 1 and 'nobody answers at DBUS_SESSION_BUS_ADDRESS' in done.stderr
    found = bus_finding(inside(folder, 'iotc-token', 'doctor', '--json', **dead))
    assert found['command'] == 'unset DBUS_SESSION_BUS_ADDRESS'
    assert mended(inside, folder, found['command'], **dead)['state'] == 'ok'


@pytest.mark.skipif(os.geteuid() != 0, reason='another user takes root')
@pytest.mark.parametrize('variable', VARIABLES)
def test_what_su_left_of_another_user(daemon, entra, folder, inside, bus, variable):
    daemon.start(entra_account(entra))
    other = os.path.join(folder, 'other')
    os.mkdir(other, 0o700)
    os.chown(other, NOBODY, NOBODY)
    theirs = {'XDG_RUNTIME_DIR': other}
    if variable == 'DBUS_SESSION_BUS_ADDRESS':
        process = subprocess.Popen(
            ['setpriv', f'--reuid={NOBODY}', '--clear-groups', 'dbus-daemon', '--session',
             '--nofork', '--print-address', f'--address=unix:path={other}/bus'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        os.chmod(folder, 0o711)
        theirs = {variable: process.stdout.readline().strip()}
    try:
        done = inside(folder, 'iotc-token', 'list', **theirs)
        assert done.returncode == 1
        assert "the session bus is another user's" in done.stderr, done.stderr
        found = bus_finding(inside(folder, 'iotc-token', 'doctor', '--json', **theirs))
        assert found['state'] == 'problem' and found['command'].startswith('unset ')
        assert mended(inside, folder, found['command'], **theirs)['state'] == 'ok'
    finally:
        if variable == 'DBUS_SESSION_BUS_ADDRESS':
            process.terminate()
            process.wait()
            process.stdout.close()


@pytest.mark.skipif(os.geteuid() != 0, reason='sudo makes one root')
def test_sudo(inside):
    done = inside(None, 'iotc-token', 'get', SUDO_UID=str(NOBODY), SUDO_USER='nobody')
    assert done.returncode == 1 and 'iotc-tokend runs for each user' in done.stderr
    found = bus_finding(inside(None, 'iotc-token', 'doctor', '--json', SUDO_UID=str(NOBODY)))
    assert found['command'] == 'sudo -u nobody iotc-token doctor'
