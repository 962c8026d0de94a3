# SPDX-License-Identifier: MIT
#
# iotc-token doctor as tests run it, and the services of the system that it asks, stood in for
# (python3-dbusmock).

import json
import os
import re
import subprocess

from gi.repository import GLib

from util_daemon import SANITIZER
from util_logind import PYTHON
from util_process import Process
from util_terminal import Terminal

CHECKS = ['bus', 'daemon', 'start', 'keyring', 'settings', 'account', 'az', 'network', 'proxy',
          'ca', 'clock']
MOCK = 'org.freedesktop.DBus.Mock'
SYSTEMD = ('org.freedesktop.systemd1', '/org/freedesktop/systemd1',
           'org.freedesktop.systemd1.Manager')


class Doctor:
    """The verb, on a PATH without az; a variable that is None is taken out."""

    def __init__(self, cli):
        self.cli = cli
        self.program = cli.program

    def environment(self, **env):
        merged = {**self.cli.environment(), 'PATH': '/nowhere', **env}
        return {key: value for key, value in merged.items() if value is not None}

    def output(self, code, *arguments, **env):
        done = subprocess.run([self.program, 'doctor', *arguments], capture_output=True, text=True,
                              env=self.environment(**env), timeout=120, check=False)
        assert not SANITIZER.search(done.stderr), done.stderr
        assert (done.returncode, done.stderr) == (code, ''), f'{done.returncode}: {done.stdout}'
        return done.stdout

    def run(self, code, **env):
        """{check, or account's name: finding}, after a look at what holds for every answer."""
        findings = json.loads(self.output(code, '--json', **env))
        for finding in findings:
            assert list(finding) == ['check', 'state', 'account', 'text', 'why', 'command']
            assert finding['state'] in ('ok', 'note', 'problem') and finding['text']
            if finding['state'] == 'problem':
                assert finding['why'], finding
        assert code == any(finding['state'] == 'problem' for finding in findings)
        order = [CHECKS.index(finding['check']) for finding in findings]
        assert order == sorted(order)
        return {finding['account'] or finding['check']: finding for finding in findings}

    def terminal(self, *arguments, **env):
        return Terminal([self.program, 'doctor', *arguments], self.environment(**env))


class Mock:
    """A service of the system, stood in for: name, object, interface."""

    def __init__(self, bus, folder, name, path, interface, system=False):
        self._bus = bus
        self._object = (name, path)
        self._interface = interface
        self.process = Process(
            [PYTHON, '-m', 'dbusmock', '--system' if system else '--session', name, path,
             interface],
            {f'DBUS_{"SYSTEM" if system else "SESSION"}_BUS_ADDRESS': bus.address,
             'PATH': '/usr/bin:/bin'},
            os.path.join(folder, 'mock.log'))
        bus.wait_name(name, alive=lambda: self.process.alive)

    def add(self, prop, value):
        self._bus.call(*self._object, MOCK, 'AddProperty', '(ssv)', (self._interface, prop, value))

    def answer(self, method, value):
        self._bus.call(*self._object, MOCK, 'AddMethod', '(sssss)',
                       (self._interface, method, 's', 's', f'ret = "{value}"'))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()


class Systemd(Mock):
    """The user manager's part: what its services see, and whether the daemon is enabled."""

    def __init__(self, bus, folder, state='disabled', environment=('LANG=C',)):
        super().__init__(bus, folder, *SYSTEMD)
        self.answer('GetUnitFileState', state)
        self.add('Environment', GLib.Variant('as', environment))


def is_problem(finding, text, command):
    assert finding['state'] == 'problem', finding
    assert re.search(text, finding['text']), finding
    assert command in (finding['command'] or ''), finding
    assert bool(command) == bool(finding['command']), finding


def write_az(home, script):
    """A program that is az, for who has its folder on PATH."""
    path = os.path.join(home.folder, 'bin/az')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\n{script}\n')
    os.chmod(path, 0o755)
    return {'PATH': os.path.dirname(path) + ':/usr/bin:/bin'}
