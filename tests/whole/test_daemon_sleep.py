# SPDX-License-Identifier: MIT
#
# The laptop's lid: no refresh token is sent when the machine is about to sleep, one that is on its
# way holds the machine awake until its answer is stored, and what fell due meanwhile is done when
# the machine is back. All of it does without logind.

import time

import pytest

from util_daemon import entra_account
from util_process import wait_until

LOCK = ('sleep', 'iotc-tokend', 'delay')
SHORT = 300


@pytest.fixture
def signed_in(daemon, entra, keyring, logind):
    """An account "work" whose token is valid for SHORT seconds; later ones for an hour."""
    entra.set(access_token_ttl=SHORT)
    daemon.start(entra_account(entra), **logind.env())
    daemon.sign_in_before(entra)
    entra.set(access_token_ttl=3600)
    entra.clear()
    return daemon


def sleep_begins(daemon, logind):
    logind.tell(True)
    daemon.wait_log('The machine goes to sleep')


def locks(logind):
    return [(what, who, mode) for what, who, why, mode in logind.inhibitors()]


def test_no_exchange_until_it_is_back(signed_in, entra, logind):
    old = signed_in.get_token('work')[0]
    sleep_begins(signed_in, logind)
    before = signed_in.stats()['fetches']
    # Who asks for more than is there waits ...
    call = signed_in.start_get('work', min_valid=600)
    name, _ = signed_in.error_of(signed_in.get_token, 'work', min_valid=600, timeout=1)
    assert name == 'TimedOut'
    # ... others get what is there.
    assert signed_in.get_token('work')[0] == old
    assert signed_in.stats()['fetches'] == before and entra.count() == 0
    assert locks(logind) == []
    logind.tell(False)
    assert call.result()[0] != old
    assert entra.count('refresh_token') == 1 and signed_in.stats()['fetches'] == before + 1


def test_due_meanwhile_is_done_afterwards(daemon, entra, keyring, logind):
    entra.set(access_token_ttl=6)
    daemon.start(entra_account(entra), **logind.env())
    daemon.sign_in(entra)
    sleep_begins(daemon, logind)
    entra.clear()
    entra.set(access_token_ttl=3600)
    ends = daemon.get('ExpiresAt', 'work')
    wait_until(lambda: time.time() > ends + 1, 'the token to end')
    name, _ = daemon.error_of(daemon.get_token, 'work', timeout=0)
    assert name == 'Unavailable' and entra.count() == 0
    logind.tell(False)
    entra.wait(grant_type='refresh_token')
    assert daemon.get_token('work')[2] > time.time() + 3000
    assert entra.count() == 1


def test_the_former_token_while_it_lasts(daemon, entra, keyring, logind):
    """A token that is due, and would be waited for, is served when nothing can be asked."""
    entra.set(access_token_ttl=10)
    daemon.start(entra_account(entra), **logind.env())
    daemon.sign_in(entra)
    old = daemon.get_token('work')[0]
    sleep_begins(daemon, logind)
    issued = daemon.get('ExpiresAt', 'work') - 10
    wait_until(lambda: time.time() > issued + 6, 'more than half of its life to be over')
    assert daemon.get_token('work', timeout=60)[0] == old
    assert entra.count('refresh_token') == 0


def test_held_awake_while_an_answer_is_on_its_way(signed_in, entra, logind):
    assert locks(logind) == []
    entra.hold()
    call = signed_in.start_get('work', min_valid=600)
    entra.wait(grant_type='refresh_token')
    wait_until(lambda: locks(logind) == [LOCK], 'a lock to be held')
    # What was sent is waited for and stored, and then the machine may go.
    sleep_begins(signed_in, logind)
    entra.release()
    new = call.result()[0]
    wait_until(lambda: locks(logind) == [], 'the lock to be gone')
    assert signed_in.get_token('work', min_valid=600)[0] == new
    assert entra.count() == 1


def test_nothing_is_sent_while_asleep(signed_in, entra, logind):
    sleep_begins(signed_in, logind)
    call = signed_in.start_get('work', min_valid=600)
    name, _ = signed_in.error_of(signed_in.get_token, 'work', min_valid=600, timeout=1)
    assert name == 'TimedOut' and entra.count() == 0 and locks(logind) == []
    logind.tell(False)
    assert call.result()[1] == 'bearer'
    assert entra.count() == 1


def test_logind_dies_while_asleep(signed_in, entra, logind):
    sleep_begins(signed_in, logind)
    logind.kill()
    assert signed_in.get_token('work', min_valid=600)[1] == 'bearer'
    logind.start()
    sleep_begins(signed_in, logind)


def test_system_bus_dies_while_asleep(signed_in, entra, logind):
    sleep_begins(signed_in, logind)
    logind.bus.process.kill_group()
    assert signed_in.get_token('work', min_valid=600)[1] == 'bearer'
    signed_in.stop()


def test_without_logind(daemon, entra, keyring, logind):
    logind.kill()
    daemon.start(entra_account(entra), **logind.env())
    daemon.sign_in(entra)
    assert daemon.get_token('work', force=True, timeout=30)[1] == 'bearer'


def test_without_a_system_bus(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    assert 'No system bus' in daemon.text()
    daemon.sign_in(entra)
    assert daemon.get_token('work')[1] == 'bearer'
