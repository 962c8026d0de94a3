# SPDX-License-Identifier: MIT
#
# iotc-token app: a host is bound to an account, or taken from it, without a new sign-in, and the
# error about an unlisted host names the command that does it.

import re

import pytest

from util_daemon import entra_account

HOST = 'plant.example.com'


@pytest.fixture
def accounts(daemon, entra, keyring):
    """'work' is signed in and the default, 'other' lists an application."""
    daemon.start('[iotc-token]\ndefault=work\n\n' + entra_account(entra)
                 + entra_account(entra, 'other', apps='other.example.com'))
    daemon.sign_in(entra)
    return daemon


def test_the_command_that_the_error_names(accounts, cli):
    done = cli.run('get', HOST)
    assert done.returncode == 7
    command = re.search(rf'iotc-token (app add {HOST} work)', done.stderr)[1].split()
    done = cli.run(*command)
    assert (done.returncode, done.stdout) == (0, ''), done.stderr
    assert HOST in done.stderr and "'work'" in done.stderr
    assert cli.ok('get', f'https://{HOST}/api/devices') == cli.ok('get', 'work')
    accounts.restart()
    assert cli.ok('get', HOST) == cli.ok('get', 'work')


def test_add_and_remove(accounts, cli):
    settings = accounts.read_settings()
    assert 'now' in cli.run('app', 'add', f'https://{HOST.upper()}:443/some/page').stderr
    assert accounts.get('Apps', 'work') == [HOST]
    once = accounts.read_settings()
    done = cli.run('app', 'add', HOST, 'work')          # once more changes nothing
    assert done.returncode == 0 and 'already' in done.stderr
    assert accounts.read_settings() == once
    cli.ok('app', 'add', 'second.example.com', 'work')
    assert accounts.get('Apps', 'work') == [HOST, 'second.example.com']
    assert accounts.get('State', 'work') == 'ready'     # and nobody had to sign in
    for host in ('second.example.com', HOST):
        done = cli.run('app', 'remove', host)
        assert done.returncode == 0 and 'any more' in done.stderr
    assert accounts.get('Apps', 'work') == []
    assert accounts.read_settings() == settings
    assert cli.run('get', HOST).returncode == 7


def test_a_host_of_another_account(accounts, cli):
    done = cli.run('app', 'add', 'other.example.com')
    assert done.returncode == 2 and 'the account other' in done.stderr
    command = re.search('iotc-token (app remove other.example.com)', done.stderr)[1].split()
    cli.ok(*command)
    cli.ok('app', 'add', 'other.example.com')
    assert accounts.get('Apps', 'work') == ['other.example.com']


@pytest.mark.parametrize('arguments, code, text', [
    (('add', HOST, 'nobody'), 7, "no account 'nobody'"),
    (('remove', HOST), 1, f'no account lists {HOST}'),
    (('remove', 'other.example.com', 'work'), 1, "'work' does not list other.example.com"),
    (('add', 'https://user@plant.example.com'), 2, 'no host name'),
    (('add', 'http://plant.example.com'), 2, 'no host name'),
    (('add', ''), 2, 'no host name'),
    (('add', HOST, 'work.example.com'), 2, 'not the name of an account'),
    (('add', HOST, ''), 2, 'not the name of an account'),
    (('add',), 2, 'missing'),
    ((), 2, 'missing'),
    (('frobnicate',), 2, 'no verb')])
def test_what_is_refused(accounts, cli, arguments, code, text):
    settings = accounts.read_settings()
    done = cli.run('app', *arguments)
    assert (done.returncode, done.stdout) == (code, '') and text in done.stderr, done.stderr
    assert accounts.read_settings() == settings
