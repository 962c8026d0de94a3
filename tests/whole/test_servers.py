# SPDX-License-Identifier: MIT
#
# The stand-ins behave as what they stand for: device flow, rotation and errors in Entra's form,
# an unmodified az that signs in, a keyring that locks. A fault here would make the other tests
# prove nothing.

import json
import time
import urllib.parse
import urllib.request

import pytest

from util_bus import BusError
from util_entra import RESOURCE

pytestmark = pytest.mark.plain


def test_device_flow(entra):
    device = entra.device_code()
    assert (device['expires_in'], device['interval']) == (900, 1)
    assert device['user_code'] in device['message']
    assert 'verification_uri_complete' not in device

    status, answer = entra.poll(device)
    assert (status, answer['error']) == (400, 'authorization_pending')
    assert answer['error_codes'] == [70016]
    assert answer['error_description'].startswith('AADSTS70016:')
    assert {'trace_id', 'correlation_id', 'timestamp'} <= set(answer)

    entra.approve(device['user_code'])
    status, answer = entra.poll(device)
    assert status == 200
    assert answer['scope'] == f'{RESOURCE}/user_impersonation {RESOURCE}/.default'
    assert answer['expires_in'] == 3600
    assert 1000 < len(answer['refresh_token']) < 2000
    assert 'refresh_in' not in answer
    assert entra.count('device_code') == 2


def test_device_code_slow_down_then_on(entra):
    device = entra.device_code()
    entra.approve(device['user_code'])
    entra.slow_down()
    assert entra.poll(device)[1]['error'] == 'slow_down'
    assert entra.poll(device)[0] == 200


def test_device_code_denied(entra):
    device = entra.device_code()
    entra.deny(device['user_code'])
    assert entra.poll(device)[1]['error'] == 'authorization_declined'


def test_device_code_expired(entra):
    entra.set(device_code_ttl=1)
    device = entra.device_code()
    end = time.time() + 10
    while (answer := entra.poll(device)[1])['error'] == 'authorization_pending':
        assert time.time() < end
    assert answer['error'] == 'expired_token'


def test_device_code_unknown(entra):
    assert entra.poll({'device_code': 'x'})[1]['error'] == 'bad_verification_code'


def test_entra_rotation_keeps_the_old_refresh_token(entra):
    first = entra.sign_in()['refresh_token']
    status, answer = entra.refresh(first)
    assert status == 200 and answer['refresh_token'] != first
    assert entra.refresh(first)[0] == 200


def test_strict_rotation_kills_the_chain_on_reuse(entra):
    entra.set(rotation='strict')
    first = entra.sign_in()['refresh_token']
    second = entra.refresh(first)[1]['refresh_token']
    status, answer = entra.refresh(first)
    assert (status, answer['error'], answer['suberror']) == (400, 'invalid_grant', 'bad_token')
    assert entra.refresh(second)[0] == 400


def test_refresh_for_another_resource(entra):
    status, answer = entra.refresh(entra.sign_in()['refresh_token'], 'https://other.example')
    assert (status, answer['scope'].split()[0]) == (200, 'https://other.example/user_impersonation')
    assert entra.requests(grant_type='refresh_token')[0]['resource'] == 'https://other.example'


def test_unknown_resource_and_tenant(entra):
    token = entra.sign_in()['refresh_token']
    assert entra.refresh(token, 'https://nobody.example')[1]['error'] == 'invalid_resource'
    assert entra.refresh(token, tenant='nowhere')[1]['error'] == 'invalid_tenant'


def test_revoked(entra):
    token = entra.sign_in()['refresh_token']
    entra.revoke()
    assert entra.refresh(token)[1]['error_codes'] == [50173]


def test_options(entra):
    entra.set(numbers_as_strings=True, refresh_in=1800, access_token_ttl=60, date_offset=-3600)
    answer = entra.sign_in()
    assert (answer['expires_in'], answer['refresh_in']) == ('60', '1800')
    with urllib.request.urlopen(
            f'{entra.authority}/common/v2.0/.well-known/openid-configuration') as page:
        date = time.strptime(page.headers['Date'], '%a, %d %b %Y %H:%M:%S GMT')
        assert json.load(page)['token_endpoint'].startswith(entra.authority)
    assert -3660 < time.mktime(date) - time.mktime(time.gmtime()) < -3540
    with pytest.raises(AssertionError):
        entra.set(no_such_option=1)


def test_ordered_failures(entra):
    token = entra.sign_in()['refresh_token']
    entra.fail(status=429, headers={'Retry-After': '7'}, error='temporarily_unavailable')
    assert entra.refresh(token)[0] == 429

    # The provider has rotated, the client never sees the answer.
    entra.set(rotation='strict')
    entra.fail(when='after', drop=True)
    with pytest.raises(OSError):
        entra.refresh(token)
    assert entra.refresh(token)[0] == 400

    other = entra.sign_in()['refresh_token']
    entra.fail(when='after', truncate=True)
    with pytest.raises(Exception, match='IncompleteRead|JSON|Expecting'):
        entra.refresh(other)


def test_stopped_and_started(entra):
    token = entra.sign_in()['refresh_token']
    entra.stop()
    with pytest.raises(OSError):
        entra.refresh(token)
    entra.start()
    assert entra.refresh(token)[0] == 200


def test_browser_flow(entra):
    page = f'{entra.authority}/organizations/oauth2/v2.0/authorize'
    form = {'client_id': entra.client_id, 'response_type': 'code', 'state': 'state-1',
            'redirect_uri': entra.authority.replace('127.0.0.1', 'localhost'),
            'scope': f'{RESOURCE}/.default offline_access', 'prompt': 'select_account',
            'code_challenge': 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
            'code_challenge_method': 'S256'}
    answer = entra.browse(f'{page}?{urllib.parse.urlencode(form)}')
    assert answer['url'].rstrip('/') == form['redirect_uri']


def test_az_signs_in_and_renews(az, entra):
    token = az.token()
    assert token['tokenType'] == 'Bearer'
    assert token['tenant'] == entra.tenant
    assert entra.count('refresh_token', resource=RESOURCE) == 1
    assert az.token()['accessToken'] == token['accessToken']
    assert entra.count('refresh_token') == 1


def test_az_is_told_to_sign_in_again(az, entra):
    entra.revoke()
    done = az.run('account', 'get-access-token', '--resource', RESOURCE)
    assert done.returncode == 1 and done.stdout == ''
    assert 'AADSTS50173' in done.stderr and 'az login' in done.stderr


def test_keyring_locks_and_unlocks(keyring):
    keyring.lock()
    keyring.unlock()
    keyring.stop()
    keyring.start(locked=True)
    keyring.unlock()
    assert keyring.items() == {} and keyring.secret('work') is None


def test_killed_keyring_stays_away(keyring, bus):
    keyring.kill()
    assert bus.owner('org.freedesktop.secrets') is None
    with pytest.raises(BusError):
        keyring.items()
