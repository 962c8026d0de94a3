# SPDX-License-Identifier: MIT
#
# Accounts of source client-credentials, from iotc-token login to the token: where their secret is,
# what a wrong one does, and that nobody has to be there after a restart.

import re

import pytest

from util_daemon import account_path, variants
from util_process import wait_until
from util_terminal import CTRL_C, Terminal

WRONG = 'not-the-secret-of-this-client'


def settings(entra, **values):
    return {'authority': entra.authority, 'tenant': entra.tenant,
            'client_id': entra.clients['service'], 'secret': entra.service_secret, **values}


def add(daemon, entra, name='robot', **values):
    return daemon.call('AddAccount', '(ssa{sv})', (name, 'client-credentials', variants(
        {key: value for key, value in settings(entra, **values).items() if value is not None})))


@pytest.fixture
def options(entra):
    return ('--client-credentials', '--authority', entra.authority, '--tenant', entra.tenant,
            '--client-id', entra.clients['service'])


def test_a_token_and_the_next(daemon, entra, keyring):
    daemon.start('')
    assert add(daemon, entra) == (account_path('robot'),)
    assert daemon.get('State', 'robot') == 'ready'
    assert daemon.get('DefaultAccount') == 'robot'     # it gives bearer tokens
    token, kind, _ = daemon.get_token('robot')
    assert kind == 'bearer' and entra.leaks(token) == 1
    assert keyring.items() == {'robot': 'IoT Central: robot (client-credentials)'}
    assert daemon.get('User', 'robot') == ''
    daemon.account_call('robot', 'Refresh')
    assert entra.count('client_credentials') == 1      # one of under a minute ago counts

    text = daemon.read_settings()
    assert 'source=client-credentials' in text and entra.leaks(text) == 0
    assert entra.leaks(str(daemon.objects())) == 0


def test_after_a_restart_nobody_is_needed(daemon, entra, keyring):
    daemon.start('')
    add(daemon, entra)
    token = daemon.get_token('robot')[0]
    daemon.restart()
    assert daemon.get_token('robot')[0] == token
    assert entra.count('client_credentials') == 1
    daemon.account_call('robot', 'Refresh')
    assert entra.count('client_credentials') == 2
    assert daemon.get_token('robot')[0] != token


def test_a_new_account_is_fetched_for_at_the_start(daemon, entra, keyring):
    daemon.start('')
    add(daemon, entra)
    daemon.restart()
    entra.wait(grant_type='client_credentials')
    wait_until(lambda: daemon.get('ExpiresAt', 'robot'), 'a token')


def test_it_is_refreshed_in_the_background(daemon, entra, keyring):
    entra.set(access_token_ttl=8)
    daemon.start('')
    add(daemon, entra)
    daemon.get_token('robot')
    entra.wait(2, grant_type='client_credentials', timeout=60)


def test_a_wrong_secret_and_the_right_one(daemon, entra, keyring):
    daemon.start('')
    add(daemon, entra, secret=WRONG)
    name, text = daemon.error_of(daemon.get_token, 'robot')
    assert name == 'Misconfigured' and 'AADSTS7000215' in text
    assert text.endswith('To store a new secret: iotc-token login robot')
    assert daemon.get('State', 'robot') == 'misconfigured'
    assert WRONG not in daemon.text()

    daemon.account_call('robot', 'SetSecret', '(s)', (entra.service_secret,))
    assert daemon.get('State', 'robot') == 'ready'
    assert daemon.get('LastError', 'robot') == ('', '')
    assert daemon.get_token('robot')[1] == 'bearer'
    daemon.restart()
    assert daemon.get('State', 'robot') == 'ready'


def test_another_secret_mends_no_proxy(daemon, entra, keyring, home):
    home.extra['https_proxy'] = 'gopher://127.0.0.1:1'
    daemon.start('')
    add(daemon, entra, authority='https://identity.invalid')
    name, text = daemon.error_of(daemon.get_token, 'robot')
    assert name == 'Misconfigured' and 'https_proxy' in text
    assert 'secret' not in text


