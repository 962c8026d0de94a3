# SPDX-License-Identifier: MIT
#
# The fetcher's sign-in by browser: the page that the person is sent to, the redirect that comes
# back to a port of its own, and everybody else who may knock at that port.

import concurrent.futures
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from util_entra import RESOURCE
from util_machine import is_anybody
from util_process import wait_until


class Redirect:
    """The redirect URI of a sign-in under way, and what a client may do to it."""

    def __init__(self, prompt):
        self.authorize = prompt['verification_uri']
        self.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.authorize).query))
        self.uri = self.query['redirect_uri']
        self.port = urllib.parse.urlsplit(self.uri).port
        self.state = self.query['state']

    def get(self, path='/', method='GET', host=None, data=None, **query):
        """(status, page, headers) of a request of ours."""
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.port}{path}' + (f'?{urllib.parse.urlencode(query)}'
                                                     if query else ''),
            method=method, data=data, headers={'Host': host or f'localhost:{self.port}'})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers


def start(fetcher, entra, **fields):
    """A sign-in that waits for the person: the fetch, and its Redirect."""
    fetch = fetcher.entra(entra, 'browser', **fields)
    prompt = fetch.event()
    assert prompt['event'] == 'prompt' and prompt['method'] == 'browser'
    assert 'user_code' not in prompt and prompt['message']
    return fetch, Redirect(prompt)


def test_sign_in(fetcher, entra):
    fetch, redirect = start(fetcher, entra, deadline=1800)
    assert redirect.authorize.startswith(f'{entra.authority}/organizations/oauth2/v2.0/authorize?')
    assert re.fullmatch(r'http://localhost:\d+', redirect.uri)
    assert redirect.query['code_challenge_method'] == 'S256'
    assert redirect.query['prompt'] == 'select_account'
    assert redirect.query['scope'] == f'{RESOURCE}/.default offline_access openid profile'

    page = entra.browse(redirect.authorize)
    assert page['status'] == 200 and page['url'] == f'{redirect.uri}/done'
    assert 'You are signed in' in page['text'] and 'ada@contoso.example' in page['text']
    assert entra.leaks(page['text']) == 0

    token = fetch.last()
    assert token['event'] == 'token'
    assert entra.leaks(token['access_token'] + ' ' + token['refresh_token']) == 2
    assert 3590 <= token['expires_in'] <= 3600
    assert (token['user'], token['tenant']) == ('ada@contoso.example', entra.tenant)
    assert entra.count('authorization_code') == 1
    # What it brought is good for the next one.
    assert fetcher.refresh(entra, token['refresh_token']).last()['event'] == 'token'


def test_a_person_has_a_quarter_of_an_hour(fetcher, entra):
    for deadline, least in (1800, 890), (600, 590):
        fetch = fetcher.entra(entra, 'browser', deadline=deadline)
        assert least < fetch.event()['expires_at'] - time.time() <= least + 10


def test_every_sign_in_is_another(fetcher, entra):
    pairs = [start(fetcher, entra)[1] for _ in range(2)]
    for name in 'state', 'code_challenge', 'redirect_uri':
        assert pairs[0].query[name] != pairs[1].query[name]
    assert all(len(pair.state) == 43 and len(pair.query['code_challenge']) == 43
               for pair in pairs)


def test_declined(fetcher, entra):
    """And told at once, not when the time is over."""
    fetch, redirect = start(fetcher, entra, deadline=60)
    began = time.monotonic()
    page = entra.decline(redirect.authorize)
    assert 'declined' in page['text']
    assert fetch.error()['kind'] == 'cancelled'
    assert time.monotonic() - began < 45


@pytest.mark.parametrize('error, kind', [
    ('access_denied', 'cancelled'), ('temporarily_unavailable', 'try-later'),
    ('server_error', 'try-later'), ('login_required', 'sign-in-needed'),
    ('consent_required', 'sign-in-needed'), ('unauthorized_client', 'misconfigured'),
    ('invalid_resource', 'misconfigured'), ('invalid_request', 'misconfigured'),
    ('no_such_error', 'misconfigured'), ('', 'misconfigured'),
])
def test_errors_that_come_back(fetcher, entra, error, kind):
    fetch, redirect = start(fetcher, entra)
    status, page, _ = redirect.get(state=redirect.state, error=error,
                                   error_description='AADSTS70000: <b>That & "this"</b>. Trace')
    answer = fetch.error()
    assert (answer['kind'], status) == (kind, 200)
    assert '<b>That & "this"</b>' in answer['message']
    assert '&lt;b&gt;That &amp; &quot;this&quot;&lt;/b&gt;' in page and '<b>' not in page
    assert entra.count() == 0


