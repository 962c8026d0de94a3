# SPDX-License-Identifier: MIT
#
# Two daemons of one user, each on a bus of its own (a desktop, and a session that made itself one),
# and one keyring. Their refresh token is that of a service that takes a second use for theft: they
# take turns, and never is one sent twice.

import copy
import os
import signal
import sys

import pytest

from util_bus import Bus, BusError
from util_daemon import Daemon, account_path, entra_account, variants
from util_keyring import COLLECTION, LOGIN
from util_keyring import NAME as KEYRING
from util_process import Process, wait_until
from util_rotation import CLAIMS

LIVES = 4
RELAY = os.path.join(os.path.dirname(__file__), '../stage/util_relay.py')
PER_LIFE = 3    # exchanges of each: the two may have 6 with claims in 5 minutes


@pytest.fixture
def second(folder, home, daemon, keyring):
    """A daemon on a second bus, in the same home; not started."""
    path = os.path.join(folder, 'second')
    os.mkdir(path, 0o700)
    bus = Bus(path)
    relay = Process([sys.executable, '-B', RELAY,
                     daemon.bus.address, bus.address], {'PATH': '/usr/bin:/bin'},
                    os.path.join(path, 'relay.log'))
    bus.wait_name(KEYRING, alive=lambda: relay.alive)
    here = copy.copy(home)
    here.extra = {'DBUS_SESSION_BUS_ADDRESS': bus.address}
    second = Daemon(here, bus)
    second.log += '.second'
    yield second
    second.close()
    relay.end()
    bus.close()


@pytest.fixture
def both(daemon, second, home, entra):
    """Both run, signed in by the first, at a service with strict rotation."""
    entra.set(rotation='strict')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    second.start()
    second.wait_log('Another daemon of this user')
    assert second.get_token('work') == daemon.get_token('work')
    return daemon, second


def test_a_sign_in_at_one_is_found_by_the_other(daemon, second, entra):
    daemon.start(entra_account(entra))
    second.start()
    daemon.sign_in(entra)
    token = daemon.get_token('work')
    assert second.get_token('work') == token
    assert second.get('State', 'work') == 'ready'


def test_no_refresh_token_is_spent_twice(both, entra):
    for _ in range(LIVES):
        for _ in range(PER_LIFE):
            calls = [one.start_get('work', claims=CLAIMS) for one in both]
            assert [call.result()[1] for call in calls] == ['bearer', 'bearer']
        for one in both:
            one.stop()
        both[0].forget_requests()
        for one in both:
            one.start()
    assert entra.count('refresh_token') == 2 * LIVES * PER_LIFE
    assert entra.count('refresh_token', status=200) == 2 * LIVES * PER_LIFE


def test_what_one_spends_is_spent_for_both(both, entra):
    """Entra takes 15 equal requests in 5 minutes for a loop, and signs out whoever sent them."""
    entra.set(access_token_ttl=600)
    for _ in range(20):
        for one in both:
            assert one.get_token('work', min_valid=590)[1] == 'bearer'
    for _ in range(12):
        for one in both:
            try:
                one.get_token('work', claims=CLAIMS)
            except BusError as error:
                assert 'too often' in error.text
    assert 6 <= entra.count('refresh_token') < 15


def test_one_dies_in_the_midst_of_it(both, entra):
    """The other has the lock at once, and goes on with what is in the keyring."""
    first, second = both
    entra.hold()
    first.start_get('work', claims=CLAIMS)
    entra.wait(grant_type='refresh_token')
    call = second.start_get('work', claims=CLAIMS)
    entra.release()
    assert call.result()[1] == 'bearer'
    first.kill9()
    assert second.get_token('work', claims=CLAIMS)[1] == 'bearer'
    assert entra.count('refresh_token') == entra.count('refresh_token', status=200)


def test_what_one_fetched_serves_the_other(daemon, second, entra):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.restart()
    second.start()
    entra.set(access_token_ttl=3600, rotation='strict')
    entra.clear()
    token = daemon.get_token('work', min_valid=600)
    assert second.get_token('work', min_valid=600)[0] == token[0]
    assert entra.count() == 1


@pytest.mark.parametrize('how', ['SignOut', 'Remove', 'Configure'])
def test_what_the_other_has_ended_is_not_stored(both, entra, keyring, how):
    """An exchange of the second is at the server; its answer comes when the first has ended it."""
    first, second = both
    entra.hold()
    call = second.start_get('work', claims=CLAIMS)
    entra.wait(grant_type='refresh_token')
    first.account_call('work', how, *(('(a{sv})', (variants({'tenant': entra.tenant}),))
                                      if how == 'Configure' else ()))
    wait_until(lambda: keyring.items() == {}, 'the item to be gone')
    second.bus.get(KEYRING, LOGIN, COLLECTION, 'Locked')    # so the second has heard of it
    entra.release()
    assert second.error_of(call.result)[0] in ('SignInNeeded', 'Cancelled')
    assert keyring.items() == {}
    if how != 'Remove':
        first.sign_in(entra, user='grace@contoso.example')
    for one in both:
        one.stop()
    assert list(keyring.items()) == ([] if how == 'Remove' else ['work'])
    first.start()
    if how != 'Remove':
        assert first.get('User', 'work') == 'grace@contoso.example'
        assert first.get_token('work', claims=CLAIMS)[1] == 'bearer'
