# SPDX-License-Identifier: MIT
#
# Tokens for callers: one request upstream for any number of them, what each option promises, what
# a caller is told when the identity server fails, and callers that leave.

import time

import pytest
from gi.repository import GLib

from util_daemon import INVALID_ARGS, account_path, entra_account
from util_entra import RESOURCE

SHORT = 300     # seconds of a first token that the tests below outgrow by min-valid
OTHER = 'https://other.example'
GUID = 'abcdef01-2345-6789-abcd-ef0123456789'


@pytest.fixture
def signed_in(daemon, entra, keyring):
    """An account "work" whose token is valid for SHORT seconds; later ones for an hour."""
    entra.set(access_token_ttl=SHORT)
    daemon.start(entra_account(entra, resources=OTHER))
    daemon.sign_in_before(entra)
    entra.set(access_token_ttl=3600)
    entra.clear()
    return daemon


def test_fifty_callers_one_request(signed_in, entra, bus):
    before = signed_in.stats()
    entra.hold()
    calls = [signed_in.start_get('work', connection=bus.connect(), min_valid=600)
             for _ in range(50)]
    signed_in.wait_stat('requests', before['requests'] + 50)
    entra.wait(grant_type='refresh_token')
    entra.release()
    tokens = {call.result()[0] for call in calls}
    assert len(tokens) == 1
    assert entra.count() == 1
    assert signed_in.stats()['coalesced'] == before['coalesced'] + 49


def test_warm_calls_ask_nobody(signed_in, entra):
    first = signed_in.get_token('work')
    assert all(signed_in.get_token('work') == first for _ in range(20))
    assert entra.count() == 0
    assert signed_in.stats()['cache-hits'] >= 20


def test_min_valid_is_a_promise(signed_in, entra):
    first = signed_in.get_token('work', min_valid=SHORT - 60)
    assert entra.count() == 0
    token, _, expires_at = signed_in.get_token('work', min_valid=SHORT + 60)
    assert token != first[0] and expires_at - time.time() > SHORT + 60
    assert entra.count() == 1
    # More than the whole life of what the server just gave: a clear no, and nobody is asked.
    name, text = signed_in.error_of(signed_in.get_token, 'work', min_valid=7200)
    assert name == 'Unavailable' and 'work' in text
    assert entra.count() == 1
    # That no leaves the account as it was.
    assert signed_in.get('State', 'work') == 'ready'


def test_min_valid_that_the_server_never_gives(signed_in, entra):
    name, text = signed_in.error_of(signed_in.get_token, 'work', min_valid=7200)
    assert name == 'Unavailable' and 'work' in text
    assert entra.count() == 1


def test_force(signed_in, entra):
    held = signed_in.get_token('work')[0]
    forced = signed_in.get_token('work', force=True)[0]
    assert forced != held and entra.count() == 1
    assert signed_in.get_token('work', force=True)[0] == forced
    assert entra.count() == 1


def test_refresh(signed_in, entra):
    before = signed_in.get_token('work')[0]
    signed_in.account_call('work', 'Refresh')
    assert signed_in.get_token('work')[0] != before
    assert entra.count('refresh_token') == 1


def test_other_resource(signed_in, entra):
    own = signed_in.get_token('work')[0]
    other = signed_in.get_token('work', resource=OTHER)[0]
    assert other != own
    assert [r['resource'] for r in entra.requests(kind='token')] == [OTHER]
    assert signed_in.get_token('work', resource=OTHER)[0] == other
    assert signed_in.get_token('work')[0] == own
    assert entra.count() == 1


@pytest.mark.parametrize('asked', [OTHER + '/.default', GUID, GUID.upper(), GUID + '/.default'])
def test_a_resource_as_a_scope_or_a_guid(daemon, entra, keyring, cli, asked):
    """As az and the SDKs name one, in the settings and in a call."""
    listed, sent = (OTHER, OTHER) if OTHER in asked else (GUID, f'api://{GUID}')
    entra.set(resources=[RESOURCE, OTHER, f'api://{GUID}'])
    daemon.start(entra_account(entra, resource=f'{RESOURCE}/.default', resources=asked))
    daemon.sign_in(entra)
    entra.clear()
    assert daemon.get('Resource', 'work') == RESOURCE
    own = daemon.get_token('work', resource=f'{RESOURCE}/.default')[0]
    assert own == daemon.get_token('work')[0]
    other = cli.ok('get', '--resource', asked).strip()
    for name in (listed, f'{listed}/.default', listed.upper() if listed == GUID else listed):
        assert daemon.get_token('work', resource=name)[0] == other
    assert [r['resource'] for r in entra.requests(kind='token')] == [sent]


