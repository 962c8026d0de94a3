# SPDX-License-Identifier: MIT
#
# A private session bus, and connections to it. The bus starts no services but those that a test
# names: otherwise a keyring that a test killed would be started again by activation. Calls that
# wait, signals and many callers at once all run on the thread's GLib main context.

import os
import subprocess

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

from util_process import DEADLINE, Process  # noqa: E402

CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  {service_dir}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_pending_service_starts">10000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
'''
NO_AUTO_START = Gio.DBusCallFlags.NO_AUTO_START
PROPERTIES = 'org.freedesktop.DBus.Properties'


class BusError(Exception):
    """A D-Bus error reply: its name and its text."""

    def __init__(self, name, text):
        super().__init__(f'{name}: {text}')
        self.name = name
        self.text = text

    @classmethod
    def of(cls, error):
        name = Gio.DBusError.get_remote_error(error)
        Gio.DBusError.strip_remote_error(error)
        return cls(name or error.domain, error.message)


def pump(condition, what, timeout=DEADLINE):
    """Run the main context until condition() is true; the test fails after timeout seconds."""
    context = GLib.MainContext.default()
    late = []
    timer = GLib.timeout_source_new(int(timeout * 1000))
    timer.set_callback(lambda *_: late.append(True))
    timer.attach(context)
    try:
        while not (value := condition()):
            assert not late, f'waited {timeout} s in vain for: {what}'
            context.iteration(True)
        return value
    finally:
        timer.destroy()


class Call:
    """A method call on its way."""

    def __init__(self):
        self.done = False
        self.value = None
        self.error = None

    def result(self, timeout=DEADLINE):
        pump(lambda: self.done, 'the reply to a call', timeout)
        if self.error:
            raise self.error
        return self.value


class Watch:
    """What came of a signal: a list of (path, member, arguments), growing as the context runs."""

    def __init__(self, connection, sender, interface, member, path=None):
        self.signals = []
        self._connection = connection
        self._id = connection.signal_subscribe(
            sender, interface, member, path, None, Gio.DBusSignalFlags.NONE,
            lambda c, s, path, i, member, arguments: self.signals.append(
                (path, member, arguments.unpack())))

    def wait(self, condition, what, timeout=DEADLINE):
        """The first signal, past or coming, for which condition(path, member, arguments)."""
        return pump(lambda: next((s for s in self.signals if condition(*s)), None), what, timeout)

    def close(self):
        self._connection.signal_unsubscribe(self._id)


class Connection:
    FLAGS = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
             | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)

    def __init__(self, address):
        self.gio = Gio.DBusConnection.new_for_address_sync(address, self.FLAGS, None, None)
        self.gio.set_exit_on_close(False)
        self.name = self.gio.get_unique_name()

    def close(self):
        if not self.gio.is_closed():
            self.gio.close_sync(None)

    def start_call(self, name, path, interface, member, signature='()', arguments=(),
                   timeout=DEADLINE, flags=NO_AUTO_START):
        """Send a call; its Call's result() gives the reply's arguments or raises BusError."""
        call = Call()

        def finished(gio, result):
            call.done = True
            try:
                call.value = gio.call_finish(result).unpack()
            except GLib.Error as error:
                call.error = BusError.of(error)

        self.gio.call(name, path, interface, member, GLib.Variant(signature, arguments), None,
                      flags, int(timeout * 1000), None, finished)
        return call

    def call(self, *arguments, timeout=DEADLINE, **named):
        return self.start_call(*arguments, timeout=timeout, **named).result(timeout + 5)

    def get(self, name, path, interface, prop):
        return self.call(name, path, PROPERTIES, 'Get', '(ss)', (interface, prop))[0]

    def get_all(self, name, path, interface):
        return self.call(name, path, PROPERTIES, 'GetAll', '(s)', (interface,))[0]

    def owner(self, name):
        """The unique name of a well-known name's owner, or None."""
        try:
            return self.call('org.freedesktop.DBus', '/org/freedesktop/DBus',
                             'org.freedesktop.DBus', 'GetNameOwner', '(s)', (name,))[0]
        except BusError:
            return None

    def watch(self, sender, interface, member=None, path=None):
        return Watch(self.gio, sender, interface, member, path)

    def wait_name(self, name, owned=True, alive=lambda: True, timeout=DEADLINE):
        """Wait until a name is owned, or is not; fail at once when alive() says no."""
        changes = self.watch('org.freedesktop.DBus', 'org.freedesktop.DBus', 'NameOwnerChanged')
        tick = GLib.timeout_source_new(100)     # alive() is nobody's signal
        tick.set_callback(lambda *_: True)
        tick.attach(GLib.MainContext.default())
        last = [self.owner(name) or '']

        def settled():
            while changes.signals:
                which, _, new = changes.signals.pop(0)[2]
                if which == name:
                    last[0] = new
            assert bool(last[0]) == owned or alive(), f'it ended without owning {name}'
            return bool(last[0]) == owned

        try:
            pump(settled, f'{name} to be {"owned" if owned else "free"}', timeout)
        finally:
            tick.destroy()
            changes.close()


class Peer(Connection):
    """A connection to a program, without any bus: nobody has a name there, no signal a sender."""

    FLAGS = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT

    def start_call(self, name, *arguments, **named):
        return super().start_call(None, *arguments, **named)

    def watch(self, sender, interface, member=None, path=None):
        return Watch(self.gio, None, interface, member, path)


class Bus(Connection):
    """The bus daemon, and a first connection to it."""

    def __init__(self, folder, service_dir=None):
        config = os.path.join(folder, 'bus.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(
                socket=os.path.join(folder, 'bus'),
                service_dir=f'<servicedir>{service_dir}</servicedir>' if service_dir else ''))
        env = {'PATH': '/usr/bin:/bin'}
        self.process = Process(
            ['dbus-daemon', f'--config-file={config}', '--nofork', '--nopidfile',
             '--print-address'], env, os.path.join(folder, 'bus.log'), stdout=subprocess.PIPE)
        self.address = self.process.popen.stdout.readline().decode().strip()
        assert self.address, f'the bus does not start:\n{self.process.text()}'
        self._others = []
        self._services = service_dir
        super().__init__(self.address)

    def activate(self, name, program, env):
        """From now on it starts this program, with these variables, for whoever calls the name."""
        with open(os.path.join(self._services, f'{name}.service'), 'w', encoding='utf-8') as file:
            file.write(f'[D-BUS Service]\nName={name}\nExec={program}\n')
        for member, signature, arguments in (
                ('UpdateActivationEnvironment', '(a{ss})', (env,)), ('ReloadConfig', '()', ())):
            self.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                      member, signature, arguments)

    def connect(self):
        """One more connection, as of another program."""
        self._others.append(Connection(self.address))
        return self._others[-1]

    def close(self):
        for other in self._others:
            other.close()
        super().close()
        self.process.end()
