# SPDX-License-Identifier: MIT
#
# Refresh tokens rotate with every exchange, and the daemon is killed at random moments of one:
# how often somebody had to sign in for that, and how long the moment lasts in which it can happen.

import random
import time

from util_bus import BusError
from util_daemon import ERROR

CLAIMS = '{"access_token":{}}'  # who names claims has an exchange made, whatever there is
PER_START = 5       # exchanges with claims before they are forgotten: 6 in 5 minutes are allowed


def exchange(daemon):
    """Have one made: the seconds that it took."""
    began = time.monotonic()
    daemon.get_token('work', claims=CLAIMS)
    return time.monotonic() - began


def kill_often(daemon, entra, kills, seed):
    """
    Kill the daemon so often, at moments from seed of exchanges that callers make all the time.
    Signed in before; gives how often somebody had to sign in again.
    """
    chance = random.Random(seed)
    longest = 2 * sorted(exchange(daemon) for _ in range(3))[1]
    lost = 0
    for i in range(kills + 1):
        needed = False
        call = daemon.start_get('work', claims=CLAIMS)
        if i < kills:
            time.sleep(chance.uniform(0, longest))
            daemon.kill9()
        try:
            call.result()
        except BusError as error:
            if not error.name.endswith('.NoReply'):
                assert error.name == ERROR + 'SignInNeeded', f'{error}; seed {seed}'
                lost += 1
                needed = True
        if i < kills:
            daemon.forget_requests()
            daemon.start()
        if needed:
            daemon.sign_in(entra)
    return lost


def windows(daemon, entra, count):
    """
    Of so many exchanges the seconds in which a kill costs a sign-in at a strict server: ours, from
    its having spent the old refresh token to our caller's reply, which comes when the keyring has
    the new one; and the server's, from its having read the request on. Sorted.
    """
    ours, theirs = [], []
    for i in range(count):
        if i % PER_START == 0:
            daemon.stop()
            daemon.forget_requests()
            daemon.start()
        entra.clear()
        exchange(daemon)
        now = time.monotonic()
        request = entra.requests(grant_type='refresh_token')[-1]
        ours.append(now - request['done_at'])
        theirs.append(request['done_at'] - request['read_at'])
    return sorted(ours), sorted(theirs)
