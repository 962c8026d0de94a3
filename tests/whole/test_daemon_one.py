# SPDX-License-Identifier: MIT
#
# A user has one daemon, whatever sessions and buses there are: a second start says who runs, and
# with --replace takes its place.

import copy
import fcntl
import os
import re
import shutil
import signal
import sys

import pytest

import util_relay
from util_bus import Bus
from util_daemon import NAME, Daemon, entra_account
from util_keyring import NAME as KEYRING
from util_process import Process, wait_until


@pytest.fixture
def second(folder, home, daemon, keyring):
    """The daemon of a second bus, in the same home and with the same keyring; not started."""
    path = os.path.join(folder, 'second')
    os.mkdir(path, 0o700)
    bus = Bus(path)
    relay = Process([sys.executable, '-B', util_relay.__file__, daemon.bus.address, bus.address],
                    {'PATH': '/usr/bin:/bin'}, os.path.join(path, 'relay.log'))
    bus.wait_name(KEYRING, alive=lambda: relay.alive)
    here = copy.copy(home)
    here.extra = {'DBUS_SESSION_BUS_ADDRESS': bus.address}
    second = Daemon(here, bus)
    second.log += '.second'
    yield second
    second.close()
    relay.end()
    bus.close()


def lock_of(daemon):
    return os.path.join(daemon.home.env['XDG_RUNTIME_DIR'], 'iotc-token', 'lock')


def refused(daemon, *arguments):
    """A start that ends with 1 and one line, which it gives."""
    before = len(daemon.text())
    process = daemon.start_process(*arguments)
    assert process.wait() == 1
    lines = daemon.text()[before:].splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_second_bus_is_refused(daemon, second, entra):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    said = refused(second)
    assert f'process {daemon.process.pid}, on the bus {daemon.bus.address.split(",")[0]}' in said
    assert 'iotc-tokend --replace' in said
    assert second.bus.owner(NAME) is None
    assert daemon.get_token('work')[1] == 'bearer'


def test_second_bus_takes_it_over(daemon, second, entra):
    """And back again: what is in memory alone moves by way of the keyring."""
    entra.set(rotation='strict')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')
    second.start(None, ['--replace'])
    assert daemon.process.wait() == 0
    assert second.get_token('work') == token
    daemon.start(None, ['--replace'])
    assert second.process.wait() == 0
    assert daemon.get_token('work', force=True)[0] != token[0]
    assert entra.count('refresh_token', status=200) == entra.count('refresh_token')


def test_replaced_in_the_midst_of_an_exchange(daemon, second, entra):
    """The new refresh token is stored by the one before the other reads the keyring."""
    entra.set(rotation='strict')
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.hold()
    daemon.start_get('work', min_valid=600, force=True)
    entra.wait(grant_type='refresh_token')
    process = second.start_process('--replace')
    second.wait_log('Replacing')
    entra.release()
    assert daemon.process.wait() == 0
    second.process = process
    second.bus.wait_name(NAME, alive=lambda: process.alive)
    assert second.get_token('work', force=True)[1] == 'bearer'
    assert entra.count('refresh_token', status=200) == entra.count('refresh_token') > 0


def test_after_a_crash_the_lock_is_free(daemon, second, entra):
    daemon.start(entra_account(entra))
    daemon.kill9()
    second.start()
    assert second.get('Version')


@pytest.mark.parametrize('folder_is', ['there', 'missing'])
def test_on_the_same_bus(daemon, home, entra, keyring, bus, folder_is):
    """Without a runtime folder, too: there the bus knows who runs."""
    if folder_is == 'missing':
        home.env['XDG_RUNTIME_DIR'] = ''
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')
    first, owner = daemon.process, bus.owner(NAME)
    before = len(daemon.text())
    assert daemon.start_process().wait() == 1
    assert f'process {first.pid}' in daemon.text()[before:] and '--replace' in daemon.text()
    assert bus.owner(NAME) == owner
    daemon.process = daemon.start_process('--replace')
    wait_until(lambda: bus.owner(NAME) not in (None, owner), 'the new owner')
    assert first.wait() == 0
    assert daemon.get_token('work') == token
    if folder_is == 'there':
        with open(lock_of(daemon), 'r+', encoding='utf-8') as lock, pytest.raises(BlockingIOError):
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        assert 'XDG_RUNTIME_DIR is not set' in daemon.text()


def test_another_program_is_not_ended(daemon, entra, keyring):
    os.makedirs(os.path.dirname(lock_of(daemon)), 0o700)
    with open(lock_of(daemon), 'w', encoding='utf-8') as lock:
        lock.write('\x1b[1m\n')
        lock.flush()
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert '\x1b' not in refused(daemon)
        assert re.search(f'Process {os.getpid()} is not replaced: it is another program',
                         refused(daemon, '--replace'))
    daemon.start(entra_account(entra))


def test_one_that_hangs_is_named(daemon, second, entra):
    daemon.start(entra_account(entra))
    daemon.process.send(signal.SIGSTOP)
    try:
        process = second.start_process('--replace')
        assert process.wait() == 1
        assert f'does not end. To end it: kill -9 {daemon.process.pid}' in second.text()
    finally:
        daemon.process.send(signal.SIGCONT)
    assert daemon.process.wait() == 0   # as it was told


@pytest.mark.parametrize('gone', ['lock', 'folder', 'moved'])
def test_runtime_folder_vanishes(daemon, entra, keyring, gone):
    """Then another could start beside it: it ends, and whoever looks after it starts it again."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')
    lock = lock_of(daemon)
    if gone == 'lock':
        os.unlink(lock)
    elif gone == 'folder':
        shutil.rmtree(os.path.dirname(lock))
    else:
        os.rename(os.path.dirname(lock), os.path.dirname(lock) + '.old')
    assert daemon.process.wait() == 1
    daemon.wait_log('lock was removed')
    daemon.start()
    assert daemon.get_token('work') == token
