# SPDX-License-Identifier: MIT
#
# iotc-token doctor: each thing that can be wrong with the daemon, its keyring, settings and
# accounts is made wrong, for real, and has to be found and named with the command that mends it;
# what is right must not be blamed. test_cli_doctor_machine.py has what is around the daemon.

import json
import os
import re
import subprocess
import time

from util_daemon import entra_account, variants
from util_doctor import is_problem
from util_process import Process
from util_terminal import CTRL_C

API_TOKEN = 'SharedAccessSignature sr=0b1c&sig=c2VjcmV0&skn=ci&se='
DAY = 86400


def add_api_token(daemon, name, left):
    """The token."""
    token = API_TOKEN + str(int(time.time() + left + 60) * 1000)
    daemon.call('AddAccount', '(ssa{sv})', (name, 'api-token', variants({'secret': token})))
    return token


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


def test_no_session_bus(doctor, home):
    address = f'unix:path={home.folder}/nobody-here'
    found = doctor.run(1, DBUS_SESSION_BUS_ADDRESS=address, XDG_RUNTIME_DIR=None)
    is_problem(found['bus'], 'nobody answers at DBUS_SESSION_BUS_ADDRESS', ' ')
    # It goes on with what needs no bus.
    assert list(found) == ['bus', 'settings', 'proxy', 'ca', 'clock']
    assert found['ca']['state'] == 'ok'


def test_no_daemon(bus, doctor):
    found = doctor.run(1)
    is_problem(found['daemon'], 'iotc-tokend is not running', '(iotc-tokend &)')
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
               '(iotc-tokend --replace &)')


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
    is_problem(doctor.run(1)['keyring'], f'{home.folder}/key',
               f'head -c 32 /dev/urandom > {home.folder}/key')
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
    is_problem(doctor.run(1)['settings'], f'{home.config} can be written by other users',
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
    gone = add_api_token(daemon, 'gone', 200 * DAY)
    daemon.restart()
    daemon.call('ReportRejected', '(sss)', ('gone', gone, ''))
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
    is_problem(found['now'], 'ends in 2 d', 'iotc-token api-token add now --replace')
    is_problem(found['gone'], 'rejected', 'iotc-token api-token add gone --replace')
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
    is_problem(found['work'], 'iotc-tokend went away', '(iotc-tokend --replace &)')


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
+ bus       The session bus answers, and so does the daemon's own socket.
+ daemon    iotc-tokend 0.1.0 runs.
+ keyring   The keyring is unlocked.
+ settings  {home.config} can be read.
! account   ci: API token, ends in 9 d.
            Nobody renews an API token by itself.
            -> iotc-token api-token add ci --replace
+ account   work: got a token, valid for 59 min, as {well.get('User', 'work')}.
+ proxy     No proxy is set.
+ ca        The system's certificate authorities are trusted
            (/etc/ssl/certs/ca-certificates.crt).
+ clock     The clock is right within a minute.

No problem found, 1 note.
Whether an application takes a token: iotc-token check HOST
''')
    with doctor.terminal() as terminal:
        assert terminal.wait() == 0
    assert '\033[32m✓\033[0m bus' in terminal.shown
    assert '\033[33m!\033[0m account   ci' in terminal.shown
