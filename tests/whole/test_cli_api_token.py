# SPDX-License-Identifier: MIT
#
# iotc-token api-token create, list, show, revoke and rotate: at the application, in the keyring,
# and what is left when any step in between fails, is interrupted or killed.

import json
import re
import signal
import time

import pytest

from util_central import ADMINISTRATOR, OPERATOR
from util_daemon import NAME, entra_account, variants
from util_process import wait_until
from util_terminal import CTRL_C, Terminal

TOKENS = '/api/apiTokens'
DEVICES = '/api/devices'


@pytest.fixture
def signed_in(daemon, entra, keyring, central, home):
    home.extra['CURL_CA_BUNDLE'] = entra.ca_bundle
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    return daemon


@pytest.fixture
def rotating(signed_in, cli, central):
    """An account 'ci' that holds the application's API token of this id."""
    token = central.issue('ci', OPERATOR)
    cli.ok('api-token', 'add', 'ci', '--app', central.tls_host, stdin=token)
    return signed_in


def token(cli, central, *arguments):
    return cli.run('api-token', *arguments, '--app', central.tls_host)


def create(cli, central, *arguments):
    return token(cli, central, 'create', 'ci', '--role', 'operator', *arguments)


def failed(done, code, *words):
    assert done.returncode == code, (done.returncode, done.stderr)
    for word in words:
        assert word in done.stderr, done.stderr


def token_seconds(text):
    """Seconds since 1970 of an RFC 3339 time."""
    return time.mktime(time.strptime(text, '%Y-%m-%dT%H:%M:%SZ')) - time.timezone


def works(daemon, central, account):
    """The token that an account gives is one of the application's."""
    value = daemon.get_token(account)
    return value[1] == 'api-token' and central.leaks(value[0]) == 1 \
        and re.search(r'skn=([^&]+)', value[0])[1] in central.tokens()


def test_create(signed_in, cli, central, keyring):
    done = create(cli, central)
    assert done.returncode == 0, done.stderr
    assert central.leaks(done.stdout + done.stderr) == 0 and done.stdout == ''
    assert "as account 'ci'; it ends at 20" in done.stderr
    assert keyring.items()['ci'] == 'IoT Central: ci (api-token)'
    assert signed_in.get('Apps', 'ci') == [central.tls_host]
    assert works(signed_in, central, central.tls_host)
    [put] = [one for one in central.requests() if one['method'] == 'PUT']
    assert json.loads(put['body']) == {'roles': [{'role': OPERATOR}]}


def test_create_with_everything(signed_in, cli, central):
    central.set(roles=[{'id': 'c0ffee', 'displayName': 'Line Manager'}])
    done = token(cli, central, 'create', 'ci', '--role', 'App Administrator', '--role',
                 'line manager', '--organization', 'seattle', '--expiry', '2w', '--store-as',
                 'robot', '--account', 'work')
    assert done.returncode == 0, done.stderr
    assert works(signed_in, central, 'robot')
    [put] = [one for one in central.requests() if one['method'] == 'PUT']
    body = json.loads(put['body'])
    assert body['roles'] == [{'role': ADMINISTRATOR, 'organization': 'seattle'},
                             {'role': 'c0ffee', 'organization': 'seattle'}]
    left = token_seconds(body['expiry']) - time.time()
    assert abs(left - 14 * 86400) < 86400


def test_roles_that_do_not_tell(signed_in, cli, central):
    central.set(roles=[{'id': 'one', 'displayName': 'Twin'}, {'id': 'two', 'displayName': 'twin'}])
    failed(token(cli, central, 'create', 'ci', '--role', 'Boss'), 1, "no role 'Boss'", 'Org Viewer',
           OPERATOR)
    failed(token(cli, central, 'create', 'ci', '--role', 'TWIN'), 1, '2 roles', 'one', 'two')
    assert 'PUT' not in str(central.asked())


