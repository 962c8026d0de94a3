# SPDX-License-Identifier: MIT
#
# iotc-token doctor: each thing that can be wrong is made wrong, for real, and has to be found and
# named with the command that mends it; what is right must not be blamed.

import json
import os
import re

import pytest

from util_daemon import entra_account
from util_terminal import Terminal

CHECKS = ['bus', 'daemon', 'start', 'keyring', 'settings', 'account', 'az', 'network', 'proxy',
          'ca', 'clock']


class Doctor:
    def __init__(self, cli):
        self.cli = cli
        self.program = cli.program

    def run(self, code, *arguments, **env):
        """{check or 'account NAME': finding}. env: None takes a variable out."""
        done = self.output(code, '--json', *arguments, **env)
        findings = json.loads(done)
        for finding in findings:
            assert list(finding) == ['check', 'state', 'account', 'text', 'why', 'command']
            assert finding['check'] in CHECKS
            assert finding['state'] in ('ok', 'note', 'problem')
            assert finding['text'].endswith('.'), finding
        assert code == (1 if any(f['state'] == 'problem' for f in findings) else 0)
        order = [CHECKS.index(finding['check']) for finding in findings]
        assert order == sorted(order)
        return {' '.join(filter(None, (f['check'], f['account']))): f for f in findings}

    def output(self, code, *arguments, **env):
        was = dict(self.cli.home.extra)
        was_environment = self.cli.environment
        try:
            def environment():
                merged = {**was_environment(), **env}
                return {key: value for key, value in merged.items() if value is not None}
            self.cli.environment = environment
            done = self.cli.run('doctor', *arguments)
        finally:
            self.cli.environment = was_environment
            self.cli.home.extra = was
        assert done.returncode == code, f'{done.stdout}\n{done.stderr}'
        assert done.stderr == ''
        return done.stdout


@pytest.fixture
def doctor(cli):
    return Doctor(cli)


@pytest.fixture
def well(daemon, entra, keyring):
    """A daemon with one account, which is signed in; its token is not a fresh one."""
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    return daemon


def test_all_is_well(well, doctor, entra):
    entra.clear()
    found = doctor.run(0, PATH='/nowhere')
    assert entra.count('refresh_token') == 1    # really asked
    assert {f['state'] for f in found.values()} == {'ok'}
    assert re.search(r'work: got a token, valid for \d+ (h|min)', found['account work']['text'])
    assert well.get('User', 'work') in found['account work']['text']
    assert well.stats()['fetches'] == 1


def test_on_a_terminal(well, cli):
    env = {**cli.environment(), 'PATH': '/nowhere', 'https_proxy': 'http://me:pa%2Fss@proxy:1'}
    with Terminal([cli.program, 'doctor'], env) as terminal:
        assert terminal.wait() == 0
    print(terminal.shown)
