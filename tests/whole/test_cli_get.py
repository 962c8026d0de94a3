# SPDX-License-Identifier: MIT
#
# iotc-token get as scripts use it: what it prints, in three forms, what it asks of the daemon, and
# the exit code for each way to go wrong.

import json
import subprocess
import time
from datetime import datetime

import pytest

from util_daemon import entra_account

APP = 'contoso.azureiotcentral.com'
EXPIRED = 'se=1500000000000'
API_TOKEN = 'SharedAccessSignature sr=0b1c&sig=c2VjcmV0&skn=ci&se=4102444800000'


@pytest.fixture
def work(daemon, entra, keyring):
    """The account 'work', signed in; the default, and that of an application."""
    daemon.start(entra_account(entra, apps=APP))
    daemon.sign_in(entra)
    return daemon


def test_the_token_and_a_newline(work, cli):
    token = work.get_token()[0]
    done = cli.run('get')
    assert done.returncode == 0 and done.stderr == ''
    assert done.stdout == token + '\n'


@pytest.mark.parametrize('selector', ['work', APP, f'https://{APP}/api/devices?x=1', ''])
def test_selectors(work, cli, selector):
    assert cli.ok('get', selector) == work.get_token('work')[0] + '\n'


def test_a_header_for_curl(work, cli):
    assert cli.ok('get', '--header') == f'Authorization: Bearer {work.get_token()[0]}\n'


def test_json(work, cli):
    token, type_, expires_at = work.get_token()
    got = json.loads(cli.ok('get', APP, '--json'))
    assert got.pop('token') == token
    iso = got.pop('expires_at_iso')
    assert got == {'account': 'work', 'type': type_, 'expires_at': expires_at}
    assert datetime.fromisoformat(iso.replace('Z', '+00:00')).timestamp() == expires_at
    assert time.time() < expires_at < time.time() + 86400


def test_an_api_token_has_no_scheme_word(daemon, keyring, cli):
    daemon.start('')
    cli.ok('api-token', 'add', 'ci', stdin=API_TOKEN + '\n')
    assert cli.ok('get', 'ci') == API_TOKEN + '\n'
    assert cli.ok('get', 'ci', '--header') == f'Authorization: {API_TOKEN}\n'
    got = json.loads(cli.ok('get', 'ci', '--json'))
    assert (got['type'], got['expires_at']) == ('api-token', 4102444800)
    assert got['expires_at_iso'] == '2100-01-01T00:00:00Z'


def test_the_environment_names_the_account(daemon, entra, keyring, cli, home):
    daemon.start(entra_account(entra, 'one') + entra_account(entra, 'two'))
    daemon.sign_in(entra, 'two')
    assert cli.run('get').returncode == 7
    home.extra['IOTC_TOKEN_ACCOUNT'] = 'two'
    assert cli.ok('get') == daemon.get_token('two')[0] + '\n'
    assert cli.run('get', 'one').returncode == 3


def test_force_gets_another_token(work, cli, entra):
    before = cli.ok('get')
    assert cli.ok('get') == before
    entra.clear()
    cli.ok('get', '--force')
    assert entra.count('refresh_token') <= 1


def test_min_valid_is_a_promise(work, cli):
    left = work.get_token()[2] - int(time.time())
    assert cli.run('get', '--min-valid', '60').returncode == 0
    done = cli.run('get', '--min-valid', str(left + 86400))
    assert (done.returncode, done.stdout) == (5, '')


def test_no_wait_takes_what_is_in_memory(work, cli, entra):
    assert cli.run('get', '--no-wait').returncode == 0
    entra.hold()
    try:
        start = time.monotonic()
        done = cli.run('get', '--no-wait', '--min-valid', '86400')
        assert (done.returncode, done.stdout) == (5, '')
        assert time.monotonic() - start < 10
    finally:
        entra.release()


def test_another_resource_must_be_allowed(work, cli):
    done = cli.run('get', '--resource', 'https://management.azure.com')
    assert (done.returncode, done.stdout) == (6, '')
    assert 'resources' in done.stderr


@pytest.mark.parametrize('selector, code', [
    ('nobody', 7),
    ('contoso.example.com', 7),
    ('https://user:password@contoso.azureiotcentral.com/', 2),
    ('\udcff', 2),
])
def test_selectors_that_select_nothing(work, cli, selector, code):
    done = cli.run('get', selector)
    assert (done.returncode, done.stdout) == (code, '')
    assert done.stderr.startswith('iotc-token: ') and 'password' not in done.stderr


def test_a_person_is_needed(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    done = cli.run('get')
    assert (done.returncode, done.stdout) == (3, '')
    assert 'iotc-token login work' in done.stderr


def test_a_pending_sign_in_is_not_waited_for(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    daemon.start_sign_in()
    start = time.monotonic()
    assert cli.run('get').returncode == 3
    assert time.monotonic() - start < 10


def test_half_a_token_is_a_failure(work, cli):
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([cli.program, 'get'], env=cli.environment(), stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert 'No space left on device' in done.stderr
