# SPDX-License-Identifier: MIT
#
# The direct socket: the same objects as on the bus, peer to peer, for this user alone; and what
# programs there may do that no bus would let through.

import os
import random
import re
import signal
import socket
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from util_bus import PROPERTIES, Bus, BusError, Connection, GLib, Peer, pump
from util_daemon import (ACCOUNT, MANAGER, NAME, OBJECT_MANAGER, ROOT, SIGN_IN, account_path,
                         entra_account, variants)
from util_process import Process, wait_until
from util_raw import RawClient

NOBODY = 65534
XML = os.path.join(os.path.dirname(__file__), '../../dbus/org.iotc.Token1.xml')
MANUAL = os.path.join(os.path.dirname(__file__), '../../daemon/iotc-tokend.8')
INTROSPECTABLE = 'org.freedesktop.DBus.Introspectable'
API_TOKEN = 'SharedAccessSignature sr=0b1c&sig=c2ln&skn=one&se=4102444800000'
OTHER_TOKEN = API_TOKEN.replace('one', 'two')
PEERS_PER_PROCESS = 64
CALLS_PER_CLIENT = 128
AUTH = b'\0AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode() + b'\r\n'
BEGUN = AUTH + b'BEGIN\r\n'
GARBAGE = {
    'nothing': b'',
    'a zero': b'\0',
    'http': b'GET / HTTP/1.1\r\n\r\n',
    'anonymous': b'\0AUTH ANONYMOUS\r\nBEGIN\r\n',
    'noise': random.Random(7).randbytes(4096),
    'a long line': b'\0' + b'A' * 100000,
    'no message': BEGUN + b'\xff' * 4096,
    'a message too long': BEGUN + b'l\1\0\1' + b'\xff' * 12,
    'a message cut': BEGUN + b'l\1\0\1' + b'\0\0\0\x07' + b'\0' * 64,
}

needs_root = pytest.mark.skipif(os.getuid() != 0, reason='to be another user takes root')


class AsBus(Connection):
    """What a library does that takes the socket for a bus, but for the senders of signals."""

    def watch(self, sender, interface, member=None, path=None):
        return super().watch(None, interface, member, path)


