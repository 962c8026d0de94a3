# SPDX-License-Identifier: MIT
#
# A keyring that asks: the real KeePassXC, which wants to know before it deletes, before it lets a
# program read or write what another one has made (the daemon's former life is another one), and
# before it unlocks. A person presses its buttons, or nobody does.

import os

import pytest

from util_daemon import MANAGER, entra_account
from util_keepassxc import DELETE
from util_process import wait_until

pytestmark = pytest.mark.plain


def wait_keyring(daemon, state):
    daemon.wait_property('KeyringState', state, interface=MANAGER)


@pytest.fixture
def signed_in(keepassxc, daemon, entra):
    keepassxc.start()
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    wait_until(lambda: list(keepassxc.entries()) == ['work'], 'the sign-in to be on the disk')
    return daemon


@pytest.mark.parametrize('verb', ['logout', 'remove'])
def test_it_asks_before_it_deletes(signed_in, keepassxc, entra, cli, verb):
    daemon = signed_in
    command = cli.start(verb, 'work')
    keepassxc.dialog(DELETE)
    wait_keyring(daemon, 'prompting')
    assert daemon.get_token('work')[1] == 'bearer'
    keepassxc.delete(yes=False)
    assert command.wait() == 1, command.text()
    assert 'declined' in command.text() and 'work' in command.text()
    wait_keyring(daemon, 'ok')
    assert list(keepassxc.entries()) == ['work']
    assert daemon.get_token('work')[1] == 'bearer'

    command = cli.start(verb, 'work')
    keepassxc.delete()
    assert command.wait() == 0, command.text()
    wait_until(lambda: not keepassxc.entries(), 'the entry to be gone')
    wait_keyring(daemon, 'ok')
    if verb == 'remove':
        cli.ok('list')
        daemon.restart(entra_account(entra))
    daemon.sign_in(entra)
    wait_until(lambda: list(keepassxc.entries()) == ['work'], 'the next sign-in to be stored')


def test_what_is_left_to_it(signed_in, keepassxc, entra, cli):
    """Nobody is asked, and nothing is deleted."""
    done = cli.run('remove', 'work', '--leave-secret')
    assert done.returncode == 0 and 'stays there' in done.stderr
    assert keepassxc.dialogs() == [] and list(keepassxc.entries()) == ['work']
    assert '[account work]' not in signed_in.read_settings()


def test_a_locked_database_deletes_nothing(signed_in, keepassxc, cli):
    daemon = signed_in
    daemon.stop()
    keepassxc.close()
    keepassxc.start(locked=True)
    daemon.start()
    done = cli.run('remove', 'work')
    assert done.returncode == 4 and 'iotc-token unlock' in done.stderr, done.stderr
    assert keepassxc.dialogs() == [] and '[account work]' in daemon.read_settings()


def test_what_a_former_life_stored_it_may_read_when_allowed(signed_in, keepassxc, cli):
    daemon = signed_in
    daemon.restart()
    assert daemon.get('State', 'work') == 'locked'
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=2)
    assert name == 'KeyringLocked' and 'iotc-token unlock' in text
    assert keepassxc.dialogs() == []        # nobody has asked for one

    command = cli.start('unlock')
    wait_keyring(daemon, 'prompting')
    wait_until(lambda: 'dialog waits' in command.text(), 'the person to be told')
    keepassxc.deny()
    assert command.wait() == 4, command.text()
    assert daemon.error_of(daemon.get_token, 'work', timeout=2)[0] == 'KeyringLocked'

    command = cli.start('unlock')
    keepassxc.allow()
    assert command.wait() == 0, command.text()
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[1] == 'bearer'


def renew_unallowed(daemon, keepassxc, entra):
    """The token is served, and its refresh token can't be written without leave."""
    keepassxc.restart()
    wait_keyring(daemon, 'ok')
    entra.set(rotation='strict')
    return daemon.get_token('work', claims='{"id_token":{}}')[0]