@pytest.mark.parametrize('scopes', ['openid offline_access', 'openid', 'user_impersonation',
                                    RESOURCE + '/.default offline_access'])
def test_scopes_are_no_resource(signed_in, entra, cli, scopes):
    name, text = signed_in.error_of(signed_in.get_token, 'work', resource=scopes)
    assert name == INVALID_ARGS and RESOURCE in text and '/.default' in text
    done = cli.run('get', '--resource', scopes)
    assert done.returncode == 2 and 'no resource' in done.stderr
    done = cli.run('login', 'second', '--resource', scopes)
    assert done.returncode == 2 and 'not scopes' in done.stderr
    assert entra.count() == 0


def test_resource_that_is_not_listed(signed_in, entra):
    name, text = signed_in.error_of(signed_in.get_token, 'work', resource='https://evil.example')
    assert name == 'Denied'
    assert 'resources=' in text and 'https://evil.example' in text
    assert entra.count() == 0


def test_claims_go_with_one_request(signed_in, entra):
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
    before = signed_in.get_token('work')[0]
    token = signed_in.get_token('work', claims=claims)[0]
    assert token != before
    assert [r['claims'] for r in entra.requests(kind='token')] == [claims]


def test_claims_that_are_none_are_the_callers_fault(signed_in, entra):
    for claims in ('', 'nonsense', '[]', '{"access_token":'):
        name, text = signed_in.error_of(signed_in.get_token, 'work', claims=claims)
        assert name == INVALID_ARGS and "'claims'" in text
    assert entra.count() == 0


def test_failed_claims_leave_the_account_alone(signed_in, entra):
    entra.fail(error='interaction_required', code=50076)
    name, _ = signed_in.error_of(signed_in.get_token, 'work', claims='{"access_token":{}}')
    assert name == 'SignInNeeded'
    assert signed_in.get('State', 'work') == 'ready'
    assert signed_in.get('LastError', 'work') == ('', '')
    assert signed_in.get_token('work')[1] == 'bearer'


def test_more_claims_than_may_wait(signed_in, entra):
    token = signed_in.get_token('work')[0]
    entra.hold()
    waiting = [signed_in.start_get('work', claims=f'{{"n":{i}}}') for i in range(8)]
    challenge = 'Bearer claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    for call in (lambda: signed_in.get_token('work', claims='{"n":8}'),
                 lambda: signed_in.call('ReportRejected', '(sss)', ('work', token, challenge))):
        name, text = signed_in.error_of(call)
        assert name == 'org.freedesktop.DBus.Error.LimitsExceeded'
        assert 'work: 8 claims challenges wait' in text and 'Try again' in text
    entra.release()
    assert waiting[0].result()[0] != token


def test_timeout_zero_is_what_is_there_now(signed_in, entra):
    entra.hold()
    assert signed_in.get_token('work', timeout=0)[1] == 'bearer'
    assert signed_in.error_of(signed_in.get_token, 'work', timeout=0, min_valid=600)[0] \
        == 'Unavailable'
    entra.wait(grant_type='refresh_token')
    entra.release()
    signed_in.get_token('work', min_valid=600)
    assert entra.count() == 1


def test_each_waiter_has_its_own_timeout(signed_in, entra):
    entra.hold()
    patient = signed_in.start_get('work', min_valid=600, timeout=60)
    start = time.monotonic()
    name, text = signed_in.error_of(signed_in.get_token, 'work', min_valid=600, timeout=1)
    assert name == 'TimedOut' and 'work' in text
    assert 0.9 < time.monotonic() - start < 10
    assert not patient.done
    entra.release()
    assert patient.result()[1] == 'bearer'
    assert entra.count() == 1


def test_caller_that_leaves_leaves_the_fetch(signed_in, entra, bus):
    entra.hold()
    caller = bus.connect()
    signed_in.start_get('work', connection=caller, min_valid=600)
    entra.wait(grant_type='refresh_token')
    caller.close()
    entra.release()
    signed_in.wait_property('LastError', ('', ''), account='work')
    signed_in.get_token('work', min_valid=600)
    assert entra.count() == 1


@pytest.mark.parametrize('options', [
    {'no_such_option': True}, {'min_valid': 'text'}, {'force': 'yes'}, {'timeout': 901},
])
def test_bad_options(signed_in, options):
    name, text = signed_in.error_of(signed_in.get_token, 'work', **options)
    assert name == INVALID_ARGS
    assert next(iter(options)).replace('_', '-') in text


