# SPDX-License-Identifier: MIT
#
# Our unit under a real user manager, from the installed files: how it is started, reloaded, ended
# and brought back, and what its restrictions leave to the programs under it.

import os
import re
import signal
import stat

import pytest

from util_daemon import entra_account
from util_process import wait_until
from util_systemd import KEYRING, OPENER, UNIT, Systemd, group_folder, install, missing

SOCKET = 'iotc-tokend.socket'
CODE = r'enter the code (\S+)\n'


@pytest.fixture(scope='session')
def installed(worker_folder, build_dir):
    tree = os.path.join(worker_folder, 'tree')
    return tree, install(build_dir, tree)


@pytest.fixture
def systemd(folder, installed, request):
    """A person who has not logged in yet."""
    entra = request.getfixturevalue('entra') if 'entra' in request.fixturenames else None
    group = group_folder(os.path.basename(folder))
    try:
        why = missing(group)
        if why:
            pytest.skip(why)
        path = os.path.join(folder, 'systemd')
        os.mkdir(path, 0o700)
        systemd = Systemd(path, *installed, group)
        yield systemd
        systemd.close()
        assert not entra or entra.leaks(systemd.journal.text()) == 0
    finally:
        if group and os.path.exists(group):
            os.rmdir(group)


def log_in(systemd, settings='', keyring=True, bus=True, **env):
    systemd.write_settings(settings)
    systemd.start(bus, **env)
    if keyring:
        systemd.systemctl('start', KEYRING)


def sign_in(systemd, entra):
    process = systemd.start_program('iotc-token', 'login', 'work')
    code = wait_until(lambda: re.search(CODE, process.text()) or not process.alive, 'the code')
    assert code is not True, process.text()
    entra.approve(code[1])
    assert process.wait() == 0, process.text()


def token(systemd, *options):
    return systemd.ok('iotc-token', 'get', 'work', *options).strip()


def test_first_call_starts_it(systemd):
    log_in(systemd)
    assert systemd.show('ActiveState') == 'inactive' and not systemd.owner()
    assert systemd.ok('iotc-token', 'list', '--json')
    assert systemd.show('ActiveState') == 'active'
    assert systemd.owner() == systemd.show('MainPID') != ''
    # Who waits for the unit can call it.
    systemd.systemctl('restart', UNIT)
    assert systemd.owner() == systemd.show('MainPID') != ''
    assert systemd.show('Result') == 'success' and systemd.show('NRestarts') == '0'


def test_killed_and_brought_back(systemd, entra):
    log_in(systemd, entra_account(entra))
    sign_in(systemd, entra)
    before = token(systemd)
    entra.clear()
    pid = systemd.show('MainPID')
    systemd.ok('kill', '-KILL', pid)
    wait_until(lambda: systemd.owner() not in ('', pid), 'another to own the name')
    assert systemd.show('NRestarts') == '1' and systemd.show('ActiveState') == 'active'
    assert token(systemd) == before and entra.count() == 0


def test_restarted_under_calls(systemd, entra):
    """`iotc-token get` in a loop never fails, as during an upgrade."""
    log_in(systemd, entra_account(entra))
    sign_in(systemd, entra)
    before = token(systemd)
    calls = systemd.start_program('sh', '-c', f"""
        while [ ! -e {systemd.folder}/enough ]; do
                iotc-token get work || exit
        done""")
    for _ in range(4):
        systemd.systemctl('restart', UNIT)
    systemd.ok('kill', '-KILL', systemd.show('MainPID'))
    wait_until(lambda: systemd.owner(), 'another to own the name')
    systemd.write('enough', '')
    assert calls.wait() == 0, calls.text()
    assert set(calls.text().split()) == {before}


def test_reload(systemd, entra):
    log_in(systemd, entra_account(entra))
    sign_in(systemd, entra)
    before = token(systemd)
    pid = systemd.show('MainPID')
    entra.clear()
    systemd.write_settings(entra_account(entra, apps='a.example.com') + 'nonsense\n')
    systemd.systemctl('reload', UNIT)
    wait_until(lambda: 'line' in systemd.journal.text(), 'the bad line to be told')
    systemd.write_settings(entra_account(entra, apps='a.example.com'))
    systemd.systemctl('reload', UNIT)
    wait_until(lambda: systemd.run('iotc-token', 'get', 'a.example.com').returncode == 0,
               'the new settings')
    assert token(systemd) == before and entra.count() == 0
    systemd.wait_state('active')
    assert systemd.show('MainPID') == pid and systemd.show('ReloadResult') == 'success'


