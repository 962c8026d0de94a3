# SPDX-License-Identifier: MIT
#
# Faults of the keyring and of the disk in the middle of something: nothing half done, nothing that
# was handed out is lost, and what could not be stored is stored when it can be.

import os
import signal

import pytest

from util_bus import Gio, pump
from util_daemon import MANAGER, entra_account, variants
from util_process import wait_until

PROMPTER = 'org.gnome.keyring.SystemPrompter'
PROMPTER_XML = '''<node><interface name="org.gnome.keyring.internal.Prompter">
<method name="BeginPrompting"><arg type="o" direction="in"/></method>
</interface></node>'''


class DeafPrompter:
    """What shows gnome-keyring's dialogs, which here everybody overlooks."""

    def __init__(self, bus):
        self.asked = []         # never answered
        self.connection = bus.connect()
        self.connection.gio.register_object(
            '/org/gnome/keyring/Prompter',
            Gio.DBusNodeInfo.new_for_xml(PROMPTER_XML).interfaces[0],
            lambda *call: self.asked.append(call[-1]), None, None)
        self.connection.call('org.freedesktop.DBus', '/org/freedesktop/DBus',
                             'org.freedesktop.DBus', 'RequestName', '(su)', (PROMPTER, 0))


def wait_keyring(daemon, state):
    daemon.wait_property('KeyringState', state, interface=MANAGER)


def api_token(which):
    return f'SharedAccessSignature sr=one&sig=secret{which}&se=4102444800000'


def start_add(daemon, name='devices', which=1):
    return daemon.bus.start_call(
        'org.iotc.Token1', '/org/iotc/Token1', MANAGER, 'AddAccount', '(ssa{sv})',
        (name, 'api-token', variants({'secret': api_token(which)})), timeout=60)


def restart_unasked(daemon, entra, token):
    """What the daemon has stored outlives it: it needs nobody to give the token again."""
    daemon.kill9()
    entra.clear()
    daemon.start()
    assert daemon.get_token('work', min_valid=600)[0] == token
    assert entra.count() == 0


def test_full_disk_under_the_keyring(daemon, entra, keyring):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    old = keyring.secret('work')
    keyring.process.limit_files(100)

    entra.set(access_token_ttl=3600, rotation='strict')
    renewed = daemon.get_token('work', min_valid=600)[0]
    assert keyring.secret('work') == old        # gnome-keyring keeps what it had
    name, text = daemon.get('LastError', 'work')
    assert name.endswith('Unavailable') and 'disk' in text and 'memory' in text
    assert daemon.get('State', 'work') == 'ready'
    name, text = daemon.error_of(start_add(daemon).result, 60)
    assert name == 'Unavailable' and 'devices' in text and 'disk' in text
    assert '[account devices]' not in daemon.read_settings()

    keyring.process.limit_files()
    wait_until(lambda: keyring.secret('work') != old, 'the record to be written')
    restart_unasked(daemon, entra, renewed)
    assert list(keyring.items()) == ['work']


def test_full_disk_under_the_settings(daemon, entra, keyring, home):
    daemon.start('# A comment that stays.\n\n' + entra_account(entra))
    daemon.sign_in(entra)
    before = daemon.read_settings()
    keyring_before = keyring.items()
    files = sorted(os.path.join(top, name) for top, _, names in os.walk(home.folder)
                   for name in names if 'accounts.conf' in name or 'state' in name)
    daemon.process.limit_files(10)
    for call in (lambda: start_add(daemon).result(60),
                 lambda: daemon.account_call('work', 'Remove'),
                 lambda: daemon.account_call('work', 'Configure', '(a{sv})',
                                             (variants({'resource': 'https://a.example'}),))):
        name, text = daemon.error_of(call)
        assert 'can\'t be written' in text and 'Nothing was changed' in text, (name, text)
    assert daemon.read_settings() == before
    assert files == sorted(os.path.join(top, name) for top, _, names in os.walk(home.folder)
                           for name in names if 'accounts.conf' in name or 'state' in name)
    assert daemon.get_token('work')[1] == 'bearer'
    wait_until(lambda: keyring.items() == keyring_before, 'the secret of what was not added to go')

    daemon.process.limit_files()
    start_add(daemon).result(60)
    daemon.restart()
    assert daemon.get_token('devices')[0] == api_token(1)
    assert daemon.get_token('work')[1] == 'bearer'
    daemon.account_call('work', 'Remove')
    wait_until(lambda: list(keyring.items()) == ['devices'], 'the item to be gone')


