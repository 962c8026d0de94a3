# SPDX-License-Identifier: MIT
#
# The verbs that show and change accounts: list, status, default, refresh, logout, remove, unlock
# and api-token add, each as a person and as a script see it.

import json
import os
import re
import time

import pytest

from util_daemon import MANAGER, entra_account, variants
from util_process import wait_until
from util_terminal import CTRL_C, CTRL_Z, Terminal

APP = 'contoso.azureiotcentral.com'
API_TOKEN = 'SharedAccessSignature sr=0b1c&sig=c2VjcmV0&skn=ci&se=4102444800000'
COLOUR = re.compile('\033\\[3[123]m')


@pytest.fixture
def accounts(daemon, entra, keyring):
    """'work' is signed in and the default, 'idle' is not."""
    daemon.start('[iotc-token]\ndefault=work\n\n' + entra_account(entra, 'idle')
                 + entra_account(entra, apps=APP))
    daemon.sign_in(entra)
    return daemon


@pytest.fixture
def broken(accounts):
    """And 'broken' has a wrong setting."""
    accounts.restart(accounts.read_settings()
                     + '\n[account broken]\nsource=entra\nno-such-setting=1\n')
    return accounts


def rows(text):
    return [line.split('\t') for line in text.splitlines()]


def test_list_in_a_pipe(broken, cli):
    expires_at = broken.get('ExpiresAt', 'work')
    got = {row[0]: row[1:] for row in rows(cli.ok('list'))}
    assert sorted(got) == ['broken', 'idle', 'work']
    assert got['work'] == ['yes', 'entra', 'ready', str(expires_at),
                           broken.get('User', 'work'), APP]
    # What is empty is not lost to a shell's read, for which tabs in a row are one.
    assert got['idle'] == ['no', 'entra', 'sign-in-needed', '0', '-', '-']
    assert all(all(row) for row in rows(cli.ok('status')) + rows(cli.ok('status', 'work')))
    assert got['broken'][2] == 'misconfigured'


def test_list_as_json(broken, cli):
    got = {account['name']: account for account in json.loads(cli.ok('list', '--json'))}
    work = got['work']
    assert work['default'] is True and got['idle']['default'] is False
    assert work['apps'] == [APP] and work['last_error'] is None
    assert work['expires_at'] == broken.get('ExpiresAt', 'work')
    assert work['expires_at_iso'].endswith('Z') and got['idle']['expires_at_iso'] is None
    assert got['broken']['last_error']['name'].endswith('.Misconfigured')
    assert set(work) == {
        'name', 'source', 'apps', 'authority', 'tenant', 'client_id', 'resource', 'user', 'state',
        'expires_at', 'expires_at_iso', 'refresh_at', 'refresh_at_iso', 'last_refresh_at',
        'last_refresh_at_iso', 'last_error', 'last_used_at', 'last_used_at_iso', 'default'}


def test_list_on_a_terminal(broken, cli):
    with Terminal([cli.program, 'list'], cli.environment()) as terminal:
        assert terminal.wait() == 0
    head, *lines = COLOUR.sub('', terminal.shown).replace('\033[0m', '').splitlines()
    assert COLOUR.search(terminal.shown)
    column = head.index('STATE')
    assert {line[:8].rstrip(): line[column:].split()[0] for line in lines} == {
        '  broken': 'misconfigured', '  idle': 'sign-in-needed', '* work': 'ready'}

    with Terminal([cli.program, 'list'], {**cli.environment(), 'NO_COLOR': '1'}) as terminal:
        assert terminal.wait() == 0
    assert '\033' not in terminal.shown


@pytest.mark.parametrize('columns', [60, 45])
def test_list_on_a_narrow_terminal(broken, cli, columns):
    with Terminal([cli.program, 'list'], {**cli.environment(), 'NO_COLOR': '1'},
                  columns) as terminal:
        assert terminal.wait() == 0
    assert all(len(line) <= columns for line in terminal.shown.splitlines()), terminal.shown


