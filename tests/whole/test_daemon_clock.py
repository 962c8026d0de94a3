# SPDX-License-Identifier: MIT
#
# Clocks that are wrong and clocks that are set: tokens end in time, nothing is asked for in vain,
# what is shown says truly how much is left, and the person hears of it in words.

import json
import time

import pytest

from util_daemon import MANAGER, SIGN_IN, entra_account, variants
from util_process import wait_until
from util_terminal import Terminal

HOUR = 3600
LIFE = 3600


def near(value, wanted, by=30):
    return abs(value - wanted) <= by


def wait_offset(daemon, wanted):
    wait_until(lambda: near(daemon.get('ClockOffset'), wanted, 10 if wanted else 0),
               f'the clock to be known as {wanted} s off')


@pytest.fixture
def signed_in(clock, daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    entra.clear()
    return daemon


def test_a_server_of_another_opinion(daemon, entra, keyring, cli):
    entra.set(date_offset=3 * HOUR)
    daemon.start(entra_account(entra))
    assert daemon.get('ClockOffset') == 0
    daemon.sign_in(entra)
    wait_offset(daemon, 3 * HOUR)
    daemon.wait_log("This machine's clock is 3 h slow.*timedatectl set-ntp true")
    # Whoever compares with the clock that there is, sees the life that is left.
    assert near(daemon.get_token('work')[2], time.time() + LIFE)
    assert near(json.loads(cli.ok('status', '--json'))['clock_offset'], 3 * HOUR)
    for arguments in (['status'], ['status', 'work']):
        with Terminal([cli.program, *arguments], cli.environment()) as terminal:
            terminal.wait_for(r"Clock +(3 h|2 h 59 min) slow, by the identity service's. "
                              r'Set it right:\s+timedatectl\s+set-ntp true')
            terminal.wait()
    entra.set(date_offset=0)
    daemon.restart()
    assert daemon.get('ClockOffset') == 0       # not known any more
    daemon.get_token('work', force=True)
    assert 'slow' not in cli.ok('status') and daemon.get('ClockOffset') == 0


def test_signed_in_under_a_wrong_clock_that_is_set_right(clock, daemon, entra, keyring, cli):
    clock.set(-3 * HOUR)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    wait_offset(daemon, 3 * HOUR)
    token, _, expires_at = daemon.get_token('work')
    assert near(expires_at, clock.now() + LIFE)
    assert near(json.loads(cli.ok('get', 'work', '--json'))['expires_at'], clock.now() + LIFE)
    entra.clear()
    watch = daemon.watch()
    daemon.stats()          # the bus has the watch's rule before it has this answer
    clock.set(0)
    seen = {}
    watch.wait(lambda p, m, a: seen.update(a[1]) or {'ExpiresAt', 'RefreshAt', 'LastRefreshAt',
                                                     'ClockOffset'} <= set(seen),
               'all times to be told again')
    watch.close()
    assert near(seen['ExpiresAt'], time.time() + LIFE) and seen['ClockOffset'] == 0
    assert near(daemon.get('LastUsedAt', 'work'), time.time())
    assert daemon.get_token('work')[0] == token and near(daemon.get_token('work')[2],
                                                         time.time() + LIFE)
    daemon.wait_log("This machine's clock is right again")
    assert entra.count() == 0


@pytest.mark.parametrize('by', [5 * HOUR, -5 * HOUR])
def test_it_leaps_while_we_run(signed_in, clock, entra, by):
    token = signed_in.get_token('work')[0]
    clock.set(by)
    wait_until(lambda: near(signed_in.get('ExpiresAt', 'work'), clock.now() + LIFE),
               'the end to be told by the new clock')
    assert signed_in.get_token('work')[0] == token
    assert near(signed_in.get('ClockOffset'), -by)
    # Neither is it new, nor over, to the next life of the daemon.
    signed_in.restart()
    assert signed_in.get_token('work')[0] == token
    assert near(signed_in.get('ExpiresAt', 'work'), clock.now() + LIFE)
    assert entra.count() == 0


def test_over_is_over(clock, daemon, entra, keyring):
    """A token that has ended is not young again because the clock was set back."""
    entra.set(access_token_ttl=4)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    old = daemon.get_token('work')[0]
    ends = daemon.get('ExpiresAt', 'work')
    daemon.stop()
    clock.set(-HOUR)
    wait_until(lambda: time.time() > ends + 1, 'the token to end')
    entra.hold()
    daemon.start()
    assert daemon.error_of(daemon.get_token, 'work', timeout=0)[0] == 'Unavailable'
    entra.release()
    assert daemon.get_token('work')[0] != old


def test_an_api_token_ends_by_the_calendar(clock, daemon, keyring):
    ends = int(time.time()) + HOUR
    secret = f'SharedAccessSignature sr=one&sig=c2lnbmF0dXJl&skn=test&se={ends}000'
    daemon.start('')
    daemon.call('AddAccount', '(ssa{sv})', ('devices', 'api-token', variants({'secret': secret})))
    assert daemon.get_token('devices')[2] == ends
    clock.set(2 * HOUR)
    daemon.wait_property('State', 'sign-in-needed', account='devices')
    assert daemon.error_of(daemon.get_token, 'devices')[0] == 'SignInNeeded'
    clock.set(0)
    daemon.wait_property('State', 'ready', account='devices')
    assert daemon.get_token('devices')[2] == ends


@pytest.mark.long
def test_no_battery(clock, daemon, entra, keyring):
    """1970: TLS is refused, in words that name the clock; when NTP has set it, all is well."""
    clock.set(1000 - int(time.time()))
    settings = f'[iotc-token]\nca-bundle={entra.ca_bundle}\n\n' + entra_account(
        entra, authority=entra.tls_authority)
    daemon.start(settings)
    path = daemon.start_sign_in()
    text = daemon.sign_in_property(path, 'Error')[1]
    assert 'not yet valid' in text and "this machine's clock" in text
    assert '1970-01-01' in text and 'timedatectl set-ntp true' in text
    clock.set(0)
    daemon.wait_log('The wall clock was set')
    daemon.sign_in(entra)
    assert near(daemon.get('ExpiresAt', 'work'), time.time() + LIFE)
    assert near(daemon.get('LastRefreshAt', 'work'), time.time())
    assert daemon.get('ClockOffset') == 0

    # A stored sign-in, and the battery is dead again: tried, and tried when the clock is set.
    daemon.stop()
    clock.set(1000 - int(time.time()))
    daemon.start()
    text = daemon.error_of(daemon.get_token, 'work', force=True)[1]
    assert "this machine's clock" in text
    clock.set(0)
    assert daemon.get_token('work', force=True, timeout=60)[1] == 'bearer'
    assert near(daemon.get('ExpiresAt', 'work'), time.time() + LIFE)


def test_az_under_a_wrong_clock(clock, daemon, entra, keyring, az):
    clock.set(-300 * 86400)
    daemon.start('[account work]\nsource=azure-cli\n', **az.env())
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=120)
    assert name == 'Unavailable' and 'clock' in text
