# SPDX-License-Identifier: MIT
#
# The IoT Central stand-in is what the tests of the command rely on: it lets nobody in whom the
# service would not let in, and answers in the service's form.

import json
import urllib.error
import urllib.request

VERSION = '?api-version=2022-07-31'


def ask(central, path, authorization, method='GET', body=None):
    request = urllib.request.Request(
        central.app + path, method=method, data=json.dumps(body).encode() if body else None,
        headers={'Content-Type': 'application/json',
                 **({'Authorization': authorization} if authorization else {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)['error']['code']


def test_a_bearer_token_is_checked(entra, central):
    token = entra.sign_in()['access_token']
    status, answer = ask(central, f'/api/devices{VERSION}', f'Bearer {token}')
    assert status == 200 and answer['value'][0]['id']
    head, payload, signature = token.split('.')
    forged = '.'.join([head, payload, signature[:-8] + 'AAAAAAAA'])
    assert ask(central, f'/api/devices{VERSION}', f'Bearer {forged}') == (401, 'Unauthenticated')
    assert ask(central, f'/api/devices{VERSION}', None)[0] == 401
    assert ask(central, '/api/devices', f'Bearer {token}')[0] == 422


def test_a_token_for_another_resource(entra, central):
    other = entra.refresh(entra.sign_in()['refresh_token'], 'https://graph.microsoft.com')[1]
    assert ask(central, f'/api/devices{VERSION}', f'Bearer {other["access_token"]}')[0] == 401


def test_api_tokens(entra, central):
    bearer = f'Bearer {entra.sign_in()["access_token"]}'
    path = f'/api/apiTokens/ci{VERSION}'
    body = {'roles': [{'role': 'ae2c9854-393b-4f97-8c42-479d70ce626e'}]}
    status, made = ask(central, path, bearer, 'PUT', body)
    assert status == 200 and central.tokens() == ['ci']
    assert ask(central, path, bearer, 'PUT', body) == (409, 'Conflict')
    assert ask(central, path, bearer, 'PUT', {'roles': 'all'})[0] == 422
    assert 'token' not in ask(central, path, bearer)[1]
    assert ask(central, f'/api/devices{VERSION}', made['token'])[0] == 200
    assert ask(central, path, made['token']) == (403, 'Forbidden')
    assert ask(central, path, bearer, 'DELETE') == (204, None)
    assert ask(central, f'/api/devices{VERSION}', made['token'])[0] == 401
