# SPDX-License-Identifier: MIT
#
# The account azure-cli, with the real az: there without any set-up, its token handed on, and a
# person told the right thing when az is signed out or not installed.

import time

from util_daemon import RESOURCE, account_path, entra_account

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
    assert daemon.get('State', 'azure-cli') == 'sign-in-needed'


def test_never_signed_in(daemon, az, folder):
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
