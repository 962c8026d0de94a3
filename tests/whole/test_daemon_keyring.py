# SPDX-License-Identifier: MIT
#
# The keyring in all its moods: absent, locked, locked later, restarted, killed, emptied by hand.
# Callers are served as long as it can be done, and are told what to do when it can't.

import os
import signal
import time

import pytest

from util_daemon import MANAGER, NAME, ROOT, entra_account, variants
from util_process import wait_until


def wait_keyring(daemon, state):
    daemon.wait_property('KeyringState', state, interface=MANAGER)


def test_absent(daemon, entra):
    daemon.start(entra_account(entra))
    assert daemon.get('KeyringState') == 'absent'
    # Signing in works all the same, until the daemon ends.
    daemon.sign_in(entra)
    assert daemon.get_token('work')[1] == 'bearer'
    assert daemon.get('KeyringState') == 'absent'
    # And out: there is nothing to delete.
    daemon.account_call('work', 'SignOut')
    assert daemon.get('State', 'work') == 'sign-in-needed'
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    daemon.sign_in(entra)
    daemon.restart()
    assert daemon.error_of(daemon.get_token, 'work')[0] in ('SignInNeeded', 'KeyringAbsent')


def test_locked_at_start(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    daemon.stop()
    keyring.stop()
    keyring.start(locked=True)

    daemon.start()
    wait_keyring(daemon, 'locked')
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=2)
    assert name == 'KeyringLocked' and 'iotc-token unlock' in text
    assert daemon.get('State', 'work') == 'locked'

    keyring.unlock()
    wait_keyring(daemon, 'ok')
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[0] == token


def test_locked_later(daemon, entra, keyring):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    keyring.lock()
    wait_keyring(daemon, 'locked')
    assert daemon.get_token('work')[1] == 'bearer'

    # A renewal is served from memory, and written when the keyring opens.
    entra.set(access_token_ttl=3600, rotation='strict')
    renewed = daemon.get_token('work', min_valid=600)[0]
    keyring.unlock()
    wait_keyring(daemon, 'ok')
    entra.clear()
    daemon.wait_stat('keyring-writes', daemon.stats()['keyring-writes'])
    daemon.restart()
    assert daemon.get_token('work', min_valid=600)[0] == renewed
    assert entra.count() == 0


def test_what_a_locked_keyring_refuses_has_not_happened(daemon, keyring):
    old, new = (f'SharedAccessSignature sr=one&sig=secret{i}&se=4102444800000' for i in '12')
    daemon.start('')
    daemon.call('AddAccount', '(ssa{sv})', ('devices', 'api-token', variants({'secret': old})))
    keyring.lock()
    wait_keyring(daemon, 'locked')
    name, text = daemon.error_of(daemon.account_call, 'devices', 'SetSecret', '(s)', (new,))
    assert name == 'KeyringLocked' and 'iotc-token unlock' in text
    assert daemon.error_of(daemon.account_call, 'devices', 'SignOut')[0] == 'KeyringLocked'
    assert daemon.get_token('devices')[0] == old

    # Nor does it happen later.
    keyring.unlock()
    wait_keyring(daemon, 'ok')
    assert daemon.get_token('devices')[0] == old
    daemon.restart()
    assert daemon.get_token('devices')[0] == old
    daemon.account_call('devices', 'SetSecret', '(s)', (new,))
    assert daemon.get_token('devices')[0] == new
    daemon.account_call('devices', 'SignOut')
    assert daemon.error_of(daemon.get_token, 'devices')[0] == 'SignInNeeded'
    assert keyring.items() == {}


def test_removed_under_a_lock(daemon, entra, keyring):
    """Its secret goes first: what can't be deleted now is not removed."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    keyring.lock()
    wait_keyring(daemon, 'locked')
    name, text = daemon.error_of(daemon.account_call, 'work', 'Remove')
    assert name == 'KeyringLocked' and 'work' in text and 'iotc-token unlock' in text
    assert '[account work]' in daemon.read_settings()
    assert daemon.get_token('work')[1] == 'bearer'
    daemon.kill9()
    daemon.start()
    wait_keyring(daemon, 'locked')
    assert daemon.error_of(daemon.account_call, 'work', 'Remove')[0] == 'KeyringLocked'

    keyring.unlock()
    wait_keyring(daemon, 'ok')
    daemon.wait_property('State', 'ready', account='work')
    daemon.account_call('work', 'Remove')
    assert keyring.items() == {}
    # One of the same name is not signed in by what the former left.
    daemon.call('AddAccount', '(ssa{sv})', ('work', 'entra', variants({
        'authority': entra.authority, 'client-id': entra.client_id})))
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    daemon.sign_in(entra)
    daemon.restart()
    assert daemon.get_token('work')[1] == 'bearer'


def test_removed_without_a_keyring(daemon, entra, keyring):
    """What was stored can't be deleted then; what never was need not be."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.stop()
    keyring.stop()
    daemon.start()
    name, text = daemon.error_of(daemon.account_call, 'work', 'Remove')
    assert name == 'KeyringAbsent' and 'iotc-token remove --leave-secret work' in text
    assert '[account work]' in daemon.read_settings()

    # As one that 'iotc-token login' makes, and takes away again on Ctrl-C.
    for _ in range(2):
        daemon.call('AddAccount', '(ssa{sv})', ('new', 'entra', variants({
            'authority': entra.authority, 'client-id': entra.client_id})))
        daemon.start_sign_in('new')
        daemon.account_call('new', 'Remove')
    assert '[account new]' not in daemon.read_settings()


