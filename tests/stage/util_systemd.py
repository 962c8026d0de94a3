# SPDX-License-Identifier: MIT
#
# A real user manager, `systemd --user`, with the build installed: the units as they will run. It
# lives as an ordinary user in namespaces of its own (mount, pid, cgroup, user), so that it knows
# nothing of the machine's systemd, needs none, and is gone with the process that made it. Its
# bus, and the keyring on it, are units too. What happens inside is asked by programs that are
# run inside: run().

import glob
import json
import os
import shutil
import socket
import subprocess
import threading

from util_bus import CONFIG
from util_keyring import PASSWORD
from util_process import Process, wait_until

MANAGER = '/lib/systemd/systemd'
UNIT = 'iotc-tokend.service'
OPENER = 'iotc-token-open.service'
KEYRING = 'gnome-keyring-daemon.service'

# Who is root outside is an ordinary user of this number inside, owner of all that root owns.
USER = ['unshare', '--user', '--map-user=1000', '--map-group=1000']
SPACES = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

# The shell stays as the first process of the pid namespace, which systemd --user must not be.
INIT = '''set -e
mount --bind "$FOLDER/run" /run
mount --bind "$FOLDER/passwd" /etc/passwd
mount --bind "$TREE$PREFIX" "$PREFIX"
echo 0 >"$GROUP/cgroup.procs"
exec unshare --cgroup sh -ec '
        mount -t cgroup2 none /sys/fs/cgroup
        cd "$HOME"
        unset FOLDER TREE PREFIX GROUP
        exec "$@" sh -c "%s --user & wait"' sh "$@"
''' % MANAGER

UNITS = {
    'dbus.socket': '[Socket]\nListenStream=%t/bus\n',
    'dbus.service': '''[Unit]
Requires=dbus.socket
[Service]
Type=notify
ExecStart=dbus-daemon --config-file={folder}/bus.conf --address=systemd: --nofork --nopidfile \
 --systemd-activation
''',
    KEYRING: '''[Service]
Type=dbus
BusName=org.freedesktop.secrets
StandardInput=file:{folder}/password
ExecStart=gnome-keyring-daemon --foreground --components=secrets --unlock
''',
}


def missing(folder):
    """Why no such manager can be here, or None. folder: of cgroups, of group_folder()."""
    if os.getuid():
        return 'a user manager needs a cgroup of its own, which takes root'
    if not folder:
        return 'no cgroup can be made here'
    done = subprocess.run([*SPACES, '--cgroup', *USER, 'true'], capture_output=True, text=True,
                          check=False)
    return f'no namespaces can be made here: {done.stderr.strip()}' if done.returncode else None


def group_folder(name):
    """A new cgroup (version 2) of that name, or None."""
    with open('/proc/self/mounts', encoding='utf-8') as file:
        mounts = [line.split() for line in file]
    for _, root, kind, *_ in mounts:
        if kind == 'cgroup2':
            try:
                os.mkdir(os.path.join(root, name))
                return os.path.join(root, name)
            except OSError:
                pass
    return None


def install(build_dir, tree):
    """The build as packagers install it, below the folder tree. Gives its prefix."""
    subprocess.run(['meson', 'install', '-C', build_dir, '--no-rebuild', '--quiet', '--destdir',
                    tree], check=True, capture_output=True)
    with open(os.path.join(build_dir, 'meson-info/intro-buildoptions.json'),
              encoding='utf-8') as file:
        return {option['name']: option['value'] for option in json.load(file)}['prefix']


