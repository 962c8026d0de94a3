# SPDX-License-Identifier: MIT
#
# Had the daemon a right reason to refuse? What it did is read from its log as it is written, what
# was wrong with the world is in the diary; the rules (daemon/README.md) say what may follow. So an
# attempt that failed while nothing was wrong is as wrong as a back-off that is too long, a request
# too many, or a caller who is sent away though a token could soon be had.

import re
import time
from collections import deque

from util_daemon import ERROR

WINDOW = 300            # seconds in which so many requests may be counted
BUDGET = 12
BUDGET_OF_CLAIMS = 6
COVERS = 5              # seconds that a token of LIFE covers: policy_covered_until()
SLOW = 2                # seconds that it may live shorter, when the answer took so long
PATIENCE = 10           # seconds: who can be served within waits
RETRY_AFTER = 4         # seconds, the longest that a fault of the server asks for
EDGE = 0.5              # seconds: the log is read, and a clock compared, a little later
LINE = re.compile(
    r'iotc-tokend: (?P<account>\w+): (?:'
    r'(?P<asks>asks) for (?P<asked>[^ ,]+)(?P<claims>, for claims)?(?P<counted>, counted)?'
    r'|failure (?P<n>\d+) for (?P<failed>[^ ;]+); again in (?P<delay>[\d.]+) s'
    r'|has a token for (?P<got>[^ ]+))$')
KINDS = {'sleep': 'the machine slept', 'hang': 'the keyring hung',
         'net': 'the network or the server was down'}


class Attempt:
    def __init__(self, since, until, claims, counted):
        """It left at some time from since to until."""
        self.since = since
        self.left = until
        self.claims = claims
        self.counted = counted
        self.over = None        # when it failed, in the same way


class Slot:
    """What is known of one account and resource; some of it outlives the daemon."""

    def __init__(self):
        self.counted = deque()  # when requests left that count
        # The tokens' own life demands one not before early, and surely from late on; None: that
        # is not known, since none has come.
        self.early = self.late = None
        self.new_life()

    def new_life(self):
        self.failures = 0
        self.failed = None      # the attempt after which nothing better came
        self.retry_at = None


