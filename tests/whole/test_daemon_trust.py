# SPDX-License-Identifier: MIT
#
# A settings file that somebody else could have written is not read: it would send the sign-in
# through a proxy of theirs, or run their program. What was known stays; at a start nothing is
# known, and whoever asks is told which file it is and the command that mends it.

import os
import subprocess

import pytest

from util_daemon import entra_account, variants
from util_process import wait_until

NOBODY = 65534
needs_root = pytest.mark.skipif(os.getuid() != 0, reason='only root can give a file away')


def folder_of(home):
    return os.path.dirname(home.config)


def link_to(home, folder):
    """The file as a link to one in a folder beside; the folder's path."""
    target = os.path.join(home.folder, folder)
    os.mkdir(target, 0o755)
    os.rename(home.config, os.path.join(target, 'accounts.conf'))
    os.symlink(os.path.join(target, 'accounts.conf'), home.config)
    return target


def grant(path):
    """An access list that lets another user write."""
    done = subprocess.run(['setfacl', '-m', f'u:{NOBODY}:rw', path], capture_output=True,
                          check=False, text=True)
    if done.returncode:
        pytest.skip(f'no access lists here: {done.stderr.strip()}')


FAULTS = {
    'file': (lambda home: os.chmod(home.config, 0o646), lambda home: home.config),
    'folder': (lambda home: os.chmod(folder_of(home), 0o777), folder_of),
    'sticky': (lambda home: os.chmod(folder_of(home), 0o1777), folder_of),
    'target': (lambda home: os.chmod(link_to(home, 'dots'), 0o777),
               lambda home: os.path.join(home.folder, 'dots')),
    'owner': (lambda home: os.chown(home.config, NOBODY, 0), lambda home: home.config),
    'folder-owner': (lambda home: os.chown(folder_of(home), NOBODY, 0), folder_of),
    'group': (lambda home: (os.chown(home.config, 0, NOBODY), os.chmod(home.config, 0o664)),
              lambda home: home.config),
    'list': (lambda home: grant(home.config), lambda home: home.config),
}


@pytest.fixture(params=[
    pytest.param(name, marks=needs_root if 'owner' in name or name == 'group' else ())
    for name in FAULTS])
def fault(request, home):
    """spoil(), which makes the settings unsafe, and the path that is to blame."""
    spoil, blame = FAULTS[request.param]
    return lambda: spoil(home), lambda: blame(home)


def mend(finding, home, cli):
    """What doctor says, as a person would paste it; sudo is nothing more for root."""
    command = finding['command']
    if os.getuid() == 0:
        command = command.replace('sudo ', '')
    subprocess.run(['sh', '-c', command], check=True, env=cli.environment())


def test_what_was_known_stays(daemon, entra, keyring, home, cli, doctor, fault):
    spoil, blame = fault
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    with open(home.config, 'a', encoding='utf-8') as file:
        file.write('[account evil]\nsource=azure-cli\naz=/bin/false\n'
                   '[iotc-token]\nproxy=http://127.0.0.1:1\n')
        spoil()
    daemon.wait_log('accounts.conf is not read: ')
    assert daemon.get_token('work')[0] == token
    assert daemon.get_token('work', force=True, timeout=60)[1] == 'bearer'      # no proxy
    name, text = daemon.error_of(daemon.get_token, 'evil')
    assert name == 'Misconfigured' and f'{home.config} is not read: {blame()} ' in text
    name, text = daemon.error_of(daemon.call, 'AddAccount', '(ssa{sv})',
                                 ('new', 'entra', variants({'tenant': 'contoso.com'})))
    assert name == 'Misconfigured' and blame() in text

    finding = doctor.run(1)['settings']
    assert f'{home.config} is not read: {blame()} ' in finding['text']
    mend(finding, home, cli)
    wait_until(lambda: 'evil' in cli.ok('list'), 'the file to be read')


def test_at_a_start_nothing_is_known(daemon, entra, keyring, home, cli, doctor, az, fault):
    """Not the built-in account, either; and nothing is deleted from the keyring."""
    spoil, blame = fault
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.stop()
    spoil()
    daemon.start(**az.env())
    listed = cli.run('list')
    assert (listed.returncode, listed.stdout) == (0, '') and blame() in listed.stderr
    for selector in ('', 'work', 'contoso.azureiotcentral.com'):
        name, text = daemon.error_of(daemon.get_token, selector)
        assert name == 'Misconfigured' and f'{home.config} is not read: {blame()} ' in text
    finding = doctor.run(1)['settings']
    mend(finding, home, cli)
    wait_until(lambda: 'work' in cli.ok('list'), 'the file to be read')
    daemon.wait_log('store of secrets is used from the next start on')
    daemon.restart()
    assert daemon.get_token('work')[1] == 'bearer'
    assert daemon.stats()['sign-ins'] == 0


