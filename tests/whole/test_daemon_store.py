# SPDX-License-Identifier: MIT
#
# store=file: a machine without a Secret Service keeps its secrets in files that are encrypted with
# a key of the person's own. There is no keyring on the bus in any of these tests, but in the one
# that changes its mind. A key that is missing, open to others or another one is said, in words
# that help, and destroys nothing.

import os
import re
import signal

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from util_bus import Bus
from util_daemon import Daemon, entra_account
from util_rotation import kill_often

KILLS = int(os.environ.get('IOTC_KILLS', '50')) // 3
SEED = int(os.environ.get('IOTC_SEED', '7'))


class Store:
    """The settings, the key and the folder of a daemon that has not been started."""

    def __init__(self, daemon, entra):
        self.daemon = daemon
        self.entra = entra
        self.folder = os.path.join(daemon.home.env['XDG_DATA_HOME'], 'iotc-token', 'secrets')
        self.key = os.path.join(daemon.home.folder, 'key')
        self.write_key()

    def settings(self, *names, store='file'):
        return (f'[iotc-token]\nstore={store}\nkey-file={self.key}\n\n'
                + ''.join(entra_account(self.entra, name) for name in names or ('work',)))

    def write_key(self, key=None, mode=0o600):
        with open(self.key, 'wb') as file:
            file.write(os.urandom(32) if key is None else key)
        os.chmod(self.key, mode)

    def read_key(self):
        with open(self.key, 'rb') as file:
            return file.read()

    def path(self, name='work'):
        return os.path.join(self.folder, name)

    def read(self, name='work'):
        with open(self.path(name), 'rb') as file:
            return file.read()

    def write(self, data, name='work'):
        with open(self.path(name), 'wb') as file:
            file.write(data)

    def reload(self, state):
        """What systemctl --user reload does, until the keyring's state is that."""
        self.daemon.process.send(signal.SIGHUP)
        self.daemon.wait_property('KeyringState', state)

    def expect_locked(self, *words):
        """A caller is told so in these words."""
        name, text = self.daemon.error_of(self.daemon.get_token, 'work', timeout=5)
        assert name == 'KeyringLocked', text
        assert all(word in text for word in words), text

    def leaks(self):
        """How many secrets of the server lie readable in any file of the daemon's home."""
        return sum(self.entra.leaks(text) for text in self.daemon.home.texts())


@pytest.fixture
def store(daemon, entra):
    return Store(daemon, entra)


def decrypt(data, key, account):
    """An implementation of store-cipher.h that shares nothing with it."""
    form, salt, check, nonce = data[:16], data[16:48], data[48:64], data[64:76]
    assert form == b'iotc-secrets/1\n\0'
    derived = HKDF(SHA256(), 48, salt, form[:-1]).derive(key)
    assert derived[32:] == check
    return AESGCM(derived[:32]).decrypt(nonce, data[76:], data[:76] + account.encode())


def test_served_after_a_restart(daemon, entra, store):
    daemon.start(store.settings('work', 'home'))
    assert (daemon.get('Store'), daemon.get('KeyringState')) == ('file', 'ok')
    daemon.sign_in(entra)
    daemon.sign_in(entra, 'home')
    token = daemon.get_token('work')[0]
    daemon.kill9()
    entra.stop()
    daemon.start()
    assert daemon.get_token('work')[0] == token
    assert daemon.get('State', 'home') == 'ready'
    entra.start()

    assert os.stat(store.folder).st_mode & 0o777 == 0o700
    assert os.stat(store.path()).st_mode & 0o777 == 0o600
    record = decrypt(store.read(), store.read_key(), 'work')
    assert entra.leaks(record.decode()) >= 2
    assert store.leaks() == 0

    # Another account's file is nobody's.
    daemon.stop()
    os.rename(store.path('home'), store.path('work'))
    daemon.start()
    store.expect_locked('/secrets/work is damaged', 'iotc-token logout work')