def test_an_application_that_is_somebody_s_already(daemon, entra, keyring, cli, central, home):
    home.extra['CURL_CA_BUNDLE'] = entra.ca_bundle
    daemon.start(entra_account(entra, apps=central.tls_host))
    daemon.sign_in(entra)
    done = create(cli, central)
    assert done.returncode == 0 and "served from 'work'" in done.stderr
    assert works(daemon, central, 'ci') and daemon.get('Apps', 'ci') == []
    assert daemon.get_token(central.tls_host)[1] == 'bearer'


def test_what_exists_is_not_touched(signed_in, cli, central):
    central.issue('ci')
    failed(create(cli, central), 1, 'revoke ci')
    failed(token(cli, central, 'create', 'work', '--role', 'operator'), 1, '--store-as')
    assert central.tokens() == ['ci'] and 'PUT' not in str(central.asked())


def test_a_keyring_that_can_not_store_it(signed_in, cli, central, keyring):
    keyring.lock()
    failed(create(cli, central), 4, 'locked', "'ci' was deleted at")
    assert central.tokens() == []


def test_an_undo_that_fails_names_what_is_left(signed_in, cli, central, keyring):
    keyring.lock()
    central.fail('DELETE', count=9, status=503, body='', headers={'retry-after': '0'})
    failed(create(cli, central), 4, f'api-token revoke ci --app https://{central.tls_host}')
    assert central.tokens() == ['ci']


def test_an_answer_that_is_lost(signed_in, cli, central):
    central.fail('PUT', when='after', drop=True)
    failed(create(cli, central), 5, 'gave no answer', "'ci' was deleted at")
    assert central.tokens() == [] and central.asked(method='PUT') == [f'PUT {TOKENS}/ci']


def test_an_answer_without_a_token(signed_in, cli, central):
    central.fail('PUT', when='after', body='{"id":"ci","token":7}')
    failed(create(cli, central), 1, "'ci' was deleted at")
    assert central.tokens() == []
    central.fail('PUT', when='after', body='{"id":"ci","token":"no API token"}')
    failed(create(cli, central), 1, 'no API token', "'ci' was deleted at")
    assert central.tokens() == []


def test_a_refusal_is_no_creation(signed_in, cli, central):
    central.fail('PUT', status=403, code='Forbidden', message='No.')
    failed(create(cli, central), 6, 'No (Forbidden')
    assert 'DELETE' not in str(central.asked())


def test_ctrl_c_while_it_is_created(signed_in, cli, central):
    central.fail('PUT', when='after', hang=True)
    with Terminal([cli.program, 'api-token', 'create', 'ci', '--role', 'operator', '--app',
                   central.tls_host], cli.environment()) as terminal:
        central.wait(method='PUT')
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
    assert "'ci' was deleted at" in terminal.shown
    assert central.tokens() == []


class Storing:
    """A creation whose daemon has handed the secret to the keyring, and dies of it."""

    def __init__(self, daemon, cli, central, keyring):
        self.daemon, self.keyring = daemon, keyring
        keyring.process.send(signal.SIGSTOP)
        self.process = cli.start('api-token', 'create', 'ci', '--role', 'operator', '--app',
                                 central.tls_host)
        central.wait(method='PUT')
        wait_until(lambda: daemon.error_of(self.add, 'no token')[0] == 'AccountExists',
                   'the daemon to store it')

    def add(self, secret):
        return self.daemon.call('AddAccount', '(ssa{sv})', (
            'ci', 'api-token', variants({'secret': secret})))

    def kill(self):
        self.daemon.process.send(signal.SIGKILL)
        self.daemon.process.wait()
        self.keyring.process.send(signal.SIGCONT)


def test_a_daemon_that_dies_as_it_stores(signed_in, cli, central, keyring):
    """Nobody starts it again: whatever may be left is named, with the command that mends it."""
    storing = Storing(signed_in, cli, central, keyring)
    storing.kill()
    assert storing.process.wait() == 5
    revoke, remove = re.findall(r'iotc-token (api-token revoke .*|remove .*)',
                                storing.process.text())
    assert central.leaks(storing.process.text()) == 0
    # So they do, had it come further than it has.
    signed_in.start()
    storing.add(central.secrets()[-1])
    assert works(signed_in, central, 'ci')
    assert cli.run(*revoke.split()).returncode == 0 and central.tokens() == []
    assert cli.run(*remove.split()).returncode == 0
    wait_until(lambda: list(keyring.items()) == ['work'], 'its item to be gone')


