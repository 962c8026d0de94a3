#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# A GTK 4 window that shows the devices of an IoT Central application. It holds no token and knows
# no sign-in: it asks iotc-tokend before each request, and shows what the daemon says when a person
# is needed. python3 devices.py APPLICATION (a host, or a URL)

import json
import sys
import threading
import urllib.error
import urllib.request

import gi

gi.require_version('Gtk', '4.0')

from gi.repository import Gio, GLib, Gtk  # noqa: E402

NAME, PATH, MANAGER = 'org.iotc.Token1', '/org/iotc/Token1', 'org.iotc.Token1.Manager'


def daemon_call(member, arguments, reply, done):
    """Call the daemon without standing still: done(values, error) comes later."""
    def finished(bus, result):
        try:
            done(bus.call_finish(result).unpack(), None)
        except GLib.Error as error:
            Gio.DBusError.strip_remote_error(error)
            done(None, error.message)

    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    bus.call(NAME, PATH, MANAGER, member, arguments, GLib.VariantType(reply),
             Gio.DBusCallFlags.NONE, 60_000, None, finished)


def fetch(url, authorization, done):
    """GET in a thread of its own: done(status, headers, object) comes in the main loop."""
    def work():
        request = urllib.request.Request(url, headers={'Authorization': authorization})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                result = answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            result = error.code, error.headers, None
        except (OSError, ValueError) as error:
            result = 0, {}, str(error)
        GLib.idle_add(done, *result)

    threading.Thread(target=work, daemon=True).start()


class Window(Gtk.ApplicationWindow):
    def __init__(self, application, app):
        super().__init__(application=application, title=f'Devices of {app}',
                         default_width=480, default_height=400)
        self.app = app if '://' in app else f'https://{app}'
        self.url = f'{self.app.rstrip("/")}/api/devices?api-version=2022-07-31'
        self.rejected = False
        self.list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.NONE, show_separators=True)
        self.message = Gtk.Label(label='Loading …', wrap=True, max_width_chars=50, margin_top=24,
                                 margin_start=12, margin_end=12, selectable=True)
        self.again = Gtk.Button(label='Try again', halign=Gtk.Align.CENTER, margin_top=12,
                                visible=False)
        self.again.connect('clicked', lambda _: self.load())
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        for part in (self.message, self.again, self.list):
            box.append(part)
        self.set_child(Gtk.ScrolledWindow(child=box))
        self.load()

    def load(self):
        self.show_message('Loading …')
        daemon_call('GetAuthorization', GLib.Variant('(sa{sv})', (self.app, {})), '(st)',
                    self.on_authorization)

    def show_message(self, text, again=False):
        self.message.set_label(text)
        self.message.set_visible(bool(text))
        self.again.set_visible(again)

    def on_authorization(self, values, error):
        if error:
            self.show_message(error, again=True)
            return
        self.authorization = values[0]
        fetch(self.url, self.authorization, self.on_devices)

    def on_devices(self, status, headers, devices):
        if status == 401 and not self.rejected:
            # The daemon gets another one, for everybody.
            self.rejected = True
            token = self.authorization.removeprefix('Bearer ')
            report = (self.app, token, headers.get('WWW-Authenticate', ''))
            daemon_call('ReportRejected', GLib.Variant('(sss)', report), '()',
                        lambda values, error: self.load())
        elif status == 200:
            self.rejected = False
            self.show_message('' if devices['value'] else 'There is no device yet.')
            for device in devices['value']:
                self.list.append(self.row(device))
        else:
            self.show_message(f'{self.app} answers {status or devices}.', again=True)

    @staticmethod
    def row(device):
        row = Gtk.Box(spacing=12, margin_top=8, margin_bottom=8, margin_start=12, margin_end=12)
        name = device.get('displayName') or device['id']
        row.append(Gtk.Label(label=name, xalign=0, hexpand=True))
        if name != device['id']:
            row.append(Gtk.Label(label=device['id'], css_classes=['dim-label']))
        row.append(Gtk.Label(label='simulated' if device.get('simulated') else 'provisioned'
                             if device.get('provisioned') else 'waiting'))
        return row


def main():
    if len(sys.argv) != 2:
        sys.exit('Usage: devices.py APPLICATION')
    application = Gtk.Application(application_id='org.iotc.Token1.Example',
                                  flags=Gio.ApplicationFlags.NON_UNIQUE)
    application.connect('activate', lambda a: Window(a, sys.argv[1]).present())
    return application.run()


sys.exit(main())