def test_signed_out_and_removed(daemon, entra, store):
    daemon.start(store.settings('work', 'home'))
    daemon.sign_in(entra)
    daemon.sign_in(entra, 'home')
    daemon.account_call('work', 'SignOut')
    assert os.listdir(store.folder) == ['home']
    daemon.account_call('home', 'Remove')
    daemon.stop()
    assert os.listdir(store.folder) == []


def test_a_file_deleted_by_hand_is_a_sign_out(daemon, entra, store):
    entra.set(access_token_ttl=300)
    daemon.start(store.settings())
    daemon.sign_in_before(entra)
    os.unlink(store.path())
    assert daemon.error_of(daemon.get_token, 'work', min_valid=600)[0] == 'SignInNeeded'
    assert entra.count('refresh_token') == 0


def test_a_folder_that_vanished_is_no_sign_out(daemon, entra, store):
    entra.set(access_token_ttl=300)
    daemon.start(store.settings())
    daemon.sign_in_before(entra)
    os.rename(store.folder, store.folder + '.away')
    entra.set(access_token_ttl=3600)
    renewed = daemon.get_token('work', min_valid=600)[0]
    daemon.wait_property('KeyringState', 'absent')
    assert not os.path.exists(store.folder)
    os.rename(store.folder + '.away', store.folder)
    store.reload('ok')
    daemon.stop()
    daemon.start()
    assert daemon.get_token('work', min_valid=600)[0] == renewed


@pytest.mark.parametrize('fault, words', [
    ('gone', ('is not there', 'head -c 32 /dev/urandom > FILE && chmod 600 FILE')),
    ('open', ('mode 644', 'chmod 600')),
    ('short', ('too short', 'head -c 32')),
    ('link', ('symbolic link',)),
])
def test_no_key_to_be_used(daemon, cli, entra, store, fault, words):
    daemon.start(store.settings())
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    key, sealed = store.read_key(), store.read()
    os.rename(store.key, store.key + '.good')
    if fault == 'open':
        store.write_key(key, 0o644)
    elif fault == 'short':
        store.write_key(key[:31])
    elif fault == 'link':
        os.symlink(store.key + '.good', store.key)

    # What is in memory is served on.
    store.reload('locked')
    daemon.wait_log(words[0])
    assert daemon.get_token('work')[0] == token
    daemon.restart()
    assert daemon.get('KeyringState') == 'locked' and daemon.get('State', 'work') == 'locked'
    store.expect_locked(store.key, 'iotc-token unlock', *words)
    done = cli.run('unlock')
    assert done.returncode == 4 and all(word in done.stderr for word in words), done.stderr

    os.replace(store.key + '.good', store.key)
    cli.ok('unlock')
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[0] == token
    assert store.read() == sealed


def test_another_key(daemon, cli, entra, store):
    daemon.start(store.settings())
    daemon.sign_in(entra)
    token, key, sealed = daemon.get_token('work')[0], store.read_key(), store.read()
    store.write_key()
    daemon.restart()
    assert daemon.get('KeyringState') == 'locked'
    store.expect_locked(store.key, 'is not the one', store.folder)
    assert 'is not the one' in cli.ok('status')
    # Signed in again it is served, from memory; the file of the other key stays.
    daemon.sign_in(entra)
    assert daemon.get_token('work')[1] == 'bearer'
    daemon.restart()
    assert store.read() == sealed
    store.write_key(key)
    store.reload('ok')
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[0] == token


def test_damaged(daemon, entra, store):
    daemon.start(store.settings('work', 'home'))
    daemon.sign_in(entra)
    daemon.sign_in(entra, 'home')
    daemon.stop()
    sealed = store.read()
    for damaged in (sealed[:-1], sealed[:80] + bytes([sealed[80] ^ 1]) + sealed[81:], b''):
        store.write(damaged)
        daemon.start()
        assert daemon.get('KeyringState') == 'ok' and daemon.get('StoreProblem') == ''
        assert daemon.get('State', 'home') == 'ready'
        store.expect_locked('/secrets/work is damaged', 'iotc-token unlock')
        daemon.sign_in(entra)
        daemon.stop()
        assert store.read() == damaged      # never overwritten
    store.write(sealed)
    daemon.start()
    assert daemon.get('State', 'work') == 'ready'


