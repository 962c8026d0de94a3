# SPDX-License-Identifier: MIT
#
# The fetcher and what servers and networks get wrong: garbage for an answer, words that should not
# reach a person, a road that is blocked, and when to try again.

import email.utils
import json
import os
import socket
import time

import pytest

from util_tunnel import Tunnel

ENTRA = 'https://login.microsoftonline.com'
GOOD = {'token_type': 'Bearer', 'access_token': 'e.y.J', 'expires_in': 3600}


@pytest.fixture
def refresh(fetcher, entra):
    """refresh(**fields): the last event of a refresh with a token that is good."""
    token = entra.sign_in()['refresh_token']
    entra.clear()
    return lambda **fields: fetcher.refresh(entra, token, **fields).last()


def assert_error(event, kind, *says):
    assert event['event'] == 'error'
    assert event['kind'] == kind, event['message']
    for text in says:
        assert text in event['message']
    assert event['message'].isprintable()


@pytest.mark.parametrize('failure, kind', [
    ({'body': '<!DOCTYPE html><title>Sign in to Hotel Wi-Fi</title>'}, 'try-later'),
    ({'body': '{"token_type":"Bearer","access_to'}, 'try-later'),
    ({'body': GOOD, 'truncate': True}, 'try-later'),
    ({'body': ''}, 'try-later'),
    ({'body': '[]'}, 'try-later'),
    ({'drop': True}, 'try-later'),
    ({'body': {**GOOD, 'padding': 'x' * 2 * 1024 * 1024}}, 'try-later'),
    ({'body': '{"a":' * 5000}, 'try-later'),
    ({'body': {**GOOD, 'access_token': ['e.y.J']}}, 'try-later'),
    ({'body': {**GOOD, 'access_token': 'a' * 33000}}, 'try-later'),
    ({'body': {**GOOD, 'token_type': 'mac'}}, 'try-later'),
    ({'body': {**GOOD, 'expires_in': 0}}, 'try-later'),
    ({'body': {**GOOD, 'expires_in': 'an hour'}}, 'try-later'),
    ({'body': {**GOOD, 'refresh_token': 'a\r\nb'}}, 'try-later'),
    ({'status': 404, 'body': '<html>'}, 'misconfigured'),
    ({'status': 400, 'body': '{"error":"inval'}, 'misconfigured'),
    ({'status': 400, 'body': {'error': 'invalid_grant', 'error_description': {}}},
     'sign-in-needed'),
    ({'status': 400, 'body': {'error': 'invalid_grant', 'error_description':
                              '\x1b]0;owned\x07\u202eAADSTS1: \U0001f600 no\r\nTrace'}},
     'sign-in-needed'),
])
def test_garbage(entra, refresh, failure, kind):
    entra.fail(**{'status': 200, **failure})
    event = refresh()
    assert_error(event, kind)
    assert 'sent' not in event
    assert '<' not in event['message'] and 'e.y.J' not in json.dumps(event)


@pytest.mark.parametrize('failure, kind, seconds', [
    ({'status': 429, 'headers': {'retry-after': '40'}}, 'try-later', 40),
    ({'status': 503, 'headers': {'retry-after': '86400'}}, 'try-later', 3600),
    ({'status': 503, 'headers': {'retry-after': 'DATE'}}, 'try-later', 120),
    ({'status': 503, 'headers': {'retry-after': 'soon'}}, 'try-later', None),
    ({'error': 'invalid_grant', 'headers': {'retry-after': '5'}}, 'try-later', 5),
    ({'error': 'invalid_grant', 'code': 50196, 'error_description': 'A loop.'},
     'sign-in-needed', 300),
])
def test_when_to_try_again(entra, refresh, failure, kind, seconds):
    if failure.get('headers', {}).get('retry-after') == 'DATE':
        failure = {**failure, 'headers': {
            'retry-after': email.utils.formatdate(time.time() + 120, usegmt=True)}}
    entra.fail(**failure)
    event = refresh()
    assert_error(event, kind)
    if seconds is None:
        assert 'retry_after' not in event
    else:
        assert seconds - 4 <= event['retry_after'] <= seconds


def test_the_words_of_the_server(entra, refresh):
    entra.revoke()
    event = refresh()
    assert_error(event, 'sign-in-needed', 'AADSTS50173: ', 'Sign in again', '127.0.0.1')
    assert 'Trace ID' not in event['message']


def test_a_life_counts_from_the_sending(entra, refresh):
    entra.set(date_offset=-7200)
    entra.fail(when='after', delay_ms=2500)
    token = refresh()
    assert 3590 <= token['expires_in'] <= 3597
    assert abs(token['date'] - time.time() + 7200) < 10


def test_a_chain_of_refreshes_under_strict_rotation(fetcher, entra):
    entra.set(rotation='strict')
    token = entra.sign_in()['refresh_token']
    for _ in range(3):
        token = fetcher.refresh(entra, token).last()['refresh_token']


# ---- the person's code ----

@pytest.mark.parametrize('uri', ['http://login.example/device', 'javascript:alert(1)', '', None])
def test_a_page_that_nobody_should_be_sent_to(fetcher, entra, uri):
    entra.fail(match={'kind': 'devicecode'}, status=200, body={
        'device_code': 'x', 'user_code': 'ABC', 'verification_uri': uri, 'expires_in': 900})
    assert_error(fetcher.entra(entra, 'device-code').last(), 'try-later', 'https')