@pytest.mark.parametrize('key', ['a' * 63 + '\u00e9', '\u20ac' * 50])
def test_long_option_is_not_cut_inside_a_character(signed_in, key):
    # sd-bus sends no text that is not UTF-8: the caller would wait in vain.
    option = {key: GLib.Variant('u', 1)}
    for member, signature, arguments in (
            ('GetToken', '(sa{sv})', ('work', option)),
            ('AddAccount', '(ssa{sv})', ('other', 'entra', option))):
        name, text = signed_in.error_of(signed_in.call, member, signature, arguments)
        assert name == INVALID_ARGS and key[:20] in text


def test_server_fault_serves_the_old_token(signed_in, entra):
    old = signed_in.get_token('work')
    entra.fail(status=503, count=100)
    assert signed_in.get_token('work') == old
    name, text = signed_in.error_of(signed_in.get_token, 'work', min_valid=600, timeout=20)
    assert name in ('Unavailable', 'TimedOut') and text
    # The token that there is goes on being served.
    assert signed_in.get_token('work') == old


def test_throttled_server_is_left_alone(signed_in, entra):
    entra.fail(status=429, headers={'Retry-After': '60'}, count=100,
               error='temporarily_unavailable')
    for _ in range(5):
        signed_in.error_of(signed_in.get_token, 'work', min_valid=600, timeout=2)
    assert entra.count() == 1


def test_dropped_answer_is_asked_again(signed_in, entra):
    entra.fail(when='after', drop=True)
    name, text = signed_in.error_of(signed_in.get_token, 'work', min_valid=600)
    assert name == 'Unavailable' and text
    # It is asked again by itself, soon, and with nobody waiting.
    entra.wait(2, grant_type='refresh_token')
    assert signed_in.get_token('work', min_valid=600)[1] == 'bearer'
    assert entra.count() == 2


def test_revoked_sign_in(signed_in, entra, keyring):
    entra.revoke()
    name, text = signed_in.error_of(signed_in.get_token, 'work', min_valid=600)
    assert name == 'SignInNeeded' and text.rstrip('.').endswith('iotc-token login work')
    assert signed_in.get('State', 'work') == 'sign-in-needed'
    assert 'SignInNeeded' in signed_in.get('LastError', 'work')[0]
    # No timer asks again: only a person helps.
    entra.clear()
    signed_in.error_of(signed_in.get_token, 'work', min_valid=600)
    assert entra.count() == 0
    signed_in.sign_in(entra)
    assert signed_in.get_token('work', min_valid=600)[1] == 'bearer'


@pytest.mark.parametrize('failure, error, state', [
    ({'error': 'invalid_grant', 'code': 53003, 'suberror': 'message_only'}, 'Blocked', 'blocked'),
    ({'error': 'invalid_resource'}, 'Misconfigured', 'misconfigured'),
    ({'error': 'invalid_client', 'code': 7000218, 'status': 401}, 'Misconfigured',
     'misconfigured'),
])
def test_what_a_refusal_means(signed_in, entra, failure, error, state):
    entra.fail(**failure, count=100)
    name, text = signed_in.error_of(signed_in.get_token, 'work', min_valid=600)
    assert name == error and 'work' in text
    assert signed_in.get('State', 'work') == state


def test_garbage_from_the_server(signed_in, entra):
    for failure in ({'status': 200, 'body': 'hello'}, {'status': 200, 'body': {}},
                    {'status': 200, 'body': {'access_token': 'x\ny', 'expires_in': 3600}}):
        entra.fail(**failure)
    name, _ = signed_in.error_of(signed_in.get_token, 'work', min_valid=600, timeout=2)
    assert name in ('Unavailable', 'TimedOut', 'Misconfigured')


@pytest.mark.long
def test_short_tokens_are_renewed_in_time(daemon, entra, keyring):
    entra.set(access_token_ttl=6)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    # Nobody asks, and yet the token that the next caller gets is a later one.
    entra.wait(2, grant_type='refresh_token', status=200, timeout=30)
    entra.clear()
    _, _, expires_at = daemon.get_token('work')
    assert expires_at > time.time()


def test_reported_token_is_renewed(signed_in, entra):
    token = signed_in.get_token('work')[0]
    signed_in.call('ReportRejected', '(sss)', ('work', token, 'Bearer error="invalid_token"'))
    entra.wait(grant_type='refresh_token')
    assert signed_in.get_token('work')[0] != token
    # One that is not held does nothing.
    signed_in.call('ReportRejected', '(sss)', ('work', token, ''))
    assert entra.count() == 1


def test_account_object_gives_the_same_token(signed_in):
    answer = signed_in.account_call('work', 'GetToken', '(a{sv})', ({},))
    assert answer == signed_in.get_token('work')
    assert account_path('work') in signed_in.objects()
