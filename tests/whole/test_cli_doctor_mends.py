# SPDX-License-Identifier: MIT
#
# Each command that iotc-token doctor names mends what it found: the thing is broken, the command is
# run as it stands, and the finding is gone. test_unit_start.py has those for systemd,
# test_cli_bus.py those for the session bus.

import json
import os
import signal
import subprocess

import pytest

from util_daemon import NAME, entra_account
from util_doctor import write_az
from util_process import wait_until


class Shell:
    """A person's shell, with the build's programs on PATH; an editor that puts bad lines right."""

    def __init__(self, doctor, bus, **env):
        build = doctor.cli.home.build_dir
        self.bus = bus
        self.env = {'PATH': f'{build}/client:{build}/daemon:/usr/bin:/bin', 'EDITOR': 'true', **env}
        self.env = doctor.environment(**self.env)

    def finding(self, check):
        done = subprocess.run(['iotc-token', 'doctor', '--json'], env=self.env, text=True,
                              capture_output=True, timeout=60, check=False)
        states = ('problem', 'note')
        found = [f for f in json.loads(done.stdout) if f['check'] == check]
        return next((f for f in found if f['state'] in states and f['command']), None)

    def mend(self, check, command):
        """Find it, run the command that is named, and look again."""
        found = self.finding(check)
        assert found and command in found['command'], found
        replaced = self.bus.owner(NAME)
        subprocess.run(['sh', '-c', found['command']], env=self.env, check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if 'iotc-tokend' in found['command']:
            wait_until(lambda: self.bus.owner(NAME) not in (None, replaced), 'another daemon')

        def gone():     # the daemon notices a file that was saved a moment later
            again = self.finding(check)
            return not again or again['text'] != found['text']
        wait_until(gone, f'"{found["text"]}" to be gone')

    def end_daemon(self):
        """The daemon that a command started is nobody's child here."""
        pid = self.bus.call('org.freedesktop.DBus', '/org/freedesktop/DBus',
                            'org.freedesktop.DBus', 'GetConnectionUnixProcessID', '(s)', (NAME,))[0]
        os.kill(pid, signal.SIGTERM)
        self.bus.wait_name(NAME, owned=False)


def editor(home, expression):
    path = os.path.join(home.folder, 'bin', 'editor')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\nexec sed -i "{expression}" "$1"\n')
    os.chmod(path, 0o755)
    return path


def test_a_daemon_that_does_not_run(doctor, bus, keyring):
    shell = Shell(doctor, bus)
    shell.mend('daemon', '(iotc-tokend &)')
    shell.end_daemon()


def test_a_kwallet_that_nobody_starts(daemon, doctor, bus, folder):
    """The command makes the bus start it, which its own name alone does."""
    started = os.path.join(folder, 'started')
    bus.activate('org.kde.kwalletd6', f'/bin/touch {started}', {})
    daemon.start('')
    shell = Shell(doctor, bus)
    found = shell.finding('keyring')
    assert 'KWallet is installed' in found['text']
    subprocess.run(['sh', '-c', found['command']], env=shell.env, check=False, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists(started), 'KWallet to be started')


def test_a_bad_line(daemon, doctor, bus, keyring, home):
    daemon.start('[iotc-token]\nnonsense\n')
    shell = Shell(doctor, bus, EDITOR=editor(home, '/nonsense/d'))
    shell.mend('settings', 'EDITOR')


def test_a_bad_line_of_an_api_token(daemon, doctor, bus, keyring, home):
    daemon.start('[account ci]\nsource=api-token\nnonsense=1\n')
    Shell(doctor, bus, EDITOR=editor(home, '/nonsense/d')).mend('account', 'EDITOR')


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir], ids=['pipe', 'folder'])
def test_settings_that_are_no_file(daemon, doctor, bus, keyring, home, make):
    daemon.start('[account work]\nsource=entra\n')
    os.unlink(home.config)
    make(home.config)
    Shell(doctor, bus).mend('settings', f'mv {home.config}')


def test_settings_that_others_may_write(daemon, doctor, bus, keyring, home):
    daemon.start('[account work]\nsource=entra\n')
    os.chmod(os.path.dirname(home.config), 0o777)
    Shell(doctor, bus).mend('settings', 'chmod go-w')


