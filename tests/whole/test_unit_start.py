# SPDX-License-Identifier: MIT
#
# The daemon that can't start, under a real user manager: a caller learns why within seconds, and
# the command that doctor names mends it.

import errno
import json
import os
import re
import time

import pytest

from test_library_async import Program as Loop
from test_unit_systemd import installed, log_in, systemd  # noqa: F401
from util_systemd import UNIT

ENDS = '[Unit]\nStartLimitBurst=100\n[Service]\nRestartSec=300\nExecStart=\nExecStart={}\n'


def program(systemd):   # noqa: F811
    return f'{systemd.tree}{systemd.prefix}/bin/iotc-tokend'


def binary_gone(systemd):   # noqa: F811
    os.rename(program(systemd), program(systemd) + '.gone')
    return lambda: os.rename(program(systemd) + '.gone', program(systemd))


def binary_not_executable(systemd):   # noqa: F811
    os.chmod(program(systemd), 0o644)
    return lambda: os.chmod(program(systemd), 0o755)


def masked(systemd):   # noqa: F811
    systemd.systemctl('mask', UNIT)


def masked_until_boot(systemd):   # noqa: F811
    systemd.systemctl('mask', '--runtime', UNIT)


def start_limit(systemd):   # noqa: F811
    """Its cause is gone; to forget the failures is what systemd has to be told."""
    path = systemd.write('program', '#!/bin/false\n')
    os.chmod(path, 0o755)
    systemd.drop_in('[Unit]\nStartLimitIntervalSec=600\n'
                    f'[Service]\nExecStart=\nExecStart={path}\n')
    systemd.run('systemctl', '--user', 'start', UNIT)
    systemd.wait_state('failed')
    systemd.write('program', f'#!/bin/sh\nexec {systemd.prefix}/bin/iotc-tokend\n')


def undo(systemd):   # noqa: F811
    systemd.drop_in('')


def drop_in(text):
    def broken(systemd):   # noqa: F811
        systemd.drop_in(text)
        return lambda: undo(systemd)
    return broken


def unit_gone(systemd):   # noqa: F811
    path = f'{systemd.tree}{systemd.prefix}/lib/systemd/user/{UNIT}'
    os.rename(path, path + '.gone')
    systemd.systemctl('daemon-reload')
    return lambda: os.rename(path + '.gone', path)


def no_service_file(systemd):   # noqa: F811
    path = f'{systemd.tree}{systemd.prefix}/share/dbus-1/services/org.iotc.Token1.service'
    os.rename(path, path + '.gone')
    systemd.ok('busctl', '--user', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus',
               'org.freedesktop.DBus', 'ReloadConfig')
    return lambda: os.rename(path + '.gone', path)


SITUATIONS = {
    'binary gone': (binary_gone, 'its program is not there', None),
    'binary not executable': (binary_not_executable, "can't be run", None),
    'masked': (masked, 'its unit is masked', 'systemctl --user unmask iotc-tokend'),
    'masked until boot': (masked_until_boot, 'its unit is masked', 'unmask --runtime'),
    'start limit': (start_limit, 'too often|ends with an error', 'reset-failed iotc-tokend'),
    'ends': (drop_in(ENDS.format('/bin/false')), 'ends with an error as soon as', 'reset-failed'),
    'crashes': (drop_in(ENDS.format('/bin/sh -c "kill -SEGV $$$$"')), 'crashes', 'reset-failed'),
    'never ready': (drop_in('[Service]\nTimeoutStartSec=1\nRestartSec=300\nExecStart=\n'
                            'ExecStart=/bin/sleep 600\n'), 'did not get ready', 'reset-failed'),
    'unit gone': (unit_gone, 'has no unit', None),
    'bad unit': (drop_in('[Service]\nExecStart=/bin/true\nExecStart=/bin/true\n'),
                 'a setting of its unit is wrong', None),
    'no service file': (no_service_file, 'is not running', 'systemctl --user start iotc-tokend'),
}


@pytest.mark.parametrize('what', SITUATIONS)
def test_it_is_said_why(systemd, what):   # noqa: F811
    broken, text, command = SITUATIONS[what]
    log_in(systemd, keyring=False)
    mend = broken(systemd)
    try:
        for verb in ('get', 'list'):
            began = time.monotonic()
            done = systemd.run('iotc-token', verb)
            assert (done.returncode, done.stdout) == (5, ''), done.stderr
            assert re.search(text, done.stderr) and len(done.stderr.splitlines()) == 1
            assert time.monotonic() - began < 8, done.stderr
        found = {finding['check']: finding
                 for finding in json.loads(systemd.run('iotc-token', 'doctor', '--json').stdout)}
        assert re.search(text, found['daemon']['text'])
        assert (command or '') in (found['daemon']['command'] or '')
        assert bool(command) == bool(found['daemon']['command'])
    finally:
        if mend:
            mend()
    if command:
        systemd.ok('sh', '-c', found['daemon']['command'])
        found = json.loads(systemd.run('iotc-token', 'doctor', '--json').stdout)
        assert next(f for f in found if f['check'] == 'daemon')['state'] == 'ok', found


@pytest.mark.parametrize('what', ['masked', 'never ready'])
def test_it_is_said_in_a_main_loop(systemd, build_dir, what):   # noqa: F811
    broken, text, _ = SITUATIONS[what]
    log_in(systemd, keyring=False)
    broken(systemd)
    loop = Loop(None, *systemd.inside(os.path.join(build_dir, 'tests', 'util-library-async')))
    began = time.monotonic()
    loop.start('get', 1)
    number, code, _, said = loop.line()
    assert (number, int(code)) == ('1', -errno.EHOSTUNREACH) and re.search(text, said)
    assert time.monotonic() - began < 8
    assert loop.close() == 0
