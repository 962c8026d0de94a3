# SPDX-License-Identifier: MIT
#
# A real gnome-keyring-daemon, without a desktop: private folders, the private bus, no prompter.
# Asking it goes by the Secret Service's own D-Bus interface, not by libsecret, so that a test
# sees what is in the keyring and not what the library under the daemon makes of it.

import os
import signal
import subprocess
import warnings

from gi.repository import GLib

from util_bus import BusError, pump
from util_process import Process

NAME = 'org.freedesktop.secrets'
PATH = '/org/freedesktop/secrets'
LOGIN = f'{PATH}/collection/login'
SERVICE = 'org.freedesktop.Secret.Service'
COLLECTION = 'org.freedesktop.Secret.Collection'
ITEM = 'org.freedesktop.Secret.Item'
INTERNAL = 'org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface'
PASSWORD = 'keyring password of a test'
ABORTED = -signal.SIGTRAP      # how GLib ends a program at an error of its own
ABORTS_MAX = 3


class Keyring:
    def __init__(self, bus, folder):
        """folder: an existing private folder, which becomes the keyring's home."""
        self.bus = bus
        self.folder = folder
        self.process = None
        self._wanted = None     # the same, until a test ends it
        self._aborts = 0

    def start(self, locked=False):
        """Start it with its default collection "login", unlocked unless locked."""
        if locked and not os.path.exists(os.path.join(self.folder, 'keyrings/login.keyring')):
            self.start()
            self.stop()
        self._launch(locked)
        assert self._first_answer() == locked

    def _launch(self, locked):
        env = {
            'PATH': '/usr/bin:/bin', 'HOME': self.folder, 'XDG_DATA_HOME': self.folder,
            'XDG_RUNTIME_DIR': self.folder, 'DBUS_SESSION_BUS_ADDRESS': self.bus.address,
            'LC_ALL': 'C.UTF-8',
        }
        self.process = Process(
            ['gnome-keyring-daemon', '--foreground', '--components=secrets']
            + ([] if locked else ['--unlock']),
            env, os.path.join(self.folder, 'keyring.log'),
            stdin=subprocess.DEVNULL if locked else subprocess.PIPE, survives_file_limit=True)
        if not locked:
            try:
                self.process.popen.stdin.write(PASSWORD.encode())
                self.process.popen.stdin.close()
            except BrokenPipeError:     # it ended already
                pass
        self._wanted = self.process
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, os.pidfd_open(self.process.pid),
                              GLib.IOCondition.IN, self._on_end, self.process, locked)

    def _on_end(self, pidfd, condition, process, locked):
        """
        It aborts now and then when somebody asks it for the first time, also on desktops (there,
        as here, it is started again): once in some thousand starts, no concern of a test.
        """
        os.close(pidfd)
        if process is self._wanted and process.wait() == ABORTED and self._aborts < ABORTS_MAX:
            self._aborts += 1
            warnings.warn(f'gnome-keyring-daemon aborted, and is started again: {process.text()}')
            self._launch(locked)
        return GLib.SOURCE_REMOVE

    def _first_answer(self):
        """Is it locked? By itself or by the one that had to take its place."""
        while True:
            process = self.process
            self.bus.wait_name(NAME, alive=lambda: self.process.popen.poll() in (None, ABORTED))
            try:
                return self.is_locked()
            except BusError as error:
                if not error.name.endswith('.NoReply'):
                    raise
                pump(lambda: process is not self.process,
                     'gnome-keyring-daemon to be started again')

    def stop(self, number=signal.SIGTERM):
        """End it, and return when the bus knows."""
        self._wanted = None
        self.process.end(number)
        self.bus.wait_name(NAME, owned=False)

    def kill(self):
        self.stop(signal.SIGKILL)

    def close(self):
        self._wanted = None
        if self.process:
            self.process.end()

    def _call(self, path, interface, member, signature='()', arguments=()):
        return self.bus.call(NAME, path, interface, member, signature, arguments)

    def _session(self):
        return self._call(PATH, SERVICE, 'OpenSession', '(sv)',
                          ('plain', GLib.Variant('s', '')))[1]

    def is_locked(self):
        return self.bus.get(NAME, LOGIN, COLLECTION, 'Locked')

    def lock(self):
        self._call(PATH, SERVICE, 'Lock', '(ao)', ([LOGIN],))
        assert self.is_locked()

    def unlock(self):
        """Unlock as a person would by the dialog, without the dialog."""
        secret = (self._session(), b'', PASSWORD.encode(), 'text/plain')
        self._call(PATH, INTERNAL, 'UnlockWithMasterPassword', '(o(oayays))', (LOGIN, secret))
        assert not self.is_locked()

    def delete_collection(self):
        """No default collection is left, as on a machine where none was ever made."""
        self._call(LOGIN, COLLECTION, 'Delete')

    def _paths(self, **attributes):
        unlocked, locked = self._call(PATH, SERVICE, 'SearchItems', '(a{ss})', (attributes,))
        return unlocked + locked

    def items(self):
        """Our items: {account: label}."""
        found = {}
        for path in self._paths(**{'xdg:schema': 'org.iotc.Token1'}):
            try:
                item = self.bus.get_all(NAME, path, ITEM)
            except BusError:        # deleted since the search
                continue
            found[item['Attributes']['account']] = item['Label']
        return found

    def attributes(self, account):
        """All attributes of an account's item, or None."""
        paths = self._paths(**{'xdg:schema': 'org.iotc.Token1', 'account': account})
        return self.bus.get(NAME, paths[0], ITEM, 'Attributes') if paths else None

    def secret(self, account):
        """The bytes of an account's record, or None. Never print them."""
        paths = self._paths(**{'xdg:schema': 'org.iotc.Token1', 'account': account})
        try:
            return bytes(self._call(paths[0], ITEM, 'GetSecret', '(o)', (self._session(),))[0][2])
        except (BusError, IndexError):  # deleted, if need be since the search
            return None

    def put(self, account, secret):
        """Other bytes in an account's item, as an import or another version would leave them."""
        paths = self._paths(**{'xdg:schema': 'org.iotc.Token1', 'account': account})
        self._call(paths[0], ITEM, 'SetSecret', '((oayays))',
                   ((self._session(), b'', secret, 'text/plain'),))

    def delete(self, account):
        """Delete an account's item, as a person could with a keyring editor."""
        for path in self._paths(**{'xdg:schema': 'org.iotc.Token1', 'account': account}):
            try:
                self._call(path, ITEM, 'Delete')
            except BusError:        # deleted since the search
                pass