def test_the_settings_of_this_shell(daemon, doctor, bus, keyring, home):
    """The daemon reads others: by its own word, not by this shell's variables."""
    daemon.start('[account work]\nsource=entra\n')
    mine = os.path.join(home.folder, 'mine')
    os.makedirs(os.path.join(mine, 'iotc-token'), 0o700)
    shell = Shell(doctor, bus, XDG_CONFIG_HOME=mine)
    assert shell.finding('settings')['state'] == 'note'
    with open(os.path.join(mine, 'iotc-token/accounts.conf'), 'w', encoding='utf-8') as file:
        file.write('[account other]\nsource=entra\n')
    found = shell.finding('settings')
    assert found['state'] == 'problem' and home.config in found['text'] and mine in found['text']
    assert daemon.get('SettingsFiles') == ['/etc/iotc-token/accounts.conf', home.config]
    shell.mend('settings', 'iotc-tokend --replace')
    assert daemon.get('SettingsFiles')[1].startswith(mine)
    shell.end_daemon()


def test_a_proxy_of_this_shell(daemon, doctor, bus, keyring):
    daemon.start('')
    shell = Shell(doctor, bus, https_proxy='http://me:secret@proxy.example:3128')
    shell.mend('proxy', 'iotc-tokend --replace')
    assert 'secret' not in str(daemon.get('Environment'))
    assert 'https_proxy=http://proxy.example:3128' in daemon.get('Environment')
    shell.end_daemon()


def test_an_az_of_this_shell(daemon, doctor, bus, keyring, home):
    daemon.start('')
    env = write_az(home, 'echo \'{"azure-cli": "2.84.0"}\'')
    os.rename(os.path.join(home.folder, 'bin'), os.path.join(home.folder, 'elsewhere'))
    shell = Shell(doctor, bus)
    shell.env['PATH'] = f'{home.folder}/elsewhere:{shell.env["PATH"]}'
    assert env and shell.finding('az')
    shell.mend('az', 'iotc-tokend --replace')
    shell.env['AZURE_CONFIG_DIR'] = os.path.join(home.folder, 'azure')
    shell.mend('az', 'iotc-tokend --replace')
    shell.end_daemon()


def test_a_key_that_is_not_there(daemon, doctor, bus, home):
    daemon.start(f'[iotc-token]\nstore=file\nkey-file={home.folder}/key\n')
    Shell(doctor, bus).mend('keyring', f'head -c 32 /dev/urandom > {home.folder}/key')


def test_a_key_that_others_may_read(daemon, doctor, bus, home):
    with open(f'{home.folder}/key', 'wb') as file:
        file.write(os.urandom(32))
    os.chmod(f'{home.folder}/key', 0o644)
    daemon.start(f'[iotc-token]\nstore=file\nkey-file={home.folder}/key\n')
    Shell(doctor, bus).mend('keyring', f'chmod 600 {home.folder}/key')


def test_a_key_file_below_a_tilde(daemon, doctor, bus, home):
    with open(f'{home.folder}/key', 'wb') as file:
        file.write(os.urandom(32))
    os.chmod(f'{home.folder}/key', 0o600)
    daemon.start('[iotc-token]\nstore=file\nkey-file=~/key\n')
    shell = Shell(doctor, bus, EDITOR=editor(home, f's,~,{home.folder},'))
    shell.mend('settings', 'EDITOR')


def test_a_store_that_is_none(daemon, doctor, bus, home, keyring):
    daemon.start('[iotc-token]\nstore=fille\n')
    shell = Shell(doctor, bus, EDITOR=editor(home, 's,fille,file,'))
    shell.mend('keyring', 'iotc-tokend --replace')
    shell.end_daemon()


def test_a_ca_bundle_that_is_none(daemon, doctor, bus, keyring, home):
    daemon.start('[iotc-token]\nca-bundle=/nowhere/ca.pem\n')
    Shell(doctor, bus, EDITOR=editor(home, '/ca-bundle/d')).mend('ca', 'EDITOR')


def test_a_ca_bundle_that_is_a_pipe(daemon, doctor, bus, keyring, home, entra):
    """Nobody waits for who writes into it."""
    path = os.path.join(home.folder, 'ca.pem')
    os.mkfifo(path)
    daemon.start(f'[iotc-token]\nca-bundle={path}\n'
                 + entra_account(entra))
    done = doctor.cli.run('api', '/api/devices', '--app', 'http://127.0.0.1:1', timeout=20)
    assert done.returncode == 6 and 'it is no regular file' in done.stderr, done.stderr
    Shell(doctor, bus, EDITOR=editor(home, '/ca-bundle/d')).mend('ca', 'EDITOR')
