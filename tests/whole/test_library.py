# SPDX-License-Identifier: MIT
#
# libiotc-token as other people's programs meet it: what its calls give, its errors by number, by
# name and in words, a program that lives longer than the daemon or the bus, and what is exported.

import errno
import os
import re
import shutil
import subprocess

import pytest

from util_bus import Bus
from util_daemon import ERROR, entra_account
from util_process import DEADLINE, wait_until

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
HEADER = os.path.join(TOP, 'include', 'iotc-token.h')
APP = 'contoso.azureiotcentral.com'
FORCE, NO_WAIT, WAIT_FOR_SIGN_IN = 1, 2, 4


class Failure(Exception):
    def __init__(self, number, name, text):
        super().__init__(f'{number} {name} {text}')
        self.errno, self.name, self.text = -int(number), name.replace(ERROR, ''), text


class Program:
    """tests/stage/util-library.c, running."""

    def __init__(self, home):
        self.popen = subprocess.Popen(
            [os.path.join(home.build_dir, 'tests', 'util-library')], env=home.environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, *fields):
        self.popen.stdin.write('\t'.join(map(str, fields)) + '\n')
        self.popen.stdin.flush()

    def answer(self):
        code, *fields = self.popen.stdout.readline().rstrip('\n').split('\t')
        if code != '0':
            raise Failure(code, *fields)
        return fields

    def call(self, *fields):
        self.send(*fields)
        return self.answer()

    def get(self, selector='', flags='', min_valid='', timeout='', resource='', claims=''):
        return self.call('get', selector, flags, min_valid, timeout, resource, claims)

    def failure(self, *fields):
        with pytest.raises(Failure) as failure:
            self.call(*fields)
        return failure.value

    def close(self):
        self.popen.stdin.close()
        self.popen.stdout.read()
        return self.popen.wait(DEADLINE)


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


def test_get(work, program):
    token, type_, expires_at = work.get_token()
    for selector in ('', 'work', APP, f'https://{APP}/api/devices'):
        assert program.get(selector) == [token, type_, str(expires_at)]
    assert program.call('authorization', APP) == ['Bearer ' + token, '', str(expires_at)]
    assert program.call('find', APP) == ['work']


def test_options_reach_the_daemon(work, program):
    assert program.get('work', NO_WAIT)
    assert program.get('work', '', 60)
    failure = program.failure('get', 'work', '', 900000, 1)
    assert (failure.errno, failure.name) == (errno.EAGAIN, 'Unavailable')
    failure = program.failure('get', 'work', '', '', '', 'https://management.azure.com')
    assert (failure.errno, failure.name) == (errno.EPERM, 'Denied')


def test_an_unknown_flag_is_refused(work, program):
    assert program.failure('get', 'work', 64).errno == errno.EINVAL
    assert program.get('work')


def test_errors(daemon, entra, keyring, program):
    daemon.start(entra_account(entra))
    failure = program.failure('get', 'work')
    assert (failure.errno, failure.name) == (errno.ENOKEY, 'SignInNeeded')
    assert failure.text.endswith('iotc-token login work')
    failure = program.failure('find', 'nobody')
    assert (failure.errno, failure.name) == (errno.ENXIO, 'NoSuchAccount')
    failure = program.failure('get', 'https://user@contoso.azureiotcentral.com/')
    assert failure.errno == errno.EINVAL and failure.name.endswith('.InvalidArgs')


def test_waiting_for_a_sign_in(daemon, entra, keyring, program):
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    program.send('get', 'work', WAIT_FOR_SIGN_IN, '', 60)
    entra.approve(daemon.sign_in_property(path, 'UserCode'))
    assert program.answer()[1] == 'bearer'


def test_a_rejected_token_is_replaced(work, program, entra):
    work.restart()
    token = program.get()[0]
    entra.clear()
    program.call('reject', APP, 'not a token of ours', '')
    assert program.get()[0] == token
    program.call('reject', APP, token, 'Bearer error="invalid_token"')
    assert program.get()[0] != token
    assert entra.count('refresh_token') == 1


def test_a_daemon_that_comes_and_goes(work, program):
    token = program.get()[0]
    work.kill9()
    failure = program.failure('get')
    assert failure.errno == errno.EHOSTUNREACH
    assert 'iotc-tokend is not running' in failure.text
    work.start()
    assert program.get()[0] == token


