# SPDX-License-Identifier: MIT
#
# The callers of a soak. Each thinks, asks, looks hard at what it got, and thinks again; some are
# impatient, greedy or rude, and some leave in the middle. All of it by chance, from the seed.

import base64
import json
import time

from gi.repository import GLib

from util_bus import NO_AUTO_START, BusError, Connection
from util_daemon import ACCOUNT, ERROR, INVALID_ARGS, MANAGER, NAME, RESOURCE, ROOT
from util_daemon import account_path, variants
from util_soak_judge import is_judged
from util_soak_world import OTHER, user_of

TICK = 0.05         # seconds: how often the harness looks at its own delay
SLACK = 5           # seconds an answer may come after the caller's time is over
TIMEOUT = 20        # seconds, of a caller who names none
DAEMON_IS_DOWN = ('org.freedesktop.DBus.Error.NoReply',
                  'org.freedesktop.DBus.Error.ServiceUnknown',
                  'org.freedesktop.DBus.Error.NameHasNoOwner')
# Which entries of the diary are a reason for which error, and what the table calls it. Of
# Unavailable and TimedOut the judge knows better.
REASONS = {
    **{name: (('down',), 'the daemon was dead') for name in DAEMON_IS_DOWN},
    ERROR + 'KeyringLocked': (('locked', 'absent', 'hang'), 'the keyring was locked or gone'),
    ERROR + 'KeyringAbsent': (('absent', 'hang'), 'the keyring was locked or gone'),
    ERROR + 'Cancelled': (('settings',), 'the settings changed'),
}
# What a caller wishes for: how often, the options, other arguments.
WISHES = [
    (70, {}, {}),
    (5, {'min_valid': 2}, {}),
    (5, {'timeout': 0}, {}),
    (4, {'timeout': 2}, {}),
    (4, {'resource': OTHER}, {}),
    (3, {'force': True}, {}),
    (2, {'claims': '{"access_token":{}}'}, {}),
    (2, {}, {'header': True}),
    (2, {}, {'by_object': True}),
    (2, {}, {'leave': True}),
    (1, {}, {'report': True}),
    (1, {'resource': 'https://evil.example'}, {'error': ERROR + 'Denied'}),
    (1, {'no_such_option': True}, {'error': INVALID_ARGS}),
    (1, {}, {'account': 'nobody', 'error': ERROR + 'NoSuchAccount'}),
]


def claims_of(token):
    part = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))


class Crowd:
    """All callers, what they have seen, and the clock of the harness itself."""

    def __init__(self, world, count, chance, think):
        """think: the mean of the seconds between two calls of a client."""
        self.world = world
        self.chance = chance
        self.think = think
        self.answered = self.refused = self.in_doubt = 0
        self.wrong = []             # (seconds since the start, what)
        self.sign_ins_asked = 0
        self.slowest = 0            # seconds that a caller waited for a token
        self.reasons = {}           # why: how often that was a right reason
        self.tokens = set()         # hashes of those handed out
        self.last = {}              # (account, resource): (token, exp, when it was first seen)
        self.lags = []              # (when, seconds) of late ticks
        self.running = True
        self._tick_at = time.monotonic()
        self.clients = [Client(self, world.bus.address) for _ in range(count)]

    def start(self):
        self._tick_at = time.monotonic()
        GLib.timeout_add(int(TICK * 1000), self._tick)
        for client in self.clients:
            client.pause()

    def stop(self):
        self.running = False

    def busy(self):
        return sum(client.calling for client in self.clients)

    def close(self):
        for client in self.clients:
            client.connection.close()

    def _tick(self):
        now = time.monotonic()
        late = now - self._tick_at - TICK
        if late > TICK:
            self.lags = [lag for lag in self.lags if lag[0] > now - 60] + [(now, late)]
        self._tick_at = now
        self.world.judge.read()
        return self.running

    def lag(self, since):
        """By how many seconds the harness itself may have been late since then."""
        now = time.monotonic()
        return max([now - self._tick_at - TICK, 0,
                    *(late for when, late in self.lags if when >= since)])

    def mark(self, what):
        self.wrong.append((time.monotonic() - self.world.diary.began, what))


class Client:
    def __init__(self, crowd, address):
        self.crowd = crowd
        self.address = address
        self.connection = Connection(address)
        self.calling = False
        self.reported = set()   # accounts whose token it has called rejected

    def pause(self):
        think = min(self.crowd.chance.expovariate(1 / self.crowd.think), 5 * self.crowd.think)
        GLib.timeout_add(int(think * 1000), self.ask)

    def ask(self):
        if self.crowd.running:
            chance = self.crowd.chance
            row = chance.choices(WISHES, [weight for weight, _, _ in WISHES])[0]
            call = Call(self, chance.choice(self.crowd.world.names), *row[1:])
            self.calling = True
            call.send()
            if call.leave:
                self.connection.close()
                self.connection = Connection(self.address)
                self.over()
        return False

    def over(self):
        self.calling = False
        if self.crowd.running:
            self.pause()


