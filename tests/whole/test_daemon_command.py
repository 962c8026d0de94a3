# SPDX-License-Identifier: MIT
#
# The source command: a program of the user's that speaks the fetch protocol. The one that the
# documentation shows, programs that don't keep to the protocol, and those that are not run.

import json
import os
import re
import signal

import pytest

from util_daemon import SIGN_IN, variants
from util_process import wait_until

README = os.path.join(os.path.dirname(__file__), '../../daemon/fetch/README.md')
TOKEN = '{"event":"token","access_token":"%s","expires_in":%d%s}'
DENIED = 'can be written by other users. Mend it: chmod go-w'


class Program:
    """A shell script in a folder of the user's own, and the account that it is for."""

    def __init__(self, home):
        self.folder = os.path.join(home.folder, 'own')
        self.path = os.path.join(self.folder, 'source')
        self.notes = os.path.join(self.folder, 'requests')
        os.mkdir(self.folder, 0o755)

    def write(self, body, mode=0o755):
        """The body of a script that has the request in $request and has noted it."""
        text = (f'#!/bin/sh\nPATH=/usr/bin:/bin\nread -r request\n'
                f'printf "%s\\n" "$request" >>{self.notes}\n{body}\n')
        with open(self.path + '.new', 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(self.path + '.new', mode)
        os.replace(self.path + '.new', self.path)

    def requests(self):
        if not os.path.exists(self.notes):
            return []
        with open(self.notes, encoding='utf-8') as file:
            return [json.loads(line) for line in file.read().splitlines()]

    def settings(self, **more):
        lines = {'source': 'command', 'command': self.path, **more}
        return '[account corp]\n' + ''.join(f'{k}={v}\n' for k, v in lines.items())


@pytest.fixture
def program(home):
    return Program(home)


def alive(pid):
    """A zombie is not: orphans become those of the test runner."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            return file.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False


def echo(event):
    return f"echo '{event}'"


def test_the_one_that_the_documentation_shows(daemon, keyring, program, cli):
    with open(README, encoding='utf-8') as file:
        script = re.search(r'```sh\n(#!/bin/sh\n.*?)```', file.read(), re.DOTALL)[1]
    assert len(script.splitlines()) <= 7
    with open(program.path, 'w', encoding='utf-8') as file:
        file.write(script)
    os.chmod(program.path, 0o755)
    daemon.start(program.settings(), PATH='/usr/bin:/bin')
    assert daemon.get('State', 'corp') == 'ready'
    name, text = daemon.error_of(daemon.get_token, 'corp')
    assert name == 'SignInNeeded' and 'Nobody is signed in at corp.' in text
    assert text.endswith('iotc-token login corp')

    with open(os.path.join(daemon.home.folder, '.corp-token'), 'w', encoding='utf-8') as file:
        file.write('a-token-of-corp\n')
    assert cli.run('login', 'corp').returncode == 0
    assert daemon.get_token('corp')[:2] == ('a-token-of-corp', 'bearer')
    assert cli.ok('get', 'corp') == 'a-token-of-corp\n'


def test_what_it_is_asked(daemon, keyring, program):
    program.write(echo(TOKEN % ('t1', 3600, ',"user":"ada","tenant":"corp"')))
    daemon.start('[iotc-token]\nproxy=http://proxy.example:3128\n' + program.settings(
        resource='https://own.example', resources='https://other.example'))
    assert daemon.get('DefaultAccount') == 'corp'
    assert daemon.get_token()[0] == 't1'
    request = program.requests()[0]
    assert request.pop('deadline') > 0
    assert request == {'protocol': 1, 'source': 'command', 'resource': 'https://own.example',
                       'proxy': 'http://proxy.example:3128'}
    assert daemon.get('User', 'corp') == 'ada' and daemon.get('Tenant', 'corp') == 'corp'
    daemon.get_token('corp', resource='https://other.example', claims='{"a":1}')
    assert program.requests()[1]['resource'] == 'https://other.example'
    assert program.requests()[1]['claims'] == '{"a":1}'
    assert [daemon.get(prop, 'corp') for prop in ('Source', 'Authority', 'ClientId')] \
        == ['command', '', '']


def test_its_refresh_token_comes_back(daemon, keyring, program):
    program.write('case $request in\n'
                  '*secret-rt-2*) t=t3 r=;;\n'
                  '*secret-rt-1*) t=t2 r=\',"refresh_token":"secret-rt-2"\';;\n'
                  '*) t=t1 r=\',"refresh_token":"secret-rt-1"\';;\n'
                  'esac\n'
                  'echo "{\\"event\\":\\"token\\",\\"access_token\\":\\"$t\\",'
                  '\\"expires_in\\":3600$r}"')
    daemon.start(program.settings())
    assert daemon.get_token('corp')[0] == 't1'
    for want in 't2', 't3', 't3':
        daemon.restart()
        assert daemon.get_token('corp', force=True)[0] == want
    assert [request.get('refresh_token') for request in program.requests()] \
        == [None, 'secret-rt-1', 'secret-rt-2', 'secret-rt-2']
    assert 'secret-rt' not in daemon.text() and 'secret-rt' not in str(daemon.objects())
    daemon.account_call('corp', 'SignOut')
    assert keyring.items() == {}
    assert daemon.get_token('corp')[0] == 't1'


def test_a_keyring_that_opens_later(daemon, keyring, program):
    """What it is asked meanwhile, without its refresh token, does not count."""
    program.write('case $request in\n'
                  f"*secret-rt-1*) {echo(TOKEN % ('t2', 3600, ''))};;\n"
                  '*\\"method\\"*) echo \'' + TOKEN % (
                      't1', 3600, ',"refresh_token":"secret-rt-1"') + "';;\n"
                  '*) echo \'{"event":"error","kind":"sign-in-needed","message":"Who?"}\';;\n'
                  'esac')
    daemon.start(program.settings())
    path = daemon.account_call('corp', 'SignIn', '(a{sv})', ({},))[0]
    daemon.wait_property('State', 'done', path=path, interface=SIGN_IN)
    daemon.stop()
    keyring.lock()
    daemon.start()
    name, text = daemon.error_of(daemon.get_token, 'corp', timeout=60)
    assert name == 'KeyringLocked' and ': corp: ' in text and 'Who?' in text
    keyring.unlock()
    daemon.wait_property('State', 'ready', account='corp')
    wait_until(lambda: 'secret-rt-1' in str(program.requests()), 'it to be asked again')
    assert daemon.get_token('corp', force=True)[0] == 't2'


def test_a_locked_keyring_is_not_in_the_way(daemon, keyring, program):
    program.write(echo(TOKEN % ('t1', 3600, '')))
    keyring.lock()
    daemon.start(program.settings())
    assert daemon.get_token('corp')[0] == 't1'


def test_it_may_ask_a_person(daemon, keyring, program):
    go = os.path.join(program.folder, 'go')
    program.write(
        'case $request in *\\"method\\"*) ;; *)\n'
        'echo \'{"event":"error","kind":"sign-in-needed","message":"Who?"}\'; exit;; esac\n'
        'echo \'{"event":"prompt","method":"device-code","user_code":"AB-1",'
        '"verification_uri":"https://corp.example/in","expires_at":4102444800}\'\n'
        f'while [ ! -e {go} ]; do sleep 0.05; done\n' + echo(TOKEN % ('t1', 3600, '')))
    daemon.start(program.settings())
    assert daemon.error_of(daemon.get_token, 'corp')[0] == 'SignInNeeded'
    path = daemon.start_sign_in('corp')
    assert daemon.sign_in_property(path, 'UserCode') == 'AB-1'
    assert daemon.sign_in_property(path, 'VerificationUri') == 'https://corp.example/in'
    assert program.requests()[-1]['method'] == 'auto'
    with open(go, 'w', encoding='utf-8'):
        pass
    daemon.wait_property('State', 'done', path=path, interface=SIGN_IN)
    assert daemon.get_token('corp')[0] == 't1'


@pytest.mark.parametrize('options, method', [
    ({}, 'auto'), ({'browser': True}, 'auto'), ({'method': 'browser'}, 'browser'),
    ({'method': 'device-code'}, 'device-code'),
])
def test_the_method_is_passed_on(daemon, keyring, program, options, method):
    program.write(echo(TOKEN % ('t1', 3600, '')))
    daemon.start(program.settings())
    path = daemon.account_call('corp', 'SignIn', '(a{sv})', (variants(options),))[0]
    daemon.wait_property('State', 'done', path=path, interface=SIGN_IN)
    assert program.requests()[0]['method'] == method
    assert daemon.sign_in_property(path, 'Method') == (method if method != 'auto'
                                                       else 'device-code')


@pytest.mark.parametrize('body, says', [
    ('', 'ended before'), ('exit 3', 'ended before'), ('kill -9 $$', 'ended before'),
    ('echo hello', 'no JSON object'), ('echo "{}"', 'ended before'),
    ('head -c 300000 /dev/zero | tr "\\0" x; echo', 'too long'),
    (echo(TOKEN % ('t 1', 3600, '')), 'access token'), (echo(TOKEN % ('t1', 0, '')), 'life'),
    (echo('{"event":"error","kind":"no-such-kind"}'), 'kind'),
])
def test_garbage_is_worth_another_try(daemon, keyring, program, body, says):
    program.write(body)
    daemon.start(program.settings())
    name, text = daemon.error_of(daemon.get_token, 'corp', min_valid=60)
    assert name == 'Unavailable' and ': corp: ' in text and says in text
    assert '. Next try in ' in text
    program.write(echo(TOKEN % ('t1', 3600, '')))
    assert daemon.get_token('corp', timeout=60)[0] == 't1'


@pytest.mark.parametrize('kind, error', [
    ('sign-in-needed', 'SignInNeeded'), ('misconfigured', 'Misconfigured'),
    ('blocked', 'Blocked'), ('source-missing', 'SourceMissing'),
])
def test_its_own_words(daemon, keyring, program, kind, error):
    program.write(echo('{"event":"error","kind":"%s","message":"It is\\\\tso."}' % kind))
    daemon.start(program.settings())
    name, text = daemon.error_of(daemon.get_token, 'corp')
    assert name == error and ': corp: It is so.' in text


def test_one_that_hangs_is_ended_with_its_children(daemon, keyring, program):
    """By a cancelled sign-in; it ignores what asks it to end, and has a child."""
    pids = os.path.join(program.folder, 'pids')
    program.write(f'trap "" TERM\nsleep 1000 &\necho $$ $! >{pids}.new; mv {pids}.new {pids}\n'
                  'while :; do sleep 1000; done')
    daemon.start(program.settings())
    path = daemon.account_call('corp', 'SignIn', '(a{sv})', ({},))[0]
    wait_until(lambda: os.path.exists(pids), 'it to run')
    with open(pids, encoding='utf-8') as file:
        running = [int(pid) for pid in file.read().split()]
    daemon.call('Cancel', path=path, interface=SIGN_IN)
    wait_until(lambda: not any(alive(pid) for pid in running),
               'both to be gone', 10)


def test_the_daemon_goes_and_it_goes_too(daemon, keyring, program):
    program.write('sleep 1000')
    daemon.start(program.settings())
    waiting = daemon.start_get('corp', timeout=60)
    wait_until(program.requests, 'it to run')
    daemon.process.send(signal.SIGKILL)     # the fixture looks for what is left
    daemon.process.wait()
    with pytest.raises(Exception):
        waiting.result()


def refused(daemon, says):
    name, text = daemon.error_of(daemon.get_token, 'corp')
    assert name == 'SourceMissing' and says in text and ': corp: ' in text
    assert daemon.get('State', 'corp') == 'misconfigured'


def test_not_what_others_may_write(daemon, keyring, program):
    program.write(echo(TOKEN % ('t1', 3600, '')), mode=0o757)
    daemon.start(program.settings())
    refused(daemon, DENIED)
    assert program.requests() == []


def test_not_in_a_folder_that_others_may_write(daemon, keyring, program):
    program.write(echo(TOKEN % ('t1', 3600, '')))
    os.chmod(program.folder, 0o777)
    daemon.start(program.settings())
    refused(daemon, DENIED)
    assert program.requests() == []


def test_not_in_a_folder_whose_folder_others_may_write(daemon, keyring, program):
    """They could put another folder in its place."""
    program.write(echo(TOKEN % ('t1', 3600, '')))
    above = os.path.dirname(program.folder)
    daemon.start(program.settings())
    os.chmod(above, 0o777)
    refused(daemon, f'{above} {DENIED} {above}')
    assert program.requests() == []


def test_not_what_is_not_there(daemon, keyring, program):
    daemon.start(program.settings())
    refused(daemon, "Check the setting 'command'")


def test_settings_that_can_not_be(daemon, keyring, program):
    program.write(echo(TOKEN % ('t1', 3600, '')))
    daemon.start(program.settings(command='bin/source'))
    assert daemon.get('State', 'corp') == 'misconfigured'
    assert daemon.error_of(daemon.get_token, 'corp')[0] == 'Misconfigured'


def test_from_the_file_alone(daemon, keyring, program):
    program.write(echo(TOKEN % ('t1', 3600, '')))
    daemon.start(program.settings())
    for values in {'command': '/bin/true'}, {}:
        name, _ = daemon.error_of(daemon.call, 'AddAccount', '(ssa{sv})',
                                  ('other', 'command', variants(values)))
        assert name == 'Denied'
    name, _ = daemon.error_of(daemon.account_call, 'corp', 'Configure', '(a{sv})',
                              (variants({'command': '/bin/true'}),))
    assert name == 'Denied'
