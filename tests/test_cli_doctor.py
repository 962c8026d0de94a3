# SPDX-License-Identifier: MIT
#
# iotc-token doctor: each thing that can be wrong is made wrong, for real, and has to be found and
# named with the command that mends it; what is right must not be blamed. systemd and logind alone
# are stood in for (python3-dbusmock).

import json
import os
import re
import subprocess
import time

import pytest
from gi.repository import GLib

from util_daemon import SANITIZER, entra_account, variants
from util_logind import PYTHON
from util_network import NetworkService
from util_process import Process, wait_until
from util_terminal import CTRL_C, Terminal

CHECKS = ['bus', 'daemon', 'start', 'keyring', 'settings', 'account', 'az', 'network', 'proxy',
          'ca', 'clock']
SYSTEMD = ('org.freedesktop.systemd1', '/org/freedesktop/systemd1',
           'org.freedesktop.systemd1.Manager')
TIMEDATE = ('org.freedesktop.timedate1', '/org/freedesktop/timedate1',
            'org.freedesktop.timedate1')
MOCK = 'org.freedesktop.DBus.Mock'
API_TOKEN = 'SharedAccessSignature sr=0b1c&sig=c2VjcmV0&skn=ci&se='
PROXY_SECRET = 'pa/ss@word'
DAY = 86400


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
                assert finding['why'] and finding['command'], finding
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


@pytest.fixture
def doctor(cli):
    return Doctor(cli)


@pytest.fixture
def well(daemon, entra, keyring):
    """A daemon with one account, which is signed in; its token is not a fresh one."""
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.clear()
    return daemon


def is_problem(finding, text, command):
    assert finding['state'] == 'problem', finding
    assert re.search(text, finding['text']), finding
    assert command in finding['command'], finding


def add_api_token(daemon, name, left):
    daemon.call('AddAccount', '(ssa{sv})',
                (name, 'api-token',
                 variants({'secret': API_TOKEN + str(int(time.time() + left + 60) * 1000)})))


def write_az(home, script):
    """A program that is az, for who has its folder on PATH."""
    path = os.path.join(home.folder, 'bin/az')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\n{script}\n')
    os.chmod(path, 0o755)
    return {'PATH': os.path.dirname(path) + ':/usr/bin:/bin'}


def test_all_is_well(well, doctor, entra):
    found = doctor.run(0)
    assert entra.count('refresh_token') == 1    # really asked
    assert {finding['state'] for finding in found.values()} == {'ok'}
    assert re.search(r'^work: got a token, valid for \d+ (h|min)', found['work']['text'])
    assert well.get('User', 'work') in found['work']['text']

    lines = [line.split('\t') for line in doctor.output(0).splitlines()]
    assert [line[:3] for line in lines] == [
        [f['check'], 'ok', f['account'] or '-'] for f in found.values()]
    assert {len(line) for line in lines} == {6}


def test_no_session_bus(doctor):
    found = doctor.run(1, DBUS_SESSION_BUS_ADDRESS=None, XDG_RUNTIME_DIR=None)
    is_problem(found['bus'], 'neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR', ' ')
    # It goes on with what needs no bus.
    assert list(found) == ['bus', 'settings', 'proxy', 'ca', 'clock']
    assert found['ca']['state'] == 'ok'


def test_another_runtime_folder(well, doctor, folder):
    os.chmod(folder, 0o777)
    found = doctor.run(1, XDG_RUNTIME_DIR=folder)
    is_problem(found['bus'], f'XDG_RUNTIME_DIR is {folder}', ' ')
    assert found['work']['state'] == 'ok'
    is_problem(doctor.run(1, XDG_RUNTIME_DIR=None)['bus'], 'XDG_RUNTIME_DIR is not set', ' ')


def test_no_daemon(bus, doctor):
    found = doctor.run(1)
    is_problem(found['daemon'], 'iotc-tokend is not running',
               'systemctl --user start iotc-tokend')
    assert list(found) == ['bus', 'daemon', 'settings', 'proxy', 'ca', 'clock']