class Judge:
    def __init__(self, log, diary):
        self.log = log
        self.diary = diary
        self.wrong = []         # (when, what) of what it did, whoever asked
        self.attempts = self.failures = self.beyond = 0
        self.greedy = {}        # (account, resource): until when callers wish for more than needed
        self._slots = {}
        self._flying = {}       # account: (slot, attempt)
        self._claims_failed = {}        # account: the last attempt for claims that failed
        self._offset = 0
        self._rest = ''
        self._read_at = time.monotonic()

    def slot(self, account, resource):
        return self._slots.setdefault((account, resource), Slot())

    def mark(self, what):
        self.wrong.append((time.monotonic() - self.diary.began, what))

    def wishes(self, account, resource, seconds):
        """Somebody asks for more than a good token, from now on for so long."""
        key = account, resource
        self.greedy[key] = max(self.greedy.get(key, 0), time.monotonic() + seconds)

    def new_life(self):
        """The daemon is dead, and will be started."""
        self.read()
        self._flying.clear()
        self._claims_failed.clear()
        for slot in self._slots.values():
            slot.new_life()

    def read(self):
        """What it has written since the last time was done between then and now."""
        since, now = self._read_at, time.monotonic()
        with open(self.log, encoding='utf-8', errors='replace') as file:
            file.seek(self._offset)
            text = file.read()
            self._offset = file.tell()
        self._read_at = now
        *lines, self._rest = (self._rest + text).split('\n')
        for line in lines:
            if found := LINE.match(line):
                self._take(found, since, now)

    def _take(self, found, since, now):
        account = found['account']
        if found['asks']:
            attempt = Attempt(since, now, found['claims'], found['counted'])
            self._left(account, found['asked'], attempt)
        elif found['got']:
            self._got(account, found['got'], now)
        else:
            self._failed(account, found['failed'], int(found['n']), float(found['delay']), now)

    def _left(self, account, resource, attempt):
        slot = self.slot(account, resource)
        former = self._flying.get(account)
        if former and former[1].claims:     # its failure is its caller's alone
            former[1].over = attempt.left
            self._claims_failed[account] = former[1]
        self._flying[account] = slot, attempt
        self.attempts += 1
        if attempt.counted:
            self._count(account, resource, slot, attempt)
            return
        if slot.late is None:
            return
        if attempt.left + EDGE < slot.early:
            self.mark(f'{account}: a request too many for {resource}, '
                      f'{slot.early - attempt.left:.1f} s early and not counted')
        slot.early, slot.late = attempt.since + COVERS - SLOW, attempt.left + COVERS

    def _count(self, account, resource, slot, attempt):
        self.beyond += 1
        while slot.counted and slot.counted[0] <= attempt.since - WINDOW - EDGE:
            slot.counted.popleft()
        slot.counted.append(attempt.left)
        if len([at for at in slot.counted if at > attempt.left - WINDOW + EDGE]) > BUDGET:
            self.mark(f'{account}: more than {BUDGET} requests for {resource} beyond its need')
        wished = attempt.claims or self.greedy.get((account, resource), 0) > attempt.since - EDGE
        if not wished and slot.late is not None and attempt.since > slot.late + EDGE:
            self.mark(f'{account}: a request for {resource} is counted that was due '
                      f'{attempt.since - slot.late:.1f} s before')

    def _got(self, account, resource, now):
        slot = self.slot(account, resource)
        flying = self._flying.pop(account, None)
        # The record may have had one, of another life: when it came is not known.
        if flying:
            slot.early, slot.late = flying[1].since + COVERS - SLOW, now + COVERS
        slot.failures = 0
        slot.failed = slot.retry_at = None

    def _failed(self, account, resource, n, delay, now):
        slot = self.slot(account, resource)
        flying = self._flying.pop(account, None)
        attempt = flying[1] if flying else Attempt(now, now, None, None)
        attempt.over = now
        self.failures += 1
        if n not in (1, slot.failures + 1):     # what resets it, it may do without us
            self.mark(f'{account}: failure {n} in a row for {resource} after {slot.failures}')
        slot.failures, slot.failed, slot.retry_at = n, attempt, now + delay
        if not self.diary.excuses(KINDS, attempt.since - EDGE, now):
            self.mark(f'{account}: an attempt for {resource} failed though nothing was wrong')
        longest = 1.25 * max(min(2 ** (n - 1), 300), RETRY_AFTER)
        spent = self.spent(slot, now) >= BUDGET
        if spent:       # then none may leave before one is due
            longest = max(longest, WINDOW if slot.late is None else slot.late - now)
        if delay > longest + EDGE:
            self.mark(f'{account}: failure {n} for {resource} is tried again in {delay:.1f} s')

    @staticmethod
    def spent(slot, now):
        return len([at for at in slot.counted if at > now - WINDOW - EDGE])

    def _kind(self, begin, end):
        """What was in the way then, for the table; None: nothing."""
        return next((name for kind, name in KINDS.items()
                     if self.diary.excuses((kind,), begin, end)), None)

    def reason(self, call, error, begin, now):
        """
        Of an Unavailable or TimedOut to call, from begin to now: (why, None), or (None, what is
        wrong with it).
        """
        self.read()
        slot = self.slot(call.account, call.resource)
        text = error.text
        claims, strict = 'claims' in call.options, 'min_valid' in call.options
        here = self._kind(begin - EDGE, now)
        if 'asked for too often' in text:
            return self._budget(call, slot, text, claims, begin, now)
        if 'no token is in memory yet' in text:
            return ('its caller does not wait', None) if call.limit == 0 else (None, 'it may wait')
        if 'a token just fetched is valid for' in text:
            return (here, None) if strict and here else (None, 'its token was good')
        if claims:
            failed = self._claims_failed.get(call.account)
            flying = self._flying.get(call.account)
            failed = flying[1] if flying and flying[1].claims else failed
            failed = failed if failed and (failed.over or now) >= begin else None
        else:
            failed = slot.failed
        if not here and failed and self._kind(failed.since - EDGE, failed.over or now):
            here = 'the back-off after such a fault'
        if error.name == ERROR + 'TimedOut' and call.limit < PATIENCE / 2:
            return here or 'its caller does not wait', None
        if not here:
            return None, 'nothing is wrong'
        again = re.search(r'Next try in (\d+) s', text)
        if again and not claims and not strict:
            left = min(call.limit, PATIENCE) - (now - begin)
            if int(again[1]) + 2 * EDGE < left:
                return None, f'it could have had one in {again[1]} s'
        return here, None

    def _budget(self, call, slot, text, claims, begin, now):
        spent, need = self.spent(slot, now), BUDGET_OF_CLAIMS if claims else BUDGET
        again = int(re.search(r'again in (\d+) s', text)[1])
        if spent < need:
            return None, f'{spent} of {need} are spent'
        if not claims and again + 2 * EDGE < min(call.limit, PATIENCE) - (now - begin):
            return None, f'it could have had one in {again} s'
        if call.greedy():
            return 'it wished for more than is allowed', None
        return 'the budget of requests was spent', None


def is_judged(name):
    return name in (ERROR + 'Unavailable', ERROR + 'TimedOut')
