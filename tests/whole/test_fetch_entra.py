# SPDX-License-Identifier: MIT
#
# The fetcher against the Entra stand-in, run as anybody could from a shell: the two ways in by
# device code and refresh token, and what each fault of a server or a network becomes.

import os
import signal
import time

import pytest

from util_entra import RESOURCE
from util_machine import sees_all
from util_process import wait_until


def test_device_code(fetcher, entra):
    fetch = fetcher.entra(entra, 'device-code')
    prompt = fetch.event()
    assert prompt['event'] == 'prompt' and prompt['method'] == 'device-code'
    assert prompt['verification_uri'] == f'{entra.authority}/device'
    assert prompt['user_code'] in prompt['message']
    assert 800 < prompt['expires_at'] - time.time() <= 900

    entra.approve(prompt['user_code'])
    token = fetch.last()
    assert token['event'] == 'token'
    assert entra.leaks(token['access_token'] + ' ' + token['refresh_token']) == 2
    assert 3590 <= token['expires_in'] <= 3600
    assert (token['user'], token['tenant']) == ('ada@contoso.example', entra.tenant)
    assert abs(token['date'] - time.time()) < 30
    asked = entra.requests(kind='devicecode')[0]
    assert asked['scope'].split()[0] == f'{RESOURCE}/.default'
    assert 'offline_access' in asked['scope'] and asked['tenant'] == 'organizations'


def test_refresh(fetcher, entra):
    old = entra.sign_in()['refresh_token']
    entra.set(refresh_in=1800)
    token = fetcher.refresh(entra, old).last()
    assert token['event'] == 'token' and token['refresh_token'] != old
    assert 1790 <= token['refresh_in'] <= 1800
    assert entra.count('refresh_token') == 1


def test_numbers_as_strings(fetcher, entra):
    entra.set(numbers_as_strings=True, refresh_in=60)
    fetch = fetcher.entra(entra, 'device-code')
    entra.approve(fetch.event()['user_code'])
    token = fetch.last()
    assert 3590 <= token['expires_in'] <= 3600 and 50 <= token['refresh_in'] <= 60


def test_answer_without_a_text(fetcher, entra):
    entra.set(message=False)
    fetch = fetcher.entra(entra, 'device-code')
    prompt = fetch.event()
    # The one that the fetcher makes, or none: the code and the URI are there.
    assert prompt['user_code'] and prompt['verification_uri']
    entra.deny(prompt['user_code'])
    assert fetch.error()['kind'] == 'cancelled'


def test_resource_and_claims_go_along(fetcher, entra):
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    fetcher.refresh(entra, entra.sign_in()['refresh_token'],
                    resource='https://other.example', claims=claims).last()
    asked = entra.requests(grant_type='refresh_token')[0]
    assert (asked['resource'], asked['claims']) == ('https://other.example', claims)


def test_polls_keep_the_interval(fetcher, entra):
    entra.set(interval=2)
    fetch = fetcher.entra(entra, 'device-code')
    code = fetch.event()['user_code']
    entra.wait(2, grant_type='device_code')
    entra.approve(code)
    assert fetch.last()['event'] == 'token'
    times = [poll['at'] for poll in entra.requests(grant_type='device_code')]
    assert all(later - sooner >= 1950 for sooner, later in zip(times, times[1:]))


@pytest.mark.parametrize('failure', [
    {'status': 503}, {'status': 500, 'body': '<html>'}, {'drop': True},
    {'error': 'temporarily_unavailable'},
])
def test_faults_while_the_person_types(fetcher, entra, failure):
    fetch = fetcher.entra(entra, 'device-code')
    prompt = fetch.event()
    entra.fail(match={'grant_type': 'device_code'}, **failure)
    entra.approve(prompt['user_code'])
    assert fetch.last()['event'] == 'token'


def test_expired_code(fetcher, entra):
    entra.set(device_code_ttl=2)
    fetch = fetcher.entra(entra, 'device-code')
    error = fetch.error()
    assert error['kind'] == 'sign-in-needed'


def test_deadline_ends_the_wait_for_a_person(fetcher, entra):
    start = time.monotonic()
    error = fetcher.entra(entra, 'device-code', deadline=2).error()
    assert error['kind'] in ('sign-in-needed', 'try-later', 'cancelled')
    assert time.monotonic() - start < 10


REFUSALS = [
    ({'error': 'invalid_grant'}, 'sign-in-needed'),
    ({'error': 'invalid_grant', 'code': 50076, 'suberror': 'basic_action'}, 'sign-in-needed'),
    ({'error': 'interaction_required'}, 'sign-in-needed'),
    ({'error': 'invalid_grant', 'code': 53003, 'suberror': 'message_only'}, 'blocked'),
    ({'error': 'invalid_client', 'code': 7000218, 'status': 401}, 'misconfigured'),
    ({'error': 'unauthorized_client'}, 'misconfigured'),
    ({'error': 'invalid_resource'}, 'misconfigured'),
    ({'error': 'no_such_error'}, 'misconfigured'),
    ({'error': 'temporarily_unavailable'}, 'try-later'),
    ({'error': 'invalid_grant', 'status': 429, 'headers': {'Retry-After': '17'}}, 'try-later'),
    ({'status': 503}, 'try-later'),
    ({'status': 503, 'headers': {'Retry-After': '17'}, 'body': '<html>busy'}, 'try-later'),
    ({'status': 200, 'body': '<html>a captive portal'}, 'try-later'),
    ({'status': 200, 'body': {}}, 'try-later'),
    ({'status': 302, 'headers': {'Location': 'https://portal.example/'}, 'body': ''}, 'try-later'),
    ({'when': 'after', 'drop': True}, 'try-later'),
    ({'when': 'after', 'truncate': True}, 'try-later'),
]


