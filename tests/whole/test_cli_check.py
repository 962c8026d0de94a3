# SPDX-License-Identifier: MIT
#
# iotc-token check: each reason for which an application does not take an account is told apart from
# the others, by its exit code and by the sentence, which says what mends it.

import os
import subprocess

import pytest

from util_daemon import entra_account
from util_terminal import Terminal


def check(cli, central, *arguments):
    return cli.run('check', central.app, *arguments)


def test_reasons(daemon, entra, keyring, cli, central):
    daemon.start(entra_account(entra, apps=central.host))
    failed = check(cli, central)
    assert failed.returncode == 3 and 'iotc-token login work' in failed.stderr
    daemon.sign_in(entra)

    done = check(cli, central)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == f"{central.host} takes the bearer token of 'work'\n"

    guest = {'code': '403.043.004.005', 'message': 'User principals must get tokens from x'}
    for failure, code, words in (
            ({'status': 403, 'code': 'Forbidden'}, 6, 'no role in this application'),
            ({'status': 403, **guest}, 6, 'guest'),
            ({'status': 404, 'code': 'NotFound'}, 1, 'no application'),
            ({'status': 429, 'code': 'TooMany', 'headers': {'retry-after': '7'}}, 5, 'in 7 s'),
            ({'status': 503, 'body': ''}, 5, 'fault'),
            ({'drop': True}, 5, 'gave no answer'),
            ({'status': 401, 'code': 'Unauthenticated', 'count': 2}, 3, 'login work')):
        central.clear()
        central.fail(**failure)
        done = check(cli, central)
        assert (done.returncode, done.stdout) == (code, ''), (failure, done.stderr)
        assert words in done.stderr and len(done.stderr.splitlines()) == 1
        assert len(central.requests()) <= 3, 'it does not wait and try'


def test_nobody_there(daemon, entra, keyring, cli, home):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    done = cli.run('check', '--app', 'http://127.0.0.1:1')
    assert done.returncode == 5 and "can't reach" in done.stderr
    done = cli.run('check', '--app', 'contoso.example')
    assert done.returncode == 7 and 'app-suffixes' in done.stderr


def test_a_name_that_nobody_has(daemon, entra, keyring, cli, home):
    daemon.start(entra_account(entra, apps='gone.invalid'))
    daemon.sign_in(entra)
    # Without a name server, a resolver that could ask none would speak of the network.
    names = os.path.join(home.folder, 'nsswitch.conf')
    with open(names, 'w', encoding='utf-8') as file:
        file.write('hosts: files\n')
    bwrap = ['bwrap', '--dev-bind', '/', '/', '--ro-bind', names, '/etc/nsswitch.conf']
    probe = subprocess.run([*bwrap, 'true'], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f'bwrap does not work here: {probe.stderr}')
    done = subprocess.run([*bwrap, cli.program, 'check', '--app', 'gone.invalid'],
                          env=cli.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'nobody has that name' in done.stderr, done.stderr


def test_an_api_token(daemon, keyring, cli, central):
    daemon.start('')
    cli.ok('api-token', 'add', 'ci', '--app', central.app, stdin=central.issue('ci'))
    with Terminal([cli.program, 'check', '--app', central.app], cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert terminal.shown == f"{central.host} takes the API token of 'ci'\n"
    central.revoke('ci')
    done = check(cli, central)
    assert done.returncode == 3 and 'api-token add ci --replace' in done.stderr


def test_the_application_as_get_takes_it(daemon, entra, keyring, cli, central, home):
    daemon.start(entra_account(entra, apps=central.app))
    daemon.sign_in(entra)
    ok = f"{central.host} takes the bearer token of 'work'\n"
    for arguments in ((central.app,), (f'{central.app}/devices?x#y',), ('work',),
                      ('--app', central.app), ('work', '--app', central.app)):
        assert cli.ok('check', *arguments) == ok
    home.extra['IOTC_TOKEN_APP'] = central.app
    assert cli.ok('check') == ok
    assert cli.run('check', 'http://127.0.0.1:1').returncode == 5
    assert cli.run('check', 'nobody').returncode == 7
    done = cli.run('check', 'a.example', '--app', 'b.example')
    assert done.returncode == 2 and 'both name' in done.stderr


def test_usage(cli):
    assert cli.ok('check', '--help').startswith('Usage: iotc-token check HOST')
    for arguments in ((), ('ftp://x',), ('a.example', 'b.example'), ('--app', 'ftp://x')):
        assert cli.run('check', *arguments).returncode == 2
