# SPDX-License-Identifier: MIT
#
# What the shells offer behind iotc-token, by keys on a terminal as a person presses them: verbs,
# options, the names that a running daemon has. No key starts a daemon, and none hangs.

import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from util_bus import Bus
from util_daemon import NAME
from util_terminal import Terminal

pytestmark = pytest.mark.plain

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
FOLDER = os.path.join(TOP, 'client', 'completions')
APPS = 'contoso.azureiotcentral.com', 'localhost:8443'
CTRL_A, ALL = '\x01', '\x1b*'

# Each gets a key that puts all that is offered into the line.
BASH = f'''
PS1='ready> '
source /usr/share/bash-completion/bash_completion
source {FOLDER}/iotc-token.bash
'''
ZSH = f'''
PS1='ready> ' zle_bracketed_paste=() fpath+=({FOLDER})
unsetopt prompt_sp zle_prompt_cr
autoload -Uz compinit && compinit -u -D
zle -C all complete-word _generic
zstyle ':completion:all:*' completer _all_matches _complete
zstyle ':completion:all:*' insert yes
zstyle ':completion:all:*' old-matches no
bindkey -e
bindkey '\\e*' all
stty cols 10000
'''


class Shell:
    """One that is asked by keys."""

    def __init__(self, argv, env):
        self.terminal = Terminal(argv, {**env, 'TERM': 'dumb'})
        self.n = 0

    def offers(self, line):
        """What the shell makes of the last word of the line: everything that it offers."""
        self.n += 1
        self.terminal.type(f"{line}{ALL}{CTRL_A}printf '<%s>' {self.n} \n")
        shown = self.terminal.wait_for(rf'<{self.n}>((<[^>]*>)*)').group(1)
        self.terminal.wait_for(rf'(?s)<{self.n}>.*ready> ')
        words = [re.sub(r'\\(.)', r'\1', word) for word in re.findall(r'<([^>]*)>', shown)]
        return set(words[len(line.split()) + (1 if line.endswith(' ') else 0) - 1:]) - {''}


class Fish:
    def __init__(self, env):
        self.env = env

    def offers(self, line):
        script = f'source {FOLDER}/iotc-token.fish; complete -C "{line}"'
        done = subprocess.run(['fish', '--no-config', '-c', script], env=self.env, text=True,
                              capture_output=True, check=True, timeout=60)
        assert not done.stderr, done.stderr
        return {offer.split('\t')[0] for offer in done.stdout.splitlines()}


@pytest.fixture(params=['bash', 'zsh', 'fish'])
def shell(request, cli, home, plain_build):
    if not shutil.which(request.param):
        pytest.fail(f'{request.param} is not installed')
    env = {**cli.environment(), 'PATH': f'{os.path.dirname(cli.program)}:/usr/bin:/bin'}
    if request.param == 'fish':
        yield Fish(env)
        return
    rc = os.path.join(home.folder, 'rc')
    os.mkdir(rc)
    for name in ('.zshrc', 'bashrc'):
        with open(os.path.join(rc, name), 'w', encoding='utf-8') as file:
            file.write(ZSH if name == '.zshrc' else BASH)
    argv = ['zsh', '-d', '-i'] if request.param == 'zsh' else \
        ['bash', '--noprofile', '--rcfile', os.path.join(rc, 'bashrc'), '-i']
    shell = Shell(argv, {**env, 'ZDOTDIR': rc})
    with shell.terminal:
        shell.terminal.wait_for('ready> ')
        yield shell


@pytest.fixture
def accounts(daemon):
    daemon.start('[account work]\nsource=entra\napps=' + ';'.join(APPS) + '\n\n'
                 '[account idle]\nsource=entra\n')
    return daemon


def verbs(cli, *before):
    return set(re.findall(r'^  ([a-z][a-z-]*)  ', cli.ok(*before, '--help'), re.M))


def options(cli, *verb):
    return set(re.findall(r'(--[a-z-]+)(?: [A-Z]+)?  ', cli.ok(*verb, '--help')))


def test_verbs(shell, cli):
    assert shell.offers('iotc-token lo') == {'login', 'logout'}
    assert shell.offers('iotc-token ') - {'--help', '--version'} == verbs(cli)
    assert shell.offers('iotc-token api-token r') == {'revoke', 'rotate'}
    assert shell.offers('iotc-token api-token ') - {'--help'} == verbs(cli, 'api-token')
    assert shell.offers('iotc-token app ') - {'--help'} == {'add', 'remove'}


