# SPDX-License-Identifier: MIT
#
# Refresh tokens rotate with every exchange, and the daemon may die at any moment of one. At a
# service as Entra, where a used refresh token goes on working, nobody is ever asked to sign in for
# that. IOTC_KILLS says how often it is killed (default 50), IOTC_SEED when.

import os
import random

from gi.repository import GLib

from util_bus import BusError, pump
from util_daemon import entra_account

KILLS = int(os.environ.get('IOTC_KILLS', '50'))
SEED = int(os.environ.get('IOTC_SEED', '20'))


def test_killed_at_random_moments(daemon, entra, keyring):
    chance = random.Random(SEED)
    entra.set(access_token_ttl=60)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    for _ in range(KILLS):
        call = daemon.start_get('work', min_valid=60)      # an exchange every time
        moment = []
        GLib.timeout_add(chance.randrange(500), lambda moment=moment: moment.append(True))
        pump(lambda moment=moment: moment, 'the moment of the kill')
        daemon.kill9()
        try:
            call.result()
        except BusError as error:
            assert error.name.endswith(('.NoReply', '.Unavailable')), f'{error}; IOTC_SEED={SEED}'
        daemon.start()
    assert daemon.get_token('work')[1] == 'bearer'
    assert entra.count('refresh_token', status=200) > KILLS / 5
