# SPDX-License-Identifier: MIT
#
# iotc-token login, from the command to the person's browser and back: what is shown, what is kept,
# what Ctrl-C takes back, and what the person is told when it goes wrong.

import re
import signal

import pytest

from util_daemon import SIGN_IN, account_path, entra_account
from util_process import wait_until
from util_terminal import CTRL_C, Terminal

CODE = r'To sign in, open http://\S+ and enter the code (\S+)\n'


@pytest.fixture
def options(entra):
    return ('--authority', entra.authority, '--client-id', entra.client_id)


def code_of(process):
    """The user code that a login in the background shows."""
    return wait_until(lambda: re.search(CODE, process.text()) or not process.alive,
                      'the user code')[1]


def test_a_first_sign_in(daemon, entra, keyring, cli, options):
    daemon.start('')
    process = cli.start('login', *options, '--app', 'contoso.azureiotcentral.com')
    entra.approve(code_of(process))
    assert process.wait() == 0, process.text()
    assert "Signed in to 'default' as " in process.text()
    assert re.search(r'Waiting; (15 min|14 min.*) left', process.text())
    assert 'Azure CLI' not in process.text() and 'Warning' not in process.text()
    assert entra.leaks(process.text()) == 0

    assert daemon.get('Apps', 'default') == ['contoso.azureiotcentral.com']
    assert cli.ok('get') == daemon.get_token('default')[0] + '\n'


def test_a_second_account_takes_no_default(daemon, entra, keyring, cli, options):
    daemon.start(entra_account(entra))
    process = cli.start('login', 'other', *options)
    entra.approve(code_of(process))
    assert process.wait() == 0, process.text()
    assert "The default account is still 'work'" in process.text()
    assert cli.ok('default') == 'work\n'
    daemon.restart()
    assert cli.ok('default') == 'work\n'
    assert cli.ok(*re.search('iotc-token (default other)', process.text())[1].split()) == ''
    assert cli.ok('default') == 'other\n'


def test_a_second_login_given_up_leaves_no_trace(daemon, entra, keyring, cli, options):
    daemon.start('# mine\n' + entra_account(entra) + '# the end\n')
    settings = daemon.read_settings()
    process = cli.start('login', 'other', *options)
    code_of(process)
    assert daemon.read_settings() != settings
    process.send(signal.SIGINT)
    assert process.wait() == 130, process.text()
    assert daemon.read_settings() == settings
    assert cli.ok('default') == 'work\n'


def test_on_a_terminal_the_time_runs(daemon, entra, keyring, cli, options):
    daemon.start('')
    with Terminal([cli.program, 'login', 'work', *options], cli.environment()) as terminal:
        code = terminal.wait_for(CODE)[1]
        terminal.wait_for(r'\rWaiting; .* left\. Ctrl-C cancels')
        entra.approve(code)
        terminal.wait_for("Signed in to 'work' as ")
        assert terminal.wait() == 0


def test_again_with_other_options(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra, tenant='organizations'))
    process = cli.start('login', 'work', '--tenant', entra.tenant)
    entra.approve(code_of(process))
    assert process.wait() == 0, process.text()
    assert daemon.get('Tenant', 'work') == entra.tenant
    assert daemon.get('ClientId', 'work') == entra.client_id


def test_the_public_client_is_named(daemon, entra, keyring, cli):
    daemon.start('')
    process = cli.start('login', '--authority', entra.authority)
    code_of(process)
    lines = [line for line in process.text().splitlines() if 'Microsoft Azure CLI' in line]
    assert len(lines) == 1 and '--client-id' in lines[0]
    process.send(signal.SIGINT)
    assert process.wait() == 130


def test_without_a_keyring_it_lasts_until_restart(daemon, entra, cli, options):
    daemon.start('')
    process = cli.start('login', *options)
    entra.approve(code_of(process))
    assert process.wait() == 0, process.text()
    assert re.search(r'Warning: .*until restart', process.text())
    assert cli.run('get').returncode == 0


def test_ctrl_c_takes_everything_back(daemon, entra, keyring, cli, options):
    daemon.start('')
    with Terminal([cli.program, 'login', 'work', *options], cli.environment()) as terminal:
        terminal.wait_for(CODE)
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
        assert "'work' was not kept" in terminal.shown
    assert cli.run('status', 'work').returncode == 7
    assert '[account work]' not in daemon.read_settings()


