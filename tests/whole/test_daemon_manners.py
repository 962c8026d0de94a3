# SPDX-License-Identifier: MIT
#
# Crowds and bad manners on the bus: hundreds of clients, one that asks and never reads, ones that
# go at every stage, arguments of any type and size, a bus that ends. Whoever behaves is served all
# the while, the daemon's memory does not grow, and its log holds nothing of what they sent.

import os
import random
import signal
import time
import xml.etree.ElementTree as ET

import pytest
from gi.repository import GLib

from test_daemon_bus import XML
from util_bus import PROPERTIES, Bus
from util_daemon import ACCOUNT, INVALID_ARGS, MANAGER, NAME, OBJECT_MANAGER, ROOT, SIGN_IN
from util_daemon import Daemon, Home, account_path, entra_account, variants
from util_keyring import Keyring
from util_process import wait_until
from util_raw import BUS, RawClient

INTROSPECTABLE = 'org.freedesktop.DBus.Introspectable'
MARK = 'a-mark-of-the-sender'
OTHER = 'https://other.example'


def memory(daemon, which='RssAnon'):
    """What it has in memory now: MB, without the pages of its files. VmHWM: its peak, with them."""
    with open(f'/proc/{daemon.process.pid}/status', encoding='utf-8') as file:
        return next(int(line.split()[1]) for line in file if line.startswith(which)) / 1024


def get(client, selector='work', **options):
    """GetToken as bytes."""
    return client.message(NAME, ROOT, MANAGER, 'GetToken', '(sa{sv})',
                          (selector, variants(options)))


@pytest.fixture
def served(daemon, entra, keyring):
    """The daemon, with a token of the account "work" in memory."""
    daemon.start(entra_account(entra), MALLOC_ARENA_MAX='1')
    daemon.sign_in(entra)
    daemon.get_token('work')
    return daemon


def test_five_hundred_clients(served, bus):
    clients = [RawClient(bus.address) for _ in range(500)]
    for client in clients:
        client.send(get(client))
    token = served.get_token('work')[0]
    assert {client.reply().get_body().unpack()[0] for client in clients} == {token}
    for client in clients:
        client.close()


@pytest.mark.parametrize('count, flood', [
    (10000, (ROOT, MANAGER, 'GetToken', '(sa{sv})', ('work', {}))),
    (10000, (ROOT, OBJECT_MANAGER, 'GetManagedObjects')),
    (10000, (account_path('work'), ACCOUNT, 'Configure', '(a{sv})', (variants({MARK: 'x'}),))),
], ids=['GetToken', 'GetManagedObjects', 'Configure'])
def test_thousands_of_requests_and_no_ear(plain_build, served, bus, count, flood):
    client = RawClient(bus.address)
    blobs = [client.message(NAME, *flood) for _ in range(count)]
    neighbour = bus.connect()
    before = memory(served, 'VmHWM')
    client.send(b''.join(blobs))
    # What comes after them waits for them, and no longer.
    start = time.monotonic()
    assert served.start_get('work', connection=neighbour).result()[1] == 'bearer'
    assert time.monotonic() - start < 20
    assert memory(served, 'VmHWM') < before + 2
    client.close()
    assert served.get_token('work')[1] == 'bearer' and MARK not in served.text()


@pytest.fixture
def asked(bus):
    """A function: [(member, argument)] of what the daemon has asked the bus of these clients."""
    monitor = RawClient(bus.address)
    monitor.call(BUS, '/org/freedesktop/DBus', BUS + '.Monitoring', 'BecomeMonitor', '(asu)',
                 ([f"type='method_call',destination='{BUS}'"], 0))

    def so_far(clients):
        daemon, last = bus.owner(NAME), RawClient(bus.address)
        found = []
        while (message := monitor.receive()).get_sender() != last.name:
            if message.get_sender() == daemon:
                found.append((message.get_member(), message.get_body().unpack()[0]))
        last.close()
        return [(member, about) for member, about in found
                if any(client.name in about for client in clients)]
    yield so_far
    monitor.close()


