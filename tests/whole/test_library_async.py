# SPDX-License-Identifier: MIT
#
# libiotc-token in somebody's main loop (util-library-async.c: poll(2), nothing else): calls side by
# side, taken back, ended by the loss of the daemon or of the bus, and from inside a callback.

import errno
import os
import select
import signal
import socket
import subprocess

import pytest

from util_daemon import ERROR, entra_account
from util_process import DEADLINE

APP = 'contoso.azureiotcentral.com'


class Program:
    def __init__(self, home=None, argv=(), env=None):
        """In a home, or as argv and env say."""
        self.popen = subprocess.Popen(
            argv or [os.path.join(home.build_dir, 'tests', 'util-library-async')],
            env=env or home.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            bufsize=0)

    def send(self, *fields):
        self.popen.stdin.write(('\t'.join(map(str, fields)) + '\n').encode())

    def line(self):
        assert select.select([self.popen.stdout], [], [], DEADLINE)[0], 'no answer'
        return self.popen.stdout.readline().decode().rstrip('\n').split('\t')

    def start(self, verb, number, selector='', value=5):
        self.send(verb, number, selector, value)
        assert self.line() == [str(number), 'started']

    def close(self):
        """The rest of its output has been read, and it ends; a child of its that does not is ended
        by itself (CHILD_SEC)."""
        self.popen.stdin.close()
        try:
            code = self.popen.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            pytest.fail(f'util-library-async ({self.popen.pid}) did not end in {DEADLINE} s')
        assert self.popen.stdout.read() == b''
        return code


@pytest.fixture
def program(home, daemon):
    program = Program(home)
    yield program
    assert program.close() == 0


@pytest.fixture
def work(daemon, entra, keyring):
    daemon.start(entra_account(entra, apps=APP))
    daemon.sign_in(entra)
    return daemon


def test_token_and_header(work, program):
    token = work.get_token()[0]
    program.start('get', 1)
    assert program.line() == ['1', '0', token]
    program.start('authorization', 2, APP)
    assert program.line() == ['2', '0', 'Bearer ' + token]
    program.start('get', 3, value=0)                # without a handle
    assert program.line() == ['3', '0', token]


def test_many_at_once(work, program):
    token = work.get_token()[0]
    for number in range(60):
        program.send('get', number, '', 5)
    lines = [program.line() for _ in range(120)]
    for number in range(60):
        assert [str(number), 'started'] in lines and [str(number), '0', token] in lines


def test_an_error_in_words(work, program):
    program.start('get', 1, 'nobody')
    number, code, name, text = program.line()
    assert (number, int(code), name) == ('1', -errno.ENXIO, ERROR + 'NoSuchAccount')
    assert 'nobody' in text
    program.send('get', 2, '', 5000)                # over what the daemon allows
    assert program.line() == ['2', 'started'] and int(program.line()[1]) == -errno.EINVAL


def test_a_slow_answer_holds_nobody_up(work, program, entra):
    work.restart()
    token = work.get_token()[0]
    entra.hold()
    try:
        program.start('reject', 1, value=token)
        assert program.line() == ['1', '0', '']
        program.start('get', 2)                     # the reporter's: waits for the new token
        program.start('get', 3, 'nobody')
        assert program.line()[0] == '3'
        program.send('cancel', 2)
    finally:
        entra.release()
    program.start('get', 4)
    assert program.line()[0:2] == ['4', '0']        # and nothing of 2


def test_its_own_timeout(work, program, entra):
    work.stop()
    work.start(entra_account(entra) + entra_account(entra, 'slow'))
    path = work.start_sign_in('slow')
    program.start('get', 1, 'slow', 1)
    assert program.line()[1] == str(-errno.ENOKEY)           # nobody is signed in: told at once
    work.call('Cancel', path=path, interface='org.iotc.Token1.SignIn')


def test_calls_from_a_callback(work, program):
    token = work.get_token()[0]
    program.send('again', 1)
    program.start('get', 1)
    assert program.line() == ['1', '0', token]
    assert program.line() == ['1', '0', token]