def test_a_secret_that_ends(daemon, entra, keyring):
    entra.set(access_token_ttl=4)
    daemon.start('')
    add(daemon, entra)
    daemon.get_token('robot')
    entra.fail(count=100, error='invalid_client', code=7000222, status=401)
    daemon.wait_property('State', 'misconfigured', account='robot')
    assert 'new one' in daemon.get('LastError', 'robot')[1]


def test_a_server_that_repeats_it(daemon, entra, keyring):
    daemon.start('')
    entra.fail(error='invalid_client', code=7000215, error_description=f'No {entra.service_secret}')
    add(daemon, entra)
    assert entra.leaks(daemon.error_of(daemon.get_token, 'robot')[1]) == 0


@pytest.mark.parametrize('values, says', [
    ({'tenant': None}, 'tenant'), ({'tenant': 'organizations'}, 'tenant'),
    ({'tenant': 'common'}, 'tenant'), ({'client_id': None}, 'client-id'),
    ({'secret': None}, 'secret'), ({'secret': ''}, 'secret'), ({'secret': 'a\nb'}, 'secret'),
    ({'secret': 'x' * 17000}, 'secret'), ({'sign_in': 'browser'}, 'not a setting'),
])
def test_what_can_not_be(daemon, entra, keyring, values, says):
    daemon.start('')
    name, text = daemon.error_of(add, daemon, entra, **values)
    assert name.endswith('.InvalidArgs') and says in text
    assert daemon.objects() == {}
    assert keyring.items() == {}


def test_a_locked_keyring(daemon, entra, keyring):
    daemon.start('')
    add(daemon, entra)
    daemon.stop()
    keyring.lock()
    daemon.start()
    daemon.wait_property('State', 'locked', account='robot')
    assert daemon.error_of(daemon.get_token, 'robot')[0] == 'KeyringLocked'
    assert daemon.error_of(add, daemon, entra, 'other')[0] == 'KeyringLocked'
    keyring.unlock()
    daemon.wait_property('State', 'ready', account='robot')
    assert daemon.get_token('robot')[1] == 'bearer'


def test_the_item_is_deleted(daemon, entra, keyring):
    daemon.start('')
    add(daemon, entra)
    daemon.get_token('robot')
    daemon.account_call('robot', 'SignOut')
    assert keyring.items() == {}
    name, text = daemon.error_of(daemon.get_token, 'robot')
    assert name == 'SignInNeeded' and text.endswith('iotc-token login robot')


def test_another_client_has_another_secret(daemon, entra, keyring):
    daemon.start('')
    add(daemon, entra)
    daemon.get_token('robot')
    daemon.account_call('robot', 'Configure', '(a{sv})',
                        (variants({'client_id': entra.clients['own']}),))
    assert daemon.error_of(daemon.get_token, 'robot')[0] == 'SignInNeeded'


def test_nobody_signs_in(daemon, entra, keyring):
    daemon.start('')
    add(daemon, entra)
    name, text = daemon.error_of(daemon.start_sign_in, 'robot')
    assert name == 'Misconfigured' and 'secret' in text


def test_login_from_a_script(daemon, entra, keyring, cli, options):
    daemon.start('')
    done = cli.run('login', 'robot', *options, '--app', 'contoso.azureiotcentral.com',
                   stdin=entra.service_secret + '\n')
    assert done.returncode == 0, done.stderr
    assert "Signed in to 'robot'." in done.stderr and entra.leaks(done.stderr) == 0
    assert cli.ok('get', 'contoso.azureiotcentral.com') == daemon.get_token('robot')[0] + '\n'
    assert 'client-credentials' in cli.ok('status', 'robot')


def test_login_on_a_terminal(daemon, entra, keyring, cli, options):
    daemon.start('')
    with Terminal([cli.program, 'login', 'robot', *options], cli.environment()) as terminal:
        terminal.wait_for('Client secret')
        wait_until(lambda: not terminal.echoes(), 'the echo to be off')
        terminal.type(entra.service_secret + '\r')
        terminal.wait_for("Signed in to 'robot'")
        assert terminal.wait() == 0
        assert entra.leaks(terminal.shown) == 0
    # The account says what to ask for.
    with Terminal([cli.program, 'login', 'robot'], cli.environment()) as terminal:
        terminal.wait_for('Client secret')
        terminal.type(WRONG + '\r')
        assert terminal.wait() == 6
        assert 'AADSTS7000215' in terminal.shown and WRONG not in terminal.shown
    assert daemon.get('State', 'robot') == 'misconfigured'


