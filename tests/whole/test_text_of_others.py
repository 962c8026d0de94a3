# SPDX-License-Identifier: MIT
#
# What servers, proxies' URLs and a program of the user's say, and where it ends: nothing of ours
# comes back in it, in whatever form; and what came with it that can't be had twice is kept.

import json
import os
import re
import urllib.parse

import pytest

from util_daemon import entra_account

RESOURCE = 'https://apps.azureiotcentral.com'
SECRET = 'aB3~' + 'kZ.9_x-Q' * 3 + '+/=&%"\\ü'       # as Entra's client secrets, and worse
ENCODED = {
    'raw': lambda s: s,
    'percent': lambda s: urllib.parse.quote(s, safe=''),
    'lower': lambda s: re.sub('%..', lambda m: m[0].lower(), urllib.parse.quote(s, safe='')),
    'form': urllib.parse.quote_plus,
    'twice': lambda s: urllib.parse.quote(urllib.parse.quote(s, safe=''), safe=''),
    'json': lambda s: json.dumps(s)[1:-1],
}
PASSWORDS = [
    # the value of https_proxy, the kind, and what must show nowhere
    ('http://user:p@ssSECRET@127.0.0.1', 'misconfigured', ['ssSECRET', 'user:']),
    ('ftp://user:pw-SECRET@x', 'misconfigured', ['pw-SECRET']),
    ('http://user:pw/SECRET@127.0.0.1:1', 'misconfigured', ['SECRET', 'user:']),
    ('http://user:pw-SECRET@[::1]:1', 'try-later', ['pw-SECRET']),
    ('user:pw-SECRET@127.0.0.1:1', 'try-later', ['pw-SECRET']),
    ('http://user:p%40SECRET@127.0.0.1:1', 'try-later', ['SECRET']),
]


def pieces(secret, n=16):
    return {secret[i:i + n] for i in range(len(secret) - n + 1)}


def assert_without(text, secret):
    for form in ENCODED.values():
        assert not any(piece in text for piece in pieces(form(secret))), 'a piece of it is there'


@pytest.mark.parametrize('form', ENCODED)
def test_a_server_that_repeats_a_client_secret(fetcher, entra, form):
    entra.fail(error='invalid_client',
               error_description=f'AADSTS7000215: Invalid secret {ENCODED[form](SECRET)} given.')
    error = fetcher.start({'source': 'client-credentials', 'authority': entra.authority,
                           'tenant': entra.tenant, 'client_id': entra.client_id,
                           'client_secret': SECRET, 'resource': RESOURCE, 'deadline': 30}).error()
    assert 'AADSTS7000215: Invalid secret *** given.' in error['message']
    assert_without(error['message'], SECRET)


def test_a_long_refresh_token_is_cut_where_nothing_of_it_is_left(fetcher, entra):
    token = '1.' + ''.join(chr(97 + i * i % 25) + str(i % 7) for i in range(496))[:991]
    entra.fail(error='invalid_grant', error_description=f'Bad token {token} and {token[5:400]}')
    error = fetcher.refresh(entra, token).error()
    assert 'Bad token *** and ***' in error['message']
    assert_without(error['message'], token)


@pytest.mark.parametrize('url, kind, secrets', PASSWORDS)
def test_the_password_of_a_proxy(fetcher, entra, url, kind, secrets):
    fetcher.home.extra = {'https_proxy': url}
    error = fetcher.refresh(entra, 'a-refresh-token', authority='https://login.example',
                            deadline=1).error()
    assert error['kind'] == kind and 'the environment variable https_proxy' in error['message']
    assert not [s for s in secrets if s in error['message']], error['message']


def test_the_password_of_a_proxy_of_the_daemon(daemon, keyring, cli, home):
    home.extra = {'HTTPS_PROXY': PASSWORDS[0][0]}
    daemon.start('[account work]\nsource=client-credentials\ntenant=t.example\nclient-id=c\n'
                 'authority=https://login.example\n')
    cli.run('login', 'work', '--client-credentials', stdin='the-client-secret\n')
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=30)
    assert name == 'Misconfigured' and 'HTTPS_PROXY' in text
    shown = [text, daemon.get('LastError', 'work')[1], daemon.text()]
    for arguments in ('get', 'work'), ('status', 'work'), ('doctor',), ('doctor', '--json'):
        result = cli.run(*arguments)
        shown += [result.stdout, result.stderr]
    assert not [each for each in shown if 'SECRET' in each]


# ---- a program of the user's ----

def command(home, body):
    folder = os.path.join(home.folder, 'own')
    os.mkdir(folder, 0o755)
    path = os.path.join(folder, 'source')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\nPATH=/usr/bin:/bin\nread -r request\n{body}\n')
    os.chmod(path, 0o755)
    return f'[account corp]\nsource=command\ncommand={path}\n'