@pytest.fixture(params=[Peer, AsBus], ids=['peer', 'as a bus'])
def there(request, daemon, entra, keyring):
    """The daemon, signed in, by the socket: as a peer, and as by a library that knows buses."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    there = daemon.by_socket(request.param)
    yield there
    there.bus.close()


@pytest.fixture
def peer(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    peer = daemon.by_socket()
    yield peer
    peer.bus.close()


def members(kind):
    return {(interface.get('name'), member.get('name'))
            for interface in ET.parse(XML).getroot().iter('interface')
            for member in interface.iter(kind) if interface.get('name').startswith(NAME)}


def connect(daemon):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(daemon.socket)
    return client


def is_closed(client):
    """It gets no more than the end of the connection."""
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


def test_every_member(there, daemon, entra):
    called = set()

    def call(interface, member, signature='()', arguments=(), path=ROOT):
        called.add((interface, member))
        return there.call(member, signature, arguments, path, interface)

    work = account_path('work')
    token = call(MANAGER, 'GetToken', '(sa{sv})', ('work', {}))
    assert token == daemon.get_token('work')
    assert call(ACCOUNT, 'GetToken', '(a{sv})', ({},), work) == token
    assert call(MANAGER, 'GetAuthorization', '(sa{sv})', ('work', {})) == (
        f'Bearer {token[0]}', token[2])
    assert call(MANAGER, 'FindAccount', '(s)', ('work',)) == (work,)
    call(ACCOUNT, 'Configure', '(a{sv})', (variants({'apps': ['a.example.com']}),), work)
    assert there.get('Apps', 'work') == ['a.example.com']
    call(MANAGER, 'ReportRejected', '(sss)', ('work', token[0], ''))
    new = there.get_token('work')
    assert new[0] != token[0]
    assert call(MANAGER, 'AddAccount', '(ssa{sv})', (
        'ci', 'api-token', variants({'secret': API_TOKEN, 'apps': ['b.example.com']}))) == (
            account_path('ci'),)
    call(ACCOUNT, 'SetSecret', '(s)', (OTHER_TOKEN,), account_path('ci'))
    assert there.get_token('b.example.com')[:2] == (OTHER_TOKEN, 'api-token')
    call(ACCOUNT, 'Remove', path=account_path('ci'))
    call(MANAGER, 'AddAccount', '(ssa{sv})', (
        'ci', 'api-token', variants({'secret': API_TOKEN})))
    call(ACCOUNT, 'Forget', path=account_path('ci'))
    assert account_path('ci') not in daemon.objects()
    assert call(MANAGER, 'Unlock') == (True,)
    path = call(ACCOUNT, 'SignIn', '(a{sv})', ({},), work)[0]
    call(SIGN_IN, 'Cancel', path=path)
    assert there.sign_in_property(path, 'State') == 'cancelled'
    call(ACCOUNT, 'SignOut', path=work)
    assert there.error_of(there.get_token, 'work')[0] == 'SignInNeeded'
    there.sign_in(entra)
    call(ACCOUNT, 'Refresh', path=work)
    assert called == members('method')

    # Every property, and what describes them.
    assert there.objects() == daemon.objects()
    assert {(interface, name) for one in there.objects().values()
            for interface, properties in one.items() for name in properties
            if interface.startswith(NAME)} | {
                (MANAGER, name) for name in there.bus.get_all(NAME, ROOT, MANAGER)} == members(
                    'property')
    for path, interface in ((ROOT, MANAGER), (work, ACCOUNT)):
        ours, theirs = (one.bus.get_all(NAME, path, interface) for one in (there, daemon))
        for changing in ('Stats', 'LastUsedAt'):
            ours.pop(changing, None), theirs.pop(changing, None)
        assert ours == theirs
        assert there.call('Introspect', path=path, interface=INTROSPECTABLE) == daemon.call(
            'Introspect', path=path, interface=INTROSPECTABLE)
    there.call('Set', '(ssv)', (MANAGER, 'DefaultAccount', GLib.Variant('s', 'work')),
               interface=PROPERTIES)
    assert daemon.get('DefaultAccount') == 'work'


def test_signals(there, daemon):
    """The same, in the same order, as on the bus."""
    def heard(one):
        # On the bus they come from the unique name of the daemon.
        sender = NAME if one is daemon else None
        return [one.bus.watch(sender, PROPERTIES), one.bus.watch(sender, OBJECT_MANAGER)]

    watches = {one: heard(one) for one in (there, daemon)}
    there.get('Version')    # AddMatch has been read
    there.call('AddAccount', '(ssa{sv})', ('new', 'entra', {}))
    there.account_call('work', 'SignOut')
    there.account_call('new', 'Remove')
    for one in (there, daemon):
        watches[one][1].wait(lambda p, m, a: m == 'InterfacesRemoved', 'the account to be gone')
    for ours, theirs in zip(watches[there], watches[daemon]):
        assert ours.signals == theirs.signals
    assert [m for _, m, _ in watches[there][1].signals] == ['InterfacesAdded', 'InterfacesRemoved']
    assert any(a[1].get('State') == 'sign-in-needed' for _, _, a in watches[there][0].signals)


def test_who_asks_like_a_bus_gets_signals_when_it_wants_them(daemon, entra, keyring):
    """A program that only calls has nothing to read but replies, however long it lives."""
    daemon.start(entra_account(entra))
    client = RawClient(f'unix:path={daemon.socket}')
    driver = ('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus')
    for member, comes in (('AddMatch', True), ('RemoveMatch', False)):
        if comes:
            daemon.sign_in(entra)
        client.call(*driver, member, '(s)', ("type='signal'",))
        daemon.account_call('work', 'SignOut')
        client.send(client.message(NAME, ROOT, PROPERTIES, 'Get', '(ss)', (MANAGER, 'Version')))
        got = [client.receive()]
        while not got[-1].get_reply_serial():
            got.append(client.receive())
        assert (len(got) > 1) == comes, [message.get_member() for message in got]
        daemon.sign_in(entra)
    client.close()


def test_a_monitor_records_nothing(daemon, entra, keyring, bus, folder):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    monitor = Process(['busctl', f'--address={bus.address}', 'monitor'], {'PATH': '/usr/bin:/bin'},
                      os.path.join(folder, 'monitor.log'))
    wait_until(lambda: 'Monitoring bus' in monitor.text(), 'the monitor')
    here = daemon.by_socket()
    token = here.get_token('work')[0]
    value = here.get_authorization('work')[0]
    assert value == f'Bearer {token}'
    daemon.get('Version')       # by the bus: what came before it has been recorded
    wait_until(lambda: 'Version' in monitor.text(), 'the monitor to see that')
    assert token not in monitor.text() and 'GetToken' not in monitor.text()
    daemon.get_token('work')
    wait_until(lambda: token in monitor.text(), 'the token on the bus')
    monitor.end()
    here.bus.close()


def test_only_its_user_gets_to_it(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    status = os.stat(daemon.socket)
    assert stat.S_IMODE(status.st_mode) == 0o600 and stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(os.stat(os.path.dirname(daemon.socket)).st_mode) == 0o700
    daemon.stop()
    assert not os.path.exists(daemon.socket)


@needs_root
def test_another_user_is_turned_away(daemon, entra, keyring):
    """Also where the modes would let them in."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    call = ['setpriv', '--reuid', str(NOBODY), '--clear-groups', 'busctl',
            f'--address=unix:path={daemon.socket}', 'call', NAME, ROOT, MANAGER, 'GetToken',
            'sa{sv}', 'work', '0']
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and 'Permission denied' in done.stderr
    os.chmod(daemon.socket, 0o666)
    folder = os.path.dirname(daemon.socket)
    while folder != '/':
        os.chmod(folder, os.stat(folder).st_mode | 0o055)
        folder = os.path.dirname(folder)
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and not done.stdout
    daemon.wait_log("direct socket is closed: it is another user's")
    done = subprocess.run(call[4:], capture_output=True, text=True, timeout=60, check=False)
    assert 'bearer' in done.stdout


