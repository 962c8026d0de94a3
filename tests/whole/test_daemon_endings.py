# SPDX-License-Identifier: MIT
#
# Somebody signs out, removes the account or makes it another one's while its refresh token is on
# the way, at a service with strict rotation. The answer is nobody's any more: nothing of it is left
# on the machine, now or after a restart, and who signs in at once after that stays signed in.

import signal

import pytest

from util_daemon import account_path, entra_account, variants
from util_process import running, wait_until

STAGES = ('held', 'storing')


def fetchers(daemon):
    """How many processes of the fetcher its launcher has."""
    found = running()
    launchers = {pid for pid, (parent, _) in found.items() if parent == daemon.process.pid}
    return sum(parent in launchers and name.startswith('iotc-token-fet')
               for parent, name in found.values())


def on_disk(home, entra):
    """How many of the server's secrets are in a file that the daemon could have written."""
    return sum(entra.leaks(text) for text in home.texts())


class Exchange:
    """The refresh token of the account work, at a stage of its way there and back."""

    def __init__(self, daemon, entra, keyring, stage):
        self.entra, self.keyring, self.stage = entra, keyring, stage
        entra.hold()
        entra.clear()
        self.call = daemon.start_get('work', min_valid=600)
        entra.wait(grant_type='refresh_token')
        if stage == 'storing':
            keyring.process.send(signal.SIGSTOP)
            entra.release()
            wait_until(lambda: fetchers(daemon) == 0, 'the answer to be with the daemon')

    def end(self):
        """Whatever held it up does so no more."""
        if self.stage == 'storing':
            self.keyring.process.send(signal.SIGCONT)
        self.entra.release()


@pytest.fixture
def signed_in(daemon, entra, keyring):
    """An account whose next token is asked for, at a service with strict rotation."""
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.set(access_token_ttl=3600, rotation='strict')
    return daemon


def start_change(daemon, entra, how):
    if how != 'Configure':
        return daemon.bus.start_call('org.iotc.Token1', account_path('work'),
                                     'org.iotc.Token1.Account', how)
    daemon.account_call('work', 'Configure', '(a{sv})', (variants({'tenant': entra.tenant}),))
    return None


def set_up(daemon, entra, how):
    if how == 'Remove':
        daemon.call('AddAccount', '(ssa{sv})', ('work', 'entra', variants({
            'authority': entra.authority, 'client-id': entra.client_id,
            'sign-in': 'device-code'})))


@pytest.mark.parametrize('stage', STAGES)
@pytest.mark.parametrize('how', ['SignOut', 'Remove', 'Configure'])
def test_a_late_answer_is_nobody_s(signed_in, entra, keyring, home, how, stage):
    exchange = Exchange(signed_in, entra, keyring, stage)
    change = start_change(signed_in, entra, how)
    if change and stage != 'storing':
        change.result()
    exchange.end()
    if change:
        change.result()
    if not (change and stage == 'storing'):     # there it was still signed in
        assert signed_in.error_of(exchange.call.result)[0] in ('SignInNeeded', 'Cancelled')
    wait_until(lambda: keyring.items() == {} and fetchers(signed_in) == 0, 'all to be gone')
    assert entra.count('refresh_token') == 1
    set_up(signed_in, entra, how)
    for _ in range(2):
        assert signed_in.error_of(signed_in.get_token, 'work')[0] == 'SignInNeeded'
        assert keyring.items() == {} and on_disk(home, entra) == 0
        signed_in.restart()


@pytest.mark.parametrize('stage', STAGES[1:])
@pytest.mark.parametrize('how', ['SignOut', 'Remove', 'Configure'])
def test_signed_in_again_at_once(signed_in, entra, keyring, home, how, stage):
    exchange = Exchange(signed_in, entra, keyring, stage)
    change = start_change(signed_in, entra, how)
    if change:
        exchange.end()
        change.result()
    set_up(signed_in, entra, how)
    if stage == 'held':
        entra.release()
    path = signed_in.start_sign_in('work')
    entra.approve(signed_in.sign_in_property(path, 'UserCode'), 'grace@contoso.example')
    exchange.end()
    signed_in.wait_property('State', 'done', path=path, interface='org.iotc.Token1.SignIn')
    token = signed_in.get_token('work')
    signed_in.kill9()
    signed_in.start()
    assert signed_in.get('User', 'work') == 'grace@contoso.example'
    assert signed_in.get_token('work') == token
    # And its refresh token is the one that is good.
    assert signed_in.get_token('work', claims='{"access_token":{}}')[1] == 'bearer'
    assert list(keyring.items()) == ['work'] and on_disk(home, entra) == 0