def test_a_daemon_from_before_the_upgrade(well, doctor, folder):
    with open(doctor.program, 'rb') as file:
        image = file.read()
    version = doctor.cli.ok('--version').split()[1]
    doctor.program = os.path.join(folder, 'iotc-token')
    with open(doctor.program, 'wb') as file:
        file.write(image.replace(version.encode() + b'\0', b'9' + version[1:].encode() + b'\0'))
    os.chmod(doctor.program, 0o755)
    is_problem(doctor.run(1)['daemon'], f'iotc-tokend {version}, this is iotc-token 9',
               'systemctl --user restart iotc-tokend')


def test_from_login_to_logout(well, doctor, bus, folder, logind):
    user = os.geteuid()
    logind.bus.call('org.freedesktop.login1', '/org/freedesktop/login1', MOCK, 'AddUser', '(usb)',
                    (user, 'somebody', True))
    logind.bus.call('org.freedesktop.login1', '/org/freedesktop/login1', MOCK, 'AddMethod',
                    '(sssss)', ('org.freedesktop.login1.Manager', 'GetUser', 'u', 'o',
                                'ret = f"/org/freedesktop/login1/user/{args[0]}"'))
    with Systemd(bus, folder):
        text = doctor.output(0, DISPLAY=':7', **logind.env())
        assert re.findall('^start\tnote.*', text, re.MULTILINE) == [
            re.search('.*systemctl --user enable --now iotc-tokend', text)[0]]
        text = doctor.output(0, **logind.env())
        assert 'loginctl enable-linger' in text
    logind.bus.call('org.freedesktop.login1', f'/org/freedesktop/login1/user/{user}', MOCK,
                    'UpdateProperties', '(sa{sv})',
                    ('org.freedesktop.login1.User', {'Linger': GLib.Variant('b', True)}))
    with Systemd(bus, folder, 'enabled'):
        assert doctor.run(0, **logind.env())['start']['state'] == 'ok'


def test_a_locked_keyring(well, keyring, doctor):
    keyring.lock()
    well.wait_property('KeyringState', 'locked')
    is_problem(doctor.run(1)['keyring'], 'locked', 'iotc-token unlock')


def test_no_keyring(daemon, entra, doctor):
    daemon.start(entra_account(entra))
    found = doctor.run(1)
    is_problem(found['keyring'], 'There is no keyring.*store=file', 'gnome-keyring')
    is_problem(found['work'], 'work: ', '')


def test_files_without_their_key(daemon, doctor, home):
    daemon.start(f'[iotc-token]\nstore=file\nkey-file={home.folder}/key\n')
    is_problem(doctor.run(1)['keyring'], f'{home.folder}/key', 'iotc-token unlock')
    with open(f'{home.folder}/key', 'wb') as file:
        file.write(os.urandom(32))
    os.chmod(f'{home.folder}/key', 0o600)
    doctor.cli.ok('unlock')
    assert 'encrypted files' in doctor.run(0)['keyring']['text']


def test_bad_settings(well, doctor, home):
    well.restart(well.read_settings() + '[iotc-token]\nproxy=squid\n'
                 '[account broken]\nsource=entra\nclient-secret=5ecret\n')
    found = doctor.run(1)
    is_problem(found['settings'], 'accounts.conf, line 9: ', home.config)
    is_problem(found['proxy'], 'not used', home.config)
    is_problem(found['broken'], 'accounts.conf, line 12: ', home.config)
    assert found['work']['state'] == 'ok'
    assert '5ecret' not in json.dumps(found)


def test_settings_that_others_can_write(well, doctor, home):
    os.chmod(home.config, 0o666)
    is_problem(doctor.run(1)['settings'], f'{home.config} can be changed by other users',
               f'chmod go-w {home.config}')
    subprocess.run(['sh', '-c', doctor.run(1)['settings']['command']], check=True)
    assert doctor.run(0)['settings']['state'] == 'ok'


