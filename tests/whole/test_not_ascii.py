# SPDX-License-Identifier: MIT
#
# Names and sentences that are not ASCII, wherever a server, az, a program, a person or the keyring
# gives one: json-c 0.18 (Debian 13) refuses every such string when it is asked to be strict.

import json
import os
import stat
import time

import pytest

from test_daemon_command import Program
from util_daemon import entra_account

ZOE = 'zoë@контосо.example'
KITCHEN = 'Küche 厨房 🍳'
WORDS = 'AADSTS700082: Das Token ist ungültig – 期限切れ.'


@pytest.fixture
def signed_in(daemon, entra, keyring, central):
    daemon.start(entra_account(entra, apps=central.tls_host))
    daemon.sign_in(entra, user=ZOE)
    return daemon


def api(cli, central, *arguments):
    return cli.run('api', *arguments, '--app', central.app)


def test_a_person_and_the_keyring(signed_in, entra, keyring, cli):
    assert signed_in.get('User', 'work') == ZOE
    assert f'"{ZOE}"'.encode() in keyring.secret('work')    # bytes of UTF-8, as ever
    token = signed_in.get_token('work')[0]
    signed_in.restart()
    entra.clear()
    assert signed_in.get_token('work')[0] == token and entra.count() == 0
    assert signed_in.get('User', 'work') == ZOE
    assert json.loads(cli.run('status', 'work', '--json').stdout)['user'] == ZOE
    assert ZOE in cli.run('status', 'work').stdout


@pytest.mark.parametrize('error, kind', [('invalid_grant', 'SignInNeeded'),
                                         ('temporarily_unavailable', 'Unavailable')])
def test_words_of_entra(signed_in, entra, error, kind):
    signed_in.restart()     # so that a token is held that was not just fetched
    signed_in.get_token('work')
    entra.fail(count=9, status=400, body=json.dumps(
        {'error': error, 'error_description': WORDS, 'ключ': KITCHEN}, ensure_ascii=False),
        headers={'content-type': 'application/json; charset=utf-8'})
    signed_in.error_of(signed_in.account_call, 'work', 'Refresh')
    name, text = signed_in.get('LastError', 'work')
    assert name.endswith(kind) and 'Das Token ist ungültig – 期限切れ' in text


def test_an_item_that_cannot_be_read(signed_in, entra, keyring, cli):
    signed_in.stop()
    record = b'{"generation":7,"source":"entra"}'
    keyring.put('work', record)
    signed_in.start()
    signed_in.wait_property('State', 'sign-in-needed', account='work')
    done = cli.run('get', 'work')
    assert done.returncode == 3 and done.stdout == ''
    assert 'none that this version' in done.stderr and 'iotc-token login work' in done.stderr
    assert 'none that this version' in signed_in.get('LastError', 'work')[1]
    assert keyring.secret('work') == record         # it is left as it is
    signed_in.sign_in(entra)
    assert signed_in.get('LastError', 'work') == ('', '')
    signed_in.restart()
    assert signed_in.get_token('work')[1] == 'bearer'


def test_pages_of_devices(signed_in, cli, central):
    first = {'value': [{'id': 'd1', 'displayName': KITCHEN}],
             'nextLink': f'{central.app}/api/devices?api-version=2022-07-31&$skiptoken=1'}
    second = {'value': [{'id': 'd2', 'Größe': 99999999999999999999999, 'displayName': 'Bad'}]}
    for page in (first, second):
        central.fail(path='/api/devices', status=200, body=json.dumps(page, ensure_ascii=False))
    done = api(cli, central, '/api/devices', '--paginate')
    assert (done.returncode, done.stderr) == (0, '')
    assert json.loads(done.stdout)['value'] == first['value'] + second['value']


def test_words_of_central(signed_in, cli, central):
    central.fail(code='403.043.006.001', message=f'Sie dürfen „{KITCHEN}“ nicht sehen.', status=403)
    done = api(cli, central, '/api/devices')
    assert done.returncode == 6 and f'Sie dürfen „{KITCHEN}“ nicht sehen' in done.stderr


def test_api_tokens_roles_and_organizations(signed_in, cli, central):
    central.set(roles=[{'id': 'c0ffee', 'displayName': KITCHEN}])
    done = cli.run('api-token', 'create', 'ci', '--role', KITCHEN, '--organization', 'köln',
                   '--app', central.app)
    assert done.returncode == 0, done.stderr
    [put] = central.requests(method='PUT')
    assert json.loads(put['body'])['roles'] == [{'role': 'c0ffee', 'organization': 'köln'}]
    done = cli.run('api-token', 'list', '--app', central.app)
    assert done.returncode == 0 and 'c0ffee (köln)' in done.stdout, done.stderr


def test_a_program_of_the_users(daemon, keyring, home):
    program = Program(home)
    token = json.dumps({'event': 'token', 'access_token': 'at-1', 'expires_in': 3600, 'user': ZOE,
                        'tenant': KITCHEN, 'ещё': KITCHEN, 'refresh_token': 'r1'},
                       ensure_ascii=False)
    program.write(f"printf '%s\\n' '{token}'")
    daemon.start(program.settings())
    assert daemon.get_token('corp')[0] == 'at-1'
    assert (daemon.get('User', 'corp'), daemon.get('Tenant', 'corp')) == (ZOE, KITCHEN)
    error = json.dumps({'event': 'error', 'kind': 'misconfigured',
                        'message': f'{KITCHEN} fehlt.'}, ensure_ascii=False)
    program.write(f"printf '%s\\n' '{error}'")
    daemon.restart()
    daemon.error_of(daemon.account_call, 'corp', 'Refresh')
    assert KITCHEN in daemon.get('LastError', 'corp')[1]


def test_az(fetcher, folder):
    path = os.path.join(folder, 'az')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('#!/bin/sh\n/bin/cat <<E\n' + json.dumps(
            {'accessToken': 'at-1', 'expires_on': int(time.time()) + 3600, 'tenant': KITCHEN,
             'имя': ZOE, 'tokenType': 'Bearer'}, ensure_ascii=False) + '\nE\n')
    os.chmod(path, stat.S_IRWXU)
    token = fetcher.start({'source': 'azure-cli', 'resource': 'https://apps.azureiotcentral.com',
                           'deadline': 60, 'az': path}).last()
    assert token.get('tenant') == KITCHEN, token