def test_a_daemon_that_dies_as_it_stores_and_is_started_again(signed_in, cli, central, keyring,
                                                              bus, home):
    bus.activate(NAME, f'{home.build_dir}/daemon/iotc-tokend', home.environment())
    storing = Storing(signed_in, cli, central, keyring)
    storing.kill()
    assert storing.process.wait() == 0, storing.process.text()
    assert 'went away' in storing.process.text() and central.tokens() == ['ci']
    assert works(signed_in, central, 'ci') and signed_in.get('Apps', 'ci') == [central.tls_host]


def test_a_daemon_that_dies_when_it_has_stored(signed_in, cli, central, keyring, bus, home):
    """Its answer did not come, but the account is there when it is asked once more."""
    bus.activate(NAME, f'{home.build_dir}/daemon/iotc-tokend', home.environment())
    storing = Storing(signed_in, cli, central, keyring)
    storing.process.send(signal.SIGSTOP)
    storing.kill()
    bus.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
             'StartServiceByName', '(su)', (NAME, 0))
    storing.add(central.secrets()[-1])
    storing.process.send(signal.SIGCONT)
    assert storing.process.wait() == 0, storing.process.text()
    assert central.tokens() == ['ci'] and works(signed_in, central, 'ci')


def test_list_and_show(signed_in, cli, central):
    central.issue('one', OPERATOR)
    central.issue('two', seconds=86400)
    lines = token(cli, central, 'list').stdout.splitlines()
    assert [line.split('\t')[:2] for line in lines] == [['one', OPERATOR], ['two', ADMINISTRATOR]]
    assert abs(int(lines[1].split('\t')[2]) - time.time() - 86400) < 600
    with Terminal([cli.program, 'api-token', 'list', '--app', central.tls_host],
                  cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert re.search(r'ID +ROLES +ENDS IN', terminal.shown)
    assert re.search(r'one +Operator +\d+ d', terminal.shown)

    assert 'roles\tOperator\n' in token(cli, central, 'show', 'one').stdout
    shown = json.loads(token(cli, central, 'show', 'one', '--json').stdout)
    assert shown['roles'] == [{'role': OPERATOR}]
    assert [one['id'] for one in json.loads(token(cli, central, 'list', '--json').stdout)] == [
        'one', 'two']
    failed(token(cli, central, 'show', 'three'), 1, 'three')

    central.issue('a\u202eb\x9b')
    with Terminal([cli.program, 'api-token', 'list', '--json', '--app', central.tls_host],
                  cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert '"id": "a\\u202eb\\u009b"' in terminal.shown


def test_revoke(signed_in, cli, central):
    central.issue('one')
    central.issue('a b')
    assert token(cli, central, 'revoke', 'one').returncode == 0
    assert token(cli, central, 'revoke', 'a b').returncode == 0
    assert central.tokens() == []
    failed(token(cli, central, 'revoke', 'one'), 1, 'There is no API token one')


def test_the_application_of_the_environment(signed_in, cli, central, home):
    """IOTC_TOKEN_APP is the default of --app, for all but add, which writes it down."""
    failed(cli.run('api-token', 'list'), 2, 'Add --app HOST')
    home.extra['IOTC_TOKEN_APP'] = central.tls_host
    assert cli.run('api-token', 'create', 'one', '--role', 'operator').returncode == 0
    assert cli.ok('api-token', 'list').startswith('one\t')
    assert 'id\tone\n' in cli.ok('api-token', 'show', 'one')
    assert cli.run('api-token', 'rotate', 'one').returncode == 0
    assert central.tokens() == ['one-r2']
    assert cli.run('api-token', 'revoke', 'one-r2').returncode == 0
    failed(cli.run('api-token', 'list', '--app', 'http://127.0.0.1:1'), 5)


def test_a_person_manages_rather_than_a_token(rotating, cli, central):
    assert token(cli, central, 'list').returncode == 0
    failed(token(cli, central, 'list', '--account', 'ci'), 6, 'role')


def test_rotate(rotating, cli, central):
    before = rotating.get_token('ci')[0]
    done = cli.run('api-token', 'rotate', 'ci')
    assert done.returncode == 0, done.stderr
    assert central.leaks(done.stdout + done.stderr) == 0
    assert central.tokens() == ['ci-r2'] and works(rotating, central, 'ci')
    assert rotating.get_token('ci')[0] != before
    [put] = [one for one in central.requests() if one['method'] == 'PUT']
    assert json.loads(put['body'])['roles'] == [{'role': OPERATOR}]
    order = [one for one in central.asked() if TOKENS + '/' in one or DEVICES in one]
    assert order == [f'PUT {TOKENS}/ci-r2', f'GET {DEVICES}', f'DELETE {TOKENS}/ci']

    assert cli.run('api-token', 'rotate', 'ci', '--expiry', '30d').returncode == 0
    assert central.tokens() == ['ci-r3'] and works(rotating, central, 'ci')
    rotating.restart()
    assert works(rotating, central, 'ci')


def life_of_put(central):
    """The seconds that the last token was asked to live; False: nobody said."""
    body = json.loads([one for one in central.requests() if one['method'] == 'PUT'][-1]['body'])
    return 'expiry' in body and token_seconds(body['expiry']) - time.time()


def test_a_rotation_keeps_the_life(signed_in, cli, central):
    assert create(cli, central, '--expiry', '90d').returncode == 0
    for _ in range(2):
        done = cli.run('api-token', 'rotate', 'ci')
        assert done.returncode == 0 and 'was given: 90 d ' in done.stderr
        assert abs(life_of_put(central) - 90 * 86400) < 300
        signed_in.restart()
    done = cli.run('api-token', 'rotate', 'ci', '--expiry', '5h')
    assert done.returncode == 0 and 'was given' not in done.stderr
    assert 'was given: 5 h ' in cli.run('api-token', 'rotate', 'ci').stderr


def test_a_life_that_is_not_known(signed_in, cli, central):
    """It was made some time before it was stored here."""
    cli.ok('api-token', 'add', 'ci', '--app', central.tls_host,
           stdin=central.issue('ci', seconds=int(99.5 * 86400)))
    done = cli.run('api-token', 'rotate', 'ci')
    assert done.returncode == 0 and 'is not known here' in done.stderr
    assert life_of_put(central) is False


def test_a_token_that_rotates_itself(daemon, entra, keyring, cli, central, home):
    home.extra['CURL_CA_BUNDLE'] = entra.ca_bundle
    daemon.start('')
    cli.ok('api-token', 'add', 'ci', '--app', central.tls_host, stdin=central.issue('ci'))
    assert cli.run('api-token', 'rotate', 'ci').returncode == 0
    assert central.tokens() == ['ci-r2'] and works(daemon, central, 'ci')


def unchanged(daemon, central, before):
    return central.tokens() == ['ci'] and daemon.get_token('ci')[0] == before


def test_rotations_that_fail_before_the_swap(rotating, cli, central, keyring):
    before = rotating.get_token('ci')[0]
    central.fail('PUT', status=403, code='Forbidden')
    failed(cli.run('api-token', 'rotate', 'ci'), 6)
    assert unchanged(rotating, central, before)

    central.fail('PUT', when='after', drop=True)
    failed(cli.run('api-token', 'rotate', 'ci'), 5, "'ci-r2' was deleted at")
    assert unchanged(rotating, central, before)

    central.fail('GET', DEVICES, status=401, code='Unauthenticated', count=3)
    failed(cli.run('api-token', 'rotate', 'ci'), 1, 'does not take the new token',
           "'ci-r2' was deleted at")
    assert unchanged(rotating, central, before)

    keyring.lock()
    failed(cli.run('api-token', 'rotate', 'ci'), 4, "'ci-r2' was deleted at")
    keyring.unlock()
    assert unchanged(rotating, central, before)
    rotating.restart()
    assert unchanged(rotating, central, before)


def test_a_daemon_that_dies_at_the_swap(rotating, cli, central):
    before = rotating.get_token('ci')[0]
    central.fail('PUT', when='after', delay_ms=500)
    process = cli.start('api-token', 'rotate', 'ci')
    wait_until(lambda: central.asked(method='PUT'), 'the PUT to come')
    rotating.process.send(signal.SIGSTOP)       # it is not needed before the swap
    central.wait(method='GET', path=DEVICES)
    rotating.kill9()
    assert process.wait() == 5
    assert "has either of the API tokens 'ci' and 'ci-r2' now" in process.text()
    assert central.tokens() == ['ci', 'ci-r2'], 'neither was deleted'
    rotating.start()
    assert rotating.get_token('ci')[0] == before and works(rotating, central, 'ci')
    assert 'revoke ci-r2 ' in cli.run('api-token', 'rotate', 'ci').stderr


def test_an_old_token_that_stays(rotating, cli, central):
    central.fail('DELETE', status=403, code='Forbidden')
    done = cli.run('api-token', 'rotate', 'ci')
    failed(done, 6, "the old one, 'ci', may be left", f'revoke ci --app https://{central.tls_host}')
    assert central.tokens() == ['ci', 'ci-r2'] and works(rotating, central, 'ci')
    assert 'skn=ci-r2' in rotating.get_token('ci')[0]


def test_rotations_that_are_interrupted(rotating, cli, central):
    before = rotating.get_token('ci')[0]
    for match, when in (({'method': 'PUT'}, 'after'),
                        ({'method': 'GET', 'path': DEVICES}, 'before')):
        central.clear()
        central.fail(**match, hang=True, when=when)
        process = cli.start('api-token', 'rotate', 'ci')
        central.wait(**match)
        process.send(signal.SIGINT)
        assert process.wait() == 130
        assert "'ci-r2' was deleted at" in process.text()
        assert unchanged(rotating, central, before)


def test_a_rotation_that_is_killed_is_named_by_the_next(rotating, cli, central):
    before = rotating.get_token('ci')[0]
    central.fail('GET', DEVICES, hang=True)
    process = cli.start('api-token', 'rotate', 'ci')
    central.wait(method='GET', path=DEVICES)
    process.send(signal.SIGKILL)
    process.wait()
    assert "Creating the API token 'ci-r2'" in process.text()
    assert rotating.get_token('ci')[0] == before and works(rotating, central, 'ci')

    done = cli.run('api-token', 'rotate', 'ci')
    assert done.returncode == 0, done.stderr
    assert f'revoke ci-r2 --app https://{central.tls_host}' in done.stderr
    assert central.tokens() == ['ci-r2', 'ci-r3'] and 'skn=ci-r3' in rotating.get_token('ci')[0]

    central.clear()
    central.fail('DELETE', hang=True)
    process = cli.start('api-token', 'rotate', 'ci')
    central.wait(method='DELETE')
    process.send(signal.SIGKILL)
    process.wait()
    assert works(rotating, central, 'ci') and 'skn=ci-r4' in rotating.get_token('ci')[0]
    done = cli.run('api-token', 'rotate', 'ci')
    assert 'revoke ci-r3 ' in done.stderr and 'revoke ci-r2 ' in done.stderr


def test_what_can_not_be_rotated(rotating, cli, central):
    failed(cli.run('api-token', 'rotate', 'work'), 1, 'entra')
    failed(cli.run('api-token', 'rotate', 'nobody'), 7)
    central.revoke('ci')
    failed(cli.run('api-token', 'rotate', 'ci'), 1, 'any more')


def test_usage(cli):
    for verb in ('create', 'list', 'show', 'revoke', 'rotate'):
        assert cli.ok('api-token', verb, '--help').startswith(f'Usage: iotc-token api-token {verb}')
    for arguments in (('create', 'ci'), ('create', 'ci', '--app', 'x.example'),
                      ('create', 'c_i', '--app', 'x.example', '--role', 'operator'),
                      ('create', 'ci', '--app', 'x.example', '--role', 'r', '--expiry',
                       '1999-01-01'),
                      ('list',), ('show', '--app', 'x.example'), ('rotate',), ('rotate', 'a.b')):
        failed(cli.run('api-token', *arguments), 2, f'Usage: iotc-token api-token {arguments[0]}')
