# SPDX-License-Identifier: MIT
#
# The daemon on the bus: its objects are what dbus/org.iotc.Token1.xml says, wrong calls get a
# clear error, and no caller can hurt another.

import os
import xml.etree.ElementTree as ET

import pytest

from util_bus import BusError
from util_daemon import ACCOUNT, INVALID_ARGS, MANAGER, NAME, ROOT, SIGN_IN, account_path
from util_daemon import entra_account, variants
from util_process import wait_until

XML = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../dbus/org.iotc.Token1.xml')
ANNOTATIONS = ('org.freedesktop.DBus.Property.EmitsChangedSignal',)


def shape(root, interface):
    """An interface of an introspection document, without words: a set of what can be compared."""
    found = root.find(f'.//interface[@name="{interface}"]')
    assert found is not None, interface
    members = set()
    for member in found:
        if member.tag not in ('method', 'signal', 'property'):
            continue
        args = tuple((arg.get('direction') or 'out', arg.get('type'), arg.get('name'))
                     for arg in member.findall('arg'))
        notes = tuple(sorted(
            (note.get('name'), note.get('value')) for note in member.findall('annotation')
            if note.get('name') in ANNOTATIONS and note.get('value') != 'true'))
        members.add((member.tag, member.get('name'), member.get('type'), member.get('access'),
                     args, notes))
    return members


def introspect(bus, path):
    return ET.fromstring(bus.call(NAME, path, 'org.freedesktop.DBus.Introspectable',
                                  'Introspect')[0])


def test_introspection_is_the_xml(daemon, entra, keyring, bus):
    daemon.start(entra_account(entra))
    sign_in = daemon.start_sign_in()
    document = ET.parse(XML).getroot()
    for interface, path in ((MANAGER, ROOT), (ACCOUNT, account_path('work')), (SIGN_IN, sign_in)):
        live = shape(introspect(bus, path), interface)
        written = shape(document, interface)
        assert live - written == set() and written - live == set()


def test_first_look(daemon, entra, keyring):
    daemon.start(entra_account(entra, 'my-work'))
    objects = daemon.objects()
    account = objects[account_path('my-work')][ACCOUNT]
    assert account['Name'] == 'my-work' and account['Source'] == 'entra'
    assert account['Authority'] == entra.authority
    assert account['ClientId'] == entra.client_id
    assert account['Resource'] == 'https://apps.azureiotcentral.com'
    assert (account['ExpiresAt'], account['User']) == (0, '')
    assert daemon.get('Version') and daemon.get('KeyringState') == 'ok'


@pytest.mark.parametrize('member, signature, arguments', [
    ('GetToken', '(s)', ('work',)),
    ('GetToken', '(sa{ss})', ('work', {})),
    ('FindAccount', '()', ()),
    ('ReportRejected', '(ss)', ('work', 'x')),
])
def test_wrong_arguments(daemon, entra, keyring, member, signature, arguments):
    daemon.start(entra_account(entra))
    assert daemon.error_of(daemon.call, member, signature, arguments)[0] == INVALID_ARGS


def test_unknown_members_and_objects(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    assert daemon.error_of(daemon.call, 'NoSuchMethod')[0].endswith('UnknownMethod')
    assert daemon.error_of(daemon.account_call, 'nobody', 'Refresh')[0].endswith(
        ('UnknownObject', 'UnknownMethod'))


def test_read_only_properties(daemon, entra, keyring, bus):
    daemon.start(entra_account(entra))
    with pytest.raises(BusError):
        bus.call(NAME, ROOT, 'org.freedesktop.DBus.Properties', 'Set', '(ssv)',
                 (MANAGER, 'KeyringState', variants({'v': 'ok'})['v']))


def test_apps_are_writable(daemon, entra, keyring, bus):
    daemon.start(entra_account(entra))
    bus.call(NAME, account_path('work'), 'org.freedesktop.DBus.Properties', 'Set', '(ssv)',
             (ACCOUNT, 'Apps', variants({'v': ['My.AzureIoTCentral.com']})['v']))
    assert daemon.get('Apps', 'work') == ['my.azureiotcentral.com']
    assert 'apps=my.azureiotcentral.com' in daemon.read_settings()


def test_one_caller_can_t_crowd_out_the_others(daemon, entra, keyring, bus):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.set(access_token_ttl=3600)
    entra.hold()
    greedy = bus.connect()
    calls = [daemon.start_get('work', connection=greedy, min_valid=600) for _ in range(2000)]
    modest = daemon.start_get('work', connection=bus.connect(), min_valid=600)
    entra.wait(grant_type='refresh_token')
    wait_until(lambda: daemon.stats()['requests'] > 2000, 'every call to have come in')
    entra.release()
    assert modest.result()[1] == 'bearer'
    refused = 0
    for call in calls:
        try:
            call.result()
        except BusError as error:
            assert error.name == 'org.freedesktop.DBus.Error.LimitsExceeded'
            refused += 1
    assert 0 < refused < 2000
    assert entra.count('refresh_token') == 1