@pytest.mark.parametrize('how', ['kill', 'stop'])
def test_ended_under_calls_on_both_doors(daemon, peer, entra, how):
    peer.bus.close()
    daemon.restart()
    here = daemon.by_socket()
    entra.hold()
    calls = [one.start_get('work', force=True) for one in (daemon, here, daemon, here)]
    entra.wait(grant_type='refresh_token')
    entra.release()
    if how == 'kill':
        daemon.kill9()
    else:
        daemon.process.send(signal.SIGTERM)
    for call in calls:
        try:
            assert call.result()[1] == 'bearer'
        except BusError:
            pass
    assert how == 'kill' or daemon.process.wait() == 0
    wait_until(here.bus.gio.is_closed, 'the connection to be closed') if how == 'kill' else None
    here.bus.close()
    daemon.start()
    here = daemon.by_socket()
    assert here.get_token('work') == daemon.get_token('work')
    here.bus.close()


def test_a_peer_that_goes_leaves_nothing(daemon, peer, entra):
    entra.hold()
    clients = [RawClient(f'unix:path={daemon.socket}') for _ in range(8)]
    for client in clients:
        for _ in range(10):
            client.send(client.message(NAME, ROOT, MANAGER, 'GetToken', '(sa{sv})',
                                       ('work', variants({'force': True}))))
    for client in clients:
        client.close()
    entra.release()
    assert peer.get_token('work')[1] == 'bearer'


