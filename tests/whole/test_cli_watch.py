# SPDX-License-Identifier: MIT
#
# iotc-token watch: a line for each change, at once, until Ctrl-C or until nobody reads it.

import json
import os
import signal
import subprocess

import pytest

from util_daemon import entra_account
from util_process import wait_until
from util_terminal import CTRL_C, Terminal


class Watching:
    """iotc-token watch with its standard output in a pipe."""

    def __init__(self, cli, *arguments):
        self.popen = subprocess.Popen([cli.program, 'watch', *arguments], env=cli.environment(),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.popen.stderr.readline().startswith('Watching ')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.communicate()

    def until(self, condition):
        """Lines up to the first for which condition(line)."""
        lines = []
        for line in self.popen.stdout:
            lines.append(line.rstrip('\n'))
            if condition(lines[-1]):
                return lines
        raise AssertionError(f'it ended after {lines}')

    def end(self, number=signal.SIGINT):
        self.popen.send_signal(number)
        self.popen.stdout.read()
        return self.popen.wait(30)


@pytest.fixture
def work(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    return daemon


def test_a_sign_in_line_by_line(work, cli, entra):
    with Watching(cli) as watching:
        work.sign_in(entra)
        rows = [line.split('\t') for line in
                watching.until(lambda line: line.endswith('\tstate\tready'))]
        assert all(len(row) == 4 and row[0].isdigit() for row in rows)
        states = [row[3] for row in rows if row[1:3] == ['work', 'state']]
        assert states[0] == 'signing-in' and states[-1] == 'ready'
        assert watching.end() == 130


def test_a_sign_in_as_json(work, cli, entra):
    with Watching(cli, '--json') as watching:
        work.sign_in(entra)
        lines = [json.loads(line) for line in
                 watching.until(lambda line: json.loads(line).get('state') == 'ready')]
        assert all(line['event'] == 'changed' and line['time_iso'] for line in lines)
        assert {line['account'] for line in lines} <= {'work', None}
        assert watching.end(signal.SIGTERM) == 143
        assert entra.leaks(json.dumps(lines)) == 0


def test_accounts_come_and_go(work, cli):
    with Watching(cli) as watching:
        cli.ok('api-token', 'add', 'ci', stdin='SharedAccessSignature sr=a&sig=b&se=4102444800000')
        watching.until(lambda line: line.endswith('\tci\tadded\t'))
        cli.ok('remove', 'ci')
        watching.until(lambda line: line.endswith('\tci\tremoved\t'))


def test_the_daemon_ends_and_comes_back(work, cli):
    with Watching(cli, '--json') as watching:
        work.stop()
        watching.until(lambda line: json.loads(line)['event'] == 'stopped')
        work.start()
        watching.until(lambda line: json.loads(line)['event'] == 'started')
        assert watching.end() == 130


def test_it_ends_with_its_reader(work, cli):
    with Watching(cli) as watching:
        watching.popen.stdout.close()
        assert watching.popen.wait(30) == -signal.SIGPIPE
        watching.popen.stdout = open(os.devnull, encoding='utf-8')


def test_on_a_terminal(work, cli, entra):
    with Terminal([cli.program, 'watch'], cli.environment()) as terminal:
        terminal.wait_for('Watching 1 account;')
        work.sign_in(entra)
        terminal.wait_for(r'\d\d:\d\d:\d\d +work +expires_at +\d{4}-\d\d-\d\dT')
        terminal.type(CTRL_C)
        assert terminal.wait() == 130


def test_into_a_file(work, cli, entra, folder):
    path = os.path.join(folder, 'changes')
    with open(path, 'w', encoding='utf-8') as file:
        process = subprocess.Popen([cli.program, 'watch'], env=cli.environment(), stdout=file,
                                   stderr=subprocess.PIPE, text=True)
    try:
        process.stderr.readline()
        work.sign_in(entra)

        def ready():
            with open(path, encoding='utf-8') as changes:
                return '\tstate\tready\n' in changes.read()

        wait_until(ready, 'the change to be in the file')
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