class Call:
    def __init__(self, client, account, options, how):
        self.client = client
        self.crowd = client.crowd
        self.account = how.get('account', account)
        self.options = options
        self.expected = how.get('error')
        self.header = 'header' in how
        self.by_object = 'by_object' in how
        self.leave = 'leave' in how
        self.report = 'report' in how
        self.resource = options.get('resource', RESOURCE)
        self.limit = options.get('timeout', TIMEOUT)
        self.sent = None

    def arguments(self):
        options = variants(self.options)
        if self.report:
            self.client.reported.add(self.account)
            held = self.crowd.last.get((self.account, RESOURCE), ('x',))[0]
            return ROOT, MANAGER, 'ReportRejected', GLib.Variant(
                '(sss)', (self.account, held, 'Bearer error="invalid_token"'))
        if self.by_object:
            return account_path(self.account), ACCOUNT, 'GetToken', \
                GLib.Variant('(a{sv})', (options,))
        return ROOT, MANAGER, 'GetAuthorization' if self.header else 'GetToken', \
            GLib.Variant('(sa{sv})', (self.account, options))

    def send(self):
        path, interface, member, arguments = self.arguments()
        self.sent = time.monotonic()
        if self.report or self.greedy():
            self.crowd.world.judge.wishes(self.account, self.resource, self.limit)
        self.client.connection.gio.call(
            NAME, path, interface, member, arguments, None, NO_AUTO_START,
            int((self.limit + 4 * SLACK) * 1000), None, self.finished)

    def finished(self, gio, result):
        try:
            self.look(gio, result)
        except Exception as error:      # nobody above would see it
            self.crowd.mark(f'{self}: the harness: {error!r}')
        if not self.leave:
            self.client.over()

    def look(self, gio, result):
        now, wall = time.monotonic(), time.time()
        try:
            value = gio.call_finish(result).unpack()
        except GLib.Error as error:
            if self.leave:
                return
            self.refused(BusError.of(error), now)
        else:
            if self.leave:
                return
            self.answered(value, now, wall)
        if now - self.sent > self.limit + SLACK + self.crowd.lag(self.sent):
            self.crowd.mark(f'{self}: answered after {now - self.sent:.1f} s')

    def __str__(self):
        return f'{self.account} {self.options or ""}{" by object" if self.by_object else ""}'

    def answered(self, value, now, wall):
        self.crowd.answered += 1
        if self.expected:
            self.crowd.mark(f'{self}: no {self.expected}')
        elif not self.report:
            self.crowd.slowest = max(self.crowd.slowest, now - self.sent)
            self.look_at_token(value, now, wall)

    def look_at_token(self, value, now, wall):
        crowd = self.crowd
        token = value[0].removeprefix('Bearer ') if self.header else value[0]
        claims = claims_of(token)
        # A JWT's times are whole seconds; its life as the server tells it begins up to 1 s later.
        over = wall - claims['exp'] - 1
        if over > 0 and over <= crowd.lag(self.sent):
            crowd.in_doubt += 1
        elif over > 0:
            crowd.mark(f'{self}: a token that ended {over + 1:.1f} s ago')
        if claims['aud'] != self.resource:
            crowd.mark(f'{self}: a token for {claims["aud"]}')
        if claims['upn'] != user_of(self.account):
            crowd.mark(f'{self}: a token of {claims["upn"]}')
        if abs(value[-1] - claims['exp']) > 2:
            crowd.mark(f'{self}: told its end {value[-1] - claims["exp"]} s off')
        self.client.reported.discard(self.account)
        known = crowd.last.get((self.account, self.resource))
        if not known or known[1] < claims['exp']:
            crowd.last[self.account, self.resource] = (token, claims['exp'], now)
        crowd.tokens.add(hash(token))

    def greedy(self):
        return {'force', 'claims', 'min_valid'} & set(self.options)

    def refused(self, error, now):
        crowd = self.crowd
        why, wrong = self.reason(error, self.sent - crowd.lag(self.sent), now)
        if error.name == ERROR + 'SignInNeeded':
            crowd.sign_ins_asked += 1
        if why and self.had_better(error.name, now):
            wrong = 'its last token is good'
        if wrong:
            crowd.mark(f'{self}: {error.name.removeprefix(ERROR)}: {error.text} '
                       f'(after {now - self.sent:.1f} s; {wrong})')
        else:
            crowd.refused += 1
            crowd.reasons[why] = crowd.reasons.get(why, 0) + 1

    def reason(self, error, begin, now):
        """(why, None) when it was right, (None, what is wrong)."""
        if self.expected == error.name:
            return 'the call itself was wrong', None
        if is_judged(error.name):
            return self.crowd.world.judge.reason(self, error, begin, now)
        kinds, why = REASONS.get(error.name, ((), None))
        if self.crowd.world.diary.excuses(kinds, begin, now):
            return why, None
        if 'claims' in self.options and 'challenges wait already' in error.text:
            return 'too many claims challenges wait', None
        return None, 'nothing is wrong'

    def had_better(self, name, now):
        """A plain caller is refused though this account's last token lives on."""
        known = self.crowd.last.get((self.account, self.resource))
        # Who has called the token rejected is not given it again.
        if name in DAEMON_IS_DOWN or self.expected or self.report or not known \
                or self.account in self.client.reported \
                or self.greedy():
            return False
        # A daemon that died before the token was in the keyring has no token.
        lost = self.crowd.world.diary.excuses(('down', 'settings'), known[2] - 5, now)
        return known[1] > time.time() + 1 and not lost