def test_accounts_in_trouble(daemon, entra, keyring, doctor):
    """One of each kind; each is asked, and asked at once."""
    daemon.start(entra_account(entra) + entra_account(entra, 'second')
                 + entra_account(entra, 'idle'))
    daemon.sign_in(entra)
    daemon.sign_in(entra, 'second')
    add_api_token(daemon, 'long', 200 * DAY)
    add_api_token(daemon, 'soon', 9 * DAY)
    add_api_token(daemon, 'now', 2 * DAY)
    daemon.restart()
    entra.clear()
    entra.hold()
    process = Process([doctor.program, 'doctor', '--json'], doctor.environment(),
                      daemon.log + '.doctor')
    entra.wait(2, grant_type='refresh_token')
    entra.release()
    assert process.wait() == 1
    found = {finding['account']: finding for finding in json.loads(process.text())}
    assert found['work']['state'] == found['second']['state'] == 'ok'
    is_problem(found['idle'], 'nobody is signed in', 'iotc-token login idle')
    assert found['long']['state'] == 'ok' and 'ends in 200 d' in found['long']['text']
    assert found['soon']['state'] == 'note'
    is_problem(found['now'], 'ends in 2 d', 'iotc-token api-token rotate now')
    assert entra.leaks(process.text()) == 0


def test_a_sign_in_that_the_keyring_did_not_take(daemon, entra, keyring, doctor):
    """It works, and is to be known: the token is good, the sign-in is in memory alone."""
    daemon.start(entra_account(entra))
    keyring.process.limit_files(64)     # a full disk
    daemon.sign_in(entra)
    daemon.wait_property('State', 'ready', account='work')
    lines = [line.split('\t') for line in doctor.output(0).splitlines()]
    assert [line[1] for line in lines if line[2] == 'work'] == ['ok', 'note']
    assert 'keyring' in next(line[3] for line in lines if line[1:3] == ['note', 'work'])


def test_a_daemon_that_dies_meanwhile(well, doctor, entra):
    entra.hold()
    process = Process([doctor.program, 'doctor', '--json'], doctor.environment(),
                      well.log + '.doctor')
    entra.wait(1, grant_type='refresh_token')
    well.kill9()
    entra.release()
    assert process.wait() == 1
    found = {finding['account']: finding for finding in json.loads(process.text())}
    is_problem(found['work'], 'iotc-tokend went away', 'iotc-token refresh work')


def test_a_sign_in_that_was_revoked(well, entra, doctor):
    entra.revoke()
    found = doctor.run(1)
    is_problem(found['work'], '^work: ', 'iotc-token login work')
    assert found['clock']['state'] == 'ok'


def test_asked_too_often(well, entra, doctor):
    """Not to be mended, and nothing is wrong with the way there."""
    entra.fail(count=50, status=429, headers={'retry-after': '600'})
    found = doctor.run(0)
    assert found['work']['state'] == 'note' and 'too often' in found['work']['text']


def test_what_only_the_shell_has(daemon, entra, keyring, doctor, bus, folder):
    """A proxy and a private CA: the daemon can't trust the server without the CA."""
    account = entra_account(entra, authority=entra.tls_authority)
    daemon.start(f'[iotc-token]\nca-bundle={entra.ca_bundle}\n{account}')
    daemon.sign_in(entra)
    shell = {'https_proxy': f'http://me:{PROXY_SECRET}@proxy.example:3128',
             'REQUESTS_CA_BUNDLE': entra.ca_bundle}
    with Systemd(bus, folder, environment=['A=', 'https_proxy=http://proxy.example:3128']):
        found = doctor.run(0, **shell)
        assert found['proxy']['state'] == 'ok'
        assert entra.ca_bundle in found['ca']['text']
    daemon.restart(account)
    with Systemd(bus, folder, environment=['https_proxy=', 'xhttps_proxy=http://p:1',
                                           'https_proxy2=http://p:1']):
        found = doctor.run(1, **shell)
    is_problem(found['work'], '^work: .*certificate', 'iotc-token refresh work')
    is_problem(found['proxy'],
               'https_proxy is http://proxy.example:3128 in this shell; iotc-tokend has it not',
               'systemctl --user import-environment https_proxy')
    assert 'proxy=http://proxy.example:3128' in found['proxy']['why']
    is_problem(found['ca'], f'REQUESTS_CA_BUNDLE is {entra.ca_bundle}', 'accounts.conf')
    assert f'ca-bundle={entra.ca_bundle}' in found['ca']['why']
    assert PROXY_SECRET not in json.dumps(found) and 'me:' not in json.dumps(found)


