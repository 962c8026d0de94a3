# SPDX-License-Identifier: MIT
#
# Memory is short: an allocation of the daemon fails. It ends with a word and 71, is started again,
# and has signed nobody out.

import pytest

from util_bus import BusError
from util_daemon import NAME, entra_account
from util_memory import Memory
from util_process import wait_until

CLAIMS = '{"access_token":{}}'
OUT_OF_MEMORY = 71
GONE = {'org.freedesktop.DBus.Error.NoReply', 'org.freedesktop.DBus.Error.ServiceUnknown',
        'org.freedesktop.DBus.Error.NameHasNoOwner'}


@pytest.fixture
def memory(home, plain_build):
    return Memory(home)


@pytest.fixture
def signed_in(memory, daemon, entra, keyring):
    memory.next_program()
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    return daemon


def next_life(daemon, memory):
    """It ended as it should, and its refresh token is good."""
    memory.ample()
    code = daemon.process.wait()
    assert code > 0
    assert code != OUT_OF_MEMORY or 'iotc-tokend: out of memory' in daemon.text()
    memory.next_program()
    daemon.start()
    daemon.forget_requests()
    assert daemon.get_token('work', claims=CLAIMS)[1] == 'bearer'


def is_gone(daemon, **options):
    """Did it end before it had a token for us?"""
    try:
        daemon.get_token('work', timeout=5, **options)
    except BusError as error:
        return error.name in GONE
    return False


def test_in_an_exchange(signed_in, memory):
    ends = 0
    for after in range(0, 400, 17):
        signed_in.forget_requests()
        memory.short(after)
        gone = is_gone(signed_in, claims=CLAIMS)
        failed = memory.failed
        memory.ample()
        if gone:
            ends += 1
            next_life(signed_in, memory)
        if not failed:
            break
    assert ends


def test_at_the_start(signed_in, memory):
    ends = 0
    for after in range(0, 4000, 47):
        signed_in.stop()
        memory.next_program()
        memory.short(after)
        signed_in.process = signed_in.start_process()
        wait_until(lambda: not signed_in.process.alive or signed_in.bus.owner(NAME),
                   'the daemon to start, or to end')
        failed = memory.failed
        memory.ample()
        if not signed_in.process.alive or is_gone(signed_in):
            ends += 1
            next_life(signed_in, memory)
        if not failed:
            break
    assert ends
