# SPDX-License-Identifier: MIT
#
# Entra takes 15 equal requests in 5 minutes for a loop, and signs out whoever sent them. However
# often the daemon dies, and whatever its callers ask for, the server never sees so many.

import random

from util_bus import BusError
from util_daemon import entra_account
from util_rotation import CLAIMS

LIVES = 24


def test_killed_in_a_loop(daemon, entra, keyring):
    """In each of its lives a caller forces, and it dies at some moment of that or just after."""
    chance = random.Random(7)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    for _ in range(LIVES):
        daemon.kill9()
        daemon.start()
        call = daemon.start_get('work', force=True)
        if chance.random() < 0.7:
            try:
                call.result()
            except BusError as error:
                assert 'too often' in error.text
    assert 8 < entra.count('refresh_token') < 15
    assert daemon.get_token('work')[1] == 'bearer'


def test_killed_once_and_needed(daemon, entra, keyring):
    """What was under way when it died is asked for again at once."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    entra.hold()
    daemon.start_get('work', claims=CLAIMS)
    entra.wait(grant_type='refresh_token')
    daemon.kill9()
    entra.release()
    daemon.start()
    before = entra.count('refresh_token')
    assert daemon.get_token('work', claims=CLAIMS)[1] == 'bearer'
    assert entra.count('refresh_token') == before + 1
