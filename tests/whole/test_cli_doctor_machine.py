# SPDX-License-Identifier: MIT
#
# iotc-token doctor, as test_cli_doctor.py: what is around the daemon. The session from login to
# logout, az, proxy, certificates, network and clock.

import json
import os
import re
import socket
import subprocess
import time

import pytest
from gi.repository import GLib

from util_daemon import entra_account
from util_doctor import MOCK, Mock, Systemd, is_problem, write_az
from util_logind import PYTHON
from util_network import NetworkService
from util_process import wait_until
from util_terminal import CTRL_C

TIMEDATE = ('org.freedesktop.timedate1', '/org/freedesktop/timedate1',
            'org.freedesktop.timedate1')
PROXY_SECRET = 'pa/ss@word'
DAY = 86400


def test_another_runtime_folder(well, doctor, folder):
    os.chmod(folder, 0o777)
    found = doctor.run(1, XDG_RUNTIME_DIR=folder)
    is_problem(found['bus'], f'XDG_RUNTIME_DIR is {folder}', ' ')
    assert found['work']['state'] == 'ok'
    assert doctor.run(0, XDG_RUNTIME_DIR=None)['bus']['state'] == 'ok'  # nothing misses it


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
        assert 'sudo loginctl enable-linger ' in text
    logind.bus.call('org.freedesktop.login1', f'/org/freedesktop/login1/user/{user}', MOCK,
                    'UpdateProperties', '(sa{sv})',
                    ('org.freedesktop.login1.User', {'Linger': GLib.Variant('b', True)}))
    with Systemd(bus, folder, 'enabled'):
        assert doctor.run(0, **logind.env())['start']['state'] == 'ok'


@pytest.mark.long
def test_what_only_the_shell_has(daemon, entra, keyring, doctor):
    """A proxy and a private CA: the daemon can't trust the server without the CA."""
    account = entra_account(entra, authority=entra.tls_authority)
    shell = {'https_proxy': f'http://me:{PROXY_SECRET}@proxy.example:3128',
             'REQUESTS_CA_BUNDLE': entra.ca_bundle}
    daemon.start(f'[iotc-token]\nca-bundle={entra.ca_bundle}\n{account}', no_proxy='*',
                 ALL_PROXY=shell['https_proxy'])
    daemon.sign_in(entra)
    daemon.home.extra.clear()
    found = doctor.run(0, **shell)
    assert 'in this shell and for iotc-tokend' in found['proxy']['text']
    assert entra.ca_bundle in found['ca']['text']
    found = doctor.run(0, https_proxy='http://other.example:1')
    assert found['proxy']['text'].endswith('; iotc-tokend has http://proxy.example:3128.')
    found = doctor.run(0)
    assert found['proxy']['state'] == 'note'
    assert 'has the proxy http://proxy.example:3128; this shell' in found['proxy']['text']
    daemon.restart(account)
    found = doctor.run(1, **shell)
    is_problem(found['work'], '^work: .*certificate', '')
    is_problem(found['proxy'],
               'https_proxy is http://proxy.example:3128 in this shell; iotc-tokend has it not',
               '(iotc-tokend --replace &)')
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


def test_the_setting_proxy(daemon, doctor, keyring, home):
    with socket.create_server(('127.0.0.1', 0)) as server:
        url = f'http://127.0.0.1:{server.getsockname()[1]}'
        daemon.start(f'[iotc-token]\nproxy={url}\n')
        found = doctor.run(0, https_proxy='http://other.example:1')
        assert found['proxy']['text'] == f'The setting proxy is {url}.'
        assert found['account']['command'] == 'iotc-token login'
    # It is the proxy that is dead, whoever is behind it.
    found = doctor.run(1)
    is_problem(found['proxy'], f"proxy is {url}, which can't be reached: Connection refused",
               home.config)


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


def test_an_az_that_nobody_set_up(well, doctor, home):
    """It is installed, which makes the built-in account; whoever has another one misses nothing."""
    az = write_az(home, 'echo "ERROR: Please run \'az login\' to setup account." >&2; exit 1')
    well.restart()
    found = doctor.run(1, **az)     # such an az does not tell its version
    assert (found['azure-cli']['state'], found['az']['state']) == ('note', 'problem')
    assert found['azure-cli']['command'] == 'az login --allow-no-subscriptions'
    well.restart('')
    assert doctor.run(1, **az)['azure-cli']['state'] == 'problem'


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
    is_problem(doctor.run(1, **env)['az'], 'does not tell its version', '')


def test_an_az_that_others_can_write(daemon, keyring, doctor, home):
    env = write_az(home, 'touch "$HOME/was-run"')
    os.chmod(os.path.join(home.folder, 'bin/az'), 0o757)
    daemon.start('[account cli]\nsource=azure-cli\n')
    env['PATH'] = os.path.join(home.folder, 'bin')
    is_problem(doctor.run(1, **env)['az'], 'bin/az can be written by other users',
               'chmod go-w')
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
    assert '(iotc-tokend --replace &)' in next(line for line in lines if 'does not find' in line)


def test_ctrl_c_while_az_hangs(daemon, keyring, doctor, home):
    started = os.path.join(home.folder, 'started')
    env = write_az(home, f'case $1 in version) sleep 600 & touch {started}; wait;; esac')
    daemon.start('')
    with doctor.terminal(**env) as terminal:
        terminal.wait_for('asking az')
        wait_until(lambda: os.path.exists(started), 'az to run')
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
