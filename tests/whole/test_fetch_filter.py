# SPDX-License-Identifier: MIT
#
# The fetcher as the Unix filter that it is: its arguments, its streams, its end.

import json
import os
import signal
import subprocess

import pytest


def call(fetcher, *arguments):
    return subprocess.run([fetcher.program, *arguments], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, env=fetcher.home.environment(), timeout=30,
                          check=False)


def test_arguments(fetcher):
    done = call(fetcher, '--version')
    assert done.returncode == 0 and done.stdout.startswith('iotc-token-fetch ')
    done = call(fetcher, '--help')
    assert done.returncode == 0 and 'usage:' in done.stdout
    for arguments in ['--verbose'], ['x'], ['--help', '--version']:
        done = call(fetcher, *arguments)
        assert done.returncode == 2 and 'usage:' in done.stderr and not done.stdout


def test_it_needs_no_end_of_input(fetcher):
    fetch = fetcher.start(None)
    fetch.stdin.write(b'{"protocol":1,"source":"gopher"}\nand more')
    fetch.stdin.flush()
    error = fetch.error()
    assert error['kind'] == 'misconfigured' and 'gopher' in error['message']


def test_nothing_but_events(fetcher, entra):
    """Standard error stays empty when nobody looks on: it may be a log."""
    fetch = fetcher.entra(entra, 'device-code', deadline=1)
    fetch.event()
    fetch.error()
    assert fetcher.log() == ''


def test_a_person_at_a_terminal_can_read_it(fetcher, entra):
    reader, terminal = os.openpty()
    request = {'protocol': 1, 'source': 'entra', 'method': 'device-code', 'deadline': 1,
               'authority': entra.authority, 'tenant': 'organizations',
               'client_id': entra.client_id, 'resource': 'https://apps.azureiotcentral.com'}
    done = subprocess.run([fetcher.program], input=json.dumps(request).encode(),
                          stdout=subprocess.PIPE, stderr=terminal, timeout=30, check=True,
                          env=fetcher.home.environment())
    os.close(terminal)
    text = ''
    with open(reader, encoding='utf-8') as file:
        while 'expired' not in text:
            text += file.readline()     # raises at the end of a terminal
    assert json.loads(done.stdout.splitlines()[0])['user_code'] in text


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(fetcher, entra, number):
    fetch = fetcher.entra(entra, 'device-code')
    fetch.event()
    fetch.process.send(number)
    assert fetch.event() is None
    assert fetch.process.wait(10) == -number
    assert fetcher.log() == ''


def test_it_ends_when_nobody_reads_while_a_server_is_silent(fetcher, entra):
    token = entra.sign_in()['refresh_token']
    entra.hold()
    fetch = fetcher.refresh(entra, token, deadline=300)
    entra.wait(grant_type='refresh_token')
    fetch.stdout.close()
    assert fetch.process.wait(10) != 0
    entra.release()