def test_the_prompt_is_clean(fetcher, entra):
    entra.fail(match={'kind': 'devicecode'}, status=200, body={
        'device_code': 'x', 'user_code': 'ABC', 'verification_uri': 'https://login.example/d',
        'expires_in': '1', 'interval': '1', 'message': 'Go\x1b[2J\r\nthere\u202e'})
    fetch = fetcher.entra(entra, 'device-code')
    assert fetch.event()['message'] == 'Go [2J there'
    assert fetch.error()['kind'] == 'sign-in-needed'


@pytest.mark.parametrize('failure, pause', [
    ({'status': 429, 'headers': {'retry-after': '4'}}, 3.9),
    ({'status': 200, 'body': '<html>hotel</html>'}, 1.9),
])
def test_a_fault_while_polling_slows_it_down(fetcher, entra, failure, pause):
    entra.fail(match={'grant_type': 'device_code'}, **failure)
    fetch = fetcher.entra(entra, 'device-code')
    entra.approve(fetch.event()['user_code'])
    assert fetch.last()['event'] == 'token'
    first, second = entra.requests(grant_type='device_code')
    assert second['at'] - first['at'] >= pause * 1000


@pytest.mark.long
def test_slow_down_is_for_good(fetcher, entra):
    entra.slow_down()
    fetch = fetcher.entra(entra, 'device-code')
    code = fetch.event()['user_code']
    entra.wait(2, grant_type='device_code')
    entra.approve(code)
    assert fetch.last()['event'] == 'token'
    polls = [poll['at'] for poll in entra.requests(grant_type='device_code')]
    assert len(polls) == 3
    # The interval of 1 s, and 5 s more.
    assert polls[1] - polls[0] >= 5900 and polls[2] - polls[1] >= 5900


# ---- the road ----

def test_what_was_never_sent_is_sent_again(entra, refresh):
    tunnel = Tunnel(entra.proxy, refuse=2)
    try:
        event = refresh(authority=ENTRA, proxy=tunnel.url, ca_bundle=entra.ca_bundle)
    finally:
        tunnel.close()
    assert event['event'] == 'token'
    assert tunnel.calls == 3 and entra.count('refresh_token') == 1


@pytest.fixture
def deaf():
    """A port that takes connections in and never answers, and one that nobody listens at."""
    with socket.socket() as listener, socket.socket() as closed:
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        closed.bind(('127.0.0.1', 0))
        yield listener.getsockname()[1], closed.getsockname()[1]


def test_what_never_left_says_so(deaf, refresh, home, folder):
    """A port that is closed, a name that there is none of, a proxy that is down or silent, and TLS
    that does not come about."""
    listening, closed = deaf
    # libcurl 8.14 loses the name when the same handle looks for it again (curl#17602).
    known = os.path.join(folder, 'leaks')
    with open(known, 'w', encoding='ascii') as file:
        file.write('leak:libcurl.so\n')
    home.extra['LSAN_OPTIONS'] = f'suppressions={known}:print_suppressions=0'
    for fields in ({'authority': f'http://127.0.0.1:{closed}'},
                   {'authority': 'https://login.invalid'},
                   {'authority': ENTRA, 'proxy': f'http://127.0.0.1:{closed}'},
                   {'authority': ENTRA, 'proxy': f'http://127.0.0.1:{listening}'},
                   {'authority': f'https://127.0.0.1:{listening}'}):
        event = refresh(**fields, deadline=1)
        assert_error(event, 'try-later')
        assert event.get('sent') is False, (fields, event)
    # It may have been heard.
    event = refresh(authority=f'http://127.0.0.1:{listening}', deadline=1)
    assert_error(event, 'try-later')
    assert 'sent' not in event


def test_an_unknown_ca_gets_no_secret(entra, refresh):
    event = refresh(authority=entra.tls_authority, deadline=2)
    assert_error(event, 'try-later', 'ca-bundle')
    assert event['sent'] is False and entra.count() == 0


def test_a_ca_bundle_that_is_not_there(entra, refresh, folder):
    assert_error(refresh(authority=entra.tls_authority, ca_bundle=f'{folder}/none.pem'),
                 'misconfigured', 'ca-bundle')


def test_the_proxy_of_the_environment(fetcher, entra, refresh):
    fetcher.home.extra = {'https_proxy': entra.proxy}
    assert refresh(authority=ENTRA, ca_bundle=entra.ca_bundle)['event'] == 'token'
    fetcher.home.extra = {'https_proxy': 'http://127.0.0.1:1'}
    assert_error(refresh(authority=ENTRA, deadline=1), 'try-later', "can't be reached")


def test_loopback_is_spoken_to_directly(fetcher, refresh):
    """No proxy sees what goes to loopback without TLS."""
    fetcher.home.extra = {'http_proxy': 'http://127.0.0.1:1', 'ALL_PROXY': 'http://127.0.0.1:1'}
    assert refresh(proxy='http://127.0.0.1:1')['event'] == 'token'


@pytest.mark.parametrize('authority', [
    'login.microsoftonline.com', 'https://user:secret@login.example', 'https://login.example/?x=',
    'https://login.example/#x',
    'http://127.0.0.1.example', 'file:///etc/passwd'])
def test_an_authority_that_is_none(refresh, authority):
    event = refresh(authority=authority)
    assert_error(event, 'misconfigured', 'https')
    assert 'secret' not in event['message']