def test_ctrl_c_at_the_prompt(daemon, entra, keyring, cli, options):
    daemon.start('')
    with Terminal([cli.program, 'login', 'robot', *options], cli.environment()) as terminal:
        terminal.wait_for('Client secret')
        wait_until(lambda: not terminal.echoes(), 'the echo to be off')
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
        assert cli.ok('list') == ''


def test_ctrl_c_while_the_server_thinks(daemon, entra, keyring, cli, options):
    daemon.start('')
    entra.hold()
    with Terminal([cli.program, 'login', 'robot', *options], cli.environment()) as terminal:
        terminal.wait_for('Client secret')
        terminal.type(entra.service_secret + '\r')
        entra.wait(grant_type='client_credentials')
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
        assert "'robot' was not kept" in terminal.shown
    entra.release()
    wait_until(lambda: keyring.items() == {}, 'the item to be gone')


def test_login_with_a_wrong_secret(daemon, entra, keyring, cli, options):
    daemon.start('')
    done = cli.run('login', 'robot', *options, stdin=WRONG)
    assert done.returncode == 6 and "'robot' is kept" in done.stderr
    assert cli.run('login', 'robot', stdin=entra.service_secret).returncode == 0


def test_login_again_with_other_options(daemon, entra, keyring, cli):
    daemon.start('')
    add(daemon, entra, secret=WRONG)
    done = cli.run('login', 'robot', '--client-credentials', '--app', 'own.azureiotcentral.com',
                   stdin=entra.service_secret)
    assert done.returncode == 0, done.stderr
    assert daemon.get('Apps', 'robot') == ['own.azureiotcentral.com']
    done = cli.run('login', 'robot', '--tenant', 'organizations', stdin=entra.service_secret)
    assert done.returncode == 2 and 'tenant' in done.stderr
    assert daemon.get('State', 'robot') == 'ready'


@pytest.mark.parametrize('arguments, code, says', [
    (('--client-credentials',), 2, 'client-id'),
    (('--client-credentials', '--client-id', 'x'), 2, 'tenant'),
    (('--client-credentials', '--browser'), 2, 'exclude'),
])
def test_wrong_usage(daemon, keyring, cli, arguments, code, says):
    daemon.start('')
    done = cli.run('login', 'robot', *arguments, stdin='x')
    assert done.returncode == code and says in done.stderr
    assert cli.ok('list') == ''


def test_without_a_keyring(daemon, entra, cli, options):
    daemon.start('')
    done = cli.run('login', 'robot', *options, stdin=entra.service_secret)
    assert done.returncode == 4, done.stderr
    assert cli.ok('list') == ''


def test_of_another_source(daemon, entra, keyring, cli, options):
    daemon.start('')
    add(daemon, entra)
    done = cli.run('login', 'robot', '--azure-cli')
    assert done.returncode == 1 and 'client-credentials, not azure-cli' in done.stderr


def test_logins_that_never_left(daemon, entra, keyring, cli, options):
    """A service that can't be reached has seen none of them, and counts none."""
    daemon.start('')
    entra.stop()
    for _ in range(6):
        done = cli.run('login', 'robot', *options, stdin=entra.service_secret)
        assert done.returncode == 5 and 'often' not in done.stderr, done.stderr
    entra.start()
    done = cli.run('login', 'robot', *options, stdin=entra.service_secret)
    assert done.returncode == 0, done.stderr
    assert entra.count('client_credentials') == 1


def test_logins_that_a_server_refused(daemon, entra, keyring, cli, options):
    """Those are counted, and the words say what they were for."""
    daemon.start('')
    for _ in range(14):
        done = cli.run('login', 'robot', *options, stdin=WRONG)
        if 'often' in done.stderr:
            break
    assert done.returncode == 5, done.stderr
    assert re.search(r'robot: .* too often: 12 requests in 5 minutes \(\d+ for login or refresh.*'
                     r'Try again in \d+ s\.', done.stderr), done.stderr
    assert entra.count('client_credentials') < 15