def test_ctrl_c_leaves_an_old_account(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    process = cli.start('login', 'work')
    code_of(process)
    process.send(signal.SIGINT)
    assert process.wait() == 130
    assert 'cancelled' in process.text()
    assert cli.run('get', 'work').returncode == 0


def test_cancelled_from_elsewhere(daemon, entra, keyring, cli, options):
    daemon.start('')
    process = cli.start('login', 'work', *options)
    code_of(process)
    path = daemon.account_call('work', 'SignIn', '(a{sv})', ({},))[0]
    daemon.call('Cancel', path=path, interface=SIGN_IN)
    assert process.wait() == 1
    assert 'cancelled' in process.text()
    assert account_path('work') not in daemon.objects()


def test_a_refusal_is_the_persons_word(daemon, entra, keyring, cli, options):
    daemon.start('')
    process = cli.start('login', 'work', *options)
    entra.deny(code_of(process))
    assert process.wait() == 1
    assert re.search('declined|refused|denied|cancelled', process.text())
    assert account_path('work') not in daemon.objects()


def test_a_failure_is_told_and_the_account_kept(daemon, entra, keyring, cli, options):
    daemon.start('')
    entra.fail(count=20, match={'kind': 'devicecode'}, error='invalid_client',
               code=7000218)
    process = cli.start('login', 'work', *options)
    assert process.wait() == 6, process.text()
    assert 'iotc-token login work' in process.text() and 'No account' not in process.text()
    assert account_path('work') in daemon.objects()
    # One more is kept as well, and is not the default.
    process = cli.start('login', 'other', *options)
    assert process.wait() == 6 and "The default account is still 'work'" in process.text()
    assert cli.ok('default') == 'work\n'


def test_the_daemon_goes_away(daemon, entra, keyring, cli, options):
    daemon.start('')
    process = cli.start('login', 'work', *options)
    code_of(process)
    daemon.kill9()
    assert process.wait() == 1
    assert 'iotc-tokend ended' in process.text()


@pytest.mark.parametrize('arguments, code', [
    (('login', 'azure-cli', '--tenant', 'x y'), 2),
    (('login', 'work', '--authority', 'http://login.example.com'), 2),
    (('login', '-name'), 2),
])
def test_settings_that_can_not_be(daemon, cli, arguments, code):
    daemon.start('')
    done = cli.run(*arguments)
    assert (done.returncode, done.stdout) == (code, '')
    assert cli.ok('list') == ''


def test_not_for_an_api_token(daemon, keyring, cli):
    daemon.start('')
    cli.ok('api-token', 'add', 'ci', stdin='SharedAccessSignature sr=a&sig=b&se=4102444800000')
    done = cli.run('login', 'ci')
    assert done.returncode == 1 and 'api-token' in done.stderr
    done = cli.run('login', 'ci', '--azure-cli')
    assert done.returncode == 1


@pytest.mark.parametrize('way', ['--browser', '--device-code'])
def test_a_way_that_the_source_does_not_have(daemon, keyring, cli, way):
    """It is not another way that is taken then."""
    daemon.start('[account corp]\nsource=azure-cli\n')
    done = cli.run('login', 'corp', way)
    assert done.returncode == 1 and 'of the source azure-cli, not entra' in done.stderr
    assert daemon.stats()['requests'] == 0


def test_azure_cli_signed_in_already(daemon, az, keyring, cli):
    daemon.start('', **az.env())
    done = cli.run('login', 'mine', '--azure-cli')
    assert done.returncode == 0, done.stderr
    assert "Signed in to 'mine'" in done.stderr and 'az login' not in done.stderr
    assert cli.ok('get', 'mine') == daemon.get_token('mine')[0] + '\n'


def test_azure_cli_signs_in_here(daemon, az, entra, keyring, cli):
    daemon.start('', **az.env())
    assert az.run('logout').returncode == 0
    process = cli.start('login', 'mine', '--azure-cli')
    code = wait_until(lambda: re.search(r'enter the code (\S+)', process.text())
                      or not process.alive, 'the code of az login', 60)
    assert code is not True, process.text()
    entra.approve(code[1])
    assert process.wait(60) == 0, process.text()
    assert "Signed in to 'mine'" in process.text()
    assert cli.run('get', 'mine').returncode == 0


def test_no_azure_cli(daemon, keyring, cli):
    daemon.start('')
    done = cli.run('login', 'mine', '--azure-cli')
    assert done.returncode == 6, done.stderr
    assert "The account 'mine' is kept" in done.stderr