def test_no_folder_to_be_had(daemon, entra, store, folder):
    os.mkdir(os.path.dirname(store.folder))
    with open(store.folder, 'w', encoding='utf-8'):
        pass
    daemon.start(store.settings())
    assert daemon.get('KeyringState') == 'absent'
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=5)
    assert name == 'KeyringAbsent' and 'Not a directory' in text and store.folder in text
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    os.unlink(store.folder)
    store.reload('ok')
    daemon.wait_stat('keyring-writes', 1)
    daemon.restart()
    assert daemon.get_token('work')[0] == token


def test_a_credential_of_systemd(daemon, entra, store):
    credentials = os.path.join(daemon.home.folder, 'credentials')
    os.mkdir(credentials)
    settings = store.settings().replace(f'key-file={store.key}\n', '')
    daemon.start(settings, CREDENTIALS_DIRECTORY=credentials)
    store.expect_locked('credential iotc-token-key', 'key-file=')
    os.rename(store.key, os.path.join(credentials, 'iotc-token-key'))
    daemon.restart()
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    daemon.restart()
    assert daemon.get_token('work')[0] == token


def test_the_store_changes_with_a_restart(daemon, entra, store, keyring):
    daemon.start(store.settings(store='keyring'))
    assert daemon.get('Store') == 'secret-service'
    daemon.sign_in(entra)
    token = daemon.get_token('work')[0]
    daemon.write_settings(store.settings())
    daemon.wait_log('store has changed.*systemctl --user restart.*not moved')
    assert daemon.get('Store') == 'secret-service' and daemon.get_token('work')[0] == token

    daemon.restart()
    assert daemon.get('Store') == 'file' and not os.listdir(store.folder)
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    daemon.sign_in(entra)
    assert keyring.secret('work')       # not touched
    # A line that can't be understood chooses neither.
    sealed = store.read()
    daemon.restart(store.settings(store='fil'))
    assert (daemon.get('Store'), daemon.get('KeyringState')) == ('none', 'absent')
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=5)
    assert name == 'KeyringAbsent' and 'line 2: store: expected keyring, or file' in text
    daemon.sign_in(entra)
    daemon.restart(store.settings(store='keyring'))
    assert daemon.get_token('work')[0] == token and store.read() == sealed


def test_bus_gone_while_a_refresh_token_is_on_its_way(daemon, entra, store, bus, folder):
    # The files are still there when the bus is not: with strict rotation it is lost otherwise.
    entra.set(access_token_ttl=300, rotation='strict')
    daemon.start(store.settings())
    daemon.sign_in_before(entra)
    entra.hold()
    daemon.start_get('work', min_valid=600)
    entra.wait(grant_type='refresh_token')
    bus.process.send(signal.SIGKILL)
    daemon.wait_log('The session bus is gone')
    entra.release()
    assert daemon.process.wait() == 0

    os.mkdir(os.path.join(folder, 'next'))
    next_bus = Bus(os.path.join(folder, 'next'))
    daemon.home.env['DBUS_SESSION_BUS_ADDRESS'] = next_bus.address
    following = Daemon(daemon.home, next_bus)
    try:
        following.start()
        entra.set(access_token_ttl=3600)
        assert following.get_token('work', min_valid=1200)[1] == 'bearer'
    finally:
        following.close()
        next_bus.close()


def test_killed_at_random_moments(daemon, entra, store):
    """As test_daemon_rotation.py, where every kill may cut a write of the file."""
    daemon.start(store.settings())
    daemon.sign_in(entra)
    assert kill_often(daemon, entra, KILLS, SEED) == 0
    assert daemon.get('KeyringState') == 'ok'
    assert entra.count('device_code', status=200) == 1
    # What a kill has left is swept a minute later, by its name.
    assert all(re.fullmatch(r'work(\.iotc-\w{6})?', name) for name in os.listdir(store.folder))
    assert store.leaks() == 0
