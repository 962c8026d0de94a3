# SPDX-License-Identifier: MIT
#
# How the daemon comes and goes: started by the bus when it is first needed, ready when it says so,
# settings read again, a second one turned away, the end of the session.

import os
import re
import signal
import socket

import pytest

from util_bus import Bus, Gio
from util_daemon import MANAGER, NAME, ROOT, Daemon, Home, account_path, entra_account
from util_process import Process, wait_until


@pytest.fixture
def activating_bus(folder, build_dir):
    """A bus that starts the built daemon by the activation file that is installed."""
    services = os.path.join(folder, 'services')
    os.makedirs(services, exist_ok=True)
    with open(os.path.join(build_dir, 'dbus', f'{NAME}.service'), encoding='utf-8') as file:
        text = file.read()
    text = re.sub(r'^Exec=.*$', f'Exec={build_dir}/daemon/iotc-tokend', text, flags=re.M)
    text = re.sub(r'^SystemdService=.*\n', '', text, flags=re.M)
    with open(os.path.join(services, f'{NAME}.service'), 'w', encoding='utf-8') as file:
        file.write(text)
    bus = Bus(folder, services)
    yield bus
    bus.close()


def test_started_by_the_first_call(activating_bus):
    version = activating_bus.call(NAME, ROOT, 'org.freedesktop.DBus.Properties', 'Get', '(ss)',
                                  (MANAGER, 'Version'), flags=Gio.DBusCallFlags.NONE)[0]
    assert re.fullmatch(r'\d+\.\d+\.\d+', version)


def test_says_when_it_is_ready(daemon, entra, keyring, folder, bus):
    path = os.path.join(folder, 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(30)
        daemon.start(entra_account(entra), NOTIFY_SOCKET=path)
        assert notify.recv(4096).decode() == 'READY=1'
        assert bus.owner(NAME), 'ready before it can be called'
        daemon.process.send(signal.SIGHUP)
        said = [notify.recv(4096).decode() for _ in range(2)]
        assert said[0].startswith('RELOADING=1') and said[1] == 'READY=1'
        daemon.stop()
        assert notify.recv(4096).decode() == 'STOPPING=1'


def test_levels_are_for_the_journal_alone(daemon):
    # A terminal of a desktop inherits the variable: what it shows is no journal.
    daemon.start('', JOURNAL_STREAM='1:2')
    daemon.wait_log('Ready')
    assert '<7>' not in daemon.text() and 'iotc-tokend: Ready' in daemon.text()
    daemon.stop()
    status = os.stat(daemon.log)
    daemon.start('', JOURNAL_STREAM=f'{status.st_dev}:{status.st_ino}')
    daemon.wait_log('<7>Ready')


def test_reload_keeps_what_did_not_change(daemon, entra, keyring):
    daemon.start(entra_account(entra) + entra_account(entra, 'gone'))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    daemon.write_settings(entra_account(entra, apps='a.example.com') + entra_account(entra, 'new'))
    daemon.process.send(signal.SIGHUP)
    wait_until(lambda: account_path('new') in daemon.objects(), 'the new account')
    assert account_path('gone') not in daemon.objects()
    assert daemon.get_token('a.example.com')[0] == token
    assert daemon.stats()['fetches'] == 0


def test_reload_with_a_bad_line_says_so(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.write_settings(entra_account(entra) + '[account bad]\nsource=nonsense\n')
    daemon.process.send(signal.SIGHUP)
    wait_until(lambda: account_path('bad') in daemon.objects(), 'the bad account')
    assert daemon.get('State', 'bad') == 'misconfigured'
    assert daemon.get_token('work')[1] == 'bearer'


def test_end_of_the_session_ends_it(daemon, entra, keyring, bus):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    bus.process.send(signal.SIGKILL)
    assert daemon.process.wait() == 0


def test_no_session_bus(folder, build_dir):
    daemon = Process([f'{build_dir}/daemon/iotc-tokend'], {'HOME': folder, 'PATH': '/nonexistent'},
                     os.path.join(folder, 'log'))
    assert daemon.wait() == 1
    assert 'DBUS_SESSION_BUS_ADDRESS' in daemon.text()


def test_a_loop_that_fails(daemon, home, folder):
    """It says why it ends, and systemd starts it again."""
    path = os.path.join(folder, 'fails')
    daemon.start('', LD_PRELOAD=os.path.join(home.build_dir, 'tests/util-loop.so'),
                 IOTC_TEST_LOOP=path, ASAN_OPTIONS=home.env.get('ASAN_OPTIONS', '') +
                 ':verify_asan_link_order=0')
    with open(path, 'wb'):
        pass
    daemon.process.send(signal.SIGHUP)  # it wakes up
    assert daemon.process.wait() == 1
    assert re.search('loop failed.*Bad file descriptor', daemon.text())
