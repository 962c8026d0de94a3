# SPDX-License-Identifier: MIT
#
# The settings change while the daemon runs: it notices by itself, however the file is written, and
# what did not change is not disturbed. A line that is bad for a while, or half written, costs
# nobody a sign-in.

import os
import shutil
import signal
import socket
import subprocess

import pytest

from util_bus import BusError
from util_daemon import OBJECT_MANAGER, ROOT, account_path, entra_account, variants
from util_logind import PYTHON
from util_process import wait_until
from util_rotation import CLAIMS

# renameat2(2): two files change places in one step.
EXCHANGE = ('import ctypes, sys; libc = ctypes.CDLL(None, use_errno=True); '
            'sys.exit(libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2))')
CHANGED = 'The settings have changed; read them again'


def wait_account(daemon, name, there=True):
    wait_until(lambda: (account_path(name) in daemon.objects()) == there,
               f'{name} to {"come" if there else "go"}')


def reload(daemon, settings):
    """As systemctl reload does, and wait until it is done."""
    count = daemon.text().count('Read the settings again')
    daemon.write_settings(settings)
    daemon.process.send(signal.SIGHUP)
    wait_until(lambda: daemon.text().count('Read the settings again') > count, 'the reload')


def in_place(path, text):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def renamed(path, text):
    in_place(path + '~', text)
    os.rename(path + '~', path)


def made_anew(path, text):
    os.unlink(path)
    in_place(path, text)


def moved_away_first(path, text):
    os.rename(path, path + '.bak')
    in_place(path, text)


def test_noticed_however_it_is_written(daemon, entra, keyring, home):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    for write in (in_place, renamed, made_anew, moved_away_first):
        write(home.config, entra_account(entra) + entra_account(entra, write.__name__))
        wait_account(daemon, write.__name__)
        assert daemon.get_token('work')[0] == token
    assert daemon.stats()['fetches'] == 0 and account_path('in_place') not in daemon.objects()


def test_noticed_behind_a_link(daemon, entra, keyring, home):
    """As those have it who keep their settings elsewhere: stow, chezmoi, home-manager."""
    folder = os.path.join(home.folder, 'dotfiles')
    kept = os.path.join(folder, 'accounts.conf')
    os.mkdir(folder)
    in_place(kept, entra_account(entra))
    os.makedirs(os.path.dirname(home.config), exist_ok=True)
    os.symlink('../../dotfiles/accounts.conf', home.config)
    daemon.start()
    for write in (in_place, renamed):
        write(kept, entra_account(entra) + entra_account(entra, write.__name__))
        wait_account(daemon, write.__name__)
    # A change of our own goes to where it is, too.
    daemon.account_call('work', 'Remove')
    assert os.path.islink(home.config) and os.listdir(folder) == ['accounts.conf']
    with open(kept, encoding='utf-8') as file:
        assert file.read() == entra_account(entra, 'renamed')


def test_folder_made_later(daemon, entra, keyring, home):
    shutil.rmtree(os.path.dirname(home.config), ignore_errors=True)
    daemon.start()
    daemon.write_settings(entra_account(entra))
    wait_account(daemon, 'work')
    shutil.rmtree(os.path.dirname(home.config))
    wait_account(daemon, 'work', there=False)
    daemon.write_settings(entra_account(entra))
    wait_account(daemon, 'work')


def test_half_written_is_not_read(daemon, entra, keyring, bus, home):
    daemon.start(entra_account(entra, 'first') + entra_account(entra))
    gone = bus.watch(None, OBJECT_MANAGER, 'InterfacesRemoved', ROOT)
    text = entra_account(entra, 'first') + entra_account(entra) + entra_account(entra, 'last')
    with open(home.config, 'w', encoding='utf-8') as file:
        for line in text.splitlines(keepends=True):
            file.write(line)
            file.flush()
            daemon.get('Version')
    wait_account(daemon, 'last')
    assert gone.signals == [] and 'line' not in daemon.text()
    gone.close()


def test_removed_and_back_with_its_sign_in(daemon, entra, keyring, home):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    os.unlink(home.config)
    wait_account(daemon, 'work', there=False)
    daemon.write_settings(entra_account(entra))
    wait_account(daemon, 'work')
    assert daemon.get_token('work')[0] == token