def test_a_write_waits_for_a_person_and_nobody_for_the_write(signed_in, keepassxc, entra, cli,
                                                             doctor):
    """KeePassXC has forgotten what it had allowed, and nobody sits there."""
    daemon = signed_in
    before = keepassxc.entries()
    renewed = renew_unallowed(daemon, keepassxc, entra)
    wait_keyring(daemon, 'prompting')
    assert len(keepassxc.dialogs()) == 1
    assert daemon.get_token('work')[0] == renewed
    # The next one waits for the same dialog.
    again = daemon.get_token('work', claims='{"access_token":{}}')[0]
    assert again != renewed
    assert len(keepassxc.dialogs()) == 1 and keepassxc.entries() == before
    name, text = daemon.get('LastError', 'work')
    assert name.endswith('KeyringLocked') and 'dialog waits' in text
    found = doctor.run(0)
    assert 'dialog waits' in found['keyring']['text']

    keepassxc.allow()
    wait_keyring(daemon, 'ok')
    wait_until(lambda: again in keepassxc.entries()['work'][0], 'the last sign-in to be stored')
    assert keepassxc.dialogs() == []
    assert daemon.get('LastError', 'work') == ('', '')


def test_a_write_that_was_refused_is_not_asked_for_again(signed_in, keepassxc, entra, cli):
    daemon = signed_in
    renew_unallowed(daemon, keepassxc, entra)
    keepassxc.deny()
    wait_keyring(daemon, 'locked')
    renewed = daemon.get_token('work', claims='{"access_token":{}}')[0]
    assert keepassxc.dialogs() == []
    name, text = daemon.get('LastError', 'work')
    assert name.endswith('KeyringLocked') and 'iotc-token unlock' in text

    command = cli.start('unlock')
    keepassxc.allow()
    assert command.wait() == 0, command.text()
    wait_until(lambda: renewed in keepassxc.entries()['work'][0], 'the last sign-in to be stored')


def test_the_end_is_not_held_up_and_loses_nothing(signed_in, keepassxc, entra, cli):
    """What waits for a person when the daemon ends is put beside what may not be written over."""
    daemon = signed_in
    renewed = renew_unallowed(daemon, keepassxc, entra)
    wait_keyring(daemon, 'prompting')
    daemon.stop()
    wait_until(lambda: len(keepassxc.entries()['work']) == 2, 'the sign-in to be on the disk')
    keepassxc.deny()        # the dialog that nobody waits for any more

    daemon.start()
    command = cli.start('unlock')
    keepassxc.allow()
    assert command.wait() == 0, command.text()
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[0] == renewed
    daemon.get_token('work', claims='{"id_token":{}}')    # by the refresh token that is good


def test_a_locked_database(keepassxc, daemon, entra, cli, signed_in):
    """A search would show KeePassXC's dialog, and wait for it."""
    if len(os.sched_getaffinity(0)) < 3 and not keepassxc.version().startswith('2.7.4'):
        # Its open dialogs listen for USB keys in threads of the pool that derives the key.
        pytest.skip('the dialog of this KeePassXC never ends on two processors')
    daemon.stop()
    keepassxc.close()
    keepassxc.start(locked=True)
    daemon.start()
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=2)
    assert name == 'KeyringLocked' and 'iotc-token unlock' in text
    assert daemon.get('KeyringState') == 'locked'
    assert daemon.error_of(daemon.account_call, 'work', 'SignOut')[0] == 'KeyringLocked'
    assert keepassxc.dialogs() == []

    command = cli.start('unlock')
    wait_keyring(daemon, 'prompting')
    keepassxc.unlock_dialog()
    keepassxc.allow()
    assert command.wait() == 0, command.text()
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[1] == 'bearer'


def test_no_group_is_shown_to_programs(keepassxc, daemon, entra, doctor):
    keepassxc.start(exposed=False)
    keepassxc.default()     # it is ready when it answers
    daemon.start(entra_account(entra))
    daemon.wait_property('KeyringState', 'absent')      # its database may still be opening
    name, text = daemon.error_of(daemon.get_token, 'work')
    assert name == 'KeyringAbsent' and 'KeePassXC' in text and 'no default collection' in text
    found = doctor.run(1)['keyring']
    assert 'Secret Service Integration' in found['text'] and found['command'] == 'keepassxc'
    assert keepassxc.dialogs() == []
