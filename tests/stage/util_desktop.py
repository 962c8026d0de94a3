# SPDX-License-Identifier: MIT
#
# A desktop on the private bus: a notification server that remembers what it was told, and whose
# person presses buttons; a folder of service files by which the bus starts iotc-token-open; an
# xdg-open that sets down what it was to open.

import glob
import os

from gi.repository import Gio, GLib

from util_bus import Watch, pump
from util_process import Process, wait_until

NAME = 'org.freedesktop.Notifications'
PATH = '/org/freedesktop/Notifications'
XML = '''<node><interface name="org.freedesktop.Notifications">
<method name="GetCapabilities"><arg direction="out" type="as"/></method>
<method name="Notify">
  <arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
  <arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
  <arg direction="in" type="a{sv}"/><arg direction="in" type="i"/><arg direction="out" type="u"/>
</method>
<method name="CloseNotification"><arg direction="in" type="u"/></method>
</interface></node>'''
EXPIRED, DISMISSED, CLOSED = 1, 2, 3


class Note:
    """One that shows: the last that was said under its number."""

    def __init__(self, summary, body, actions, hints, timeout):
        self.summary = summary
        self.body = body
        self.actions = dict(zip(actions[::2], actions[1::2]))
        self.hints = hints
        self.timeout = timeout


class Server:
    """A notification server. shown: {number: Note}; told: how many Notify there were."""

    def __init__(self, bus, capabilities=('body', 'body-markup', 'actions', 'persistence')):
        self.capabilities = capabilities
        self.shown = {}
        self.told = 0
        self.asked = 0
        self.refuses = False    # to show anything
        self.held = None        # a list: who asks for capabilities waits in it
        self.client = None      # the unique name of who told last
        self._last = 0
        self._connection = bus.connect()
        info = Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0]
        self._gio = self._connection.gio
        self._gio.register_object(PATH, info, self._on_call, None, None)
        self._name('RequestName', '(su)', (NAME, 4))

    def _name(self, member, signature, arguments):
        self._connection.call('org.freedesktop.DBus', '/org/freedesktop/DBus',
                              'org.freedesktop.DBus', member, signature, arguments)

    def _on_call(self, gio, sender, path, interface, member, arguments, invocation):
        if member == 'GetCapabilities':
            self.asked += 1
            if self.held is not None:
                self.held.append(invocation)
                return
            invocation.return_value(GLib.Variant('(as)', (list(self.capabilities),)))
        elif member == 'Notify':
            _, number, _, summary, body, actions, hints, timeout = arguments.unpack()
            self.told += 1
            self.client = sender
            if self.refuses:
                invocation.return_dbus_error('org.example.Full', 'No more room')
                return
            if not number:
                self._last += 1
                number = self._last
            self.shown[number] = Note(summary, body, actions, hints, timeout)
            invocation.return_value(GLib.Variant('(u)', (number,)))
        else:
            self.close_note(arguments.unpack()[0], CLOSED)
            invocation.return_value(None)

    def _signal(self, member, signature, *arguments):
        self._gio.emit_signal(None, PATH, NAME, member, GLib.Variant(signature, arguments))

    def close_note(self, number, reason):
        if self.shown.pop(number, None):
            self._signal('NotificationClosed', '(uu)', number, reason)

    def wait(self, condition=lambda note: True, what='a notification'):
        """The one Note that shows, once condition(note)."""
        pump(lambda: len(self.shown) == 1 and condition(*self.shown.values()), what)
        return next(iter(self.shown.values()))

    def wait_none(self):
        pump(lambda: not self.shown, 'the notification to be gone')

    def press(self, key, token=None, stays=False):
        """A button of the one that shows; as most servers do, it closes with that."""
        number = next(iter(self.shown))
        assert key in self.shown[number].actions
        if token:
            self._signal('ActivationToken', '(us)', number, token)
        self._signal('ActionInvoked', '(us)', number, key)
        if not stays:
            self.close_note(number, DISMISSED)

    def dismiss(self):
        self.close_note(next(iter(self.shown)), DISMISSED)

    def expire(self):
        self.close_note(next(iter(self.shown)), EXPIRED)

    def stop(self):
        """Its end, with all that it shows."""
        self._connection.close()
        self.shown.clear()