def test_a_proxy_that_nobody_needs(well, doctor, home):
    """Neither is it to blame for an az that gives nothing, where another account gets out."""
    az = write_az(home, 'exit 0')
    well.restart()
    found = doctor.run(1, **az, ALL_PROXY='http://proxy.example:3128')
    assert found['azure-cli']['state'] == 'problem' and found['proxy']['state'] == 'note'
    os.unlink(os.path.join(home.folder, 'bin/az'))
    well.restart()
    found = doctor.run(0, ALL_PROXY='http://proxy.example:3128', SSL_CERT_FILE='/some/ca.pem')
    assert found['proxy']['state'] == 'note' and 'ALL_PROXY' in found['proxy']['text']
    assert found['ca']['state'] == 'note' and '/some/ca.pem' in found['ca']['text']


def test_the_setting_proxy(daemon, doctor, keyring):
    daemon.start('[iotc-token]\nproxy=http://proxy.example:3128\n')
    found = doctor.run(0, https_proxy='http://other.example:1')
    assert found['proxy']['text'] == 'The setting proxy is http://proxy.example:3128.'
    assert found['account']['command'] == 'iotc-token login'


@pytest.mark.parametrize('content, fault', [
    (None, 'No such file'), ('', 'no certificate'), ('not a certificate\n', 'no certificate')])
def test_a_ca_bundle_that_is_none(daemon, keyring, doctor, home, content, fault):
    path = os.path.join(home.folder, 'ca.pem')
    if content is not None:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(content)
    daemon.start(f'[iotc-token]\nca-bundle={path}\n')
    is_problem(doctor.run(1)['ca'], f'{path}, .*{fault}', home.config)


def test_a_wrong_clock(well, entra, doctor):
    """Found out by the doctor's own asking."""
    entra.set(date_offset=3 * 3600)
    assert well.get('ClockOffset') == 0
    is_problem(doctor.run(1)['clock'], 'clock is (3 h|2 h 59 min) slow',
               'timedatectl set-ntp true')


def test_a_clock_from_before_the_programs_time(clock, bus, doctor):
    clock.set(int(-time.time()) + DAY)
    is_problem(doctor.run(1)['clock'], 'before this program', 'timedatectl set-ntp true')


@pytest.mark.parametrize('synchronized, state', [(False, 'note'), (True, 'ok')])
def test_a_clock_that_nothing_is_known_of(logind, bus, doctor, folder, synchronized, state):
    with Mock(logind.bus, folder, *TIMEDATE, system=True) as timedate:
        timedate.add('NTPSynchronized', GLib.Variant('b', synchronized))
        found = doctor.run(1, **logind.env())       # there is no daemon
    assert found['clock']['state'] == state
    assert ('timedatectl' in (found['clock']['command'] or '')) != synchronized


def test_offline(daemon, keyring, doctor, folder):
    """Behind a captive portal, as NetworkManager has it."""
    os.mkdir(os.path.join(folder, 'network'))
    network = NetworkService(os.path.join(folder, 'network'), 'NetworkManager')
    try:
        network.start(good=False)
        daemon.start('', **network.env())
        daemon.wait_property('Online', False)
        assert doctor.run(0)['network']['state'] == 'note'
        network.tell(True)
        daemon.wait_property('Online', True)
        assert 'network' not in doctor.run(0)
        daemon.stop()
    finally:
        network.close()


def test_the_real_az(daemon, keyring, doctor, az):
    daemon.start('', **az.env())
    found = doctor.run(0, **az.env())
    assert re.search(r'^az 2\.\d+\.\d+ \(/usr/bin/az\)\.$', found['az']['text'])
    assert found['azure-cli']['state'] == 'ok'


@pytest.mark.parametrize('version, state', [
    ('2.83.0', 'problem'), ('2.29.2', 'note'), ('2.84.0', 'ok')])
def test_versions_of_az(daemon, keyring, doctor, home, version, state):
    env = write_az(home, 'echo \'{"azure-cli": "%s", "azure-cli-core": "1"}\'' % version)
    daemon.start('')
    found = doctor.run(1, **env)        # what this az gives is no token
    assert version in found['az']['text'] and found['az']['state'] == state
    assert found['azure-cli']['state'] == 'problem'