@pytest.mark.parametrize('how', ['stop', 'log out'])
def test_stopped_while_a_refresh_token_is_on_its_way(systemd, entra, how):
    entra.set(access_token_ttl=300, rotation='strict')
    log_in(systemd, entra_account(entra))
    sign_in(systemd, entra)
    systemd.systemctl('restart', UNIT)
    entra.hold()
    call = systemd.start_program('iotc-token', 'get', 'work', '--min-valid', '600')
    entra.wait(grant_type='refresh_token')
    entra.set(access_token_ttl=3600)
    if how == 'stop':
        end = systemd.start_program('systemctl', '--user', 'stop', UNIT)
    else:
        end = systemd.start_program('systemctl', '--user', 'exit')
    systemd.wait_state('deactivating')
    entra.release()
    call.wait()
    if how == 'stop':
        assert end.wait() == 0
        assert systemd.show('Result') == 'success' and systemd.show('ExecMainStatus') == '0'
    else:
        systemd.wait_logged_out()
        systemd.start()
        systemd.systemctl('start', KEYRING)
    assert token(systemd, '--min-valid', '1200')


def test_bus_gone(systemd):
    log_in(systemd, keyring=False)
    systemd.ok('iotc-token', 'list')
    pid = systemd.show('MainPID')
    systemd.systemctl('stop', 'dbus.service')
    systemd.wait_state('inactive')
    assert systemd.show('Result') == 'success' and systemd.show('NRestarts') == '0'
    systemd.ok('iotc-token', 'list')
    assert systemd.owner() == systemd.show('MainPID') not in ('', pid)


def test_enabled(systemd):
    log_in(systemd, keyring=False)
    entry = f'{systemd.tree}/etc/xdg/autostart/iotc-tokend.desktop'
    with open(entry, encoding='utf-8') as file:
        systemd.write('xdg/autostart/other.desktop', re.sub('X-.*\n', '', file.read()))
    systemd.systemctl('enable', '--now', UNIT)
    systemd.wait_state('active')
    systemd.log_out()

    # As on a machine without a desktop, where the person lingers: nobody calls.
    systemd.start(XDG_CURRENT_DESKTOP='GNOME')
    systemd.wait_state('active')
    pid = systemd.owner()
    assert pid and pid == systemd.show('MainPID')
    # A desktop starts the autostart entries; systemd knows the other one, but not ours.
    assert systemd.systemctl('list-unit-files', '--no-legend', 'app-*').split()[0] \
        == 'app-other@autostart.service'
    # Without --replace it would say who runs; the service is the user's one daemon.
    done = systemd.run('iotc-tokend')
    assert done.returncode == 1 and f'process {pid}' in done.stderr
    assert systemd.owner() == pid


def by_socket(systemd, *arguments):
    """What the Manager answers there, as busctl prints it."""
    return systemd.ok('busctl', f'--address=unix:path={systemd.runtime}/iotc-token/bus', 'call',
                      'org.iotc.Token1', '/org/iotc/Token1', 'org.iotc.Token1.Manager', *arguments)


def test_the_socket_starts_it(systemd, entra):
    log_in(systemd, entra_account(entra))
    systemd.systemctl('enable', '--now', SOCKET)
    path = f'{systemd.runtime}/iotc-token/bus'
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert systemd.show('ActiveState') == 'inactive'
    assert '/account/work' in by_socket(systemd, 'FindAccount', 's', 'work')
    assert systemd.show('ActiveState') == 'active'
    sign_in(systemd, entra)
    before = token(systemd)
    inode = os.stat(path).st_ino
    # It outlives the daemon, however that ends: who connects meanwhile waits.
    systemd.ok('kill', '-KILL', systemd.show('MainPID'))
    assert before in by_socket(systemd, 'GetToken', 'sa{sv}', 'work', '0')
    systemd.systemctl('stop', UNIT)
    assert before in by_socket(systemd, 'GetToken', 'sa{sv}', 'work', '0')
    assert os.stat(path).st_ino == inode and systemd.show('ActiveState', SOCKET) == 'active'
    systemd.systemctl('stop', SOCKET, UNIT)
    assert not os.path.exists(path)


def test_the_service_brings_its_socket(systemd):
    """Enabling it, and starting it, as by the bus."""
    log_in(systemd, '[account work]\nsource=entra\n', keyring=False)
    assert systemd.ok('iotc-token', 'list', '--json')
    assert systemd.show('ActiveState', SOCKET) == 'active'
    pid = systemd.show('MainPID')
    assert '/account/work' in by_socket(systemd, 'FindAccount', 's', 'work')
    assert systemd.show('MainPID') == pid
    systemd.systemctl('enable', UNIT)
    assert systemd.systemctl('is-enabled', SOCKET).strip() == 'enabled'


def test_without_any_bus(systemd, entra):
    """A user manager and the socket are enough, with secrets in files."""
    log_in(systemd, '[iotc-token]\nstore=file\n\n' + entra_account(entra), keyring=False, bus=False)
    with open(systemd.write('key', ''), 'wb') as file:
        file.write(os.urandom(32))
    os.chmod(f'{systemd.folder}/key', 0o600)
    systemd.drop_in(f'[Service]\nLoadCredential=iotc-token-key:{systemd.folder}/key\n')
    systemd.systemctl('start', SOCKET)
    assert '/account/work' in by_socket(systemd, 'FindAccount', 's', 'work')
    assert 'only the direct socket' in systemd.journal.text()
    assert systemd.show('ActiveState') == 'active'
    pid = systemd.show('MainPID')
    # A bus comes, and with it a start that has its name there.
    systemd.systemctl('start', 'dbus.socket')
    wait_until(lambda: systemd.show('MainPID') not in ('0', pid), 'another start')
    wait_until(systemd.owner, 'it to have its name')
    assert systemd.owner() == systemd.show('MainPID')
    assert '/account/work' in by_socket(systemd, 'FindAccount', 's', 'work')