def test_a_daemon_that_ends_while_it_is_asked(daemon, entra, keyring, program):
    daemon.start(entra_account(entra))
    daemon.start_sign_in()
    program.send('get', 'work', WAIT_FOR_SIGN_IN, '', 60)
    wait_until(lambda: daemon.stats()['requests'] >= 1, 'the call to reach the daemon')
    daemon.kill9()
    with pytest.raises(Failure) as failure:
        program.answer()
    # It was asked once more, and the bus can't start it.
    assert failure.value.errno == errno.EHOSTUNREACH
    assert 'is not running' in failure.value.text


def test_a_bus_that_comes_back(home, folder, bus, daemon, entra, keyring):
    """The next call opens a new connection."""
    home.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address.split(',')[0]
    daemon.start(entra_account(entra))
    program = Program(home)
    assert program.failure('get').errno == errno.ENOKEY
    daemon.stop()
    keyring.stop()
    bus.close()
    assert program.failure('get').errno == errno.ENOMEDIUM

    again = Bus(folder)
    try:
        assert program.failure('get').errno == errno.EHOSTUNREACH
        assert program.close() == 0
    finally:
        again.close()


@pytest.fixture(scope='session')
def declared():
    with open(HEADER, encoding='utf-8') as file:
        text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)
    return set(re.findall(r'\b(iotc_token_\w+)\(', text))


def test_what_is_declared_is_exported_and_nothing_else(build_dir, declared):
    library = os.path.join(build_dir, 'client', 'libiotc-token.so.0')
    text = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True,
                          check=True).stdout
    symbols = {line.split()[-1] for line in text.splitlines()}
    assert symbols - {'IOTC_TOKEN_0'} - {s for s in symbols if s.startswith('__odr_asan')} == {
        f'{name}@@IOTC_TOKEN_0' for name in declared}
    text = subprocess.run(['readelf', '-d', library], capture_output=True, text=True,
                          check=True).stdout
    assert 'soname: [libiotc-token.so.0]' in text


def test_it_ends_nobodys_process(build_dir, plain_build):
    """Other people's programs link it: what fails is -errno to them."""
    library = os.path.join(build_dir, 'client', 'libiotc-token.so.0')
    text = subprocess.run(['nm', '-D', '--undefined-only', library], capture_output=True, text=True,
                          check=True).stdout
    symbols = {line.split()[-1].split('@')[0] for line in text.splitlines()}
    assert 'malloc' in symbols or 'calloc' in symbols
    assert not symbols & {'exit', '_exit', '_Exit', 'quick_exit', 'abort', '__assert_fail'}


@pytest.mark.parametrize('compiler', [
    ('gcc', '-std=c99', '-x', 'c'), ('gcc', '-std=gnu2x', '-x', 'c'),
    ('g++', '-std=c++11', '-x', 'c++')])
def test_the_header_stands_alone(folder, compiler):
    if not shutil.which(compiler[0]):
        pytest.skip(f'no {compiler[0]}')
    source = os.path.join(folder, 'alone.c')
    with open(source, 'w', encoding='utf-8') as file:
        file.write('#include <iotc-token.h>\n')
    subprocess.run([*compiler, '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only', '-I',
                    os.path.dirname(HEADER), source], check=True)


@pytest.mark.parametrize('compiler', ['g++', 'clang++'])
def test_options_in_c_plus_plus(folder, compiler):
    if not shutil.which(compiler):
        pytest.skip(f'no {compiler}')
    source = os.path.join(folder, 'options.cc')
    with open(source, 'w', encoding='utf-8') as file:
        file.write('#include <iotc-token.h>\n'
                   'int get(iotc_token_client *client, iotc_token **token) {\n'
                   '    return iotc_token_get(client, "", IOTC_TOKEN_OPTIONS(.min_valid = 600,\n'
                   '                                      .resource = "https://r"), token);\n'
                   '}\n')
    subprocess.run([compiler, '-std=c++20', '-Wall', '-Wpedantic', '-Werror', '-fsyntax-only', '-I',
                    os.path.dirname(HEADER), source], check=True)
