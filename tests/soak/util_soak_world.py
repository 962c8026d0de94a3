# SPDX-License-Identifier: MIT
#
# The world of a soak: real servers, one daemon, many accounts, and the diary of what was wrong
# with it when. An error that a caller gets is right only if the diary has a reason for it.

import os
import signal
import time

from util_bus import Bus
from util_daemon import NAME, ROOT, Daemon, Home, entra_account
from util_entra import Entra
from util_keyring import Keyring
from util_logind import Logind
from util_network import NetworkService
from util_process import wait_until
from util_proxy import Proxy
from util_soak_judge import Judge

LIFE = 10       # seconds of an access token
OTHER = 'https://other.example'
PATIENCE = 90   # seconds that the accounts have to recover by themselves
FOREVER = float('inf')


class Diary:
    """What was wrong from when to when: (kind, begin, end, grace); times of time.monotonic()."""

    def __init__(self):
        self.entries = []
        self.began = time.monotonic()

    def begin(self, kind, text, grace=0):
        """grace: for so long after its end it may still be felt, by the rules."""
        self.entries.append([kind, time.monotonic(), FOREVER, grace, text])
        return self.entries[-1]

    @staticmethod
    def end(entry):
        entry[2] = time.monotonic()

    def moment(self, kind, text, grace):
        self.end(self.begin(kind, text, grace))

    def excuses(self, kinds, begin, end):
        """Was one of these wrong at some time between begin and end?"""
        return any(kind in kinds and start <= end and begin <= over + grace
                   for kind, start, over, grace, _ in self.entries)

    def counts(self):
        found = {}
        for _, _, _, _, text in self.entries:
            what = text.split(':')[0]
            found[what] = found.get(what, 0) + 1
        return found

    def tail(self, count=15):
        return [f'{start - self.began:8.2f} {kind:9}'
                f'{"…" if over == FOREVER else f"{over - start:.2f} s":>9}  {text}'
                for kind, start, over, _, text in self.entries[-count:]]


def user_of(name):
    return f'{name}@contoso.example'


class World:
    def __init__(self, folder, build_dir, accounts, parts):
        """folder: an empty one. parts: an ExitStack that ends it all."""
        def sub(name):
            os.mkdir(os.path.join(folder, name), 0o700)
            return os.path.join(folder, name)

        self.diary = Diary()
        self.names = [f'account{i}' for i in range(accounts)]
        self.entra = Entra(sub('entra'))
        parts.callback(self.entra.close)
        self.proxy = Proxy(int(self.entra.authority.rsplit(':', 1)[1]))
        parts.callback(self.proxy.close)
        self.bus = Bus(sub('bus'))
        parts.callback(self.bus.close)
        self.logind = Logind(sub('system'))
        parts.callback(self.logind.close)
        self.logind.start()
        self.network = NetworkService(sub('network'), 'NetworkManager', self.logind.bus)
        parts.callback(self.network.close)
        self.network.start(good=True)
        self.keyring = Keyring(self.bus, sub('keyring'))
        parts.callback(self.keyring.close)
        self.keyring.start()
        self.daemon = Daemon(Home(sub('home'), self.bus, build_dir), self.bus)
        self.judge = None
        parts.callback(self._close_daemon)
        self.extra = 0          # counts the changes of the settings
        self.lives = 0
        self.crashes = []       # ends of the daemon that nobody ordered
        self.started_at = None

    def _close_daemon(self):
        if self.daemon.process and self.daemon.process.alive:
            self.daemon.process.end()

    def settings(self):
        """Accounts whose identity never changes; around them something is always new."""
        text = ''.join(
            entra_account(self.entra, name, authority=self.proxy.url, resources=OTHER,
                          apps=f'{name}-{self.extra}.example.com')
            for name in self.names)
        if self.extra % 2:
            text += entra_account(self.entra, 'guest', authority=self.proxy.url)
        return text

    def open(self):
        """Everybody signs in; tokens are short from now on."""
        self.entra.set(access_token_ttl=LIFE)
        self.daemon.write_settings(self.settings())
        self.start(**self.logind.env())
        paths = [self.daemon.start_sign_in(name) for name in self.names]
        for name, path in zip(self.names, paths):
            self.entra.approve(self.daemon.sign_in_property(path, 'UserCode'), user_of(name))
        for name in self.names:
            self.daemon.wait_property('State', 'ready', account=name)
        self.entra.clear()
        self.judge = Judge(self.daemon.log, self.diary)

    # the daemon's life: down while nobody owns its name

    def start(self, **env):
        self.daemon.start(**env)
        self.lives += 1
        self.started_at = time.monotonic()

    def kill(self, pause):
        entry = self.diary.begin('down', 'daemon: kill -9', 1)
        self.daemon.kill9()
        self.judge.new_life()
        pause()
        self.start()
        self.diary.end(entry)

    def look_after(self):
        """Is it still there? Else what D-Bus activation would do, and what must not happen."""
        if self.daemon.process.alive:
            return
        entry = self.diary.begin('down', 'daemon: it ended by itself', 2)
        entry[1] -= 1
        self.crashes.append(self.daemon.process.popen.returncode)
        self.judge.new_life()
        self.daemon.bus.wait_name(NAME, owned=False)
        self.start()
        self.diary.end(entry)

    def processes(self):
        """[daemon, launcher]; None where it is not there."""
        return [self.daemon.process.pid, *children(self.daemon.process.pid)]

    def fetchers(self):
        return [pid for launcher in children(self.daemon.process.pid) for pid in children(launcher)]

    def kill_launcher(self):
        """The daemon ends with it, and says so: it is started again."""
        entry = self.diary.begin('down', 'launcher: kill -9', 1)
        for pid in children(self.daemon.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.daemon.process.wait()
        self.judge.new_life()
        self.daemon.bus.wait_name(NAME, owned=False)
        self.start()
        self.diary.end(entry)

    def reload(self):
        self.extra += 1
        self.daemon.write_settings(self.settings())
        self.daemon.process.send(signal.SIGHUP)
        self.diary.moment('settings', 'settings: changed and read again', 5)

    def calm(self):
        """Every fault is over and every account has a token for an hour, which is stored."""
        self.entra.set(access_token_ttl=3600)

        def long_ones():
            self.look_after()
            objects = self.daemon.objects()
            ends = [object_['org.iotc.Token1.Account']['ExpiresAt']
                    for object_ in objects.values() if 'org.iotc.Token1.Account' in object_]
            return sum(end > time.time() + 600 for end in ends) >= len(self.names)

        self.network.tell(False)
        self.network.tell(True)     # no back-off goes on after that
        wait_until(long_ones, 'a token of an hour for each account', PATIENCE)
        stored = [0, time.monotonic()]

        def stored_all():
            writes = self.daemon.stats()['keyring-writes']
            if writes != stored[0]:
                stored[:] = writes, time.monotonic()
            return time.monotonic() > stored[1] + 4
        wait_until(stored_all, 'all to be stored', 60)


def children(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children', encoding='utf-8') as file:
            return [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return []


__all__ = ['LIFE', 'OTHER', 'ROOT', 'World', 'children', 'user_of']