def test_what_a_program_writes_to_standard_error(daemon, keyring, home):
    """A shell script under `set -x` prints all that it works with."""
    daemon.start(command(home, '''set -x
t=access-token-0123456789abcdef
r=refresh-token-0123456789abcdef
echo "see http://ada:hunter2@host/" "$request" >&2
printf '\\033[31mred\\n' >&2
echo '{"event":"token","access_token":"'$t'","expires_in":3600,"refresh_token":"'$r'"}'
'''))
    for _ in range(2):
        assert daemon.get_token('corp', force=True)[0] == 'access-token-0123456789abcdef'
        daemon.restart()
    log = daemon.text()
    assert 'source says: see http://***@host/ {' in log and 'source says:  [31mred' in log \
        or 'source says: [31mred' in log
    assert '0123456789abcdef' not in log and 'hunter2' not in log and '\033' not in log


def test_a_program_that_writes_without_end_to_standard_error(daemon, keyring, home):
    daemon.start(command(home, '''yes "a line of no use" | head -c 3000000 >&2
echo '{"event":"token","access_token":"t","expires_in":3600}'
'''))
    assert daemon.get_token('corp')[0] == 't'
    assert daemon.text().count('a line of no use') < 1000


def test_what_a_program_repeats_in_its_error(daemon, keyring, home):
    said = r'no refresh%2dtoken%2D0123456789abcdef: http:\/\/a:b@h'
    daemon.start(command(home, f'''case $request in
*refresh-token-0*) echo '{{"event":"error","kind":"blocked","message":"{said}"}}';;
*) echo '{{"event":"token","access_token":"t","expires_in":3600,' \\
        '"refresh_token":"refresh-token-0123456789abcdef"}}';;
esac'''))
    assert daemon.get_token('corp')[0] == 't'
    daemon.restart()
    name, text = daemon.error_of(daemon.get_token, 'corp', force=True)
    assert name == 'Blocked' and 'no ***: http://***@h' in text


# ---- what does not fit ----

def huge(entra, n, refresh_token='rotated-refresh-token', **more):
    entra.fail(status=200, body={'token_type': 'Bearer', 'expires_in': 3600,
                                 'access_token': 'a' * n, 'refresh_token': refresh_token, **more})


@pytest.mark.parametrize('n, fits', [(32768, True), (32769, False), (200000, False)])
def test_a_long_access_token(fetcher, entra, n, fits):
    """And who it is for, its scope, and a refresh token of characters that JSON escapes."""
    odd = '"\\' * 8000
    huge(entra, n, odd, scope='"\\' * 100000)
    event = fetcher.refresh(entra, 'a-refresh-token').last()
    assert event['refresh_token'] == odd
    if fits:
        assert event['event'] == 'token' and len(event['access_token']) == n
    else:
        assert event['kind'] == 'try-later' and f'{n} bytes' in event['message']


def test_the_rotated_refresh_token_is_kept(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    old = daemon.get_token('work')
    huge(entra, 40000, entra.sign_in(user='grace@contoso.example')['refresh_token'])
    name, text = daemon.error_of(daemon.get_token, 'work', min_valid=3600, timeout=5)
    assert 'work: ' in text and '40000 bytes, more than the 32768' in text, (name, text)
    assert daemon.get_token('work') == old
    daemon.restart()
    assert daemon.get_token('work', force=True)[1] == 'bearer'
    assert daemon.get('User', 'work') == 'grace@contoso.example'


# ---- in JSON ----

def test_a_tenant_in_the_json_of_the_look_alike(daemon, keyring, home, cli):
    tenant = r'a\"b\\c'
    daemon.start(command(home, f"""cat <<'EOF'
{{"event":"token","access_token":"t","expires_in":3600,"tenant":"{tenant}"}}
EOF"""))
    got = cli.ok('exec', 'corp', '--az', '--', 'az', 'account', 'get-access-token', '--resource',
                 RESOURCE)
    assert json.loads(got)['tenant'] == 'a"b\\c'


@pytest.mark.parametrize('code, says', [('7000215', 'secret is wrong'), ('7000222', 'has expired')])
def test_what_is_wrong_with_a_client_secret(fetcher, entra, code, says):
    entra.fail(error='invalid_client', code=int(code), error_description=f'AADSTS{code}: No.')
    error = fetcher.start({'source': 'client-credentials', 'authority': entra.authority,
                           'tenant': entra.tenant, 'client_id': entra.client_id,
                           'client_secret': SECRET, 'resource': RESOURCE, 'deadline': 30}).error()
    assert error['kind'] == 'misconfigured' and says in error['message']