def test_all_in_one_piece(daemon, peer):
    """Sent together with the end of the authentication: nothing more comes to wake the daemon."""
    for calls in (1, 3):
        client = connect(daemon)
        blob = BEGUN
        for serial in range(1, calls + 1):
            raw = RawClient.__new__(RawClient)
            raw.serial = serial - 1
            blob += raw.message(NAME, ROOT, PROPERTIES, 'Get', '(ss)', (MANAGER, 'Version'))
        client.sendall(blob)
        got = b''
        while got.count(peer.get('Version').encode()) < calls:
            more = client.recv(4096)
            assert more
            got += more
        client.close()


@pytest.mark.parametrize('what', GARBAGE)
def test_garbage_hurts_nobody(daemon, peer, what):
    half_open = [connect(daemon) for _ in range(4)]
    clients = [connect(daemon) for _ in range(4)]
    for client in clients:
        try:
            client.sendall(GARBAGE[what])
        except ConnectionError:
            pass
    assert peer.get_token('work') == daemon.get_token('work')
    for client in clients:
        client.shutdown(socket.SHUT_WR)
        assert is_closed(client)
    assert peer.get_token('work')[1] == 'bearer'
    for client in half_open:
        client.close()


def test_one_that_does_not_read_is_dropped(daemon, peer):
    client = RawClient(f'unix:path={daemon.socket}')
    call = client.message(NAME, ROOT, OBJECT_MANAGER, 'GetManagedObjects')
    client._socket.settimeout(20)
    with pytest.raises((ConnectionError, TimeoutError)):
        for _ in range(100000):
            client.send(call)
    daemon.wait_log('does not read what it is sent')
    assert str(os.getpid()) in daemon.text()
    client.close()
    assert peer.get_token('work')[1] == 'bearer'


def test_one_that_does_not_read_signals_is_dropped(daemon, peer, entra):
    daemon.restart(entra_account(entra, 'a0'))
    client = RawClient(f'unix:path={daemon.socket}')
    client.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                'AddMatch', '(s)', ("type='signal'",))
    for number in range(200):
        daemon.write_settings(''.join(entra_account(entra, f'a{i}', apps=f'a{i}-{number}.example')
                                      for i in range(20)))
        daemon.process.send(signal.SIGHUP)
        wait_until(lambda: f'a0-{number}.example' in daemon.get('Apps', 'a0'), 'the settings')
        if 'does not read' in daemon.text():
            break
    daemon.wait_log('does not read what it is sent')
    client.close()


def accepted(daemon):
    try:
        return daemon.by_socket()
    except GLib.Error:
        return None


def test_too_many_connections_of_one_program(daemon, peer):
    clients = [connect(daemon) for _ in range(PEERS_PER_PROCESS - 1)]
    client = connect(daemon)
    assert is_closed(client)
    daemon.wait_log('too many connections')
    assert peer.get_token('work')[1] == 'bearer'
    # Of another program they are welcome.
    assert subprocess.run([sys.executable, '-c', f"""
import socket
s = socket.socket(socket.AF_UNIX)
s.connect({daemon.socket!r})
s.sendall({AUTH!r})
assert s.recv(100).startswith(b'OK')"""], check=False).returncode == 0
    for client in clients:
        client.close()
    other = wait_until(lambda: accepted(daemon), 'a connection to be accepted again')
    assert other.get_token('work')[1] == 'bearer'
    other.bus.close()


def test_too_many_calls_of_one_program(daemon, peer, entra):
    entra.hold()
    calls = [peer.start_get('work', claims='{"access_token":{}}')
             for _ in range(CALLS_PER_CLIENT + 1)]
    pump(lambda: calls[-1].done, 'the last one to be refused')
    assert 'calls waiting' in daemon.error_of(calls[-1].result)[1]
    entra.release()
    assert all(call.result()[1] == 'bearer' for call in calls[:-1])