def test_options_of_every_verb(shell, cli):
    every = [(verb,) for verb in verbs(cli) - {'api-token', 'app'}]
    every += [(group, verb) for group in ('api-token', 'app') for verb in verbs(cli, group)]
    for verb in every:
        assert shell.offers(f'iotc-token {" ".join(verb)} --') == options(cli, *verb), verb
    assert shell.offers('iotc-token get --min') == {'--min-valid'}


def test_accounts_and_applications(shell, accounts):
    names = {'work', 'idle'}
    assert shell.offers('iotc-token get ') == names | set(APPS)
    assert shell.offers('iotc-token status --json w') == {'work'}
    assert shell.offers('iotc-token remove ') == names
    assert shell.offers('iotc-token default ') == names
    assert shell.offers('iotc-token check --account ') == names
    assert shell.offers('iotc-token check --app ') == set(APPS)
    assert shell.offers('iotc-token check ') == set(APPS)
    assert shell.offers('iotc-token api-token rotate ') == names
    assert shell.offers('iotc-token app remove ') == set(APPS)
    assert shell.offers('iotc-token app add new.example ') == names
    assert shell.offers('iotc-token app add new.example work ') - {'--help'} == set()
    assert shell.offers('iotc-token api-token create t --role op') == {'operator'}
    assert shell.offers('iotc-token api /api/devices -X P') == {'POST', 'PUT', 'PATCH'}
    assert shell.offers('iotc-token api /api/devices') == {'/api/devices'}
    assert shell.offers('iotc-token remove work ') - {'--help', '--leave-secret'} == set()


def test_values_behind_marks(shell, accounts, home):
    assert shell.offers('iotc-token get localhost:8') == {'localhost:8443'}
    assert shell.offers('iotc-token check --app=l') == {'--app=localhost:8443'}
    assert shell.offers('iotc-token check --account=w') == {'--account=work'}
    with open(os.path.join(home.folder, 'a-body'), 'w', encoding='utf-8'):
        pass
    file = f'@{home.folder}/a-b'
    assert shell.offers(f'iotc-token api /api/devices -d {file}') == {file + 'ody'}
    assert shell.offers(f'iotc-token api /api/devices --input {file[1:]}') == {file[1:] + 'ody'}


def test_the_command_of_exec(shell, accounts, home):
    assert shell.offers('iotc-token exec w') == {'work'}
    assert 'gdbus' in shell.offers('iotc-token exec work -- gdb')
    with open(os.path.join(home.folder, 'a-file'), 'w', encoding='utf-8'):
        pass
    assert shell.offers(f'iotc-token exec -- cat {home.folder}/a-f') == {f'{home.folder}/a-file'}


def test_no_key_starts_a_daemon(shell, home, folder):
    """The bus could start one: a shell that asked for that would wait for it."""
    services = os.path.join(folder, 'services')
    os.makedirs(services, exist_ok=True)
    with open(os.path.join(services, 'daemon.service'), 'w', encoding='utf-8') as file:
        file.write(f'[D-BUS Service]\nName={NAME}\nExec=/bin/touch {folder}/started\n')
    bus = Bus(services, services)
    try:
        if isinstance(shell, Fish):
            shell.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address
        else:
            shell.terminal.type(f"export DBUS_SESSION_BUS_ADDRESS='{bus.address}'\n")
        assert shell.offers('iotc-token get ') == set()
        assert shell.offers('iotc-token lo') == {'login', 'logout'}
        assert not os.path.exists(f'{folder}/started')
    finally:
        bus.close()


def test_a_daemon_that_hangs(shell, accounts):
    accounts.process.send(signal.SIGSTOP)
    try:
        start = time.monotonic()
        assert shell.offers('iotc-token get ') == set()
        assert time.monotonic() - start < 15
    finally:
        accounts.process.send(signal.SIGCONT)


def test_list_without_a_daemon(cli, daemon):
    done = cli.run('list', '--no-start')
    assert (done.returncode, done.stdout) == (5, '')
    assert "start it with 'systemctl --user start iotc-tokend'" in done.stderr
    daemon.start('[account work]\nsource=entra\n')
    assert cli.ok('list', '--no-start').startswith('work\t')
