# SPDX-License-Identifier: MIT
#
# The built daemon and the built command, each in an environment that holds nothing of the person
# who runs the tests: private HOME and XDG folders, a private bus, a PATH without az unless the
# test wants one. What every test expects of the daemon is checked here, when it ends: a clean
# exit, no word of a sanitizer, and none of the secrets that the server issued in its log.

import copy
import os
import re
import signal
import subprocess

from gi.repository import GLib

from util_bus import NO_AUTO_START, PROPERTIES, BusError, Gio, Peer
from util_entra import RESOURCE
from util_process import DEADLINE, Process, wait_until

NAME = 'org.iotc.Token1'
ROOT = '/org/iotc/Token1'
MANAGER = 'org.iotc.Token1.Manager'
ACCOUNT = 'org.iotc.Token1.Account'
SIGN_IN = 'org.iotc.Token1.SignIn'
OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager'
ERROR = 'org.iotc.Token1.Error.'
INVALID_ARGS = 'org.freedesktop.DBus.Error.InvalidArgs'
INTERACTIVE = NO_AUTO_START | Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE)
SANITIZER = re.compile(r'ERROR: (Address|Leak)Sanitizer|runtime error:')
OPTION_TYPES = {'min-valid': 'u', 'force': 'b', 'resource': 's', 'claims': 's', 'timeout': 'u'}


def variants(values):
    """Python values as a{sv}; the options of GetToken get the types that they have there."""
    def one(key, value):
        if isinstance(value, GLib.Variant):
            return value
        if isinstance(value, bool):
            return GLib.Variant('b', value)
        if isinstance(value, int):
            return GLib.Variant(OPTION_TYPES.get(key, 'u'), value)
        if isinstance(value, (list, tuple)):
            return GLib.Variant('as', list(value))
        return GLib.Variant('s', value)

    return {key.replace('_', '-'): one(key, value) for key, value in values.items()}


def account_path(name):
    """The object of an account: sd_bus_path_encode()."""
    first = True
    encoded = ''
    for byte in name.encode():
        char = chr(byte)
        plain = char.isascii() and (char.isalpha() or (char.isdigit() and not first))
        encoded += char if plain else f'_{byte:02x}'
        first = False
    return f'{ROOT}/account/{encoded}'


def entra_account(entra, name='work', **settings):
    """A group of accounts.conf: an account of source entra at the test's server."""
    lines = {'source': 'entra', 'authority': entra.authority, 'tenant': 'organizations',
             'client-id': entra.client_id, 'sign-in': 'device-code',
             **{key.replace('_', '-'): value for key, value in settings.items()}}
    return ''.join([f'[account {name}]\n', *(f'{k}={v}\n' for k, v in lines.items()), '\n'])


class Home:
    """A private home, and the environment of programs that live in it."""

    def __init__(self, folder, bus, build_dir):
        self.folder = folder
        self.build_dir = build_dir
        self.config = os.path.join(folder, 'config', 'iotc-token', 'accounts.conf')
        self.extra = {}         # variables that a test adds, for instance az.env()
        self.env = {
            'HOME': folder, 'PATH': os.path.join(folder, 'bin'), 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC',
            'XDG_CONFIG_HOME': os.path.join(folder, 'config'),
            'XDG_STATE_HOME': os.path.join(folder, 'state'),
            'XDG_DATA_HOME': os.path.join(folder, 'data'),
            'XDG_CACHE_HOME': os.path.join(folder, 'cache'),
            'XDG_RUNTIME_DIR': os.path.join(folder, 'run'),
            'DBUS_SESSION_BUS_ADDRESS': bus.address,
            'DBUS_SYSTEM_BUS_ADDRESS': f'unix:path={folder}/none',
            'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=1',
            'UBSAN_OPTIONS': 'halt_on_error=1:abort_on_error=1:print_stacktrace=1',
            'LSAN_OPTIONS': os.environ.get('LSAN_OPTIONS', ''),
        }
        for name in ('bin', 'config', 'state', 'data', 'cache', 'run'):
            os.mkdir(os.path.join(folder, name), 0o700)

    def environment(self):
        return {**self.env, **self.extra}

    def texts(self):
        """What is in each file of it, for who looks for secrets."""
        for folder, _, names in os.walk(self.folder):
            for path in (os.path.join(folder, name) for name in names):
                if os.path.isfile(path):    # no socket
                    with open(path, encoding='latin-1') as file:
                        yield file.read()