def test_who_calls_is_asked_once(served, bus, asked):
    """The answer waits behind all that others have sent, and the daemon for it."""
    clients = [RawClient(bus.address) for _ in range(2)]
    configure = (account_path('work'), ACCOUNT, 'Configure', '(a{sv})', ({},))
    for client in clients:
        for _ in range(100):
            client.send(client.message(NAME, *configure))
        client.replies(100)
    # And once more when its process has been looked at, where the bus knows that by number alone.
    about = [about for _, about in asked(clients)]
    assert list(dict.fromkeys(about)) == [client.name for client in clients]
    assert len(about) in (2, 4)
    for client in clients:
        client.close()


def test_too_many_changes_in_a_row(served, bus):
    """Each is on the disk before anybody else is served."""
    client, neighbour = RawClient(bus.address), RawClient(bus.address)
    configure = (account_path('work'), ACCOUNT, 'Configure', '(a{sv})')
    first = client.serial + 1
    for _ in range(200):
        client.send(client.message(NAME, *configure, ({},)))
    replies = client.replies(200)
    refused = [replies[first + i].get_error_name() for i in range(200)]
    assert refused == [None] * 128 + ['org.freedesktop.DBus.Error.LimitsExceeded'] * 72
    assert 'within 10 s' in replies[first + 199].get_body().unpack()[0]
    assert neighbour.call(NAME, *configure, ({},)) == ()
    for one in (client, neighbour):
        one.close()


def test_a_client_that_waits_is_watched_once(served, bus, entra, asked):
    entra.hold()
    before = served.stats()['requests']
    client = RawClient(bus.address)
    for _ in range(128):
        client.send(get(client, claims='{"a":1}', timeout=900))
    client.send(get(client, claims='{"a":1}', timeout=900))
    assert 'has 128 calls waiting' in client.reply().get_body().unpack()[0]
    assert served.stats()['requests'] == before + 129
    # Whether it may ask with claims (twice, where the bus knows a process by its number alone), to
    # be told when it goes, and whether it is still there.
    about = asked([client])
    who = sum(member == 'GetConnectionCredentials' for member, _ in about)
    assert who in (1, 2) and len(about) == who + 2
    client.close()
    assert wait_until(lambda: asked([client]), 'it to be forgotten', 10)[0][0] == 'RemoveMatch'
    entra.release()


def test_gone_at_every_stage(daemon, entra, keyring, bus):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra) + entra_account(entra, 'other'))
    daemon.sign_in_before(entra)
    entra.set(access_token_ttl=3600)
    entra.hold()
    wish = {'min_valid': 600, 'timeout': 900}
    first = daemon.start_get('work', **wish)
    entra.wait(grant_type='refresh_token')
    asked = daemon.stats()['requests']
    # More of them than may wait at a time: each that goes has made room for the next.
    for stage in ('sent', 'parked', 'half', 'sent', 'parked'):
        clients = [RawClient(bus.address) for _ in range(300)]
        for client in clients:
            blob = get(client, **wish)
            client.send(blob[:-5] if stage == 'half' else blob)
        if stage == 'parked':
            wait_until(lambda: daemon.stats()['requests'] >= asked + 300, 'them to wait')
        for client in clients:
            client.close()
        daemon.get('Version')
        asked = daemon.stats()['requests']
    # In the midst of a sign-in, and of what asks the keyring.
    for call in ((account_path('other'), ACCOUNT, 'SignIn', '(a{sv})', ({},)),
                 (account_path('other'), ACCOUNT, 'SignOut'), (ROOT, MANAGER, 'Unlock'),
                 (account_path('work'), ACCOUNT, 'Refresh')):
        client = RawClient(bus.address)
        client.send(client.message(NAME, *call))
        client.close()
    last = daemon.start_get('work', **wish)
    entra.release()
    assert last.result()[0] == first.result()[0]
    assert entra.count('refresh_token', resource='https://apps.azureiotcentral.com') == 1