def test_the_code_is_refused(fetcher, entra):
    entra.fail(error='invalid_grant', code=53003, suberror='message_only')
    fetch, redirect = start(fetcher, entra)
    page = entra.browse(redirect.authorize)
    assert 'did not succeed' in page['text'] and 'AADSTS53003' in page['text']
    assert fetch.error()['kind'] == 'blocked'
    assert entra.count() == 1


def test_a_server_that_is_away_at_the_end(fetcher, entra):
    fetch, redirect = start(fetcher, entra)
    entra.stop()
    status, page, _ = redirect.get(state=redirect.state, code='a-code')
    assert status == 200 and 'did not succeed' in page
    assert fetch.error()['kind'] == 'try-later'
    entra.start()


def test_the_code_is_no_bodys_business(fetcher, entra):
    entra.fail(error='invalid_grant', error_description='not this: a-code-of-12345')
    fetch, redirect = start(fetcher, entra)
    _, page, _ = redirect.get(state=redirect.state, code='a-code-of-12345')
    assert 'a-code' not in page and 'a-code' not in fetch.error()['message']
    assert fetcher.log() == ''


def test_what_is_not_ours_changes_nothing(fetcher, entra):
    fetch, redirect = start(fetcher, entra)
    other = 'x' + redirect.state[1:] if redirect.state[0] != 'x' else 'y' + redirect.state[1:]
    for status, arguments in [
            (404, {'path': '/favicon.ico'}),
            (404, {'path': '/done'}),
            (404, {'path': '/x', 'state': redirect.state, 'code': 'a'}),
            (400, {}),
            (400, {'code': 'a'}),
            (400, {'code': 'a', 'state': ''}),
            (400, {'code': 'a', 'state': other}),
            (400, {'code': 'a', 'state': redirect.state[:-1]}),
            (400, {'code': 'a', 'state': redirect.state + 'x'}),
            (400, {'error': 'access_denied', 'state': other}),
            (400, {'state': redirect.state}),
            (400, {'state': redirect.state, 'code': ''}),
            (400, {'state': redirect.state, 'code': 'a\nb'}),
            (400, {'state': redirect.state, 'code': 'x' * 20000}),
            (400, {'host': 'evil.example', 'state': redirect.state, 'code': 'a'}),
            (400, {'host': f'evil.example:{redirect.port}', 'state': redirect.state, 'code': 'a'}),
            (400, {'host': 'localhost', 'state': redirect.state, 'code': 'a'}),
            (405, {'method': 'POST', 'data': b'code=a', 'state': redirect.state, 'code': 'a'}),
            (405, {'method': 'POST', 'data': b'x' * 100000}),
            (405, {'method': 'DELETE', 'state': redirect.state, 'code': 'a'}),
    ]:
        got, page, headers = redirect.get(**arguments)
        assert got == status, arguments
        assert '<h1>' in page and headers['Content-Type'] == 'text/html; charset=utf-8'
    assert entra.count() == 0
    entra.browse(redirect.authorize)
    assert fetch.last()['event'] == 'token'


def test_a_page_asks_for_nothing(fetcher, entra):
    _, redirect = start(fetcher, entra)
    _, page, headers = redirect.get('/nothing')
    assert "default-src 'none'" in headers['Content-Security-Policy']
    assert headers['Cache-Control'] == 'no-store' and headers['Referrer-Policy'] == 'no-referrer'
    assert not re.search(r'https?:|src=|<script|url\(', page)
    assert redirect.get('/', 'HEAD')[0] == 405


@pytest.mark.parametrize('host', ['127.0.0.1', '[::1]', 'LOCALHOST'])
def test_the_names_of_loopback(fetcher, entra, host):
    fetch, redirect = start(fetcher, entra)
    redirect.get(host=f'{host}:{redirect.port}', state=redirect.state, error='access_denied')
    assert fetch.error()['kind'] == 'cancelled'