class Daemon:
    def __init__(self, home, bus, verbose=True):
        self.home = home
        self.bus = bus
        self.prefix = []    # what starts it: unshare, setpriv
        self.options = ['--verbose'] if verbose else []
        self.log = os.path.join(home.folder, 'daemon.log')
        self.process = None

    # its life

    def write_settings(self, text):
        """Make text the user's accounts.conf. A daemon that runs may notice or not: restart()."""
        os.makedirs(os.path.dirname(self.home.config), 0o700, exist_ok=True)
        with open(self.home.config + '.new', 'w', encoding='utf-8') as file:
            file.write(text)
        os.replace(self.home.config + '.new', self.home.config)

    def read_settings(self):
        with open(self.home.config, encoding='utf-8') as file:
            return file.read()

    def start(self, settings=None, arguments=(), **env):
        """Start it and wait until it owns its name. env: more variables of its environment."""
        if settings is not None:
            self.write_settings(settings)
        self.home.extra.update(env)
        self.process = self.start_process(*arguments)
        try:
            self.bus.wait_name(NAME, alive=lambda: self.process.alive)
        except AssertionError as error:
            raise AssertionError(f'{error}\n{self.text()}') from None

    def start_process(self, *arguments):
        """A process of the program, beside the one that this object looks after."""
        return Process(
            [*self.prefix, os.path.join(self.home.build_dir, 'daemon/iotc-tokend'),
             *self.options, *arguments],
            self.home.environment(), self.log)

    def stop(self):
        """End it by SIGTERM: it must exit with 0."""
        self.process.send(signal.SIGTERM)
        code = self.process.wait()
        self.process.kill_group()
        assert code == 0, f'the daemon ended with {code}:\n{self.text()}'
        self.bus.wait_name(NAME, owned=False)

    def kill9(self):
        """What a crash is to everybody else."""
        self.process.send(signal.SIGKILL)
        self.process.wait()
        self.bus.wait_name(NAME, owned=False)

    def forget_requests(self):
        """What is counted of its requests goes, as at the machine's next boot; it does not run."""
        folder = os.path.join(self.home.env['XDG_RUNTIME_DIR'], 'iotc-token')
        for name in os.listdir(folder):
            if name.startswith('account-'):
                os.unlink(os.path.join(folder, name))

    def restart(self, settings=None):
        if self.process.alive:
            self.stop()
        self.start(settings)

    def close(self):
        if self.process and self.process.alive:
            self.stop()
        assert not self.process or self.process.wait() not in CRASHES, self.text()
        assert not SANITIZER.search(self.text()), self.text()

    def text(self):
        """Its log so far, of all its lives in this test."""
        if not os.path.exists(self.log):
            return ''
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def wait_log(self, pattern):
        return wait_until(lambda: re.search(pattern, self.text()), f'the log to say {pattern}')

    @property
    def socket(self):
        """The path of the direct socket."""
        return os.path.join(self.home.env['XDG_RUNTIME_DIR'], 'iotc-token', 'bus')

    def by_socket(self, kind=Peer):
        """The same daemon, called through the direct socket; to be closed by bus.close()."""
        other = copy.copy(self)
        other.bus = kind(f'unix:path={self.socket}')
        return other

    # calls; connection: another one than the bus's own

    def call(self, member, signature='()', arguments=(), path=ROOT, interface=MANAGER,
             connection=None, timeout=DEADLINE, **named):
        return (connection or self.bus).call(NAME, path, interface, member, signature, arguments,
                                             timeout=timeout, **named)

    def start_get(self, selector='', connection=None, interactive=False, **options):
        """Send GetToken and don't wait: a Call whose result() is (token, type, expires_at)."""
        return (connection or self.bus).start_call(
            NAME, ROOT, MANAGER, 'GetToken', '(sa{sv})', (selector, variants(options)),
            timeout=120, flags=INTERACTIVE if interactive else NO_AUTO_START)

    def get_token(self, selector='', **options):
        """(token, type, expires_at). Options as min_valid=, force=, timeout= ..."""
        return self.start_get(selector, **options).result(130)

    def get_authorization(self, selector='', **options):
        return self.call('GetAuthorization', '(sa{sv})', (selector, variants(options)),
                         timeout=120)

    def error_of(self, call, *arguments, **named):
        """The name, without our prefix, and the text of the error that a call must answer."""
        try:
            value = call(*arguments, **named)
        except BusError as error:
            return error.name.replace(ERROR, ''), error.text
        raise AssertionError(f'no error, but {type(value).__name__} of {len(value)}')

    def get(self, prop, account=None):
        """A property of the manager, or of an account."""
        if account:
            return self.bus.get(NAME, account_path(account), ACCOUNT, prop)
        return self.bus.get(NAME, ROOT, MANAGER, prop)

    def stats(self):
        return self.get('Stats')

    def wait_stat(self, name, least):
        """Stats has no change signal: look until a counter is at least that."""
        return wait_until(lambda: self.stats()[name] >= least, f'{name} to reach {least}')

    def objects(self):
        return self.call('GetManagedObjects', interface=OBJECT_MANAGER)[0]

    def account_call(self, account, member, signature='()', arguments=(), **named):
        return self.call(member, signature, arguments, account_path(account), ACCOUNT, **named)

    def watch(self, path=None):
        """PropertiesChanged of its objects, from now on."""
        return self.bus.watch(NAME, PROPERTIES, 'PropertiesChanged', path)

    def wait_property(self, prop, value, account=None, path=None, interface=None, timeout=DEADLINE):
        """Wait, by PropertiesChanged, until a property has a value (or one of a set)."""
        path = path or (account_path(account) if account else ROOT)
        interface = interface or (ACCOUNT if account else MANAGER)
        wanted = value if isinstance(value, (set, frozenset)) else {value}
        watch = self.watch(path)
        try:
            now = self.bus.get(NAME, path, interface, prop)
            if now in wanted:
                return now
            signal_ = watch.wait(
                lambda p, m, a: a[0] == interface and a[1].get(prop) in wanted,
                f'{prop} of {path} to be {value}', timeout)
            return signal_[2][1][prop]
        finally:
            watch.close()

    # whole stories

    def start_sign_in(self, account='work', **options):
        """SignIn of an account: the path of the sign-in object, what to show already there."""
        path = self.account_call(account, 'SignIn', '(a{sv})', (variants(options),))[0]
        watch = self.watch(path)
        try:
            if not self.bus.get(NAME, path, SIGN_IN, 'VerificationUri'):
                watch.wait(lambda p, m, a: a[1].get('VerificationUri')
                           or a[1].get('State') == 'failed', 'the page to sign in at')
        finally:
            watch.close()
        return path

    def sign_in_property(self, path, prop):
        return self.bus.get(NAME, path, SIGN_IN, prop)

    def sign_in(self, entra, account='work', user=None):
        """Sign an account in by device code, the person's part included."""
        path = self.start_sign_in(account)
        entra.approve(self.sign_in_property(path, 'UserCode'), user)
        self.wait_property('State', 'done', path=path, interface=SIGN_IN)
        self.wait_property('State', 'ready', account=account)

    def sign_in_before(self, entra, account='work'):
        """
        Sign in and start again: a token is held, but not one that was just fetched. For a minute
        after a fetch a longer min-valid than the whole life of what came is refused, unasked.
        """
        self.sign_in(entra, account)
        self.restart()
        self.get_token(account)     # the record has been read