@pytest.mark.parametrize('failure, kind', REFUSALS)
def test_kinds_of_errors(fetcher, entra, failure, kind):
    token = entra.sign_in()['refresh_token']
    entra.clear()
    entra.fail(count=10, **failure)
    error = fetcher.refresh(entra, token).error()
    assert error['kind'] == kind, error['message']
    if 'error' in failure:
        assert error['code'] == failure['error']
    if 'headers' in failure and 'Retry-After' in failure['headers']:
        assert 15 <= error['retry_after'] <= 17
    # A refresh token may be used up by the request: it is never sent twice by itself.
    assert entra.count() == 1


def test_claims_of_a_refusal_are_passed_on(fetcher, entra):
    claims = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'
    token = entra.sign_in()['refresh_token']
    entra.fail(error='interaction_required', claims=claims)
    assert fetcher.refresh(entra, token).error()['claims'] == claims


def test_control_characters_never_come_through(fetcher, entra):
    token = entra.sign_in()['refresh_token']
    entra.fail(error='invalid_grant', error_description='bad \x1b[31m\nthing\u202e')
    message = fetcher.refresh(entra, token).error()['message']
    assert all(char.isprintable() for char in message)


def test_server_away(fetcher, entra):
    token = entra.sign_in()['refresh_token']
    entra.stop()
    error = fetcher.refresh(entra, token, deadline=5).error()
    assert error['kind'] == 'try-later' and '127.0.0.1' in error['message']


def test_server_that_never_answers(fetcher, entra):
    token = entra.sign_in()['refresh_token']
    entra.hold()
    start = time.monotonic()
    error = fetcher.refresh(entra, token, deadline=2).error()
    entra.release()
    assert error['kind'] == 'try-later' and time.monotonic() - start < 6


def test_tls_with_a_private_ca(fetcher, entra):
    token = entra.sign_in()['refresh_token']
    fields = {'authority': entra.tls_authority}
    refused = fetcher.refresh(entra, token, **fields).error()
    assert 'certificate' in refused['message'].lower() or 'ca' in refused['message'].lower()
    answer = fetcher.refresh(entra, token, ca_bundle=entra.ca_bundle, **fields).last()
    assert answer['event'] == 'token'


def test_proxy(fetcher, entra):
    token = entra.sign_in()['refresh_token']
    entra.clear()
    answer = fetcher.refresh(entra, token, authority='https://login.microsoftonline.com',
                             proxy=entra.proxy, ca_bundle=entra.ca_bundle).last()
    assert answer['event'] == 'token'
    assert [r['host'] for r in entra.requests(kind='connect')] == ['login.microsoftonline.com:443']


@pytest.mark.parametrize('fields', [
    {'authority': 'http://login.example'}, {'authority': 'ftp://127.0.0.1'}, {'authority': None},
    {'tenant': '../x'}, {'tenant': None}, {'client_id': None}, {'resource': None},
    {'refresh_token': None}, {'method': 'no-such-method'}, {'source': 'no-such-source'},
    {'claims': 'not json'}, {'deadline': -1}, {'deadline': 'soon'},
])
def test_requests_that_are_refused(fetcher, entra, fields):
    request = {'refresh_token': 'a-refresh-token', 'method': 'refresh', **fields}
    error = fetcher.entra(entra, **request).error()
    assert error['kind'] in ('misconfigured', 'sign-in-needed')
    assert entra.requests() == []


@pytest.mark.parametrize('text', [
    b'', b'\n', b'{', b'[]\n', b'null\n', b'{"protocol":1}\n', b'{"protocol":2}\n', b'\xff\xfe\n',
    b'{"protocol":1,"source":"entra","tenant":"' + b'x' * 70000 + b'"}\n',
    b'{"a":' * 1000 + b'1' + b'}' * 1000 + b'\n',
])
def test_input_that_is_no_request(fetcher, text):
    assert fetcher.start(text).error()['kind'] in ('misconfigured', 'try-later')


def test_term_ends_it(fetcher, entra):
    fetch = fetcher.entra(entra, 'device-code')
    fetch.event()
    fetch.process.send(signal.SIGTERM)
    assert fetch.process.wait(5) != 1


def test_closed_output_ends_it(fetcher, entra):
    fetch = fetcher.entra(entra, 'device-code')
    fetch.event()
    fetch.stdout.close()
    wait_until(lambda: not fetch.process.alive, 'the fetcher to end', 5)


def test_no_secret_in_its_log_or_process(fetcher, entra):
    token = entra.sign_in()['refresh_token']
    entra.hold()
    fetch = fetcher.refresh(entra, token)
    entra.wait(grant_type='refresh_token')
    for name in ('cmdline', 'environ'):
        try:
            with open(f'/proc/{fetch.process.pid}/{name}', 'rb') as file:
                assert entra.leaks(file.read().decode(errors='replace')) == 0
        except PermissionError:
            assert name == 'environ' and not sees_all()
    entra.release()
    fetch.last()
    entra.fail(error='invalid_grant', error_description=f'this token: {token}')
    assert entra.leaks(fetcher.refresh(entra, token).error()['message']) == 0
    assert entra.leaks(fetcher.log()) == 0
