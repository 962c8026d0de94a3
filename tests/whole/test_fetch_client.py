# SPDX-License-Identifier: MIT
#
# The fetcher for a client with a secret of its own: no person, no refresh token, and texts that
# tell whoever runs the machine which setting is wrong.

import pytest

from util_entra import RESOURCE

WRONG = 'not-the-secret-of-this-client'


def fetch(fetcher, entra, **fields):
    request = {'source': 'client-credentials', 'authority': entra.authority,
               'tenant': entra.tenant, 'client_id': entra.clients['service'],
               'client_secret': entra.service_secret, 'resource': RESOURCE, 'deadline': 30,
               **fields}
    return fetcher.start({key: value for key, value in request.items() if value is not None})


def test_a_token(fetcher, entra):
    token = fetch(fetcher, entra, tenant='contoso.example').last()
    assert token['event'] == 'token' and 'refresh_token' not in token and 'user' not in token
    assert entra.leaks(token['access_token']) == 1
    assert 3590 <= token['expires_in'] <= 3600
    asked = entra.requests(grant_type='client_credentials')[0]
    assert (asked['scope'], asked['tenant']) == (f'{RESOURCE}/.default', 'contoso.example')


def test_claims_go_along(fetcher, entra):
    claims = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'
    fetch(fetcher, entra, claims=claims, resource='https://other.example').last()
    asked = entra.requests(grant_type='client_credentials')[0]
    assert (asked['claims'], asked['resource']) == (claims, 'https://other.example')


def test_a_wrong_secret(fetcher, entra):
    error = fetch(fetcher, entra, client_secret=WRONG).error()
    assert (error['kind'], error['code']) == ('misconfigured', 'invalid_client')
    assert 'AADSTS7000215' in error['message'] and 'The client secret is wrong' in error['message']
    assert WRONG not in error['message']


@pytest.mark.parametrize('failure, kind, says', [
    ({'error': 'invalid_client', 'code': 7000222, 'status': 401}, 'misconfigured', 'new one'),
    ({'error': 'unauthorized_client', 'code': 700016}, 'misconfigured', 'client-id'),
    ({'error': 'invalid_resource', 'code': 500011}, 'misconfigured', 'resource'),
    ({'error': 'invalid_grant', 'code': 53003, 'suberror': 'message_only'}, 'blocked', 'policy'),
    ({'status': 429, 'headers': {'Retry-After': '60'}}, 'try-later', 'too often'),
    ({'status': 503}, 'try-later', ''),
    ({'when': 'after', 'drop': True}, 'try-later', 'lost'),
])
def test_kinds_of_errors(fetcher, entra, failure, kind, says):
    entra.fail(count=10, **failure)
    error = fetch(fetcher, entra).error()
    assert error['kind'] == kind and says in error['message']
    assert entra.count() == 1


@pytest.mark.parametrize('tenant', ['common', 'organizations', 'Consumers'])
def test_a_client_is_of_one_tenant(fetcher, entra, tenant):
    error = fetch(fetcher, entra, tenant=tenant).error()
    assert error['kind'] == 'misconfigured' and 'tenant' in error['message']
    assert entra.requests() == []


@pytest.mark.parametrize('fields, kind', [
    ({'client_secret': None}, 'sign-in-needed'), ({'client_id': None}, 'misconfigured'),
    ({'tenant': None}, 'misconfigured'), ({'authority': 'http://login.example'}, 'misconfigured'),
    ({'method': 'refresh'}, 'misconfigured'), ({'client_secret': 'a\nb'}, 'misconfigured'),
])
def test_requests_that_are_refused(fetcher, entra, fields, kind):
    assert fetch(fetcher, entra, **fields).error()['kind'] == kind
    assert entra.requests() == []


def test_a_server_that_repeats_the_secret(fetcher, entra):
    entra.fail(error='invalid_client', error_description=f'not this: {entra.service_secret}')
    assert entra.leaks(fetch(fetcher, entra).error()['message']) == 0
    assert fetcher.log() == ''