def test_a_signal_that_is_none_of_ours(daemon, keyring, doctor, home):
    """One that waits since before, blocked by whoever started us, is no reason to stop reading."""
    daemon.start('')
    waiting = ('import os, signal, sys; '
               'signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); '
               'os.kill(os.getpid(), signal.SIGUSR1); os.execv(sys.argv[1], sys.argv[1:])')
    done = subprocess.run(
        [PYTHON, '-c', waiting, doctor.program, 'doctor'], capture_output=True, text=True,
        env=doctor.environment(**write_az(home, 'echo \'{"azure-cli": "2.60.0"}\'')),
        timeout=60, check=False)
    assert '\taz 2.60.0 (' in done.stdout, done.stdout


def test_an_az_that_is_none(daemon, keyring, doctor, home):
    env = write_az(home, 'echo Segmentation fault; exit 1')
    daemon.start('')
    is_problem(doctor.run(1, **env)['az'], 'does not tell its version', 'az version')


def test_an_az_that_others_can_write(daemon, keyring, doctor, home):
    env = write_az(home, 'touch "$HOME/was-run"')
    os.chmod(os.path.join(home.folder, 'bin/az'), 0o757)
    daemon.start('[account cli]\nsource=azure-cli\n')
    env['PATH'] = os.path.join(home.folder, 'bin')
    is_problem(doctor.run(1, **env)['az'], 'bin/az is not safe to run', 'namei')
    assert not os.path.exists(os.path.join(home.folder, 'was-run'))


def test_an_az_that_an_account_names(daemon, keyring, doctor, home):
    write_az(home, 'echo \'{"azure-cli": "2.83.0"}\'')
    path = os.path.join(home.folder, 'bin/az')
    daemon.start(f'[account cli]\nsource=azure-cli\naz={path}\n')
    is_problem(doctor.run(1)['az'], f'az 2.83.0 .{path}.', 'az upgrade')


def test_an_az_that_the_daemon_does_not_see(daemon, keyring, doctor, home):
    os.mkdir(os.path.join(home.folder, 'mine'))
    env = write_az(home, 'echo \'{"azure-cli": "2.84.0"}\'')
    os.rename(os.path.join(home.folder, 'bin'), os.path.join(home.folder, 'elsewhere'))
    daemon.start('')
    lines = doctor.output(1, PATH=env['PATH'].replace('/bin:', '/elsewhere:')).splitlines()
    assert 'import-environment PATH' in next(line for line in lines if 'does not find' in line)


def test_ctrl_c_while_az_hangs(daemon, keyring, doctor, home):
    started = os.path.join(home.folder, 'started')
    env = write_az(home, f'case $1 in version) sleep 600 & touch {started}; wait;; esac')
    daemon.start('')
    with doctor.terminal(**env) as terminal:
        terminal.wait_for('asking az')
        wait_until(lambda: os.path.exists(started), 'az to run')
        terminal.type(CTRL_C)
        assert terminal.wait() == 130


def test_ctrl_c_while_a_server_hangs(well, doctor, entra):
    entra.hold()
    with doctor.terminal() as terminal:
        terminal.wait_for('getting new tokens: work')
        entra.wait(1, grant_type='refresh_token')
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
    entra.release()


def test_as_a_person_sees_it(well, doctor, entra, home):
    add_api_token(well, 'ci', 9 * DAY)
    with doctor.terminal(LC_ALL='C', NO_COLOR='1') as terminal:
        assert terminal.wait() == 0
    assert terminal.shown == re.sub('59 min|1 h', re.search('59 min|1 h', terminal.shown)[0], f'''\
+ bus       The session bus answers.
+ daemon    iotc-tokend 0.1.0 runs.
+ keyring   The keyring is unlocked.
+ settings  {home.config} can be read.
! account   ci: API token, ends in 9 d.
            Nobody renews an API token by itself.
            -> iotc-token api-token rotate ci
+ account   work: got a token, valid for 59 min, as {well.get('User', 'work')}.
+ proxy     No proxy is set.
+ ca        The system's certificate authorities are trusted
            (/etc/ssl/certs/ca-certificates.crt).
+ clock     The clock is right within a minute.

No problem found, 1 note.
Whether an application takes a token: iotc-token check --app HOST
''')
    with doctor.terminal() as terminal:
        assert terminal.wait() == 0
    assert '\033[32m✓\033[0m bus' in terminal.shown
    assert '\033[33m!\033[0m account   ci' in terminal.shown
