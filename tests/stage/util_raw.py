# SPDX-License-Identifier: MIT
#
# A client of a bus that is nobody's library: it sends what a test wants when it wants, and reads
# or doesn't, and goes without a word. For programs that misbehave, and for hundreds at once.

import os
import socket

from util_bus import Gio, GLib

CAPABILITIES = Gio.DBusCapabilityFlags.UNIX_FD_PASSING
BUS = 'org.freedesktop.DBus'


class RawClient:
    def __init__(self, address):
        """Connected and with a name on the bus; it has read the answer to Hello and no more."""
        path = dict(part.split('=', 1) for part in address.split(':', 1)[1].split(','))['path']
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(60)
        self._socket.connect(path)
        self._read = b''
        self.serial = 0
        uid = str(os.getuid()).encode().hex().encode()
        self._socket.sendall(b'\0AUTH EXTERNAL ' + uid + b'\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n')
        for _ in range(2):      # OK, AGREE_UNIX_FD
            while b'\r\n' not in self._read:
                self._read += self._socket.recv(4096)
            self._read = self._read.split(b'\r\n', 1)[1]
        self.name = self.call(BUS, '/org/freedesktop/DBus', BUS, 'Hello')[0]

    def message(self, name, path, interface, member, signature='()', arguments=(), fds=()):
        """A method call as bytes, with the next serial number; arguments as a tuple, or a Variant
        of it; fds are to be sent with it."""
        message = Gio.DBusMessage.new_method_call(name, path, interface, member)
        message.set_flags(Gio.DBusMessageFlags.NO_AUTO_START)
        if signature != '()':
            message.set_body(arguments if isinstance(arguments, GLib.Variant)
                             else GLib.Variant(signature, arguments))
        if fds:
            message.set_unix_fd_list(Gio.UnixFDList.new_from_array([os.dup(fd) for fd in fds]))
        self.serial += 1
        message.set_serial(self.serial)
        return message.to_blob(CAPABILITIES)

    def send(self, blob, fds=()):
        if fds:
            socket.send_fds(self._socket, [blob], fds)
        else:
            self._socket.sendall(blob)

    def receive(self):
        """The next message that was sent to it."""
        while len(self._read) < 16:
            self._fill()
        need = Gio.DBusMessage.bytes_needed(self._read[:16])
        while len(self._read) < need:
            self._fill()
        message = Gio.DBusMessage.new_from_blob(self._read[:need], CAPABILITIES)
        self._read = self._read[need:]
        return message

    def _fill(self):
        got = self._socket.recv(65536)
        if not got:
            raise ConnectionError('the bus has closed the connection')
        self._read += got

    def reply(self):
        """The reply to the last call; what comes before it is skipped."""
        while (message := self.receive()).get_reply_serial() != self.serial:
            pass
        return message

    def replies(self, count):
        """{serial number: reply} of so many calls, in whatever order they are answered."""
        found = {}
        while len(found) < count:
            message = self.receive()
            if message.get_reply_serial():
                found[message.get_reply_serial()] = message
        return found

    def call(self, *arguments):
        """Send a call and give its reply's arguments; an error raises GLib.Error."""
        self.send(self.message(*arguments))
        message = self.reply()
        message.to_gerror()
        body = message.get_body()
        return body.unpack() if body else ()

    def close(self):
        self._socket.close()
