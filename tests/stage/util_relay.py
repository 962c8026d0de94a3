# SPDX-License-Identifier: MIT
#
# The keyring of one bus on a second one: util_relay.py FIRST-ADDRESS SECOND-ADDRESS. What is called
# there is asked of the real keyring here, as it is; its signals go the same way. (Two keyring
# daemons on the same files don't see each other's items.)

import sys

import dbus
import dbus.connection
from dbus.lowlevel import (HANDLER_RESULT_HANDLED, HANDLER_RESULT_NOT_YET_HANDLED, ErrorMessage,
                           MethodCallMessage, MethodReturnMessage, SignalMessage)
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = 'org.freedesktop.secrets'
PATH = '/org/freedesktop/secrets'
LIMIT = 60      # seconds that a keyring may take


def copy_arguments(source, target):
    if source.get_signature():
        target.append(*source.get_args_list(), signature=source.get_signature())
    return target


def main(first_address, second_address):
    loop = DBusGMainLoop()
    first = dbus.bus.BusConnection(first_address, mainloop=loop)
    second = dbus.bus.BusConnection(second_address, mainloop=loop)

    def on_call(connection, call):
        if not isinstance(call, MethodCallMessage) or not call.get_path().startswith(PATH):
            return HANDLER_RESULT_NOT_YET_HANDLED

        def on_reply(reply):
            if isinstance(reply, ErrorMessage):
                answer = ErrorMessage(call, reply.get_error_name(), None)
            else:
                answer = MethodReturnMessage(call)
            connection.send_message(copy_arguments(reply, answer))

        first.send_message_with_reply(
            copy_arguments(call, MethodCallMessage(NAME, call.get_path(), call.get_interface(),
                                                   call.get_member())), on_reply, LIMIT)
        return HANDLER_RESULT_HANDLED

    def on_signal(_, signal):
        if isinstance(signal, SignalMessage) and (signal.get_path() or '').startswith(PATH):
            second.send_message(copy_arguments(signal, SignalMessage(
                signal.get_path(), signal.get_interface(), signal.get_member())))
        return HANDLER_RESULT_NOT_YET_HANDLED

    second.add_message_filter(on_call)
    first.add_message_filter(on_signal)
    first.add_match_string(f"type='signal',sender='{NAME}'")
    second.request_name(NAME)
    GLib.MainLoop().run()


if __name__ == '__main__':
    main(*sys.argv[1:])