def start_held_refresh(daemon, entra):
    """The old refresh token is spent, and the new one is not here until entra.release()."""
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.set(access_token_ttl=3600, rotation='strict')
    entra.hold()
    call = daemon.start_get('work', min_valid=600)
    entra.wait(grant_type='refresh_token')
    return call


@pytest.mark.parametrize('locked', [False, True])
def test_killed_while_it_stores(daemon, entra, keyring, locked):
    call = start_held_refresh(daemon, entra)
    keyring.process.send(signal.SIGSTOP)        # it has been read; now the answer comes
    entra.release()
    entra.wait(grant_type='refresh_token', status=200)
    keyring.kill()
    renewed = call.result(60)[0]
    wait_keyring(daemon, 'absent')

    keyring.start(locked=locked)
    wait_keyring(daemon, 'locked' if locked else 'ok')
    assert daemon.get_token('work', min_valid=600)[0] == renewed
    if locked:
        keyring.unlock()
        wait_keyring(daemon, 'ok')
    wait_until(lambda: renewed.encode() in keyring.secret('work'), 'the record to be written')
    restart_unasked(daemon, entra, renewed)


def test_locked_while_a_token_is_fetched(daemon, entra, keyring):
    call = start_held_refresh(daemon, entra)
    keyring.lock()
    entra.release()
    renewed = call.result(60)[0]
    wait_keyring(daemon, 'locked')
    assert daemon.get('State', 'work') == 'ready'
    keyring.unlock()
    wait_until(lambda: renewed.encode() in keyring.secret('work'), 'the record to be written')
    restart_unasked(daemon, entra, renewed)


def test_a_prompt_that_nobody_answers(daemon, entra, keyring, bus):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    keyring.lock()
    wait_keyring(daemon, 'locked')
    prompter = DeafPrompter(bus)
    # No dialog is shown unless a person asks.
    entra.set(access_token_ttl=3600, rotation='strict')
    renewed = daemon.get_token('work', min_valid=600)[0]
    assert daemon.error_of(start_add(daemon).result, 60)[0] == 'KeyringLocked'
    assert not prompter.asked

    unlock = daemon.bus.start_call('org.iotc.Token1', '/org/iotc/Token1', MANAGER, 'Unlock',
                                   timeout=60)
    wait_keyring(daemon, 'prompting')
    pump(lambda: prompter.asked, 'the dialog')
    assert daemon.get_token('work', min_valid=600)[0] == renewed
    renewed = daemon.get_token('work', claims='{"access_token":{}}')[0]
    assert daemon.error_of(start_add(daemon).result, 60)[0] == 'KeyringLocked'
    assert not unlock.done

    # Somebody unlocks it elsewhere: what waited is written, dialog or not.
    keyring.unlock()
    wait_keyring(daemon, 'ok')
    wait_until(lambda: renewed.encode() in keyring.secret('work'), 'the record to be written')
    prompter.connection.close()
    assert unlock.result(60) == (True,)
    restart_unasked(daemon, entra, renewed)


@pytest.mark.parametrize('locked', [False, True])
def test_absent_at_the_start_and_there_later(daemon, entra, late_keyring, locked):
    late_keyring.start()
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    start_add(daemon).result(60)
    token = daemon.get_token('work')[0]
    daemon.stop()
    late_keyring.stop()

    daemon.start()
    assert daemon.get('KeyringState') == 'absent'
    for account in ('work', 'devices'):
        assert daemon.get('State', account) == 'unavailable'
        assert daemon.error_of(daemon.get_token, account)[0] == 'KeyringAbsent'
    late_keyring.start(locked=locked)
    wait_keyring(daemon, 'locked' if locked else 'ok')
    if locked:
        for account in ('work', 'devices'):
            daemon.wait_property('State', 'locked', account=account)
        late_keyring.unlock()
    for account in ('work', 'devices'):
        daemon.wait_property('State', 'ready', account=account)
    assert daemon.get_token('work')[0] == token
    assert daemon.get_token('devices')[0] == api_token(1)
