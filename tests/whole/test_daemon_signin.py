# SPDX-License-Identifier: MIT
#
# Signing in by device code, through the daemon: what a desktop app that shows the code sees, and
# each way in which a sign-in can end.

import contextlib
import signal

from util_daemon import (ACCOUNT, MANAGER, NAME, OBJECT_MANAGER, ROOT, SIGN_IN, account_path,
                         entra_account, variants)
from util_process import wait_until

OTHER = 'https://other.example'


def ended(daemon, path, state):
    daemon.wait_property('State', state, path=path, interface=SIGN_IN)
    return daemon.sign_in_property(path, 'Error')


def test_device_code(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.wait_property('State', 'sign-in-needed', account='work')
    name, text = daemon.error_of(daemon.get_token, 'work')
    assert name == 'SignInNeeded'
    assert 'work' in text and text.rstrip('.').endswith('iotc-token login work')

    path = daemon.start_sign_in()
    shown = daemon.bus.get_all('org.iotc.Token1', path, SIGN_IN)
    assert shown['Account'] == account_path('work')
    assert (shown['Method'], shown['State']) == ('device-code', 'pending')
    assert shown['VerificationUri'] == f'{entra.authority}/device'
    assert shown['UserCode'] in shown['Message']
    assert 0 < shown['ExpiresAt']
    assert daemon.get('State', 'work') == 'signing-in'

    entra.approve(shown['UserCode'])
    assert ended(daemon, path, 'done') == ('', '')
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get('User', 'work') == 'ada@contoso.example'
    assert daemon.get('LastError', 'work') == ('', '')

    token, kind, expires_at = daemon.get_token('work')
    assert kind == 'bearer'
    assert expires_at == daemon.get('ExpiresAt', 'work')
    assert daemon.get_authorization('work') == (f'Bearer {token}', expires_at)
    assert entra.count('refresh_token') == 0
    assert keyring.items() == {'work': 'IoT Central: work (entra)'}
    # The object of the sign-in is still there to be read.
    assert daemon.sign_in_property(path, 'State') == 'done'


def test_no_secret_in_any_property(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    watch = daemon.watch()
    daemon.sign_in(entra)
    daemon.get_token('work')
    assert entra.leaks(str(daemon.objects())) == 0
    assert entra.leaks(str(watch.signals)) == 0
    watch.close()


def test_second_sign_in_joins_the_first(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    first = daemon.start_sign_in()
    assert daemon.start_sign_in() == first
    assert len(entra.requests(kind='devicecode')) == 1


def test_denied(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    entra.deny(daemon.sign_in_property(path, 'UserCode'))
    name, text = ended(daemon, path, 'cancelled')
    assert name.endswith('.Cancelled') and text
    daemon.wait_property('State', 'sign-in-needed', account='work')


def test_code_that_nobody_entered(daemon, entra, keyring):
    entra.set(device_code_ttl=2)
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    name, text = ended(daemon, path, 'failed')
    assert name and text
    daemon.wait_property('State', 'sign-in-needed', account='work')


def test_cancelled(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    daemon.call('Cancel', path=path, interface=SIGN_IN)
    ended(daemon, path, 'cancelled')
    daemon.wait_property('State', 'sign-in-needed', account='work')
    # Another one can start at once.
    again = daemon.start_sign_in()
    assert again != path


def test_slow_down_is_obeyed(daemon, entra, keyring):
    entra.slow_down()
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    entra.approve(daemon.sign_in_property(path, 'UserCode'))
    ended(daemon, path, 'done')
    first, second = entra.requests(kind='token', grant_type='device_code')[:2]
    assert second['at'] - first['at'] >= 5900   # interval 1 and RFC 8628's five more seconds


def test_polls_survive_a_server_fault(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    entra.fail(status=503, match={'grant_type': 'device_code'})
    entra.approve(daemon.sign_in_property(path, 'UserCode'))
    ended(daemon, path, 'done')


def test_server_out_of_reach(daemon, entra, keyring):
    entra.stop()
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    name, text = ended(daemon, path, 'failed')
    assert name.endswith('.Unavailable') and text


def test_call_that_waits_for_the_person(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    waiting = daemon.start_get('work', interactive=True, timeout=60)
    entra.approve(daemon.sign_in_property(path, 'UserCode'))
    assert waiting.result()[1] == 'bearer'


def test_sign_out_and_in_as_another(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    first = daemon.get_token('work')[0]
    daemon.account_call('work', 'SignOut')
    assert daemon.get('State', 'work') == 'sign-in-needed'
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    assert keyring.items() == {}

    daemon.sign_in(entra, user='grace@contoso.example')
    assert daemon.get_token('work')[0] != first
    assert daemon.get('User', 'work') == 'grace@contoso.example'


def test_changes_are_signalled(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    watch = daemon.watch(account_path('work'))
    daemon.sign_in(entra)
    states = [a[1]['State'] for _, _, a in watch.signals if 'State' in a[1]]
    assert states == ['signing-in', 'ready']
    changed = {prop for _, _, a in watch.signals if a[0] == ACCOUNT for prop in a[1]}
    assert {'State', 'User', 'ExpiresAt', 'LastRefreshAt'} <= changed
    # Nothing is signalled on the warm path.
    del watch.signals[:]
    for _ in range(20):
        daemon.get_token('work')
    daemon.call('FindAccount', '(s)', ('work',))
    assert watch.signals == []
    watch.close()
    assert daemon.get('LastUsedAt', 'work') > 0
    assert daemon.call('FindAccount', '(s)', ('work',), path=ROOT) == (account_path('work'),)


@contextlib.contextmanager
def storing(daemon, entra, keyring):
    """A sign-in whose token is there, while the keyring is slow to take it: its path."""
    path = daemon.start_sign_in()
    keyring.process.send(signal.SIGSTOP)
    try:
        entra.approve(daemon.sign_in_property(path, 'UserCode'))
        wait_until(lambda: daemon.get('User', 'work'), 'the token')
        assert daemon.sign_in_property(path, 'State') == 'pending'
        yield path
    finally:
        keyring.process.send(signal.SIGCONT)


def test_too_late_to_cancel(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    with storing(daemon, entra, keyring) as path:
        daemon.call('Cancel', path=path, interface=SIGN_IN)
    assert ended(daemon, path, 'done') == ('', '')
    assert daemon.get_token('work')[1] == 'bearer'


def test_account_removed_while_its_token_is_stored(daemon, entra, keyring):
    daemon.start(entra_account(entra) + entra_account(entra, 'other'))
    with storing(daemon, entra, keyring):
        name, text = daemon.error_of(daemon.account_call, 'work', 'Remove')
        assert name == 'Unavailable' and '--leave-secret' in text
        assert account_path('work') in daemon.objects()
    daemon.wait_property('KeyringState', 'ok', interface=MANAGER)
    daemon.account_call('work', 'Remove')
    assert account_path('work') not in daemon.objects()
    wait_until(lambda: keyring.items() == {}, 'the item to be gone')
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'NoSuchAccount'


def test_resource_changed_while_the_token_is_stored(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    with storing(daemon, entra, keyring) as path:
        daemon.account_call('work', 'Configure', '(a{sv})',
                            (variants({'resource': OTHER}),))
    assert ended(daemon, path, 'done') == ('', '')
    # The token that came with the sign-in was for the former resource.
    entra.wait(grant_type='refresh_token', resource=OTHER)
    assert daemon.get_token('work')[1] == 'bearer'


def test_end_of_a_sign_in_object_names_its_interface(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    watch = daemon.bus.watch(NAME, OBJECT_MANAGER, 'InterfacesRemoved')
    path = daemon.start_sign_in()
    daemon.account_call('work', 'Remove')
    gone = watch.wait(lambda p, m, a: a[0] == path, 'the removal')
    assert SIGN_IN in gone[2][1]
    watch.close()


def test_what_is_to_be_proved_is_asked_of_the_person(daemon, entra, keyring):
    """Claims that the identity service wants, or that a challenge had: of one sign-in."""
    wanted = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'
    challenge = '{"access_token":{"acrs":{"essential":true,"value":"c2"}}}'
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    for asked, claims in ((wanted, {}), (challenge, {'claims': challenge})):
        entra.fail(error='interaction_required', code=50076,
                   **({} if claims else {'claims': wanted}))
        assert daemon.error_of(daemon.get_token, 'work', force=True, **claims)[0] == 'SignInNeeded'
        entra.clear()
        path = daemon.start_sign_in()
        daemon.call('Cancel', path=path, interface=SIGN_IN)
        daemon.sign_in(entra)
        sent = [one.get('claims') for one in entra.requests()
                if 'device_code' == one.get('grant_type') or one['kind'] == 'devicecode']
        assert sent and set(sent) == {asked}
        entra.clear()
    daemon.call('Cancel', path=daemon.start_sign_in(), interface=SIGN_IN)
    assert [one.get('claims') for one in entra.requests()] == [None]


def test_another_person_leaves_no_token_of_the_first(daemon, entra, keyring):
    daemon.start(entra_account(entra, resources=OTHER))
    daemon.sign_in(entra)
    first = daemon.get_token('work', resource=OTHER)[0]
    daemon.sign_in(entra, user='grace@contoso.example')
    assert daemon.get_token('work', resource=OTHER)[0] != first