def any_call(chance, token, authority):
    """A call that may well be carried out, of an account that may be there."""
    name = chance.choice(('work', 'other', 'new'))
    account = (account_path(name), ACCOUNT)
    options = {key: value for key, value in {
        'force': True, 'claims': '{"a":%d}' % chance.randrange(3), 'resource': OTHER,
        'min_valid': chance.choice((1, 3599)), 'timeout': chance.choice((0, 900)),
    }.items() if chance.random() < 0.3}
    api_token = variants({'secret': f'SharedAccessSignature sr=x&sig=secret-{chance.random()}'})
    return chance.choice((
        (ROOT, MANAGER, 'GetToken', '(sa{sv})', (name, variants(options))),
        (*account, 'GetToken', '(a{sv})', (variants(options),)),
        (ROOT, MANAGER, 'ReportRejected', '(sss)', (name, token, 'Bearer claims="eyJhIjoxfQ=="')),
        (ROOT, MANAGER, 'AddAccount', '(ssa{sv})', (name, 'entra', variants(
            {'authority': authority}))),
        (ROOT, MANAGER, 'AddAccount', '(ssa{sv})', (name, 'api-token', api_token)),
        (ROOT, MANAGER, 'Unlock'), (*account, 'Refresh'), (*account, 'SignOut'),
        (*account, 'Remove'), (*account, 'Forget'),
        (*account, 'SignIn', '(a{sv})', ({},)), (*account, 'SetSecret', '(s)', (MARK,)),
        (*account, 'Configure', '(a{sv})', (variants({'resource': OTHER}),)),
        (*account, 'Configure', '(a{sv})', (variants({'tenant': 'contoso.com'}),)),
        (f'{ROOT}/signin/{chance.randrange(1, 20)}', SIGN_IN, 'Cancel')))


def test_any_call_and_gone(daemon, entra, keyring, bus):
    """Whoever asks for what, in whatever order, and goes: the sanitizers look at what is left."""
    daemon.start(entra_account(entra, resources=OTHER) + entra_account(entra, 'other'))
    daemon.sign_in_before(entra)
    token = daemon.get_token('work')[0]
    chance = random.Random(5)
    clients = []
    held = locked = False
    for _ in range(1500):
        if len(clients) < 8:
            clients.append(RawClient(bus.address))
        client = chance.choice(clients)
        client.send(client.message(NAME, *any_call(chance, token, entra.authority)))
        what = chance.random()
        if what < 0.1:
            client.close()
            clients.remove(client)
        elif what < 0.12:
            held = not held
            (entra.hold if held else entra.release)()
        elif what < 0.13:
            locked = not locked
            (keyring.lock if locked else keyring.unlock)()
    entra.release()
    for client in clients:
        client.close()
    if locked:
        keyring.unlock()
    name, _ = daemon.error_of(daemon.get_token, 'nobody')
    assert name == 'NoSuchAccount' and MARK not in daemon.text()


def methods():
    """(path, interface, method, signature) of all that can be called."""
    for interface in ET.parse(XML).getroot().iter('interface'):
        name = interface.get('name')
        path = {MANAGER: ROOT, ACCOUNT: account_path('work')}.get(name)
        for method in interface.iter('method') if path else ():
            yield path, name, method.get('name'), '(' + ''.join(
                arg.get('type') for arg in method.iter('arg') if arg.get('direction') == 'in') + ')'
    yield ROOT, PROPERTIES, 'Get', '(ss)'
    yield ROOT, PROPERTIES, 'GetAll', '(s)'
    yield account_path('work'), PROPERTIES, 'Set', '(ssv)'
    yield ROOT, OBJECT_MANAGER, 'GetManagedObjects', '()'
    yield ROOT, INTROSPECTABLE, 'Introspect', '()'


def nested(depth):
    value = GLib.Variant('s', MARK)
    for _ in range(depth):
        value = GLib.Variant('v', value)
    return value


