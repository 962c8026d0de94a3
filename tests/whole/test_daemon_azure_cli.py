# SPDX-License-Identifier: MIT
#
# The account azure-cli, with the real az: there without any set-up, its token handed on, and a
# person told the right thing when az is signed out or not installed.

import time

from util_az import Az
from util_daemon import RESOURCE, account_path, entra_account
from util_terminal import Terminal

PATH = '/usr/bin:/bin'


def test_zero_set_up(daemon, az, entra):
    daemon.start('', **az.env())
    assert daemon.get('DefaultAccount') == 'azure-cli'
    assert account_path('azure-cli') in daemon.objects()
    token, kind, expires_at = daemon.get_token(timeout=60)
    assert kind == 'bearer'
    assert token == az.token()['accessToken']
    assert 3000 < expires_at - time.time() < 3700
    assert entra.count('refresh_token', resource=RESOURCE) == 1
    assert daemon.get('Source', 'azure-cli') == 'azure-cli'
    assert daemon.get('State', 'azure-cli') == 'ready'


def test_ten_callers_one_az(daemon, az, entra, bus):
    daemon.start('', **az.env())
    calls = [daemon.start_get(connection=bus.connect(), timeout=60) for _ in range(10)]
    assert len({call.result()[0] for call in calls}) == 1
    assert entra.count('refresh_token') == 1
    assert daemon.stats()['fetches'] == 1


def test_signed_out(daemon, az, entra):
    entra.revoke()
    daemon.start('', **az.env())
    name, text = daemon.error_of(daemon.get_token, timeout=60)
    assert name == 'SignInNeeded' and 'az login' in text
    assert text.endswith('Or sign in without az: iotc-token login')
    assert daemon.get('State', 'azure-cli') == 'sign-in-needed'


def test_what_a_person_sees_before_az_was_asked(daemon, az, cli):
    """Whether anybody is signed in to az is not known, so nobody is told that it is ready."""
    def shown():
        with Terminal([cli.program, 'status', 'azure-cli'], cli.environment()) as terminal:
            terminal.wait()
            status = terminal.shown.splitlines()[0]
        with Terminal([cli.program, 'list'], cli.environment()) as terminal:
            terminal.wait()
            return status, terminal.shown.splitlines()[1]

    daemon.start('', **az.env())
    assert all('not asked yet' in line and 'ready' not in line for line in shown())
    daemon.get_token(timeout=60)
    assert all('ready' in line and 'asked' not in line for line in shown())
    assert cli.ok('list').split('\t')[3] == 'ready'     # a program reads what D-Bus says


def test_an_account_of_one_s_own_that_is_signed_out(daemon, az, entra):
    entra.revoke()
    daemon.start('[account mine]\nsource=azure-cli\n', **az.env())
    text = daemon.error_of(daemon.get_token, timeout=60)[1]
    assert 'az login' in text and text.endswith('Or: iotc-token login mine')


def test_never_signed_in(daemon, az, folder, keyring):
    keyring.lock()      # which has no say in it
    env = {**az.env(), 'AZURE_CONFIG_DIR': folder + '/no-az'}
    daemon.start('', **env)
    name, text = daemon.error_of(daemon.get_token, timeout=60)
    assert name == 'SignInNeeded' and 'az login' in text


def test_sign_out_is_az_s(daemon, az):
    daemon.start('', **az.env())
    name, text = daemon.error_of(daemon.account_call, 'azure-cli', 'SignOut')
    assert name == 'Misconfigured' and 'az logout' in text


def test_no_az(daemon, keyring):
    daemon.start('[account cli]\nsource=azure-cli\n')
    name, text = daemon.error_of(daemon.get_token, 'cli')
    assert name == 'SourceMissing' and 'az' in text
    assert account_path('azure-cli') not in daemon.objects()


def test_not_beside_another_of_its_source(daemon, az, entra):
    daemon.start('[account cli]\nsource=azure-cli\n', **az.env())
    assert account_path('azure-cli') not in daemon.objects()
    assert daemon.get_token('cli', timeout=60)[1] == 'bearer'


def test_another_bearer_account_is_the_default(daemon, az, entra, keyring):
    daemon.start(entra_account(entra), **az.env())
    assert daemon.get('DefaultAccount') == 'work'
    assert account_path('azure-cli') in daemon.objects()


def test_server_away(daemon, az, entra):
    daemon.start('', **az.env())
    entra.stop()
    name, text = daemon.error_of(daemon.get_token, timeout=60)
    assert name == 'Unavailable' and 'Traceback' not in text


def test_somebody_else_signs_in(daemon, az, entra):
    daemon.start('', **az.env())
    ada = daemon.get_token(timeout=60)[0]
    az.sign_in('bob@contoso.example')
    entra.clear()
    bob = daemon.get_token(timeout=60)[0]
    assert bob != ada and bob == az.token()['accessToken']
    assert daemon.get_token(timeout=60)[0] == bob
    assert daemon.stats()['fetches'] == 2


def test_az_logout(daemon, az, entra):
    daemon.start('', **az.env())
    daemon.get_token(timeout=60)
    assert az.run('logout').returncode == 0
    name, text = daemon.error_of(daemon.get_token, timeout=60)
    assert name == 'SignInNeeded' and 'az login' in text
    assert daemon.get('State', 'azure-cli') == 'sign-in-needed'
    assert daemon.get('Tenant', 'azure-cli') == ''
    # It is used: the new sign-in is noticed without another call.
    az.sign_in()
    daemon.wait_property('State', 'ready', account='azure-cli')
    assert daemon.get_token(timeout=60)[0] == az.token()['accessToken']


def test_somebody_else_signs_in_while_no_daemon_runs(daemon, az, entra, keyring):
    daemon.start('', **az.env())
    ada = daemon.get_token(timeout=60)[0]
    daemon.stop()
    daemon.start('', **az.env())
    assert daemon.get_token(timeout=60)[0] == ada
    assert daemon.stats()['fetches'] == 0
    daemon.stop()
    az.sign_in('bob@contoso.example')
    daemon.start('', **az.env())
    assert daemon.get_token(timeout=60)[0] not in ('', ada)


def test_the_same_sign_in_again(daemon, az, entra):
    """The file is written, and nothing is new: az is asked once, and the token stays."""
    daemon.start('', **az.env())
    token = daemon.get_token(timeout=60)[0]
    profile = az.folder + '/azureProfile.json'
    with open(profile, 'rb') as file:
        text = file.read()
    for _ in range(5):
        with open(profile, 'r+b') as file:
            file.write(text)
    daemon.wait_log('sign-in of the Azure CLI changes')
    assert daemon.get_token(timeout=60)[0] == token
    assert daemon.get_token(timeout=60)[0] == token
    assert daemon.stats()['fetches'] == 2


def test_the_first_sign_in_of_all(daemon, az, entra, folder):
    """az's folder is not there yet when the daemon starts."""
    late = Az(entra, folder + '/late/az')
    daemon.start('', **late.env())
    name, _ = daemon.error_of(daemon.get_token, timeout=60)
    assert name == 'SignInNeeded'
    late.sign_in()
    daemon.wait_property('State', 'ready', account='azure-cli')
    assert daemon.get_token(timeout=60)[0] == late.token()['accessToken']
