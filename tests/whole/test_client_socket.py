# SPDX-License-Identifier: MIT
#
# The command and the library by the daemon's own socket: where no session bus is (cron, env -i), on
# another bus than the daemon's, as IOTC_TOKEN_SOCKET says, and never by one that others can have
# put there.

import json
import os
import re
import signal
import socket

import pytest

from test_cli_bus import bus_finding, inside    # noqa: F401
from test_library_async import Program as Loop
from util_bus import Bus
from util_daemon import entra_account
from util_process import wait_until

CODE = r'enter the code (\S+)\n'


@pytest.fixture
def alone(cli, well):
    """The command in an environment without a session bus."""
    cli.home.env.pop('DBUS_SESSION_BUS_ADDRESS')
    return cli


def path(home):
    return os.path.join(home.env['XDG_RUNTIME_DIR'], 'iotc-token', 'bus')


def test_without_a_session_bus(alone):
    token = alone.ok('get').strip()
    assert alone.ok('get', '--header') == f'Authorization: Bearer {token}\n'
    assert json.loads(alone.ok('get', '--json'))['account'] == 'work'
    assert json.loads(alone.ok('list', '--json', '--no-start'))[0]['name'] == 'work'
    assert json.loads(alone.ok('status', 'work', '--json'))['state'] == 'ready'
    alone.ok('refresh', 'work')
    assert alone.ok('get').strip() != token


def test_in_an_empty_environment(well, home, inside):   # noqa: F811
    """As cron, su or env -i leave it: the folder in /run/user is enough."""
    done = inside(home.env['XDG_RUNTIME_DIR'], 'env', '-u', 'HOME', 'iotc-token', 'get', 'work')
    assert done.returncode == 0 and len(done.stdout) > 40, done.stderr
    found = bus_finding(inside(home.env['XDG_RUNTIME_DIR'], 'iotc-token', 'doctor', '--json'))
    assert found['state'] == 'ok' and 'there is no session bus' in found['text']


def test_on_another_bus(well, home, cli, folder):
    token = cli.ok('get')
    other = os.path.join(folder, 'other')
    os.mkdir(other, 0o700)
    bus = Bus(other)
    try:
        home.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address
        assert cli.ok('get') == token
        assert json.loads(cli.ok('list', '--json'))[0]['name'] == 'work'
        found = [f for f in json.loads(cli.run('doctor', '--json').stdout) if f['check'] == 'bus']
        assert found[0]['state'] == 'ok' and "the daemon's own socket" in found[0]['text']
    finally:
        bus.close()


def test_a_sign_in(alone, daemon, entra):
    alone.ok('logout', 'work')
    process = alone.start('login', 'work')
    code = wait_until(lambda: re.search(CODE, process.text()) or not process.alive, 'the code')
    assert code is not True, process.text()
    entra.approve(code[1])
    assert process.wait() == 0, process.text()
    assert alone.ok('get')


def test_a_sign_in_that_the_daemon_leaves(alone, daemon):
    alone.ok('logout', 'work')
    process = alone.start('login', 'work')
    wait_until(lambda: re.search(CODE, process.text()) or not process.alive, 'the code')
    daemon.kill9()
    assert process.wait() == 1 and 'ended before the sign-in did' in process.text()


def test_watch(alone, daemon):
    """A change, and the daemon's end: that of the connection."""
    process = alone.start('watch')
    wait_until(lambda: 'Watching' in process.text() or not process.alive, 'the watch to begin')
    alone.ok('refresh', 'work')
    wait_until(lambda: 'last_refresh_at' in process.text(), 'the refresh to show')
    daemon.kill9()
    wait_until(lambda: 'stopped' in process.text() or not process.alive, 'the end to show')
    # Neither a bus nor systemd's socket brings it back.
    assert process.wait() == 1 and 'session bus' in process.text(), process.text()


def test_watch_goes_on_by_the_bus(well, cli):
    process = cli.start('watch')
    wait_until(lambda: 'Watching' in process.text() or not process.alive, 'the watch to begin')
    well.kill9()
    wait_until(lambda: 'stopped' in process.text() or not process.alive, 'the end to show')
    well.start()
    wait_until(lambda: 'started' in process.text() or not process.alive, 'its return to show')
    process.send(signal.SIGINT)
    process.wait()


def test_the_named_one(alone, home, folder):
    token = alone.ok('get')
    home.env['IOTC_TOKEN_SOCKET'] = path(home)
    home.env['XDG_RUNTIME_DIR'] = folder
    assert alone.ok('get') == token
    # No other way is tried.
    home.env['XDG_RUNTIME_DIR'] = os.path.dirname(os.path.dirname(path(home)))
    for name in (f'{folder}/none', 'bus', f'{path(home)}.conf'):
        home.env['IOTC_TOKEN_SOCKET'] = name
        done = alone.run('get')
        assert (done.returncode, done.stdout) == (5, '') and name in done.stderr
        assert 'unset IOTC_TOKEN_SOCKET' in done.stderr
    found = json.loads(alone.run('doctor', '--json').stdout)[0]
    assert (found['check'], found['command']) == ('bus', 'unset IOTC_TOKEN_SOCKET')


@pytest.mark.parametrize('mode', [0o770, 0o705])
def test_not_in_a_folder_that_others_may_use(well, home, cli, mode):
    home.env['IOTC_TOKEN_SOCKET'] = path(home)
    os.chmod(os.path.dirname(path(home)), mode)
    done = cli.run('get')
    assert done.returncode == 5 and 'is not this user' in done.stderr
    del home.env['IOTC_TOKEN_SOCKET']
    assert cli.ok('get')    # by the session bus


def test_nobody_listens_there_any_more(well, home, cli):
    token = cli.ok('get')
    os.unlink(path(home))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path(home))
    assert cli.ok('get') == token


@pytest.mark.long
def test_who_listens_does_not_answer(well, home, cli):
    """As systemd's socket while the daemon does not start: the session bus is asked instead."""
    token = cli.ok('get').strip()
    os.unlink(path(home))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path(home))
        silent.listen()
        assert cli.ok('get').strip() == token
        loop = Loop(home)
        loop.start('get', 1)
        assert loop.line() == ['1', '0', token]
        assert loop.close() == 0


def test_in_a_main_loop(alone, home, daemon):
    token = alone.ok('get').strip()
    loop = Loop(home)
    loop.start('get', 1)
    assert loop.line() == ['1', '0', token]
    daemon.kill9()
    loop.send('get', 2, '', 5)
    assert 'session bus' in str(loop.line())    # no other way
    assert loop.close() == 0