def test_one_by_hand_leaves_the_socket_alone(systemd, entra):
    """And gives way to the service when somebody connects there."""
    log_in(systemd, entra_account(entra))
    systemd.systemctl('start', SOCKET)
    process = systemd.start_program('iotc-tokend')
    wait_until(systemd.owner, 'the daemon')
    assert "bus is systemd's" in process.text()
    assert systemd.show('ActiveState') == 'inactive'
    assert '/account/work' in by_socket(systemd, 'FindAccount', 's', 'work')
    assert process.wait() == 0
    assert systemd.owner() == systemd.show('MainPID') != ''


def test_the_service_takes_the_place_of_another(systemd, entra):
    """One that was started by hand, or where systemd does not look after it."""
    log_in(systemd, entra_account(entra))
    process = systemd.start_program('iotc-tokend')
    wait_until(systemd.owner, 'the daemon')
    sign_in(systemd, entra)
    before = token(systemd)
    systemd.systemctl('start', UNIT)
    assert process.wait() == 0
    assert systemd.owner() == systemd.show('MainPID') != ''
    assert token(systemd) == before


def test_key_is_a_credential(systemd, entra):
    log_in(systemd, '[iotc-token]\nstore=file\n\n' + entra_account(entra), keyring=False)
    with open(systemd.write('key', ''), 'wb') as file:
        file.write(os.urandom(32))
    os.chmod(f'{systemd.folder}/key', 0o600)
    systemd.drop_in(f'[Service]\nLoadCredential=iotc-token-key:{systemd.folder}/key\n')
    sign_in(systemd, entra)
    before = token(systemd)
    assert os.listdir(f'{systemd.home}/.local/share/iotc-token/secrets') == ['work']
    systemd.systemctl('restart', UNIT)
    assert token(systemd) == before


def test_restrictions_leave_az_and_commands_alone(systemd, entra, az):
    program = systemd.write('home/bin/mine', '''#!/bin/sh
exec python3 -c 'import json, resource, os
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({"event": "token", "expires_in": 900, "access_token": "/".join((
    status["NoNewPrivs"], status["Seccomp"], status["Umask"],
    str(resource.getrlimit(resource.RLIMIT_CORE)[1])))}))'
''')
    os.chmod(program, 0o700)
    environment = {name: value for name, value in az.env().items() if name != 'PATH'}
    log_in(systemd, f'[account work]\nsource=command\ncommand={program}\n\n'
           '[account cli]\nsource=azure-cli\n', **environment)
    assert systemd.ok('iotc-token', 'get', 'cli').strip() == az.token()['accessToken']
    assert token(systemd) == '1/2/0077/0'


def test_page_is_opened_and_stays(systemd, entra):
    # The browser runs in the opener's unit; it outlives it, and is not restricted as ours is.
    path = systemd.write('home/bin/xdg-open', '''#!/bin/sh
grep -e NoNewPrivs -e Seccomp: /proc/self/status >"$HOME/opened"
echo "$1" >>"$HOME/opened"
sleep 1000 >/dev/null 2>&1 &
echo $! >"$HOME/browser"
''')
    os.chmod(path, 0o700)
    log_in(systemd, entra_account(entra))
    systemd.systemctl('set-environment', f'PATH={os.path.dirname(path)}:/usr/bin:/bin')
    process = systemd.start_program('iotc-token', 'login', 'work')
    wait_until(lambda: re.search(CODE, process.text()), 'the code')
    systemd.ok('busctl', '--user', 'call', 'org.iotc.Token1.Opener', '/org/iotc/Token1/Opener',
               'org.iotc.Token1.Opener', 'Open', 'os', '/org/iotc/Token1/signin/1', '')
    with open(f'{systemd.home}/opened', encoding='utf-8') as file:
        opened = file.read().split()
    assert opened[:4] == ['NoNewPrivs:', '0', 'Seccomp:', '0'] and opened[4] in process.text()
    with open(f'{systemd.home}/browser', encoding='utf-8') as file:
        browser = file.read().strip()
    systemd.systemctl('stop', OPENER)
    assert systemd.show('Result', OPENER) == 'success'
    systemd.ok('kill', '-0', browser)
    systemd.ok('kill', browser)


def test_log_has_levels(systemd):
    log_in(systemd, keyring=False)
    systemd.systemctl('start', UNIT)
    systemd.write_settings('nonsense\n')
    systemd.systemctl('reload', UNIT)
    wait_until(lambda: 'Read the settings again' in systemd.journal.text(), 'the reload')
    lines = systemd.journal.text().splitlines()
    assert all(re.match(r'<[3-7]>[^<]', line) for line in lines), lines
    assert any(line.startswith('<4>') and 'line 1' in line for line in lines), lines