BODIES = [
    ('()', ()), ('(s)', (MARK,)), ('(ss)', (MARK, MARK)), ('(sss)', (MARK, MARK, MARK)),
    ('(u)', (1,)), ('(v)', (nested(1),)), ('(v)', (nested(50),)), ('(o)', ('/a/b',)),
    ('(g)', ('a{sv}',)), ('(ay)', (MARK.encode(),)), ('(a{sv})', ({MARK: nested(40)},)),
    ('(a{sv})', ({f'{MARK}{i}': nested(0) for i in range(2000)},)), ('(h)', (0,)),
    ('(sa{ss})', ('work', {MARK: MARK})), ('(sas)', ('work', [MARK])), ('(d)', (1.5,)),
    ('(sa{sv})', (MARK, {})), ('(sa{sv})', ('work', {'timeout': nested(30)})),
    ('(sa{sv})', ('work', {'force': GLib.Variant('as', [MARK])})),
    ('(sa{sv})', ('work', {'min-valid': GLib.Variant('t', 1)})),
    ('(sa{sv})', ('work', {'resource': GLib.Variant('o', '/a')})),
    ('(sa{sv})', ('\x01\x1b[2J' + MARK, {'\x07': GLib.Variant('b', True)})),
    ('(ssa{sv})', (MARK, 'entra', {'apps': GLib.Variant('aas', [[MARK]])})),
    ('(ssa{sv})', ('new', 'entra', {'apps': GLib.Variant('as', [MARK + '/\x01'] * 500)})),
    ('(ssa{sv})', ('new', 'api-token', {'secret': GLib.Variant('u', 1)})),
    ('(ssv)', (ACCOUNT, 'Apps', GLib.Variant('s', MARK))),
    ('(ssv)', (ACCOUNT, 'Apps', GLib.Variant('as', [MARK + '\n/']))),
    ('(ssv)', (ACCOUNT, 'State', GLib.Variant('s', MARK))), ('(ssv)', (MARK, MARK, nested(9))),
]


def test_arguments_of_any_type(daemon, entra, keyring, bus):
    daemon.start(entra_account(entra))
    pid = daemon.process.pid
    settings = daemon.read_settings()
    client = RawClient(bus.address)
    sent = [(signature != wanted, client.message(NAME, path, interface, method, signature, body))
            for path, interface, method, wanted in methods()
            for signature, body in BODIES if (method, signature) not in
            (('SignIn', '(a{sv})'), ('Unlock', '()'), ('Remove', '()'), ('Forget', '()'))]
    last = client.serial
    read_end, write_end = os.pipe()
    for _, blob in sent:
        client.send(blob)
    # A descriptor that nobody asked for.
    client.send(client.message(NAME, ROOT, MANAGER, 'FindAccount', '(s)', ('work',), [read_end]),
                [read_end])
    os.close(read_end)
    replies = client.replies(len(sent) + 1)
    for serial, (wrong, _) in enumerate(sent, last - len(sent) + 1):
        name = replies[serial].get_error_name()
        assert name or not wrong, f'call {serial} got an answer'
        if name:
            assert name.startswith(('org.freedesktop.DBus.Error.', 'org.iotc.Token1.Error.'))
            text = replies[serial].get_body().unpack()[0]
            # What is unknown is repeated by sd-bus, to whom it is from.
            assert 'Unknown' in name or text.isprintable() and len(text) < 2000, text
    assert replies[last + 1].get_body().unpack() == (account_path('work'),)
    with pytest.raises(BrokenPipeError):
        wait_until(lambda: os.write(write_end, b'x') == 0, 'the descriptor to be closed', 10)
    os.close(write_end)
    client.close()
    assert daemon.process.pid == pid and daemon.read_settings() == settings
    assert MARK not in daemon.text() and daemon.get('State', 'work') == 'sign-in-needed'