def test_no_descriptor_left(daemon, peer):
    """It waits for one, without spinning, and serves who is connected."""
    subprocess.run(['prlimit', '--pid', str(daemon.process.pid), '--nofile=3:'], check=True)
    client = connect(daemon)
    daemon.wait_log("Can't accept at the direct socket: Too many open files")
    assert peer.get_token('work')[1] == 'bearer'
    assert daemon.text().count("Can't accept") < 5
    subprocess.run(['prlimit', '--pid', str(daemon.process.pid), '--nofile=1024:'], check=True)
    client.sendall(AUTH)
    assert client.recv(100).startswith(b'OK')
    client.close()


def test_a_socket_that_is_left_is_taken_over(daemon, peer):
    daemon.kill9()
    assert os.path.exists(daemon.socket)
    with pytest.raises(ConnectionRefusedError):
        connect(daemon)
    daemon.start()
    here = daemon.by_socket()
    assert here.get_token('work')[1] == 'bearer'
    here.bus.close()


def test_no_session_bus(daemon, home, keyring, entra, bus, folder):
    """The socket is enough; when there is a bus it ends, and is started again with it."""
    with open(os.path.join(folder, 'key'), 'wb') as file:
        file.write(os.urandom(32))
    os.chmod(os.path.join(folder, 'key'), 0o600)
    daemon.write_settings(f'[iotc-token]\nstore=file\nkey-file={folder}/key\n\n'
                          + entra_account(entra))
    del home.env['DBUS_SESSION_BUS_ADDRESS']
    daemon.process = daemon.start_process()
    daemon.wait_log('no session bus .*only the direct socket')
    wait_until(lambda: os.path.exists(daemon.socket), 'the socket')
    here = daemon.by_socket()
    here.sign_in(entra)
    token = here.get_token('work')
    here.bus.close()
    path = os.path.join(home.env['XDG_RUNTIME_DIR'], 'bus')
    os.symlink(re.search('path=([^,]*)', bus.address)[1], path)
    assert daemon.process.wait() == 1
    daemon.start()
    assert daemon.get_token('work') == token


def test_no_session_bus_and_no_keyring(daemon, home, entra):
    """It says so, and what needs no keyring works."""
    daemon.write_settings(entra_account(entra))
    del home.env['DBUS_SESSION_BUS_ADDRESS']
    daemon.process = daemon.start_process()
    wait_until(lambda: os.path.exists(daemon.socket), 'the socket')
    here = daemon.by_socket()
    assert here.get('KeyringState') == 'absent'
    path = here.start_sign_in()
    entra.approve(here.sign_in_property(path, 'UserCode'))
    here.wait_property('State', {'done', 'failed'}, path=path, interface=SIGN_IN)
    assert here.get_token('work')[1] == 'bearer'
    here.bus.close()


def test_what_systemd_listens_at_is_left_alone(daemon, entra, keyring):
    """One that was started by hand: who connects to the socket starts the service."""
    os.makedirs(os.path.dirname(daemon.socket), 0o700)
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(daemon.socket)
        theirs.listen()
        inode = os.stat(daemon.socket).st_ino
        daemon.start(entra_account(entra))
        daemon.wait_log("bus is systemd's")
        daemon.stop()
        assert os.stat(daemon.socket).st_ino == inode


def test_as_the_manual_shows_it(daemon, peer, home):
    with open(MANUAL, encoding='utf-8') as file:
        code = re.search(r'PyGObject:\n\.Bd .*?\n(.*?)\n\.Ed', file.read(), re.S)[1]
    done = subprocess.run(['/usr/bin/python3', '-c', code + '\nprint(value)'],
                          env={'XDG_RUNTIME_DIR': home.env['XDG_RUNTIME_DIR']},
                          capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == daemon.get_authorization('work')[0]