def test_own_changes_disturb_nobody(daemon, entra, keyring, bus):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    changes = daemon.watch(account_path('work'))
    daemon.call('AddAccount', '(ssa{sv})',
                ('new', 'entra', variants({'tenant': 'contoso.com', 'apps': ['A.example.com']})))
    daemon.account_call('new', 'Configure', '(a{sv})', (variants({'sign-in': 'browser'}),))
    # What it is already.
    daemon.account_call('work', 'Configure', '(a{sv})', (variants({'sign-in': 'device-code'}),))
    daemon.wait_log('The settings are as they were')
    assert CHANGED not in daemon.text() and changes.signals == []
    changes.close()


def test_a_line_bad_for_a_while(daemon, entra, keyring):
    good = entra_account(entra, apps='a.example.com')
    daemon.start(good + entra_account(entra, 'other'))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    writes = daemon.stats()['keyring-writes']
    for bad, number in (('tenant=organizations', 4), ('source=entra', 2), ('client-id=', 5)):
        broken = '\n'.join('tenant=not a secret' if line.startswith(bad) and number == 4 else
                           line[:3] if line.startswith(bad) else line for line in good.split('\n'))
        reload(daemon, broken + entra_account(entra, 'other'))
        daemon.wait_property('State', 'misconfigured', 'work')
        for selector in ('work', 'a.example.com'):
            name, text = daemon.error_of(daemon.get_token, selector)
            assert name == 'Misconfigured' and f'line {number}' in text and 'work' in text
        assert daemon.get('LastError', 'work')[0].endswith('Misconfigured')
        assert daemon.get('State', 'other') == 'sign-in-needed'
        reload(daemon, good + entra_account(entra, 'other'))
        daemon.wait_property('State', 'ready', 'work')
        assert daemon.get_token('a.example.com')[0] == token
        assert daemon.get('LastError', 'work') == ('', '')
    assert daemon.stats()['keyring-writes'] == writes and daemon.stats()['fetches'] == 0
    assert 'not a secret' not in daemon.text()


def test_whoever_waits_learns_of_the_bad_line(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.hold()
    call = daemon.start_get('work', force=True, timeout=60)
    entra.wait(grant_type='refresh_token')
    reload(daemon, entra_account(entra) + 'nonsense\n')
    name, text = daemon.error_of(call.result)
    assert name == 'Misconfigured' and 'line' in text
    # What was under way is not lost.
    entra.release()
    reload(daemon, entra_account(entra))
    daemon.wait_property('State', 'ready', 'work')
    assert daemon.get_token('work', force=True)[1] == 'bearer'
    assert daemon.stats()['sign-ins'] == 0


def bind_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)


def write_much(path):
    with open(path, 'w', encoding='utf-8') as file:
        file.truncate(1024 * 1024 + 1)


KINDS = {
    'pipe': (os.mkfifo, 'it is no regular file'),
    'socket': (bind_socket, 'it is no regular file'),
    'folder': (os.mkdir, 'it is a folder'),
    'device': (lambda path: os.symlink('/dev/zero', path), 'it is no regular file'),
    'nothing': (lambda path: os.symlink('/dev/null', path), 'it is no regular file'),
    'tty': (lambda path: os.symlink('/dev/ptmx', path), 'it is no regular file'),
    'dangling': (lambda path: os.symlink('/nowhere/it', path), 'it is a link whose target is not'),
    'loop': (lambda path: os.symlink(path, path), 'Too many levels of symbolic links'),
    'huge': (write_much, 'it is larger than 1 MiB'),
}


@pytest.mark.parametrize('kind', KINDS)
def test_a_file_that_can_t_be_read(daemon, entra, keyring, home, cli, doctor, kind):
    """What was known stays, it is said once, and nobody waits for a writer of a pipe."""
    make, why = KINDS[kind]
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    # In one step, without a moment in which there is no file.
    make(home.config + '.new')
    if kind == 'loop':
        os.unlink(home.config + '.new')
        os.symlink(home.config, home.config + '.new')
    if kind == 'folder':
        subprocess.run([PYTHON, '-c', EXCHANGE, home.config, home.config + '.new'], check=True)
    else:
        os.replace(home.config + '.new', home.config)
    daemon.wait_log(f"accounts.conf can.t be read: {why}")
    for _ in range(2):
        count = daemon.text().count('could not be read again')
        daemon.process.send(signal.SIGHUP)
        wait_until(lambda before=count: daemon.text().count('could not be read again') > before,
                   'the reload')
    assert daemon.text().count("accounts.conf can't be read") == 1
    assert daemon.get_token('work')[0] == token

    name, text = daemon.error_of(daemon.call, 'AddAccount', '(ssa{sv})',
                                 ('new', 'entra', variants({'tenant': 'contoso.com'})))
    assert name == 'Misconfigured' and "can't be read" in text
    found = doctor.run(1)['settings']
    assert f'{home.config} can\'t be read: ' in found['text']
    done = cli.run('api', '/api/devices', '--app', 'http://127.0.0.1:1', timeout=20)
    assert done.returncode == 5, done.stderr

    subprocess.run(['rm', '-rf', home.config], check=True)
    daemon.write_settings(entra_account(entra) + entra_account(entra, 'new'))
    wait_account(daemon, 'new')
    assert daemon.stats()['sign-ins'] == 1
    assert doctor.run(1)['settings']['state'] == 'ok'      # nobody is signed in to 'new'


