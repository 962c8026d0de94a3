# SPDX-License-Identifier: MIT
#
# What goes wrong in a soak: one thing after the other, some on top of each other, in an order and
# for times by chance, from the seed. Each is written into the diary before it happens.

import os
import signal
import time

from util_bus import pump
from util_proxy import FAULTS

PROXY_FAULTS = sorted(name for name in FAULTS if not name.startswith('tls') and name != 'slow')


class Faults:
    def __init__(self, world, chance, pace):
        """pace: 1, or less to have all in less time."""
        self.world = world
        self.chance = chance
        self.pace = pace
        self.kill = True        # may the daemon itself be killed?

    def pause(self, least, most):
        """The callers go on; a daemon that ends by itself is noticed."""
        end = time.monotonic() + self.chance.uniform(least, most) * self.pace
        pump(lambda: time.monotonic() >= end, 'the next fault', most + 60)

    def run(self, until):
        """Faults until that moment of time.monotonic(), all over when it returns."""
        table = [(3, self.network), (1, self.refused), (2, self.gone),
                 (2, self.server), (1, self.locked),
                 (1, self.keyring_killed), (1, self.keyring_hangs), (1, self.sleep),
                 (1, self.world.reload), (2, self.fetcher_killed)]
        if self.kill:
            table += [(3, self.daemon_killed), (0.3, self.world.kill_launcher)]
            self.daemon_killed()    # the shortest soak has seen that
        while time.monotonic() < until:
            self.pause(0.3, 2) if self.chance.random() < 0.9 else self.pause(8, 15)
            self.world.look_after()
            weights = [weight for weight, _ in table]
            self.chance.choices(table, weights)[0][1]()
            self.world.look_after()

    def during(self, seconds):
        """A fault lasts; the daemon may be killed under it."""
        self.pause(seconds / 2, seconds)
        if self.kill and self.chance.random() < 0.2:
            self.daemon_killed()

    def network(self):
        names = self.chance.sample(PROXY_FAULTS, self.chance.randint(1, 3))
        share = self.chance.uniform(0.3, 1)
        entry = self.world.diary.begin('net', f'network: {", ".join(names)} of {share:.0%}')

        def choose():
            return self.chance.choice(names) if self.chance.random() < share else 'pass'
        self.world.proxy.choose = choose
        self.during(6)
        self.world.proxy.be('pass')
        self.world.diary.end(entry)

    def refused(self):
        entry = self.world.diary.begin('net', 'network: refused')
        self.world.proxy.refuse()
        self.during(6)
        self.world.proxy.listen()
        self.world.diary.end(entry)

    def gone(self):
        """The same, and NetworkManager says so: at its word of the return all is tried at once."""
        entry = self.world.diary.begin('net', 'network: gone')
        self.world.proxy.refuse()
        self.world.network.tell(False)
        self.during(6)
        self.world.proxy.listen()
        self.world.network.tell(True)
        self.world.diary.end(entry)

    def server(self):
        status = self.chance.choice((500, 502, 503, 504, 429))
        after = self.chance.choice((0, 1, 4))
        count = self.chance.randint(1, 30)
        entry = self.world.diary.begin('net', f'server: {count} times {status}, {after} s')
        self.world.entra.fail(
            status=status, count=count, when=self.chance.choice(('before', 'after')),
            body={'error': 'temporarily_unavailable'},
            **({'headers': {'retry-after': str(after)}} if after else {}))
        self.during(6)
        self.world.entra.heal()
        self.world.diary.end(entry)

    def locked(self):
        entry = self.world.diary.begin('locked', 'keyring: locked', 2)
        self.world.keyring.lock()
        self.pause(1, 8)
        if self.kill and self.chance.random() < 0.3:
            self.daemon_killed()
        self.world.keyring.unlock()
        self.world.diary.end(entry)

    def keyring_killed(self):
        entry = self.world.diary.begin('absent', 'keyring: killed', 2)
        self.world.keyring.kill()
        self.pause(1, 8)
        if self.kill and self.chance.random() < 0.3:
            self.daemon_killed()
        self.world.keyring.start()
        self.world.diary.end(entry)

    def keyring_hangs(self):
        entry = self.world.diary.begin('hang', 'keyring: stopped', 2)
        self.world.keyring.process.send(signal.SIGSTOP)
        self.pause(1, 15)
        self.world.keyring.process.send(signal.SIGCONT)
        self.world.diary.end(entry)

    def sleep(self):
        # After it a keyring or a network has up to 5 s, and then a moment by chance.
        entry = self.world.diary.begin('sleep', 'machine: asleep', 10)
        self.world.logind.tell(True)
        self.pause(1, 15)
        self.world.logind.tell(False)
        self.world.diary.end(entry)

    def daemon_killed(self):
        self.world.kill(lambda: self.pause(0, 1))

    def fetcher_killed(self):
        for pid in self.world.fetchers():
            self.world.diary.moment('net', 'fetcher: kill -9', 1)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