class Cli:
    """The command iotc-token in the same home."""

    def __init__(self, home):
        self.home = home
        self._logs = 0

    @property
    def program(self):
        return os.path.join(self.home.build_dir, 'client/iotc-token')

    def environment(self):
        """As the daemon's, with the ordinary PATH: the command may run others."""
        return {'LD_LIBRARY_PATH': os.path.join(self.home.build_dir, 'client'),
                **self.home.environment(), 'PATH': '/usr/bin:/bin'}

    def run(self, *arguments, stdin='', timeout=120):
        """Run it to its end: the completed process, output and errors as text."""
        done = subprocess.run([self.program, *arguments], env=self.environment(), input=stdin,
                              capture_output=True, text=True, timeout=timeout, check=False)
        assert not SANITIZER.search(done.stderr), done.stderr
        return done

    def ok(self, *arguments, **named):
        """Run it, expect success, give its standard output."""
        done = self.run(*arguments, **named)
        assert done.returncode == 0, f'exit {done.returncode}: {done.stderr}'
        return done.stdout

    def start(self, *arguments):
        """Start it and don't wait; text() of the Process is output and errors together."""
        self._logs += 1
        return Process([self.program, *arguments], self.environment(),
                       os.path.join(self.home.folder, f'cli-{self._logs}.log'))


__all__ = ['ACCOUNT', 'Cli', 'Daemon', 'ERROR', 'Home', 'INVALID_ARGS', 'MANAGER', 'NAME',
           'OBJECT_MANAGER', 'RESOURCE', 'ROOT', 'SIGN_IN', 'account_path', 'entra_account',
           'variants']
