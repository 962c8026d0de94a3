#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# A GTK 4 window that shows the devices of an IoT Central application. It holds no token: it asks
# iotc-tokend before each request. When a person is needed, it shows what the daemon says, and
# "Sign in" has the daemon do it; when the account changes, by whatever program, it loads anew.
# python3 devices.py APPLICATION (a host, or a URL)

import json
import sys
import threading
import urllib.error
import urllib.request

import gi

gi.require_version('Gtk', '4.0')

from gi.repository import Gio, GLib, Gtk  # noqa: E402

NAME, PATH, MANAGER = 'org.iotc.Token1', '/org/iotc/Token1', 'org.iotc.Token1.Manager'
ACCOUNT, SIGN_IN = 'org.iotc.Token1.Account', 'org.iotc.Token1.SignIn'
PROPERTIES = 'org.freedesktop.DBus.Properties'


def daemon_call(member, arguments, done, path=PATH, interface=MANAGER):
    """Call the daemon without standing still: done(values, error, error's name) comes later."""
    def finished(bus, result):
        try:
            done(bus.call_finish(result).unpack(), None, '')
        except GLib.Error as error:
            name = Gio.DBusError.get_remote_error(error) or ''
            done(None, error.message.removeprefix(f'GDBus.Error:{name}: '), name)

    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    bus.call(NAME, path, interface, member, arguments, None,
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
        self.rejected, self.pending, self.opened = False, '', False
        self.list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.NONE, show_separators=True)
        self.message = Gtk.Label(label='Loading …', wrap=True, max_width_chars=50, margin_top=24,
                                 margin_start=12, margin_end=12, selectable=True)
        self.again = Gtk.Button(label='Try again', halign=Gtk.Align.CENTER, margin_top=12,
                                visible=False)
        self.again.connect('clicked', lambda _: self.load())
        self.sign_in = Gtk.Button(label='Sign in', halign=Gtk.Align.CENTER, margin_top=12,
                                  css_classes=['suggested-action'], visible=False)
        self.sign_in.connect('clicked', lambda _: self.find(self.start_sign_in))
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        for part in (self.message, self.sign_in, self.again, self.list):
            box.append(part)
        self.set_child(Gtk.ScrolledWindow(child=box))
        Gio.bus_get_sync(Gio.BusType.SESSION).signal_subscribe(
            NAME, PROPERTIES, 'PropertiesChanged', None, None, Gio.DBusSignalFlags.NONE,
            self.on_changed)
        self.load()

    def load(self):
        self.show_message('Loading …')
        daemon_call('GetAuthorization', GLib.Variant('(sa{sv})', (self.app, {})),
                    self.on_authorization)

    def show_message(self, text, again=False, sign_in=False):
        self.message.set_label(text)
        self.message.set_visible(bool(text))
        self.again.set_visible(again)
        self.sign_in.set_visible(sign_in)
        if sign_in:
            self.sign_in.grab_focus()
        while row := self.list.get_first_child():
            self.list.remove(row)

    def find(self, done):
        """The account of the application: done(its object's path)."""
        daemon_call('FindAccount', GLib.Variant('(s)', (self.app,)),
                    lambda values, error, _: done(values[0]) if values else
                    self.show_message(error, again=True))

    def start_sign_in(self, account):
        # We can open a browser here: with it, a person has no code to type.
        options = {'browser': GLib.Variant('b', True)}
        daemon_call('SignIn', GLib.Variant('(a{sv})', (options,)), self.on_sign_in, account,
                    ACCOUNT)

    def on_sign_in(self, values, error, _):
        if error:
            self.show_message(error, again=True)
            return
        self.pending, self.opened = values[0], False
        self.look_at_sign_in()

    def look_at_sign_in(self):
        daemon_call('GetAll', GLib.Variant('(s)', (SIGN_IN,)), self.on_prompt, self.pending,
                    PROPERTIES)

    def on_prompt(self, values, error, _):
        if error or values[0]['State'] in ('failed', 'cancelled'):
            self.show_message(error or values[0]['Error'][1], again=True, sign_in=True)
            return
        page, code = values[0]['VerificationUri'], values[0]['UserCode']
        if values[0]['State'] == 'pending' and page and not self.opened:
            self.opened = True
            self.show_message(f'Enter the code {code} in your browser.' if code else
                              'Sign in in your browser.')
            Gio.AppInfo.launch_default_for_uri(page)

    def on_changed(self, bus, sender, path, interface, signal, values):
        """Of our sign-in; of the account too when somebody signs in or out elsewhere."""
        changed = values.unpack()[1]
        if path == self.pending:
            self.look_at_sign_in()
        elif changed.get('State') in ('ready', 'sign-in-needed'):
            self.find(lambda ours: self.load() if ours == path else None)

    def on_authorization(self, values, error, name):
        if error:
            self.show_message(error, again=True, sign_in=name.endswith('.SignInNeeded'))
            return
        self.authorization = values[0]
        fetch(self.url, self.authorization, self.on_devices)

    def on_devices(self, status, headers, devices):
        if status == 401 and not self.rejected:
            # The daemon gets another one, for everybody.
            self.rejected = True
            token = self.authorization.removeprefix('Bearer ')
            report = (self.app, token, headers.get('WWW-Authenticate', ''))
            daemon_call('ReportRejected', GLib.Variant('(sss)', report),
                        lambda values, error, _: self.load())
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