def test_status_on_a_narrow_terminal(broken, cli):
    with Terminal([cli.program, 'status', 'broken'], cli.environment(), 50) as terminal:
        assert terminal.wait() == 6
    lines = terminal.shown[terminal.shown.index('    Last error'):].splitlines()
    assert len(lines) > 1 and all(line.startswith(' ' * 18) for line in lines[1:]), lines


def test_no_account_yet(daemon, cli):
    daemon.start('')
    done = cli.run('list')
    assert (done.returncode, done.stdout) == (0, '')
    assert 'iotc-token login' in done.stderr
    assert cli.ok('list', '--json') == '[]\n'


def test_status_of_all(broken, cli):
    got = {(row[0], row[1]): row[2] for row in rows(cli.ok('status'))}
    assert got['-', 'keyring_state'] == 'ok'
    assert got['-', 'default_account'] == 'work'
    assert got['work', 'state'] == 'ready'
    assert got['work', 'expires_at'] == str(broken.get('ExpiresAt', 'work'))
    assert 'accounts.conf, line ' in got['broken', 'last_error']

    got = json.loads(cli.ok('status', '--json'))
    assert got['keyring_state'] == 'ok' and got['online'] in (True, False)
    assert got['stats']['fetches'] >= 0 and 'cache_hits' in got['stats']
    assert [account['name'] for account in got['accounts']] == ['broken', 'idle', 'work']


@pytest.mark.parametrize('selector, code', [
    ('work', 0), (APP, 0), ('', 0), ('idle', 3), ('broken', 6), ('nobody', 7)])
def test_status_exits_with_the_code_of_the_state(broken, cli, selector, code):
    assert cli.run('status', selector).returncode == code
    done = cli.run('status', selector, '--json')
    assert done.returncode == code
    if code != 7:
        assert json.loads(done.stdout)['name'] == {APP: 'work', '': 'work'}.get(selector, selector)