def test_both_loopbacks_at_one_port(fetcher, entra):
    _, redirect = start(fetcher, entra)
    with socket.create_connection(('127.0.0.1', redirect.port), 5):
        pass
    try:
        with socket.create_server(('::1', 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip('no IPv6 here')
    with socket.create_connection(('::1', redirect.port), 5):
        pass
    # And nowhere else.
    with pytest.raises(OSError):
        socket.create_connection(('127.0.0.2', redirect.port), 5)


def test_clients_that_hold_the_line(fetcher, entra):
    """Half a request, none at all, and more than fit in its memory: the browser is served."""
    fetch, redirect = start(fetcher, entra)
    lines = [socket.create_connection(('127.0.0.1', redirect.port), 5) for _ in range(30)]
    for line in lines[:10]:
        line.sendall(b'GET / HTTP/1.1\r\nHost: localh')
    for line in lines[10:20]:
        line.sendall(b'GET /' + b'x' * 40000)
    page = entra.browse(redirect.authorize)
    assert 'You are signed in' in page['text']
    assert fetch.last()['event'] == 'token'
    for line in lines:
        line.close()


@pytest.mark.parametrize('what', ['code=a-code', 'error=access_denied'])
def test_no_code_stays_in_the_address(fetcher, entra, what):
    """A browser shows and keeps the address of a page, but not of one that sends it on."""
    fetch, redirect = start(fetcher, entra)
    with socket.create_connection(('127.0.0.1', redirect.port), 20) as line:
        line.sendall(f'GET /?{what}&state={redirect.state} HTTP/1.1\r\n'
                     f'Host: localhost:{redirect.port}\r\n\r\n'.encode())
        head = b''
        while more := line.recv(65536):
            head += more
    assert head.startswith(b'HTTP/1.1 303 ') and b'\r\nLocation: /done\r\n' in head
    assert b'a-code' not in head and redirect.state.encode() not in head
    status, page, _ = redirect.get('/done')
    assert status == 200 and '</h1>' in page
    assert fetch.error()


def test_a_browser_that_does_not_read_its_page(fetcher, entra):
    fetch, redirect = start(fetcher, entra)
    with socket.create_connection(('127.0.0.1', redirect.port), 5) as line:
        line.sendall(f'GET /?error=access_denied&state={redirect.state} HTTP/1.1\r\n'
                     f'Host: localhost:{redirect.port}\r\n\r\n'.encode())
        assert fetch.error()['kind'] == 'cancelled'


def test_two_tabs(fetcher, entra):
    """The second one gives up while the first one's code is being redeemed: too late."""
    fetch, redirect = start(fetcher, entra)
    entra.hold()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(entra.browse, redirect.authorize)
        entra.wait(grant_type='authorization_code')
        with socket.create_connection(('127.0.0.1', redirect.port), 20) as second:
            second.sendall(f'GET /?error=access_denied&state={redirect.state} HTTP/1.1\r\n'
                           f'Host: localhost:{redirect.port}\r\n\r\n'.encode())
            entra.release()
            assert 'You are signed in' in first.result()['text']
    assert fetch.last()['event'] == 'token'


def test_nobody_comes(fetcher, entra):
    fetch, redirect = start(fetcher, entra, deadline=1)
    error = fetch.error()
    assert error['kind'] == 'sign-in-needed' and 'in time' in error['message']
    with pytest.raises(OSError):
        redirect.get()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(fetcher, entra, number):
    fetch, redirect = start(fetcher, entra)
    fetch.process.send(number)
    assert fetch.event() is None and fetch.process.wait(10) == -number
    assert fetcher.log() == ''
    with pytest.raises(OSError):
        redirect.get()


def test_closed_output_ends_it(fetcher, entra):
    fetch, _ = start(fetcher, entra)
    fetch.stdout.close()
    wait_until(lambda: not fetch.process.alive, 'the fetcher to end', 10)


@pytest.mark.parametrize('fields', [
    {'authority': 'http://login.example'}, {'tenant': None}, {'client_id': None},
    {'resource': None},
])
def test_requests_that_are_refused(fetcher, entra, fields):
    assert fetcher.entra(entra, 'browser', **fields).error()['kind'] == 'misconfigured'


def test_no_server_is_needed_to_show_the_page(fetcher, entra):
    """The identity service is the browser's to reach: a proxy may be set up only there."""
    fetch, redirect = start(fetcher, entra, authority='https://login.microsoftonline.com')
    assert redirect.authorize.startswith('https://login.microsoftonline.com/organizations/')
    fetch.process.send(signal.SIGTERM)
    assert fetch.process.wait(10) == -signal.SIGTERM


def forge(redirect, address, user, error, hasty=False):
    """A redirect with the right state, as a process of that user: was it answered?"""
    code = ('import os, socket, sys; os.setgroups([]); os.setuid(int(sys.argv[4])); '
            's = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20); '
            's.sendall(sys.argv[3].encode()); '
            'sys.exit(len(sys.argv) > 5 or not s.recv(1000))')
    request = (f'GET /?state={redirect.state}&error={error} HTTP/1.1\r\n'
               f'Host: localhost:{redirect.port}\r\n\r\n')
    return subprocess.run([sys.executable, '-c', code, address, str(redirect.port), request,
                           str(user), *['hasty'] * hasty], stderr=subprocess.DEVNULL,
                          timeout=60, check=False).returncode == 0


@pytest.mark.skipif(not is_anybody(), reason='only root with CAP_SETUID can be other users')
@pytest.mark.parametrize('address', ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
def test_another_user_brings_no_redirect(fetcher, entra, address):
    """Whoever can list processes knows the page's address, and so the state."""
    fetch, redirect = start(fetcher, entra)
    assert not forge(redirect, address, 65534, 'login_required')
    assert not forge(redirect, address, 65534, 'login_required', hasty=True)
    assert forge(redirect, address, 0, 'access_denied')
    assert fetch.error()['kind'] == 'cancelled'