@pytest.mark.parametrize('setting', ['tenant', 'client_id', 'authority'])
def test_what_is_changed_decides_about_the_tokens(daemon, entra, keyring, setting):
    other = {'tenant': entra.tenant, 'authority': entra.authority + '/other',
             'client_id': '00000000-0000-0000-0000-000000000001'}[setting]
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    assert daemon.get('Tenant', 'work') == entra.tenant
    reload(daemon, entra_account(entra, **{setting: other}))
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    # Nobody is signed in, in no tenant but that of the settings.
    assert daemon.get('User', 'work') == ''
    assert daemon.get('Tenant', 'work') == (other if setting == 'tenant' else 'organizations')
    # Who mends a slip has not lost the sign-in.
    reload(daemon, entra_account(entra))
    assert daemon.get_token('work')[0] == token and daemon.stats()['fetches'] == 0


def test_what_else_is_changed_keeps_the_tokens(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    for change in ({'apps': 'a.example.com;b.example.com'}, {'sign_in': 'browser'},
                   {'resources': 'https://other.example'}):
        reload(daemon, entra_account(entra, **change))
        assert daemon.get_token('work')[0] == token
    for line in ('proxy=http://127.0.0.1:9', 'app-suffixes=example.org', 'default=work'):
        reload(daemon, f'[iotc-token]\n{line}\n\n' + entra_account(entra))
        assert daemon.get_token('work')[0] == token
    assert daemon.stats()['fetches'] == 0
    # Another resource wants another token, but nobody to sign in.
    reload(daemon, entra_account(entra, resource='https://other.example'))
    assert daemon.get_token('work')[0] != token and daemon.get('State', 'work') == 'ready'


def test_az_installed_later(daemon, az, home):
    environment = az.env()
    path = environment.pop('PATH')
    daemon.start('', **environment, PATH=home.folder + '/bin:/usr/bin/none')
    assert daemon.error_of(daemon.get_token)[0] == 'NoSuchAccount'
    with open(home.folder + '/bin/az', 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\nPATH={path} exec az "$@"\n')
        os.fchmod(file.fileno(), 0o755)
    assert daemon.get_token(timeout=60)[0] == az.token()['accessToken']
    assert daemon.get('DefaultAccount') == 'azure-cli'


def test_a_group_that_comes_and_goes(daemon, entra, keyring):
    """Over and over, with callers who force: the server does not take it for a loop."""
    settings = entra_account(entra)
    daemon.start(settings)
    daemon.sign_in(entra)
    for _ in range(20):
        reload(daemon, '')
        reload(daemon, settings)
        try:
            daemon.get_token('work', force=True)
        except BusError as error:
            assert 'too often' in error.text
    assert 8 < entra.count('refresh_token') < 15


@pytest.mark.parametrize('change', ['gone', 'renamed', 'tenant', 'resource'])
def test_settings_in_the_midst_of_an_exchange(change, daemon, entra, keyring):
    """
    At a service that takes a second use of a refresh token for theft: the new one is stored before
    the settings count, and whoever puts them back is still signed in.
    """
    entra.set(rotation='strict')
    settings = entra_account(entra)
    daemon.start(settings)
    daemon.sign_in(entra)
    entra.hold()
    daemon.start_get('work', claims=CLAIMS)
    entra.wait(grant_type='refresh_token')
    reload(daemon, {'gone': '', 'renamed': entra_account(entra, 'job'),
                    'tenant': entra_account(entra, tenant='contoso.com'),
                    'resource': entra_account(entra, resource='https://graph.microsoft.com'),
                    }[change])
    entra.release()
    if change == 'resource':
        daemon.get_token('work')
    elif change == 'tenant':
        daemon.wait_property('State', 'sign-in-needed', account='work')
    else:
        wait_account(daemon, 'work', there=False)
    reload(daemon, settings)
    assert daemon.get_token('work', claims=CLAIMS)[1] == 'bearer'
    assert entra.count('refresh_token') == entra.count('refresh_token', status=200)