def test_removed_while_the_state_is_lost(daemon, entra, keyring, home):
    """It may have been stored, so it counts as stored."""
    daemon.start('')
    daemon.call('AddAccount', '(ssa{sv})', ('work', 'entra', variants({
        'authority': entra.authority, 'client-id': entra.client_id})))
    daemon.stop()
    keyring.stop()
    os.unlink(os.path.join(home.env['XDG_STATE_HOME'], 'iotc-token/state'))
    daemon.start()
    assert daemon.error_of(daemon.account_call, 'work', 'Remove')[0] == 'KeyringAbsent'


def test_killed_and_started_again(daemon, entra, keyring):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    keyring.kill()
    wait_keyring(daemon, 'absent')
    assert daemon.get_token('work')[1] == 'bearer'      # a keyring that vanished is no sign-out
    assert daemon.get('State', 'work') == 'ready'

    keyring.start()
    wait_keyring(daemon, 'ok')
    entra.set(access_token_ttl=3600, rotation='strict')
    renewed = daemon.get_token('work', min_valid=600)[0]
    daemon.kill9()
    daemon.start()
    assert daemon.get_token('work', min_valid=600)[0] == renewed


@pytest.mark.long
def test_hanging(daemon, entra, keyring):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    keyring.process.send(signal.SIGSTOP)
    assert daemon.get_token('work')[1] == 'bearer'

    # Whoever is first waits for it, within the 20 s that a call has, and nobody else.
    entra.set(access_token_ttl=3600, rotation='strict')
    unlock = daemon.bus.start_call(NAME, ROOT, MANAGER, 'Unlock', timeout=60)
    daemon.get_token('work', min_valid=600)
    wait_keyring(daemon, 'absent')
    assert daemon.error_of(unlock.result, 60)[0] == 'KeyringAbsent'
    assert daemon.get('State', 'work') == 'ready'
    before = time.monotonic()
    renewed = daemon.get_token('work', claims='{"access_token":{}}')[0]
    name, text = daemon.error_of(daemon.call, 'Unlock')
    assert name == 'KeyringAbsent' and 'does not answer' in text
    assert time.monotonic() - before < 10

    # What it could not be told it is told when it goes on.
    writes = daemon.stats()['keyring-writes']
    keyring.process.send(signal.SIGCONT)
    wait_keyring(daemon, 'ok')
    daemon.wait_stat('keyring-writes', writes + 1)
    daemon.kill9()
    entra.clear()
    daemon.start()
    assert daemon.get_token('work', min_valid=600)[0] == renewed
    assert entra.count() == 0


def test_written_when_a_keyring_appears(daemon, entra, bus, late_keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    late_keyring.start()
    wait_keyring(daemon, 'ok')
    daemon.wait_stat('keyring-writes', 1)
    assert late_keyring.items() == {'work': 'IoT Central: work (entra)'}
    daemon.restart()
    assert daemon.get_token('work')[0] == token


def test_item_deleted_by_hand_is_a_sign_out(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    keyring.delete('work')
    daemon.restart()
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'


def test_item_deleted_by_hand_is_noticed(daemon, entra, keyring):
    token = 'SharedAccessSignature sr=one&sig=secret&se=4102444800000'
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.call('AddAccount', '(ssa{sv})', ('devices', 'api-token', variants({'secret': token})))
    reads = daemon.stats()['keyring-reads']
    keyring.delete('devices')
    daemon.wait_property('State', 'sign-in-needed', account='devices')
    name, text = daemon.get('LastError', 'devices')
    assert name.endswith('SignInNeeded') and 'api-token add devices --replace' in text
    assert daemon.error_of(daemon.get_token, 'devices')[0] == 'SignInNeeded'
    assert daemon.get_token('work')[1] == 'bearer'
    assert daemon.stats()['keyring-reads'] == reads + 2     # one look at each account

    keyring.delete('work')
    daemon.wait_property('State', 'sign-in-needed', account='work')
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    daemon.sign_in(entra)
    assert daemon.get_token('work')[1] == 'bearer'


def test_record_of_another_authority_is_ignored(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.restart(entra_account(entra, tenant=entra.tenant))
    entra.clear()
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    assert entra.requests() == []       # the refresh token went nowhere


def test_record_holds_what_the_settings_don_t(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.get_token('work')
    assert entra.leaks(keyring.secret('work').decode()) >= 1
    assert keyring.attributes('work') == {'account': 'work', 'xdg:schema': 'org.iotc.Token1'}
    assert entra.leaks(daemon.read_settings()) == 0


def test_no_default_collection(daemon, entra, keyring, cli):
    """As on a machine where the keyring was never unlocked."""
    keyring.delete_collection()
    daemon.start(entra_account(entra))
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=2)
    assert name == 'KeyringAbsent' and 'no default collection' in text
    assert 'iotc-token unlock' in text and 'store=file' in text
    done = cli.run('unlock')    # there is no screen
    assert done.returncode == 4 and 'no default collection' in done.stderr
