#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# The Authorization header for an application over plain D-Bus, without any library of ours, and
# what to do when a person is needed: python3 header.py [SELECTOR]

import sys

from gi.repository import Gio, GLib

bus = Gio.bus_get_sync(Gio.BusType.SESSION)
selector = sys.argv[1] if len(sys.argv) > 1 else ''
try:
    value, expires_at = bus.call_sync(
        'org.iotc.Token1', '/org/iotc/Token1', 'org.iotc.Token1.Manager', 'GetAuthorization',
        GLib.Variant('(sa{sv})', (selector, {'min-valid': GLib.Variant('u', 60)})),
        GLib.VariantType('(st)'), Gio.DBusCallFlags.NONE, 60_000, None).unpack()
except GLib.Error as error:
    name = Gio.DBusError.get_remote_error(error) or ''
    text = error.message.removeprefix(f'GDBus.Error:{name}: ')
    if name == 'org.iotc.Token1.Error.SignInNeeded':
        sys.exit(f'Somebody has to sign in. {text}')
    sys.exit(text)
print('Authorization:', value)