def test_status_on_a_terminal(broken, cli):
    with Terminal([cli.program, 'status'], cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert re.search(r'Keyring +ok', terminal.shown)
    # A restart forgot when the token came, so that there is no bar.
    assert re.search('Valid for +\033\\[32m\\d+ (h|min)', terminal.shown)
    assert re.search(r'Last error +\S.*accounts.conf,\s+line\s', terminal.shown, re.S)


@pytest.mark.parametrize('env, bar', [
    ({}, '\033\\[32m█{10}\033\\[0m'), ({'NO_COLOR': '1'}, '█{10}'),
    ({'LC_ALL': 'C'}, '\033\\[32m#{10}\033\\[0m')])
def test_time_left_as_a_bar(accounts, cli, env, bar):
    with Terminal([cli.program, 'status', 'work'], {**cli.environment(), **env}) as terminal:
        assert terminal.wait() == 0
    assert re.search(f'Valid for +{bar} \\d+ (h|min)', terminal.shown), terminal.shown


def test_default(accounts, cli):
    assert cli.ok('default') == 'work\n'
    done = cli.run('default', 'idle')
    assert (done.returncode, done.stdout) == (0, '') and "'idle'" in done.stderr
    assert cli.ok('default') == 'idle\n'
    assert 'default=idle' in accounts.read_settings().replace(' ', '')
    assert cli.run('default', 'nobody').returncode == 7
    assert cli.ok('default') == 'idle\n'


def test_no_default(daemon, entra, cli):
    daemon.start(entra_account(entra, 'one') + entra_account(entra, 'two'))
    done = cli.run('default')
    assert (done.returncode, done.stdout) == (7, '')
    assert 'iotc-token default NAME' in done.stderr


def test_refresh(accounts, cli, entra):
    before = accounts.get('LastRefreshAt', 'work')
    accounts.restart()
    entra.clear()
    done = cli.run('refresh')
    assert done.returncode == 0 and done.stdout == ''
    assert re.search(r"token of 'work' is valid for \d+ (h|min)", done.stderr)
    assert entra.count('refresh_token') == 1
    # Within a minute of that none is asked for, and it says so.
    done = cli.run('refresh')
    assert done.returncode == 0 and re.search(
        r"The token of 'work' was renewed \d+ s ago; no other was asked for\.", done.stderr)
    assert entra.count('refresh_token') == 1
    assert accounts.get('LastRefreshAt', 'work') >= before
    assert cli.run('refresh', 'idle').returncode == 3


def test_logout_keeps_the_account(accounts, cli):
    done = cli.run('logout', '')        # as of a variable that is not set
    assert done.returncode == 2 and 'Usage: iotc-token logout' in done.stderr
    assert cli.run('status', 'work').returncode == 0
    done = cli.run('logout', 'work')
    assert done.returncode == 0
    assert 'live on at Entra' in done.stderr
    assert cli.run('status', 'work').returncode == 3
    assert cli.run('get', 'work').returncode == 3


def test_remove(accounts, cli):
    done = cli.run('remove', 'work')
    assert (done.returncode, done.stdout) == (0, '')
    assert "Removed the account 'work'" in done.stderr and 'live on at Entra' in done.stderr
    assert cli.run('status', 'work').returncode == 7
    assert '[account work]' not in accounts.read_settings()
    assert cli.run('remove', 'work').returncode == 7


def test_remove_and_leave_the_secret(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    keyring.lock()
    daemon.wait_property('KeyringState', 'locked', interface=MANAGER)
    done = cli.run('remove', 'work')
    assert done.returncode == 4 and 'iotc-token unlock' in done.stderr
    assert cli.run('status', 'work').returncode == 0        # nothing was changed
    command = re.search('iotc-token (remove --leave-secret work)', done.stderr)[1].split()
    done = cli.run(*command)
    assert (done.returncode, done.stdout) == (0, '')
    assert "Removed the account 'work'" in done.stderr and 'stays there' in done.stderr
    assert '[account work]' not in daemon.read_settings()
    assert cli.run('status', 'work').returncode == 7

    # The next one of this name is not signed in by it, and overwrites it.
    keyring.unlock()
    old = keyring.secret('work')
    daemon.call('AddAccount', '(ssa{sv})', ('work', 'entra', variants({
        'authority': entra.authority, 'client-id': entra.client_id})))
    assert cli.run('get', 'work').returncode == 3
    daemon.restart()
    assert cli.run('get', 'work').returncode == 3 and keyring.secret('work') == old
    daemon.sign_in(entra)
    assert list(keyring.items()) == ['work'] and keyring.secret('work') != old
    daemon.restart()
    assert cli.run('get', 'work').returncode == 0


def test_unlock_without_a_prompter(daemon, keyring, cli):
    daemon.start('')
    done = cli.run('unlock')
    assert (done.returncode, done.stdout) == (0, '')


def test_unlock_without_a_keyring(daemon, cli):
    daemon.start('')
    done = cli.run('unlock')
    assert (done.returncode, done.stdout) == (4, '')


def test_an_api_token_from_a_pipe(daemon, keyring, cli):
    daemon.start('')
    done = cli.run('api-token', 'add', 'ci', '--app', f'https://{APP}/', stdin=API_TOKEN + '\r\n')
    assert (done.returncode, done.stdout) == (0, '')
    assert done.stderr == \
        "The API token is kept as account 'ci'; it ends at 2100-01-01T00:00:00Z\n"
    assert daemon.get('Apps', 'ci') == [APP]
    assert cli.ok('get', APP) == API_TOKEN + '\n'


def test_an_api_token_is_replaced_when_told(daemon, keyring, cli):
    other = API_TOKEN.replace('sig=', 'sig=AA')
    daemon.start('')
    cli.ok('api-token', 'add', 'ci', stdin=API_TOKEN)

    done = cli.run('api-token', 'add', 'ci', stdin=other)
    assert done.returncode == 1 and '--replace' in done.stderr
    assert cli.ok('get', 'ci') == API_TOKEN + '\n'

    cli.ok('api-token', 'add', 'ci', '--replace', '--app', APP, stdin=other)
    assert cli.ok('get', APP) == other + '\n'


@pytest.mark.parametrize('option', [(), ('--replace',)])
def test_no_api_token_for_an_account_of_another_source(daemon, entra, keyring, cli, option):
    daemon.start(entra_account(entra))
    done = cli.run('api-token', 'add', 'work', *option, stdin=API_TOKEN)
    assert done.returncode == 1 and 'of the source entra, not api-token' in done.stderr
    assert '--replace' not in done.stderr


@pytest.mark.parametrize('stdin, said', [
    ('', 'nothing came'),
    ('\n', 'nothing came'),
    ('x' * 65537, '64 KiB'),
    ('a\0b', 'NUL'),
])
def test_what_is_no_api_token(daemon, keyring, cli, stdin, said):
    daemon.start('')
    done = cli.run('api-token', 'add', 'ci', stdin=stdin)
    assert done.returncode == 1 and said in done.stderr
    assert cli.ok('list') == ''


def test_an_api_token_typed_is_not_shown(daemon, keyring, cli):
    daemon.start('')
    with Terminal([cli.program, 'api-token', 'add', 'ci'], cli.environment()) as terminal:
        terminal.wait_for('API token')
        assert not terminal.echoes()
        terminal.type(API_TOKEN + '\n')
        assert terminal.wait() == 0
        assert 'SharedAccessSignature' not in terminal.shown
    assert cli.ok('get', 'ci') == API_TOKEN + '\n'


def test_ctrl_c_gives_the_echo_back(daemon, keyring, cli):
    daemon.start('')
    with Terminal([cli.program, 'api-token', 'add', 'ci'], cli.environment()) as terminal:
        terminal.wait_for('API token')
        terminal.type('half a secret' + CTRL_C)
        assert terminal.wait() == 130
        assert terminal.echoes()
    assert cli.ok('list') == ''


def test_ctrl_z_and_back_shows_no_secret(daemon, keyring, cli):
    """The shell gives itself the echo back, and does not take it when the command goes on."""
    daemon.start('')
    env = {**cli.environment(), 'PS1': 'shell> ', 'TERM': 'dumb'}
    with Terminal(['/bin/bash', '--norc', '--noediting', '-i'], env) as terminal:
        terminal.wait_for('shell> ')
        terminal.type(f'{cli.program} api-token add ci; echo ended $?\n')
        terminal.wait_for('API token.*: ')
        terminal.type('half a secret' + CTRL_Z)
        terminal.wait_for('Stopped')
        terminal.shown = ''
        terminal.type('fg\n')
        terminal.wait_for('API token.*: ')
        assert not terminal.echoes()
        terminal.type(API_TOKEN + '\n')
        wait_until(lambda: 'ci' in cli.ok('list'), 'the account')
        assert 'SharedAccessSignature' not in terminal.shown
    assert cli.ok('get', 'ci') == API_TOKEN + '\n'


@pytest.mark.skipif(os.getuid() == 0, reason='root owns the files of every process in /proc')
def test_nobody_looks_into_the_process(plain_build, daemon, keyring, cli):
    daemon.start('')
    with Terminal([cli.program, 'api-token', 'add', 'ci'], cli.environment()) as terminal:
        terminal.wait_for('API token')
        assert os.stat(f'/proc/{terminal.popen.pid}/mem').st_uid == 0
        terminal.type(CTRL_C)
        assert terminal.wait() == 130


def test_a_time_left_counts_down(accounts, cli):
    got = json.loads(cli.ok('status', 'work', '--json'))
    assert time.time() - 60 < got['last_refresh_at'] <= time.time() + 1
    assert got['refresh_at'] < got['expires_at']
