# SPDX-License-Identifier: MIT
#
# az hangs, is killed, is replaced and removed under the daemon: the real az wherever it can be made
# to, and a script in its place only for what it never does on demand. Callers are told in time and
# in words, who can be served is, and the next az that works mends it all.

import os
import signal

import pytest

from conftest import leftovers
from util_daemon import RESOURCE
from util_process import wait_until

REAL = '#!/bin/sh\nexec /usr/bin/az "$@"\n'
HANGS = '#!/bin/sh\nexec sleep 600\n'


@pytest.fixture
def program(folder):
    """write(text): the program that the account "cli" runs as az, replaced as dpkg does it."""
    path = os.path.join(folder, 'program', 'az')
    os.mkdir(os.path.dirname(path), 0o755)

    def write(text, mode=0o755):
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path + '.new', mode)
        os.replace(path + '.new', path)
    write.path = path
    return write


def start(daemon, az, program, text):
    program(text)
    daemon.start(f'[account cli]\nsource=azure-cli\naz={program.path}\n', **az.env())


def start_with_token(daemon, az, program):
    """The reply with a token that it has, and has not just fetched: force means something."""
    start(daemon, az, program, REAL)
    daemon.get_token('cli', timeout=60)
    daemon.restart()
    return daemon.get_token('cli')


def az_processes(before):
    """The pids of what is az, or stands in for it: not ours, not of before."""
    return [pid for pid, command in leftovers(before).items() if not command.startswith('iotc')]


def error_of_force(daemon, **options):
    name, text = daemon.error_of(daemon.get_token, 'cli', force=True, **{'timeout': 60, **options})
    assert 'cli: ' in text and text.isprintable()
    return name, text


def test_hangs(daemon, az, entra, keyring, program):
    first = start_with_token(daemon, az, program)
    before = leftovers()
    program(HANGS)
    patient = daemon.start_get('cli', force=True, timeout=60)
    wait_until(lambda: az_processes(before), 'az to run')
    name, text = error_of_force(daemon, timeout=1)
    assert name == 'TimedOut' and 'still being tried' in text
    assert daemon.get_token('cli') == first and not patient.done
    assert daemon.get('State', 'cli') == 'ready'
    # Whoever waits gets an answer when somebody ends it, and the next az is asked at once.
    for pid in az_processes(before):
        os.kill(pid, signal.SIGKILL)
    assert daemon.error_of(patient.result)[0] == 'Unavailable'
    program(REAL)
    assert daemon.get_token('cli', force=True, timeout=60)[1] == 'bearer'


def test_hangs_and_the_daemon_ends(daemon, az, entra, program):
    start(daemon, az, program, HANGS)
    before = leftovers()
    call = daemon.start_get('cli', timeout=60)
    wait_until(lambda: az_processes(before), 'az to run')
    daemon.stop()
    assert daemon.error_of(call.result)[0]
    wait_until(lambda: not az_processes(before), 'az to be gone')


def test_the_real_one_is_killed(daemon, az, entra):
    daemon.start('', **az.env())
    before = leftovers()
    entra.hold()
    call = daemon.start_get(timeout=60)
    entra.wait(grant_type='refresh_token')
    for pid in az_processes(before):
        os.kill(pid, signal.SIGKILL)
    name, text = daemon.error_of(call.result)
    assert name == 'Unavailable' and 'az' in text and 'Next try in' in text
    assert daemon.get('State', 'azure-cli') == 'unavailable'
    entra.release()
    assert daemon.get_token(force=True, timeout=60)[0] == az.token()['accessToken']
    assert daemon.get('State', 'azure-cli') == 'ready'


@pytest.mark.parametrize('text, error, state', [
    ('head -c 1000000 /dev/zero | tr "\\0" a', 'Misconfigured', 'misconfigured'),
    ('head -c 1000000 /dev/zero | tr "\\0" a >&2; exit 1', 'Unavailable', 'ready'),
    ('exit 0', 'Misconfigured', 'misconfigured'),
    ('exit 1', 'Unavailable', 'ready'),
    ('echo "{\\"accessToken\\":\\"x\\"}"', 'Misconfigured', 'misconfigured'),
    ('echo Please update', 'Misconfigured', 'misconfigured'),
    ('kill -SEGV $$', 'Unavailable', 'ready'),
    (None, 'SourceMissing', 'misconfigured'),
], ids=['a megabyte', 'a megabyte of errors', 'nothing', 'nothing and fails', 'half a token',
        'only a hint', 'crashes', 'no program'])
def test_prints(daemon, az, entra, keyring, program, text, error, state):
    first = start_with_token(daemon, az, program)
    program(f'#!/bin/sh\n{text}\n' if text else 'not even a script\n')
    name, said = error_of_force(daemon)
    assert name == error and 'az' in said and len(said) < 600, said
    assert daemon.get_token('cli') == first and daemon.get('State', 'cli') == state
    program(REAL)
    assert daemon.get_token('cli', force=True, timeout=60)[0] == first[0]
    assert daemon.get('State', 'cli') == 'ready'


@pytest.mark.parametrize('before, after', [
    ('', "printf '\\033[0m'"), ("echo 'WARNING: {old} extension'", ''),
    ('echo \'{"telemetry": 1}\'', 'echo; echo Update available'),
], ids=['resets colours', 'warns', 'tells more'])
def test_others_write_into_it(daemon, az, entra, keyring, program, before, after):
    start(daemon, az, program, f'#!/bin/sh\n{before}\n/usr/bin/az "$@"\n{after}\n')
    assert daemon.get_token('cli', timeout=60)[0] == az.token()['accessToken']
    assert daemon.get('State', 'cli') == 'ready'


def test_replaced_while_it_runs(daemon, az, entra, keyring, program):
    """An update of az under a call: the old one answers, the next call has the new one."""
    start(daemon, az, program, REAL)
    entra.hold()
    call = daemon.start_get('cli', timeout=60)
    entra.wait(grant_type='refresh_token')
    program('#!/bin/sh\nexec 3>"$0.ran"\nexec /usr/bin/az "$@"\n')
    entra.release()
    assert call.result()[1] == 'bearer' and not os.path.exists(program.path + '.ran')
    daemon.restart()
    assert daemon.get_token('cli', force=True, timeout=60)[1] == 'bearer'
    assert os.path.exists(program.path + '.ran')


@pytest.mark.parametrize('bad', ['gone', 'of others'])
def test_removed_or_not_ours_any_more(daemon, az, entra, keyring, program, bad):
    first = start_with_token(daemon, az, program)
    if bad == 'gone':
        os.unlink(program.path)
    else:
        program('#!/bin/sh\n: >"$0.ran"\n', 0o777)
    name, text = error_of_force(daemon)
    assert name == 'SourceMissing' and program.path in text
    # Its token is good as long as it lives, and nobody is told otherwise.
    assert daemon.get_token('cli') == first
    assert not os.path.exists(program.path + '.ran')
    program(REAL)
    assert daemon.get_token('cli', force=True, timeout=60)[0] == first[0]
    assert daemon.get('State', 'cli') == 'ready'


def test_removed_before_the_first_token(daemon, az, entra, program):
    start(daemon, az, program, REAL)
    os.unlink(program.path)
    name, text = daemon.error_of(daemon.get_token, 'cli', timeout=60)
    assert name == 'SourceMissing' and program.path in text
    assert daemon.get('State', 'cli') == 'misconfigured'
    program(REAL)
    assert daemon.get_token('cli', force=True, timeout=60)[1] == 'bearer'
    assert daemon.get('State', 'cli') == 'ready'
    assert RESOURCE in daemon.get('Resource', 'cli')
