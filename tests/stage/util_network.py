# SPDX-License-Identifier: MIT
#
# A private system bus with NetworkManager's or systemd-networkd's part of it (python3-dbusmock),
# and network namespaces, in which a test is the one who gives addresses.

import os
import subprocess

from gi.repository import GLib

from util_bus import Bus
from util_process import Process

MOCK = 'org.freedesktop.DBus.Mock'
PYTHON = '/usr/bin/python3'
PATH = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}
VETH = ('net0', 'type', 'veth', 'peer', 'name', 'net1')
# name, object, interface, the property that tells: its type, and its values of bad, good.
SERVICES = {
    'NetworkManager': ('org.freedesktop.NetworkManager', '/org/freedesktop/NetworkManager',
                       'org.freedesktop.NetworkManager', 'Connectivity', 'u', (2, 4)),
    'networkd': ('org.freedesktop.network1', '/org/freedesktop/network1',
                 'org.freedesktop.network1.Manager', 'OperationalState', 's',
                 ('degraded', 'routable')),
}


class NetworkService:
    def __init__(self, folder, which, bus=None):
        """
        folder: an existing empty folder. The bus runs; start() starts the service. bus: somebody
        else's that is to be used instead.
        """
        self.which = which
        self.name, self.path, self.interface, self._property, self._type, states = SERVICES[which]
        self._states = dict(zip((False, True), states))
        self.log = os.path.join(folder, 'service.log')
        self.bus = bus or Bus(folder)
        self._owns_bus = not bus
        self.process = None

    def env(self):
        """What a program that is to see it needs in its environment."""
        return {'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address}

    def start(self, good):
        what = (['--template', 'networkmanager'] if self.which == 'NetworkManager'
                else [self.name, self.path, self.interface])
        self.process = Process([PYTHON, '-m', 'dbusmock', '--system', *what],
                               {**self.env(), 'PATH': '/usr/bin:/bin'}, self.log)
        self.bus.wait_name(self.name, alive=lambda: self.process.alive)
        if self.which != 'NetworkManager':
            self.bus.call(self.name, self.path, MOCK, 'AddProperty', '(ssv)',
                          (self.interface, self._property, self._value(good)))
        self.tell(good)

    def stop(self):
        self.process.kill_group()
        self.bus.wait_name(self.name, owned=False)
        self.process = None

    def _value(self, good):
        return GLib.Variant(self._type, self._states[good])

    def tell(self, good):
        """PropertiesChanged."""
        self.bus.call(self.name, self.path, MOCK, 'UpdateProperties', '(sa{sv})',
                      (self.interface, {self._property: self._value(good)}))

    def close(self):
        if self.process:
            self.process.end()
        if self._owns_bus:
            self.bus.close()


class Namespace:
    """A network of one process and its children, with an interface that has no address yet."""

    def __init__(self, pid):
        self._pid = str(pid)
        self.ip('link', 'add', *VETH)
        self.ip('link', 'set', 'net0', 'up')
        self.ip('link', 'set', 'net1', 'up')

    def ip(self, *arguments):
        subprocess.run(['nsenter', '-t', self._pid, '-n', 'ip', *arguments], check=True,
                       env=PATH)

    @staticmethod
    def possible():
        return subprocess.run(['unshare', '-n', 'ip', 'link', 'add', *VETH], env=PATH, check=False,
                              capture_output=True).returncode == 0