def twice(before, key, value):
    """The arguments of a call: strings, and a{sv} with a key that comes twice."""
    items = GLib.VariantBuilder(GLib.VariantType('a{sv}'))
    for _ in range(2):
        items.add_value(GLib.Variant.new_dict_entry(GLib.Variant('s', key),
                                                    GLib.Variant('v', value)))
    return GLib.Variant.new_tuple(*(GLib.Variant('s', word) for word in before), items.end())


def test_a_key_that_comes_twice(daemon, bus):
    """Else the message of a call that waits, which is kept, could be of any size."""
    daemon.start('[account work]\nsource=entra\n')
    client = RawClient(bus.address)
    for path, interface, method, *arguments in (
            (ROOT, MANAGER, 'GetToken', ['work'], 'timeout', GLib.Variant('u', 1)),
            (account_path('work'), ACCOUNT, 'GetToken', [], 'claims', GLib.Variant('s', '{}')),
            (ROOT, MANAGER, 'AddAccount', ['new', 'entra'], 'apps', GLib.Variant('as', ['a.b'])),
            (account_path('work'), ACCOUNT, 'Configure', [], 'tenant', GLib.Variant('s', 'a.b')),
            (account_path('work'), ACCOUNT, 'SignIn', [], 'browser', GLib.Variant('b', True))):
        client.send(client.message(NAME, path, interface, method, None, twice(*arguments)))
        reply = client.reply()
        assert reply.get_error_name() == INVALID_ARGS
        assert reply.get_body().unpack() == ('One of the options or settings is there twice.',)
    client.close()


def test_objects_that_are_not_there(daemon, entra, keyring, bus):
    daemon.start(entra_account(entra))
    client = RawClient(bus.address)
    for path in ('/', '/org', ROOT + '/account', ROOT + '/account/_zz', ROOT + '/signin/0',
                 ROOT + '/account/' + 'a' * 9999, account_path('work') + '/more',
                 ROOT + '/signin/18446744073709551616'):
        for interface, member in ((ACCOUNT, 'Refresh'), (SIGN_IN, 'Cancel'), (MANAGER, 'Unlock')):
            client.send(client.message(NAME, path, interface, member))
            assert client.reply().get_error_name().startswith('org.freedesktop.DBus.Error.Unknown')
    client.close()


def test_sixty_four_megabytes(plain_build, served, bus):
    big = MARK + 'x' * ((64 << 20) - 4096)     # more in an array is an error of D-Bus's own
    before = memory(served)
    client = RawClient(bus.address)
    for call in ((ROOT, MANAGER, 'GetToken', '(sa{sv})', (big, {})),
                 (ROOT, MANAGER, 'GetToken', '(sa{sv})', ('work', variants({'claims': big}))),
                 (ROOT, MANAGER, 'AddAccount', '(ssa{sv})', (big, 'entra', {}))):
        client.send(client.message(NAME, *call))
        reply = client.reply()
        assert reply.get_error_name() == 'org.freedesktop.DBus.Error.InvalidArgs'
        assert len(reply.get_body().unpack()[0]) < 500
        assert served.get_token('work')[1] == 'bearer'
    client.close()
    assert memory(served) < before + 16 and MARK not in served.text()


def test_bus_ends_in_the_midst_of_it(daemon, entra, keyring, bus, folder, build_dir):
    """It stops, leaves nothing behind, and the next one on another bus goes on where it was."""
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    token = daemon.get_token('work')[0]
    entra.hold()
    daemon.start_get('work', force=True)
    entra.wait(grant_type='refresh_token')
    bus.process.send(signal.SIGKILL)
    assert daemon.process.wait() == 0
    assert 'The session bus is gone' in daemon.text()
    entra.release()
    keyring.process.end()

    os.mkdir(folder + '/next')
    next_bus = Bus(folder + '/next')
    try:
        next_keyring = Keyring(next_bus, keyring.folder)
        next_keyring.start()
        home = daemon.home
        home.env['DBUS_SESSION_BUS_ADDRESS'] = next_bus.address
        following = Daemon(home, next_bus)
        following.start()
        assert following.get_token('work')[0] == token
        following.close()
        next_keyring.close()
    finally:
        next_bus.close()
