# SPDX-License-Identifier: MIT
#
# A keyring that asks: the real KeePassXC, which wants to know before it deletes, before it lets a
# program read or write what another one has made (the daemon's former life is another one), and
# before it unlocks. A person presses its buttons, or nobody does.

import pytest

from util_daemon import MANAGER, entra_account
from util_keepassxc import ACCESS, DELETE
from util_process import wait_until


def wait_keyring(daemon, state):
    daemon.wait_property('KeyringState', state, interface=MANAGER)


@pytest.fixture
def signed_in(keepassxc, daemon, entra):
    keepassxc.start()
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    wait_until(lambda: list(keepassxc.entries()) == ['work'], 'the sign-in to be on the disk')
    return daemon


@pytest.mark.parametrize('verb', ['logout'])
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
    keepassxc.dialog(DELETE)
    keepassxc.delete()
    assert command.wait() == 0, command.text()
    wait_until(lambda: not keepassxc.entries(), 'the entry to be gone')
    wait_keyring(daemon, 'ok')
    if verb == 'remove':
        cli.ok('list')
        daemon.restart(entra_account(entra))
    daemon.sign_in(entra)
    wait_until(lambda: list(keepassxc.entries()) == ['work'], 'the next sign-in to be stored')
