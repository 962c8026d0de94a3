# SPDX-License-Identifier: MIT
#
# A private system bus with logind's part of it (python3-dbusmock): a test sends the machine to
# sleep, wakes it, and asks who holds it awake.

import os

from gi.repository import GLib

from util_bus import Bus
from util_process import Process

NAME = 'org.freedesktop.login1'
PATH = '/org/freedesktop/login1'
MANAGER = 'org.freedesktop.login1.Manager'
PYTHON = '/usr/bin/python3'


class Logind:
    def __init__(self, folder):
        """folder: an existing empty folder. The bus runs; start() starts logind."""
        self.log = os.path.join(folder, 'logind.log')
        self.bus = Bus(folder)
        self.process = None

    def env(self):
        """What a program that is to see it needs in its environment."""
        return {'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address}

    def start(self):
        self.process = Process([PYTHON, '-m', 'dbusmock', '--system', '--template', 'logind'],
                               {**self.env(), 'PATH': '/usr/bin:/bin'}, self.log)
        self.bus.wait_name(NAME, alive=lambda: self.process.alive)

    def kill(self):
        """Its end without a word."""
        self.process.kill_group()
        self.bus.wait_name(NAME, owned=False)
        self.process = None

    def close(self):
        if self.process:
            self.process.end()
        self.bus.close()

    def tell(self, asleep):
        """The signal PrepareForSleep."""
        self.bus.call(NAME, PATH, 'org.freedesktop.DBus.Mock', 'EmitSignal', '(sssav)',
                      (MANAGER, 'PrepareForSleep', 'b', [GLib.Variant('b', asleep)]))

    def inhibitors(self):
        """(what, who, why, mode) of each lock that is held."""
        return [row[:4] for row in self.bus.call(NAME, PATH, MANAGER, 'ListInhibitors')[0]]

