# SPDX-License-Identifier: MIT
#
# A desktop on the private bus: a notification server that remembers what it was told, and whose
# person presses buttons; a folder of service files by which the bus starts iotc-token-open; an
# xdg-open that sets down what it was to open.

import os

from gi.repository import Gio, GLib

from util_bus import pump
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

    def __init__(self, summary, body, actions, hints):
        self.summary = summary
        self.body = body
        self.actions = dict(zip(actions[::2], actions[1::2]))
        self.hints = hints


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
            _, number, _, summary, body, actions, hints, _ = arguments.unpack()
            self.told += 1
            self.client = sender
            if self.refuses:
                invocation.return_dbus_error('org.example.Full', 'No more room')
                return
            if not number:
                self._last += 1
                number = self._last
            self.shown[number] = Note(summary, body, actions, hints)
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


class Dunst:
    """A notification server of other people's (Debian: dunst), on a screen."""

    def __init__(self, bus, screen, folder):
        self._bus = bus
        self._process = Process(
            ['/usr/bin/dunst', '-conf', '/dev/null', '-startup_notification', 'false'],
            {'DISPLAY': screen.name, 'DBUS_SESSION_BUS_ADDRESS': bus.address, 'HOME': folder,
             'XDG_RUNTIME_DIR': folder, 'PATH': '/usr/bin:/bin'},
            os.path.join(folder, 'dunst.log'))
        bus.wait_name(NAME, alive=lambda: self._process.alive)

    def wait(self, shown):
        wait_until(lambda: self._bus.get(NAME, PATH, 'org.dunstproject.cmd0',
                                         'displayedLength') == shown, f'{shown} to be shown')

    def press(self):
        """The action of the first."""
        self._bus.call(NAME, PATH, 'org.dunstproject.cmd0', 'NotificationAction', '(u)', (0,))

    def close(self):
        self._process.end()


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