def test_the_client_closed_in_a_callback(work, home):
    program = Program(home)
    program.start('get', 2, 'nobody')
    assert program.line()[0] == '2'
    program.send('close', 1)
    program.start('get', 1)
    assert program.line()[0:2] == ['1', '0']
    assert program.popen.wait(DEADLINE) == 0
    program.popen.stdout.close()
    program.popen.stdin.close()


def test_the_daemon_restarts(work, program):
    token = work.get_token()[0]
    program.start('get', 1)
    assert program.line() == ['1', '0', token]
    work.kill9()
    program.start('get', 2)
    number, code, _, text = program.line()
    assert (number, int(code)) == ('2', -errno.EHOSTUNREACH) and "'iotc-tokend &'" in text
    work.start()
    program.start('get', 3)
    assert program.line() == ['3', '0', token]


@pytest.mark.parametrize('reply, code, words', [
    (b'REJECTED EXTERNAL\r\nERROR\r\nERROR\r\n', errno.EACCES, "another user's"),
    (b'DATA\r\nOK 00112233445566778899aabbccddeeff\r\nAGREE_UNIX_FD\r\n' + b'!' * 64,
     errno.ECONNRESET, 'closed')])
def test_a_bus_that_does_not_let_us_in(home, folder, reply, code, words):
    """Whoever waits is told, although the connection stays open."""
    path = os.path.join(folder, 'refuses')
    home.env['DBUS_SESSION_BUS_ADDRESS'] = f'unix:path={path}'
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        program = Program(home)
        program.start('get', 1)
        with server.accept()[0] as client:
            client.sendall(reply)
            number, result, _, text = program.line()
            assert (number, int(result)) == ('1', -code) and words in text
            assert program.line() == ['lost']
            assert program.close() == 0


def test_a_fork_under_a_call(work, program, entra):
    """The child's calls are lost to it, its next one connects; the parent's is answered."""
    work.restart()
    token = work.get_token()[0]
    entra.hold()
    program.start('reject', 1, value=token)
    assert program.line() == ['1', '0', '']
    program.start('get', 2)                         # waits for the new token
    program.start('get', 3, value=0)
    program.send('fork', 4)
    lost = [program.line() for _ in range(2)]
    assert {(number, int(code)) for number, code, *_ in lost} == {('2', -errno.ECONNRESET),
                                                                 ('3', -errno.ECONNRESET)}
    assert all('fork()' in text for *_, text in lost)
    assert program.line()[:3] == ['4', '0', token]
    assert program.line() == ['child', 'ended']
    entra.release()
    renewed = [program.line() for _ in range(2)]
    assert {number for number, *_ in renewed} == {'2', '3'}
    assert token not in str(renewed) and 'Error' not in str(renewed)


def test_a_bus_that_refuses_the_command(home, folder, cli):
    path = os.path.join(folder, 'refuses')
    home.env['DBUS_SESSION_BUS_ADDRESS'] = f'unix:path={path}'
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        process = cli.start('get')
        with server.accept()[0] as client:
            client.recv(4096)
            client.sendall(b'DATA\r\nOK 00112233445566778899aabbccddeeff\r\nAGREE_UNIX_FD\r\n')
        assert process.wait() == 1
    assert "another user's" in process.text()


def test_the_bus_goes_away_under_a_call(home, bus, daemon, entra, keyring):
    """Whoever waits is told, and the next call connects anew."""
    home.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address.split(',')[0]
    daemon.start(entra_account(entra))
    program = Program(home)
    daemon.process.send(signal.SIGSTOP)     # it does not answer
    program.start('get', 1)
    keyring.stop()
    bus.close()
    daemon.process.send(signal.SIGCONT)
    assert program.line()[:2] == ['1', str(-errno.ECONNRESET)]
    assert program.line() == ['lost']
    program.send('get', 2, '', 5)
    number, code, _, text = program.line()
    assert number == '2' and int(code) < 0 and 'nobody answers' in text
    assert program.close() == 0
    daemon.process.wait()
