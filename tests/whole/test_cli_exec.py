# SPDX-License-Identifier: MIT
#
# iotc-token exec: programs that never heard of us get their tokens, by the real Azure SDK and by
# what looks like az; nobody else does; and the command is run as if it had been started alone.

import concurrent.futures
import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest

from util_daemon import entra_account
from util_entra import RESOURCE
from util_machine import sees_all
from util_process import wait_until
from util_terminal import CTRL_C, Terminal

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../clients')
OTHER = 'https://management.azure.com'
GUID = 'abcdef01-2345-6789-abcd-ef0123456789'
SCOPE = RESOURCE + '/.default'
API_TOKEN = 'SharedAccessSignature sr=0b1c&sig=c2VjcmV0&skn=ci&se=4102444800000'
# Prints the endpoint and its secret, and lives until its standard input ends.
SERVE = 'echo "$IDENTITY_ENDPOINT $IDENTITY_HEADER"; read -r line'


@pytest.fixture
def work(daemon, entra, keyring):
    """The account 'work', signed in and the default."""
    daemon.start(entra_account(entra, resources=OTHER))
    daemon.sign_in(entra)
    return daemon


class Endpoint:
    """The endpoint of a command that waits, as the command sees it."""

    def __init__(self, cli, *arguments):
        self.popen = subprocess.Popen(
            [cli.program, 'exec', *arguments, '--', 'sh', '-c', SERVE], env=cli.environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url, self.secret = self.popen.stdout.readline().split()

    def get(self, query=None, path='', method='GET', **headers):
        """The status and the JSON of an answer. Headers by name with _ for -."""
        if query is None:
            query = f'api-version=2019-08-01&resource={RESOURCE}'
        request = urllib.request.Request(
            self.url + path + ('?' + query if query else ''), method=method,
            headers={name.replace('_', '-'): value for name, value in
                     {'X_IDENTITY_HEADER': self.secret, **headers}.items() if value})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def close(self):
        _, errors = self.popen.communicate('\n', timeout=30)
        assert errors == '', errors
        return self.popen.returncode


def sockets(pid):
    """The sockets that a process has open, as /proc names them."""
    try:
        return {os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')}
    except OSError:
        return set()


def listening(url):
    """The socket that listens there, likewise."""
    port = urllib.parse.urlsplit(url).port
    with open('/proc/net/tcp', encoding='ascii') as file:
        rows = [line.split() for line in file]
    return {f'socket:[{row[9]}]' for row in rows if row[1] == f'0100007F:{port:04X}'
            and row[3] == '0A'}


@pytest.fixture
def endpoint(work, cli):
    endpoint = Endpoint(cli)
    yield endpoint
    assert endpoint.close() == 0


def sdk(cli, credential, *arguments, scope=SCOPE):
    """What a program on @azure/identity prints under exec."""
    done = cli.run('exec', *arguments, '--', 'node', os.path.join(CLIENTS, 'sdk.mjs'), credential,
                   scope)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


# the Azure SDK, as it comes from npm

@pytest.mark.parametrize('credential', ['ManagedIdentityCredential', 'DefaultAzureCredential'])
def test_a_program_on_the_sdk_gets_the_token(work, cli, credential):
    token, _, expires_at = work.get_token()
    got = sdk(cli, credential)
    assert got['token'] == token
    assert abs(got['expires'] - expires_at * 1000) <= 2000      # it rounds to seconds by its clock


def test_the_sdk_behind_a_proxy(work, cli, home):
    """The SDK takes the proxy of https for all requests; this one would get the secret."""
    home.extra.update(HTTPS_PROXY='http://127.0.0.1:9')
    assert sdk(cli, 'ManagedIdentityCredential')['token'] == work.get_token()[0]


def test_the_sdk_shows_what_to_do_when_nobody_is_signed_in(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    got = sdk(cli, 'ManagedIdentityCredential')
    assert 'iotc-token login work' in got['message']


def test_the_sdk_is_refused_another_resource(work, cli):
    got = sdk(cli, 'ManagedIdentityCredential', scope='https://graph.microsoft.com/.default')
    assert 'not allowed' in got['message']


def test_the_sdk_through_the_look_alike_of_az(work, cli):
    token, _, expires_at = work.get_token()
    assert sdk(cli, 'AzureCliCredential', '--az') == {'token': token, 'expires': expires_at * 1000}


def test_the_sdk_understands_that_az_is_not_signed_in(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    got = sdk(cli, 'AzureCliCredential', '--az')
    assert got['error'] == 'CredentialUnavailableError' and 'az login' in got['message']


# the endpoint

def test_the_answer_has_what_every_sdk_looks_for(work, endpoint, entra):
    token, _, expires_at = work.get_token()
    status, got = endpoint.get()
    assert status == 200
    assert got.pop('access_token') == token
    assert expires_at - int(got['not_before']) == int(got.pop('expires_in'))
    assert int(got.pop('not_before')) > 0
    assert got == {'client_id': entra.client_id, 'expires_on': str(expires_at),
                   'resource': RESOURCE, 'token_type': 'Bearer'}


def test_another_resource_of_the_account(work, endpoint):
    status, got = endpoint.get(f'api-version=2019-08-01&resource={OTHER}')
    assert status == 200 and got['resource'] == OTHER
    assert got['access_token'] == work.get_token(resource=OTHER)[0]


@pytest.mark.parametrize('status, request_', [
    (401, {'X_IDENTITY_HEADER': 'f' * 64}),
    (401, {'X_IDENTITY_HEADER': 'f'}),
    (401, {'X_IDENTITY_HEADER': None}),
    (403, {'Host': 'evil.example:80'}),
    (403, {'Host': 'localhost'}),
    (403, {'Origin': 'https://evil.example'}),
    (403, {'X_Forwarded_For': '10.0.0.1'}),
    (405, {'method': 'POST'}),
    (400, {'path': '/more'}),
    (400, {'query': ''}),
    (400, {'query': 'api-version=2019-08-01'}),
    (400, {'query': 'api-version=2017-09-01&resource=' + RESOURCE}),
    (400, {'query': 'api-version=2019-08-01&resource=' + 'x' * 3000}),
    (400, {'query': 'api-version=2019-08-01&resource=%ff%00%0a'}),
    (400, {'query': 'api-version=2019-08-01&resource=https://graph.microsoft.com'}),
])
def test_who_is_refused(endpoint, status, request_):
    got = endpoint.get(**request_)
    assert got[0] == status
    assert got[1]['statusCode'] == status and got[1]['message']
    assert set(got[1]) == {'statusCode', 'message'}


def test_what_time_mends_is_503(work, endpoint, entra):
    entra.fail(count=100, status=503)
    work.call('ReportRejected', '(sss)', ('', work.get_token()[0], ''))
    status, got = endpoint.get(f'api-version=2019-08-01&resource={OTHER}')
    assert status == 503 and 'work' in got['message']


def test_a_bus_that_goes_under_a_request(home, bus, daemon, entra, keyring, cli):
    home.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address.split(',')[0]
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    endpoint = Endpoint(cli)
    daemon.process.send(signal.SIGSTOP)     # it does not answer
    names = bus.watch('org.freedesktop.DBus', 'org.freedesktop.DBus', 'NameOwnerChanged')
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(endpoint.get)
        names.wait(lambda path, member, arguments: arguments[2], 'the request to be on the bus')
        keyring.stop()
        bus.close()
        daemon.process.send(signal.SIGCONT)
        status, got = asked.result(30)
    assert status == 503 and 'connection to iotc-tokend was closed' in got['message']
    assert endpoint.close() == 0
    daemon.process.wait()


def test_an_account_that_became_an_api_tokens(work, cli):
    endpoint = Endpoint(cli, 'work')
    cli.ok('remove', 'work')
    cli.ok('api-token', 'add', 'work', stdin=API_TOKEN + '\n')
    status, got = endpoint.get()
    assert status == 400 and API_TOKEN not in str(got)
    assert endpoint.close() == 0


def test_the_endpoint_is_gone_with_the_command(work, cli):
    endpoint = Endpoint(cli)
    assert endpoint.get()[0] == 200
    assert endpoint.close() == 0

    def gone():
        with contextlib.suppress(OSError):      # refused, or cut off
            return not endpoint.get()
        return True

    wait_until(gone, 'the endpoint to be gone')


def test_many_ask_at_once(work, endpoint):
    token = work.get_token()[0]
    load = ('import sys, threading, urllib.request\n'
            'answers = []        # print() is not for threads\n'
            'def ask():\n'
            '    request = urllib.request.Request(sys.argv[1], headers={"X-IDENTITY-HEADER": '
            'sys.argv[2]})\n'
            '    for _ in range(5):\n'
            '        with urllib.request.urlopen(request) as answer:\n'
            '            answers.append(answer.read().decode())\n'
            'threads = [threading.Thread(target=ask) for _ in range(20)]\n'
            '[t.start() for t in threads]; [t.join() for t in threads]\n'
            'print("\\n".join(answers))\n')
    done = subprocess.run(
        [sys.executable, '-c', load, f'{endpoint.url}?api-version=2019-08-01&resource={RESOURCE}',
         endpoint.secret], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == '' and done.stdout.count(token) == 100


@pytest.mark.parametrize('status, headers', [
    (403, 'Host: evil.example\r\n'),
    (401, 'Host: {host}\r\n'),
    (413, 'Host: {host}\r\nX-IDENTITY-HEADER: {secret}\r\n'),
])
def test_no_body_is_read(endpoint, status, headers):
    """It is answered when the headers are there, and hangs up."""
    url = urllib.parse.urlsplit(endpoint.url)
    head = headers.format(host=url.netloc, secret=endpoint.secret)
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall(f'GET {url.path} HTTP/1.1\r\n{head}'
                           'Content-Length: 2000000000\r\n\r\n'.encode())
        answer = b''
        while part := connection.recv(4096):
            answer += part
    assert answer.startswith(f'HTTP/1.1 {status} '.encode())


# Another user of the machine, with whose name it goes on once its connections are refused or there.
CROWD = '''
import socket, sys, time
refused, held = 0, []
for _ in range(400):
    try:
        one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
        one.sendall(b"GET")
        held.append(one)
    except OSError:
        pass
for one in held:
    try:
        one.settimeout(30)
        refused += one.recv(1) == b""
    except ConnectionError:
        refused += 1
print(refused, len(held), flush=True)
sys.stdin.read()
'''


@pytest.mark.skipif(os.getuid() != 0, reason='only root can be another user')
def test_another_user_does_not_take_it_up(endpoint):
    port = urllib.parse.urlsplit(endpoint.url).port
    with subprocess.Popen(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                           sys.executable, '-c', CROWD, str(port)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as crowd:
        refused, held = map(int, crowd.stdout.readline().split())
        assert refused == held
        assert endpoint.get()[0] == 200
        crowd.stdin.close()


# the command

def test_environment_of_the_command(work, cli, home):
    home.extra.update(IMDS_ENDPOINT='http://arc', MSI_SECRET='s', https_proxy='http://proxy:1',
                      HTTP_PROXY='http://proxy:1', NO_PROXY='intranet')
    text = cli.ok('exec', 'work', '--', 'env')
    env = dict(line.split('=', 1) for line in text.splitlines())
    assert env['IOTC_TOKEN_ACCOUNT'] == 'work'
    assert re.fullmatch(r'http://127\.0\.0\.1:\d+/msi/token', env['IDENTITY_ENDPOINT'])
    assert re.fullmatch('[0-9a-f]{64}', env['IDENTITY_HEADER'])
    assert not {'IMDS_ENDPOINT', 'MSI_SECRET'} & set(env)
    assert env['NO_PROXY'] == env['no_proxy'] == '127.0.0.1,intranet'
    assert work.get_token()[0] not in text
    assert env['PATH'] == '/usr/bin:/bin'


@pytest.mark.parametrize('command, code', [
    (['true'], 0), (['sh', '-c', 'exit 3'], 3), (['sh', '-c', 'exit 125'], 125),
    (['no-such-program'], 127), (['/etc/passwd'], 126), (['sh', '-c', 'kill -KILL $$'], -9),
    (['sh', '-c', 'kill -TERM $$'], -15)])
def test_its_end_is_the_commands_end(work, cli, command, code):
    assert cli.run('exec', '--', *command).returncode == code


def test_it_notices_the_end_whatever_its_parent_ignores(work, cli):
    """Who ignores SIGCHLD, as some supervisors do, hands that down."""
    ignore = ('import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); '
              'os.execv(sys.argv[1], sys.argv[1:])')
    command = [cli.program, 'exec', '--', 'sh', '-c', 'exit 3']
    done = subprocess.run([sys.executable, '-c', ignore, *command], env=cli.environment(),
                          timeout=60, check=False)
    assert done.returncode == 3


def test_it_is_a_pipe_like_the_command(work, cli):
    done = cli.run('exec', '--', 'sh', '-c', 'cat; echo error >&2', stdin='input')
    assert (done.stdout, done.stderr) == ('input', 'error\n')


@pytest.mark.parametrize('number', [0, 1])
def test_its_pipes_end_when_it_closes_them(work, cli, number):
    """Who writes to it or reads from it must not wait for its end."""
    ours, theirs = os.pipe() if number == 1 else os.pipe()[::-1]
    told, tell = os.pipe()
    command = [sys.executable, '-c', f'import os; os.close({number}); os.read({told}, 1)']
    popen = subprocess.Popen([cli.program, 'exec', '--', *command], env=cli.environment(),
                             pass_fds=[told], **{('stdin', 'stdout')[number]: theirs})
    os.close(theirs)
    with select.epoll() as epoll:
        epoll.register(ours, 0)
        assert epoll.poll(30) == [(ours, select.EPOLLERR if number == 0 else select.EPOLLHUP)]
    assert popen.poll() is None
    for fd in (ours, told, tell):
        os.close(fd)            # which ends it
    assert popen.wait(30) == 0


# Says the signal that it gets, then, on a terminal, waits for a line of input. Its exit code is the
# number of signals that it got.
CATCH = """
import os, signal, sys
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT):
    signal.signal(number, lambda number, frame: None)
print('ready', flush=True)
print('caught', os.read(reader, 1)[0], flush=True)
if sys.stdin.isatty():
    input()
os.write(writer, bytes(1))
sys.exit(len(os.read(reader, 100)))
"""


# Reads signals until SIGTERM comes. Its exit code is how often SIGHUP came before.
COUNT = """
import os, signal
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, lambda number, frame: None)
print('ready', flush=True)
got = b''
while signal.SIGTERM not in got:
    got += os.read(reader, 100)
raise SystemExit(got.count(signal.SIGHUP))
"""


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT])
def test_signals_are_passed_on(work, cli, number):
    process = cli.start('exec', '--', sys.executable, '-c', CATCH)
    wait_until(lambda: 'ready' in process.text(), 'the command to be ready')
    process.send(number)
    assert process.wait() == 1
    assert f'caught {int(number)}' in process.text()


def test_ctrl_c_reaches_the_command_once(work, cli):
    with Terminal([cli.program, 'exec', '--', sys.executable, '-c', CATCH],
                  cli.environment()) as terminal:
        terminal.wait_for('ready')
        terminal.type(CTRL_C)
        terminal.wait_for('caught 2')
        terminal.type('\n')
        assert terminal.wait() == 1


def test_what_its_group_is_sent_comes_once(work, cli):
    """As by a shell's kill %1, or by timeout(1)."""
    process = cli.start('exec', '--', sys.executable, '-c', COUNT)
    wait_until(lambda: 'ready' in process.text(), 'the command to be ready')
    os.killpg(process.pid, signal.SIGHUP)
    process.send(signal.SIGTERM)
    assert process.wait() == 1


def test_it_is_the_process_that_was_started(work, cli):
    """And has no child that it did not start."""
    process = cli.start('exec', '--', sys.executable, '-c',
                        'import os\nprint(os.getpid(), flush=True)\nos.wait()')
    assert process.wait() == 1
    assert process.text().startswith(f'{process.pid}\n') and 'ChildProcessError' in process.text()


@pytest.mark.skipif(not sees_all(), reason='only root with CAP_SYS_PTRACE looks into the helper')
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_it_gets_tokens_to_its_end(work, endpoint, number):
    """A service manager tells all of its processes to end, and it may have something to save."""
    helper = [pid for pid in map(int, filter(str.isdigit, os.listdir('/proc')))
              if pid != endpoint.popen.pid and sockets(pid) & listening(endpoint.url)]
    assert len(helper) == 1
    os.kill(helper[0], number)
    assert endpoint.get()[0] == 200


def test_without_a_path(work, cli):
    """Programs are then found where the system has its own."""
    env = cli.environment()
    del env['PATH']
    for arguments in ([], ['--az']):
        done = subprocess.run([cli.program, 'exec', *arguments, '--', 'sh', '-c', 'exit 3'],
                              env=env, timeout=60, check=False)
        assert done.returncode == 3


def test_its_own_failures(work, cli):
    done = cli.run('exec', 'nobody', '--', 'echo', 'run')
    assert (done.returncode, done.stdout) == (125, '') and 'nobody' in done.stderr
    for wrong in ([], ['work'], ['--'], ['ls', '-l'], ['--unknown', '--', 'true'],
                  ['a', 'b', '--', 'true']):
        done = cli.run('exec', *wrong)
        assert done.returncode == 2, (wrong, done.stderr)
        assert 'Usage: iotc-token exec [SELECTOR] [--az] -- COMMAND' in done.stderr
        assert '--' in wrong or "put it behind '--'" in done.stderr


def test_an_api_token_is_no_managed_identity(daemon, keyring, cli):
    daemon.start('')
    cli.ok('api-token', 'add', 'ci', stdin=API_TOKEN + '\n')
    done = cli.run('exec', 'ci', '--', 'echo', 'run')
    assert (done.returncode, done.stdout) == (125, '')
    assert 'iotc-token get --header ci' in done.stderr


def test_it_warns_when_nobody_is_signed_in(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    done = cli.run('exec', '--', 'echo', 'run')
    assert (done.returncode, done.stdout) == (0, 'run\n')
    assert done.stderr.startswith('Warning: work: ') and 'iotc-token login work' in done.stderr


# the look-alike of az

def az(cli, *arguments):
    return cli.run('exec', '--az', '--', 'az', *arguments)


def test_az_prints_what_az_prints(work, cli):
    token, _, expires_at = work.get_token()
    tenant = work.get('Tenant', 'work')
    done = az(cli, 'account', 'get-access-token', '--resource', RESOURCE)
    local = subprocess.run(['date', '-d', f'@{expires_at}', '+%F %T.000000'], check=True,
                           capture_output=True, text=True, env=cli.environment()).stdout.strip()
    assert done.stdout == ('{\n'
                           f'  "accessToken": "{token}",\n'
                           f'  "expiresOn": "{local}",\n'
                           f'  "expires_on": {expires_at},\n'
                           f'  "subscription": "{tenant}",\n'
                           f'  "tenant": "{tenant}",\n'
                           '  "tokenType": "Bearer"\n'
                           '}\n')


@pytest.mark.parametrize('arguments', [
    ['--scope', SCOPE, '--query', 'accessToken', '-o', 'tsv'],
    [f'--resource={RESOURCE}', '--output=tsv', '--query=accessToken', '--only-show-errors']])
def test_az_prints_the_token_alone(work, cli, arguments):
    done = az(cli, 'account', 'get-access-token', *arguments)
    assert done.stdout == work.get_token()[0] + '\n'


@pytest.mark.parametrize('text, quoted', [
    ('[core]\noutput = tsv\n', False), ('[core]\nOUTPUT_ = x\noutput=tsv\n', False),
    ('[core]\noutput: json\n[other]\noutput = tsv\n', True)])
def test_az_prints_as_it_was_configured_to(work, cli, home, text, quoted):
    home.extra['AZURE_CONFIG_DIR'] = os.path.join(home.folder, 'azure')
    os.mkdir(home.extra['AZURE_CONFIG_DIR'])
    with open(os.path.join(home.extra['AZURE_CONFIG_DIR'], 'config'), 'w',
              encoding='utf-8') as file:
        file.write(text)
    done = az(cli, 'account', 'get-access-token', '--resource', RESOURCE, '--query', 'accessToken')
    token = work.get_token()[0]
    assert done.stdout == (f'"{token}"\n' if quoted else f'{token}\n')


@pytest.mark.parametrize('arguments', [
    ['version', '--query', '"azure-cli"', '-o', 'tsv'],
    ['account', 'get-access-token', '--help']])
def test_az_is_the_real_one_for_all_else(work, cli, az, arguments):
    """(The fixture az is the real one, signed in.)"""
    real = subprocess.run(['/usr/bin/az', *arguments], env={**cli.environment(), **az.env()},
                          capture_output=True, text=True, check=True)
    cli.home.extra.update(az.env())
    done = cli.run('exec', '--az', '--', 'az', *arguments)
    assert done.stdout == real.stdout


def test_a_guid_as_the_resource(daemon, entra, keyring, cli):
    """Of the endpoint and of the look-alike of az."""
    entra.set(resources=[RESOURCE, f'api://{GUID}'])
    daemon.start(entra_account(entra, resources=GUID))
    daemon.sign_in(entra)
    with contextlib.closing(Endpoint(cli)) as endpoint:
        status, got = endpoint.get(f'api-version=2019-08-01&resource={GUID.upper()}')
        assert (status, got['resource']) == (200, GUID.upper())
        token = got['access_token']
        assert token == daemon.get_token('work', resource=GUID)[0]
    for arguments in (['--resource', GUID], ['--scope', f'{GUID}/.default'],
                      ['--resource', f'{GUID}/.default']):
        done = az(cli, 'account', 'get-access-token', *arguments, '-o', 'tsv', '--query',
                  'accessToken')
        assert (done.returncode, done.stdout.strip()) == (0, token), done.stderr


@pytest.mark.parametrize('arguments', [
    ['--resource', RESOURCE, '--tenant', '00000000-0000-0000-0000-000000000001'],
    ['--resource', 'https://vault.azure.net'],
    ['--resource', '00000000-0000-0000-0000-000000000001']])
def test_az_of_another_tenant_or_resource_is_the_real_one(work, cli, home, arguments):
    """Nobody is signed in to the real one here, and that is what it says."""
    home.extra['AZURE_CONFIG_DIR'] = os.path.join(home.folder, 'azure')
    done = az(cli, 'account', 'get-access-token', *arguments)
    assert done.returncode == 1 and done.stdout == ''
    assert "Please run 'az login'" in done.stderr


def test_without_a_real_az_it_says_so(work, cli, home):
    command = shutil.which('env')
    done = cli.run('exec', '--az', '--', command, 'PATH=/nonexistent', 'sh', '-c', 'true')
    assert done.returncode == 127
    done = cli.run('exec', '--az', '--', 'sh', '-c', 'PATH="${PATH%%:*}" az version')
    assert done.returncode == 127 and 'install the Azure CLI' in done.stderr


def test_an_az_that_others_could_have_put_there_is_not_run(work, cli, home):
    """In their own folder, or in one whose folder they may write to; the next one is."""
    for name, mode in (('open', 0o777), ('above', 0o755), ('safe', 0o755)):
        os.makedirs(os.path.join(home.folder, name, 'bin'))
        with open(os.path.join(home.folder, name, 'bin/az'), 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\necho {name}: "$0"\n')
        os.chmod(file.name, 0o755)
        os.chmod(os.path.join(home.folder, name, 'bin'), mode)
    os.chmod(os.path.join(home.folder, 'above'), 0o777)
    bad = f'{home.folder}/open/bin:{home.folder}/above/bin'
    exec_az = ('exec', '--az', 'work', '--', 'sh', '-c', f'PATH=${{PATH%%:*}}:{bad}$1; az version',
               'sh')
    assert cli.ok(*exec_az, f':{home.folder}/safe/bin') == f'safe: {home.folder}/safe/bin/az\n'
    done = cli.run(*exec_az, '')
    assert done.returncode == 127 and done.stdout == ''
    assert f'is not run: {home.folder}/open/bin can be written by other users' in done.stderr


def test_a_daemon_started_under_it_asks_the_real_az(daemon, az, home):
    """The look-alike would ask the daemon, which waits for it."""
    folder = os.path.join(os.path.abspath(home.build_dir), 'client/az')
    daemon.start(**{**az.env(), 'PATH': f'{folder}:/usr/bin:/bin',
                    'IOTC_TOKEN_ACCOUNT': 'azure-cli'})
    assert daemon.get_token(timeout=60)[1] == 'bearer'
