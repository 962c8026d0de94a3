# SPDX-License-Identifier: MIT
#
# A real KeePassXC as the Secret Service: its window on a display that nobody sees, a database in a
# private folder, opened as it starts. What it asks a person, it asks here; the person is xdotool.

import base64
import os
import subprocess
import uuid
from xml.etree import ElementTree

from util_bus import BusError
from util_keyring import COLLECTION, ITEM, NAME, PATH, SERVICE, Keyring
from util_process import Process, wait_until

GROUP = uuid.UUID('6b1b1d0c-7b1a-4d43-9f6e-0c1d2e3f4a5b')
XML = '''<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile>
<Meta><RecycleBinEnabled>False</RecycleBinEnabled><CustomData>{exposed}</CustomData></Meta>
<Root><Group><UUID>{group}</UUID><Name>Root</Name></Group></Root></KeePassFile>
'''
EXPOSED = '<Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{{{group}}}</Value></Item>'
# First-run questions, the tray and the check for news off; the rest as it comes.
CONFIG = '''[General]
ConfigVersion=2
UpdateCheckMessageShown=true
HideWindowOnCopy=false
[GUI]
CheckForUpdates=false
[Security]
LockDatabaseIdle=false
[FdoSecrets]
Enabled=true
ShowNotification=false
'''
PASSWORD = 'keepassxc password of a test'
ACCESS = 'Access Request'
DELETE = 'Delete entry?'
WINDOW = 'org.keepassxc.KeePassXC.MainWindow'


class KeePassXC(Keyring):
    def __init__(self, bus, folder, screen):
        super().__init__(bus, folder)
        self.screen = screen
        self.database = os.path.join(folder, 'secrets.kdbx')
        self.env = {
            'PATH': '/usr/bin:/bin', 'HOME': folder, 'XDG_CONFIG_HOME': folder, 'TMPDIR': folder,
            'XDG_CACHE_HOME': folder, 'XDG_DATA_HOME': folder, 'XDG_RUNTIME_DIR': folder,
            'DBUS_SESSION_BUS_ADDRESS': bus.address, 'DISPLAY': screen.name,
            'QT_QPA_PLATFORM': 'xcb', 'LC_ALL': 'C.UTF-8',
        }

    def _make(self, exposed):
        xml = os.path.join(self.folder, 'secrets.xml')
        with open(xml, 'w', encoding='utf-8') as file:
            file.write(XML.format(exposed=EXPOSED.format(group=GROUP) if exposed else '',
                                  group=base64.b64encode(GROUP.bytes).decode()))
        done = subprocess.run(
            ['keepassxc-cli', 'import', '-q', '-p', '-t', '100', xml, self.database],
            input=f'{PASSWORD}\n{PASSWORD}\n', env=self.env, capture_output=True, text=True,
            check=False)
        assert done.returncode == 0, done.stderr
        os.unlink(xml)

    def start(self, locked=False, exposed=True, settings=''):
        """Start it, its database open unless locked. settings: more lines of [FdoSecrets]."""
        config = os.path.join(self.folder, 'keepassxc.ini')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(CONFIG + settings)
        if not os.path.exists(self.database):
            self._make(exposed)
        self.process = Process(
            ['keepassxc', '--config', config, '--localconfig', config + '.local', self.database],
            self.env, os.path.join(self.folder, 'keepassxc.log'))
        self.bus.wait_name(NAME, alive=lambda: self.process.alive)
        if not locked:
            self.bus.wait_name(WINDOW, alive=lambda: self.process.alive)
            # Not by --pw-stdin: with that 2.7.10 crashes now and then as its window comes up.
            self.bus.call(WINDOW, '/keepassxc', WINDOW, 'openDatabase', '(ss)',
                          (self.database, PASSWORD))
        if exposed:
            wait_until(lambda: self.is_locked() == locked, 'the database to be open')

    def version(self):
        return subprocess.run(['keepassxc-cli', '--version'], env=self.env, capture_output=True,
                              text=True, check=True).stdout.strip()

    def restart(self):
        """It forgets what it has allowed to whom."""
        self.stop()
        self.start()

    def default(self):
        return self._call(PATH, SERVICE, 'ReadAlias', '(s)', ('default',))[0]

    def is_locked(self):
        try:
            return self.bus.get(NAME, self.default(), COLLECTION, 'Locked')
        except BusError:
            return None

    def entries(self):
        """{account: secret} as the database has it on the disk. Never print them."""
        done = subprocess.run(['keepassxc-cli', 'export', '-q', self.database],
                              input=f'{PASSWORD}\n', env=self.env, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        found = {}
        for entry in ElementTree.fromstring(done.stdout).iterfind('./Root/Group/Entry'):
            values = {s.findtext('Key'): s.findtext('Value') for s in entry.iterfind('String')}
            found.setdefault(values.get('account'), []).append(values['Password'])
        return found

    # the person

    def xdotool(self, *arguments):
        return subprocess.run(['xdotool', *map(str, arguments)], env=self.env,
                              capture_output=True, text=True, check=False).stdout

    def windows(self):
        """{id: title} of what it shows."""
        found = self.xdotool('search', '--onlyvisible', '--name', '.').split()
        return {each: self.xdotool('getwindowname', each).strip() for each in found}

    def dialogs(self):
        """The titles of what it shows beside its window."""
        return [name for name in self.windows().values() if '.kdbx' not in name]

    def dialog(self, title):
        """Wait for a dialog: its window."""
        return wait_until(lambda: next((window for window, name in self.windows().items()
                                        if title in name), None), f'a dialog: {title}')

    def press(self, title, *keys):
        """Press keys in a dialog, the last of which ends it."""
        window = self.dialog(title)
        self.xdotool('windowfocus', '--sync', window)
        for key in keys:
            self.xdotool('key', '--window', window, key)
        wait_until(lambda: window not in self.windows(), f'the end of the dialog {title}')

    def allow(self):
        self.press(ACCESS, 'Return')

    def deny(self):
        self.press(ACCESS, 'Escape')

    def delete(self, yes=True):
        self.press(DELETE, *(['Tab', 'space'] if yes else ['Return']))

    def unlock_dialog(self):
        """Type the password where it asks for it."""
        window = self.dialog('Unlock')
        self.xdotool('windowfocus', '--sync', window)
        self.xdotool('type', '--window', window, PASSWORD)
        self.xdotool('key', '--window', window, 'Return')
