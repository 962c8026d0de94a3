# SPDX-License-Identifier: MIT
#
# Another user of the machine may send a signal to any one connection of the system bus, as whose
# it likes. What logind, NetworkManager and the bus have not said is not heard.

import os
import time

from gi.repository import GLib

from util_daemon import entra_account
from util_network import NetworkService

BUS = ('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus')


def forge(bus, path, interface, member, signature, arguments):
    """Send a signal to everybody on the bus by name, and wait until they have it."""
    liar = bus.connect()
    names, = liar.call(*BUS, 'ListNames')
    for name in names:
        if name.startswith(':') and name not in (liar.name, bus.name):
            liar.gio.emit_signal(name, path, interface, member,
                                 GLib.Variant(signature, arguments))
            liar.call(name, '/', 'org.freedesktop.DBus.Peer', 'Ping')


def test_nobody_else_sends_the_machine_to_sleep(daemon, entra, keyring, logind):
    daemon.start(entra_account(entra), **logind.env())
    daemon.sign_in_before(entra)
    forge(logind.bus, '/org/freedesktop/login1', 'org.freedesktop.login1.Manager',
          'PrepareForSleep', '(b)', (True,))
    assert 'The machine goes to sleep' not in daemon.text()
    assert daemon.get_token('work', force=True)[1] == 'bearer'
    logind.tell(True)
    daemon.wait_log('The machine goes to sleep')
    forge(logind.bus, *BUS[1:], 'NameOwnerChanged', '(sss)',
          ('org.freedesktop.login1', ':1.0', ''))
    assert 'The machine is back from sleep' not in daemon.text()


def test_nobody_else_tells_of_a_portal(daemon, entra, keyring, folder):
    path = os.path.join(folder, 'network')
    os.mkdir(path)
    service = NetworkService(path, 'NetworkManager')
    try:
        service.start(False)
        daemon.start(entra_account(entra), **service.env())
        daemon.wait_property('Online', False)
        forge(service.bus, service.path, 'org.freedesktop.DBus.Properties', 'PropertiesChanged',
              '(sa{sv}as)', (service.interface, {'Connectivity': GLib.Variant('u', 4)}, ()))
        forge(service.bus, *BUS[1:], 'NameOwnerChanged', '(sss)', (service.name, ':1.0', ''))
        time.sleep(1.5)     # longer than news take to settle
        assert not daemon.get('Online')
        service.stop()
        daemon.wait_property('Online', True)
    finally:
        service.close()
