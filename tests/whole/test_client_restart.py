# SPDX-License-Identifier: MIT
#
# A daemon that goes away under a call and is started again is nobody's error: the library, and so
# `iotc-token get`, asks once more. The bus starts the daemon, as without systemd.

import errno
import os
import signal
import time

import pytest

from test_library import FORCE, NO_WAIT, Failure, Program
from test_library_async import Program as Loop
from util_bus import BusError
from util_daemon import NAME, entra_account
from util_process import wait_until

ROUNDS = 6


@pytest.fixture
def activated(home, bus, daemon, entra, keyring):
    """A daemon that the bus starts whenever it is called, with somebody signed in."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.stop()
    bus.activate(NAME, os.path.join(home.build_dir, 'daemon/iotc-tokend'), home.environment())
    yield bus
    if pid := owner(bus):
        end(bus, pid, signal.SIGTERM)


@pytest.fixture
def program(home, activated):
    program = Program(home)
    yield program
    assert program.close() == 0


@pytest.fixture
def loop(home, activated):
    loop = Loop(home)
    yield loop
    assert loop.close() == 0


def owner(bus):
    """The process that is the daemon, or None."""
    try:
        return bus.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                        'GetConnectionUnixProcessID', '(s)', (NAME,))[0]
    except BusError:
        return None


def end(bus, pid, how):
    os.kill(pid, how)
    wait_until(lambda: owner(bus) != pid, 'the daemon to be gone from the bus')


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGTERM], ids=['killed', 'ended'])
@pytest.mark.parametrize('arguments', [(), ('--json',)], ids=['get', 'json'])
def test_get_never_fails(activated, cli, how, arguments):
    token = cli.ok('get').strip()
    pid = None
    for n in range(ROUNDS):
        # One end for one call.
        wait_until(lambda: pid is None or owner(activated) != pid, 'the one before to be gone')
        process = cli.start('get', *arguments)
        pid = owner(activated)
        time.sleep(n * 0.001)      # at another moment of the call each time
        if pid:
            os.kill(pid, how)
        assert process.wait() == 0 and token in process.text(), process.text()


def test_a_request_that_is_under_way(program, activated, entra):
    before = program.get('work')[0]
    pid = owner(activated)
    entra.hold()
    program.send('get', 'work', FORCE, '', 60)
    entra.wait(grant_type='refresh_token')
    os.kill(pid, signal.SIGKILL)
    entra.release()
    assert program.answer()[0] != before


def test_it_does_not_come_back(home, program, activated, folder):
    """Who does not wait is told within the 2 s that are for it."""
    program.get('work')
    pid = owner(activated)
    script = os.path.join(folder, 'sleeps')
    with open(script, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\necho $$ >{script}.pid\nexec /bin/sleep 60\n')
    os.chmod(script, 0o700)
    activated.activate(NAME, script, home.environment())
    os.kill(pid, signal.SIGSTOP)
    program.send('get', 'work', NO_WAIT)
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Failure) as failure:
        program.answer()
    assert failure.value.errno == errno.EHOSTUNREACH and 'does not get ready' in failure.value.text
    assert time.monotonic() - began < 6
    with open(f'{script}.pid', encoding='utf-8') as file:
        os.kill(int(file.read()), signal.SIGKILL)


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGTERM], ids=['killed', 'ended'])
def test_in_a_main_loop(loop, activated, how):
    loop.start('get', 1)
    token = loop.line()[2]
    pid = None
    for n in range(2, 2 + ROUNDS):
        wait_until(lambda: pid is None or owner(activated) != pid, 'the one before to be gone')
        pid = owner(activated)
        loop.send('get', n, '', 5)
        loop.send('authorization', n + 30, '', 5)
        time.sleep(n * 0.001)
        if pid:
            os.kill(pid, how)
        lines = [loop.line() for _ in range(4)]
        assert [str(n), '0', token] in lines and [str(n + 30), '0', 'Bearer ' + token] in lines