@pytest.mark.parametrize('how', ['folder', 'file', 'umask'])
def test_what_only_the_user_can_write_is_read(daemon, entra, keyring, home, how):
    """Links as stow and chezmoi make them, and a umask of 002 with a private group."""
    daemon.write_settings(entra_account(entra))
    if how == 'file':
        link_to(home, 'dots')
    elif how == 'folder':
        os.rename(folder_of(home), os.path.join(home.folder, 'dots'))
        os.symlink('../dots', folder_of(home))
    else:
        os.chmod(home.config, 0o664)
        os.chmod(folder_of(home), 0o775)
    daemon.start()
    daemon.sign_in(entra)
    assert daemon.get_token('work')[1] == 'bearer'
    assert 'is not read' not in daemon.text()


def runtime_folder(home):
    return os.path.join(home.env['XDG_RUNTIME_DIR'], 'iotc-token')


def foreign(home):
    os.mkdir(runtime_folder(home), 0o755)
    os.chown(runtime_folder(home), NOBODY, 0)
    return runtime_folder(home), 'belongs to another user'


def foreign_above(home):
    os.chown(home.env['XDG_RUNTIME_DIR'], NOBODY, 0)
    return home.env['XDG_RUNTIME_DIR'], 'belongs to another user'


def open_to_all(home):
    os.mkdir(runtime_folder(home))
    os.chmod(runtime_folder(home), 0o777)
    return runtime_folder(home), 'can be written by other users'


def open_above(home):
    os.chmod(home.env['XDG_RUNTIME_DIR'], 0o777)
    return home.env['XDG_RUNTIME_DIR'], 'can be written by other users'


def linked(home):
    """Another user's link in a folder like /tmp, to one of ours."""
    os.chmod(home.env['XDG_RUNTIME_DIR'], 0o1777)
    os.symlink(home.folder, runtime_folder(home))
    os.lchown(runtime_folder(home), NOBODY, 0)
    return runtime_folder(home), 'belongs to another user'


@pytest.mark.parametrize('spoil', [
    pytest.param(spoil, marks=needs_root if spoil in (foreign, foreign_above, linked) else ())
    for spoil in (foreign, foreign_above, open_to_all, open_above, linked)])
def test_a_runtime_folder_of_others_is_not_used(daemon, entra, keyring, home, spoil):
    """Who could hold a lock in it would keep the account from its next token."""
    path, why = spoil(home)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    said = f'{runtime_folder(home)} is not used: {path} {why}'
    assert daemon.text().count(said) == 1
    if os.path.isdir(runtime_folder(home)):
        assert 'lock' not in os.listdir(runtime_folder(home))
    assert daemon.get_token('work', timeout=60)[1] == 'bearer'


@pytest.mark.parametrize('value, says', [
    (None, ''), ('', ''), ('run', ''), ('/nowhere', "Can't use /nowhere/iotc-token: No such file"),
    ('/proc', "Can't use /proc/iotc-token: "), ('tmp', '')])
def test_other_runtime_folders(daemon, entra, keyring, home, value, says):
    """None, a relative or a missing one, one where nothing can be made, and one like /tmp."""
    if value == 'tmp':
        value = os.path.join(home.folder, 'tmp')
        os.mkdir(value)
        os.chmod(value, 0o1777)
    home.env['XDG_RUNTIME_DIR'] = value
    if value is None:
        del home.env['XDG_RUNTIME_DIR']
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    assert says in daemon.text() and 'is not used' not in daemon.text()
    used = value and value.endswith('/tmp')
    assert not used or 'lock' in os.listdir(os.path.join(value, 'iotc-token'))


def test_a_state_file_of_others_is_not_read(daemon, entra, keyring, home):
    """It says whose secret in the keyring is not used."""
    state = os.path.join(home.env['XDG_STATE_HOME'], 'iotc-token/state')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.stop()
    os.makedirs(os.path.dirname(state), 0o700, exist_ok=True)
    with open(state, 'w', encoding='utf-8') as file:
        file.write('{"accounts":[{"name":"work","last_used_at":0,"item":"left"}]}')
    os.chmod(state, 0o666)
    daemon.start()
    assert daemon.get_token('work')[1] == 'bearer'
    assert daemon.text().count(f'{state} is not read: {state} can be written by other users') == 1
    daemon.stop()
    assert os.stat(state).st_mode & 0o777 == 0o600     # made anew
    daemon.start()
    assert daemon.get_token('work')[1] == 'bearer' and daemon.stats()['sign-ins'] == 0