class Journal:
    """
    What services print, as systemd hands it to journald: lines with their <priority>. journald
    itself serves a whole machine, so that none can run beside it.
    """

    def __init__(self, path):
        self._lines = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(path)
        self._socket.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection):
        with connection, connection.makefile(encoding='utf-8', errors='replace') as stream:
            # Identifier, unit (none from a user manager), priority, and four switches.
            program = [stream.readline() for _ in range(7)][0].strip()
            for line in stream:
                self._lines.append((program, line))

    def text(self, program='iotc-tokend'):
        return ''.join(line for name, line in list(self._lines) if name == program)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Systemd:
    def __init__(self, folder, tree, prefix, group):
        """
        folder: an existing private folder; tree, prefix: of install(); group: of group_folder(),
        which goes with this.
        """
        self.folder = folder
        self.group = group
        self.home = os.path.join(folder, 'home')
        self.runtime = os.path.join(folder, 'rt')
        self.units = os.path.join(folder, 'units')
        self.tree = tree
        self.prefix = prefix
        self.process = None
        for name in ('home', 'units/sockets.target.wants', 'run/systemd/system',
                     'run/systemd/journal'):
            os.makedirs(os.path.join(folder, name), 0o700)
        self._write_units()
        self.journal = Journal(os.path.join(folder, 'run/systemd/journal/stdout'))
        self.env = {
            'HOME': self.home, 'XDG_RUNTIME_DIR': self.runtime, 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC',
            'PATH': f'{self.prefix}/bin:/usr/bin:/bin',
            'XDG_CONFIG_DIRS': f'{folder}/xdg:{tree}/etc/xdg',
            'DBUS_SYSTEM_BUS_ADDRESS': f'unix:path={folder}/none',
            'ASAN_OPTIONS': 'detect_leaks=0',   # its check looks into the process
            # Nothing of this machine but systemd's own; its folders of generated units too.
            'SYSTEMD_UNIT_PATH': ':'.join((
                f'{self.home}/.config/systemd/user', f'{self.runtime}/systemd/user', self.units,
                f'{self.prefix}/lib/systemd/user',
                f'{self.runtime}/systemd/generator.late')),
        }

    def _write_units(self):
        for path in glob.glob('/usr/lib/systemd/user/*.target') + glob.glob(
                '/usr/lib/systemd/user/*.slice') + ['/usr/lib/systemd/user/systemd-exit.service']:
            os.symlink(path, os.path.join(self.units, os.path.basename(path)))
        for name, text in UNITS.items():
            self.write(f'units/{name}', text.format(folder=self.folder))
        os.symlink('../dbus.socket', f'{self.units}/sockets.target.wants/dbus.socket')
        self.write('password', PASSWORD)
        # It wants to know who it is.
        self.write('passwd', f'ada:x:1000:1000::{self.home}:/bin/sh\n')
        self.write('bus.conf', CONFIG.format(
            socket=f'{self.runtime}/bus',
            service_dir=f'<servicedir>{self.prefix}/share/dbus-1/services</servicedir>'))

    def write(self, path, text):
        """A file below the folder, its own folder made."""
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def write_settings(self, text):
        self.write('home/.config/iotc-token/accounts.conf', text)

    def drop_in(self, text):
        """Lines of the person's own for our unit, in force for its next start."""
        self.write(f'home/.config/systemd/user/{UNIT}.d/test.conf', text)
        self.ok('systemctl', '--user', 'daemon-reload')

    # its life

    def start(self, bus=True, **env):
        """Log in. env: more variables of the manager's environment, and so of its services'."""
        self.env.update(env)
        if not bus:
            os.unlink(f'{self.units}/sockets.target.wants/dbus.socket')
        os.mkdir(self.runtime, 0o700)
        self.process = Process(
            [*SPACES, 'sh', '-c', INIT, 'sh', *USER],
            {**self.env, 'FOLDER': self.folder, 'TREE': self.tree, 'PREFIX': self.prefix,
             'GROUP': self.group},
            os.path.join(self.folder, 'manager.log'))
        # systemctl asks the manager itself, but waits for it on the bus.
        wait_until(lambda: all(os.path.exists(f'{self.runtime}/{name}')
                               for name in ('systemd/private', 'bus')[:1 + bus])
                   or not self.process.alive, 'the user manager and its bus')
        assert self.process.alive, self.process.text()
        if bus:
            self.ok('systemctl', '--user', 'is-system-running', '--wait')
        else:   # which asks the bus to wait
            wait_until(lambda: self.run('systemctl', '--user', 'is-system-running').stdout.strip()
                       in ('running', 'degraded'), 'the user manager')

    def log_out(self):
        """End the session: all units are stopped in their order."""
        self.run('systemctl', '--user', 'exit')
        self.wait_logged_out()

    def wait_logged_out(self):
        self.process.wait()
        self.process.kill_group()
        shutil.rmtree(self.runtime)     # as logind does

    def close(self):
        if self.process:
            self.process.kill_group()
        self.journal.close()
        wait_until(self._remove_group, 'the cgroup to be empty')

    def _remove_group(self):
        for folder, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True

    # programs inside

    def _argv(self, argv):
        with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children',
                  encoding='utf-8') as file:
            first = file.read().strip()
        return ['nsenter', '--target', first, '--mount', '--pid', '--cgroup', '--user',
                '--preserve-credentials', *argv]

    def _environment(self):
        return {**self.env, 'DBUS_SESSION_BUS_ADDRESS': f'unix:path={self.runtime}/bus'}

    def run(self, *argv, timeout=60):
        """Run a program inside, to its end: the completed process, output and errors as text."""
        return subprocess.run(self._argv(argv), env=self._environment(), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                              check=False)

    def ok(self, *argv, **named):
        """Run it, expect success, give its standard output."""
        done = self.run(*argv, **named)
        assert done.returncode == 0, \
            f'{argv}: exit {done.returncode}: {done.stdout}{done.stderr}{self.journal.text()}'
        return done.stdout

    def inside(self, *argv):
        """Arguments and environment for who starts a program inside by itself."""
        return self._argv(argv), self._environment()

    def start_program(self, *argv):
        """Start a program inside and don't wait."""
        return Process(self._argv(argv), self._environment(),
                       os.path.join(self.folder, f'{os.path.basename(argv[0])}.log'))

    # what a test asks

    def systemctl(self, *arguments):
        return self.ok('systemctl', '--user', *arguments)

    def show(self, prop, unit=UNIT):
        """A property of a unit, as text."""
        return self.systemctl('show', '--value', '-p', prop, unit).strip()

    def wait_state(self, state, unit=UNIT):
        wait_until(lambda: self.show('ActiveState', unit) == state, f'{unit} to be {state}')

    def owner(self, name='org.iotc.Token1'):
        """The process that owns a bus name, as it is numbered inside; '' for none."""
        done = self.run('busctl', '--user', '--json=short', 'call', 'org.freedesktop.DBus',
                        '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                        'GetConnectionUnixProcessID', 's', name)
        return str(json.loads(done.stdout)['data'][0]) if done.returncode == 0 else ''