def forge(bus, server, key):
    """Another program says that a button of the one that shows was pressed."""
    gio = bus.connect().gio
    gio.emit_signal(server.client, PATH, NAME, 'ActionInvoked',
                    GLib.Variant('(us)', (next(iter(server.shown)), key)))
    gio.flush_sync(None)


class RealServer:
    """A notification server of other people's, on a screen."""

    def __init__(self, bus, screen, folder, argv):
        self._bus = bus
        self._screen = screen
        self._process = Process(
            argv, {'DISPLAY': screen.name, 'DBUS_SESSION_BUS_ADDRESS': bus.address,
                   'HOME': folder, 'XDG_RUNTIME_DIR': folder, 'PATH': '/usr/bin:/bin'},
            os.path.join(folder, 'server.log'))
        bus.wait_name(NAME, alive=lambda: self._process.alive)
        self._connection = bus.connect()
        self._closed = Watch(self._connection.gio, None, NAME, 'NotificationClosed')
        self._others = set()    # numbers of what is not the daemon's

    def wait_for_another_to_expire(self):
        """One that has the server's own time to live, which came after all that shows."""
        number, = self._connection.call(NAME, PATH, NAME, 'Notify', '(susssasa{sv}i)', (
            'another', 0, '', 'another', '', [], {}, -1))
        self._others.add(number)
        self._closed.wait(lambda path, member, arguments: arguments == (number, EXPIRED),
                          'another notification to expire', timeout=40)

    def closed(self):
        """How many of the daemon's went, in whatever way."""
        pump_once(self._connection)
        return sum(arguments[0] not in self._others for _, _, arguments in self._closed.signals)

    def close(self):
        self._closed.close()
        self._connection.close()
        self._process.end()


def pump_once(connection):
    """What the bus has for us by now has been read."""
    connection.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                    'GetId')


class Dunst(RealServer):
    """Debian: dunst. Its own time to live is made short."""

    def __init__(self, bus, screen, folder):
        config = os.path.join(folder, 'dunstrc')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(''.join(f'[urgency_{name}]\ntimeout = 1\n'
                               for name in ('low', 'normal', 'critical')))
        super().__init__(bus, screen, folder, ['/usr/bin/dunst', '-conf', config,
                                               '-startup_notification', 'false'])

    def press(self, _):
        """The action of the first."""
        self._bus.call(NAME, PATH, 'org.dunstproject.cmd0', 'NotificationAction', '(u)', (0,))


class Xfce(RealServer):
    """Debian: xfce4-notifyd."""
    paths = glob.glob('/usr/lib/*/xfce4/notifyd/xfce4-notifyd')

    def __init__(self, bus, screen, folder):
        super().__init__(bus, screen, folder, self.paths[:1])

    def press(self, buttons):
        """A click on the first button of the one that shows, which has so many."""
        self._screen.click('xfce4-notifyd', 57 + 92 * (buttons - 1), 30)


class Browser:
    """An xdg-open for iotc-token-open, and the service file that starts that one."""

    def __init__(self, folder, build_dir, address):
        self.services = os.path.join(folder, 'services')
        self._opened = os.path.join(folder, 'opened')
        self._script = os.path.join(folder, 'bin', 'xdg-open')
        for path in (self.services, os.path.dirname(self._script)):
            os.mkdir(path)
        self.answer(0)
        with open(os.path.join(self.services, 'opener.service'), 'w', encoding='utf-8') as file:
            file.write('[D-BUS Service]\nName=org.iotc.Token1.Opener\n'
                       f'Exec=/usr/bin/env PATH={os.path.dirname(self._script)} '
                       f'DBUS_SESSION_BUS_ADDRESS={address} '
                       f'{build_dir}/client/open/iotc-token-open\n')

    def answer(self, code, after=0):
        """From now on it exits with that, so many seconds later."""
        with open(self._script + '.new', 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\n'
                       f'echo "$1 $XDG_ACTIVATION_TOKEN" >>{self._opened}\n'
                       f'[ {after} = 0 ] || /bin/sleep {after}\n'
                       f'exit {code}\n')
        os.chmod(self._script + '.new', 0o700)
        os.rename(self._script + '.new', self._script)

    def opened(self):
        """[(page, activation token)] in their order."""
        if not os.path.exists(self._opened):
            return []
        with open(self._opened, encoding='utf-8') as file:
            return [tuple(line.rstrip('\n').split(' ')) for line in file]

    def wait(self):
        """The first page that was opened."""
        return wait_until(self.opened, 'a page to be opened')[0]
