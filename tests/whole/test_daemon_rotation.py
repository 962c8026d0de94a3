# SPDX-License-Identifier: MIT
#
# Refresh tokens rotate with every exchange, and the daemon may die at any moment of one. At a
# service as Entra, where a used refresh token goes on working, nobody is ever asked to sign in for
# that. IOTC_KILLS says how often it is killed (default 50; ./run soak: 500), IOTC_SEED when.

import os
import signal

from util_daemon import entra_account
from util_rotation import CLAIMS, kill_often

KILLS = int(os.environ.get('IOTC_KILLS', '50'))
SEED = int(os.environ.get('IOTC_SEED', '20'))


def test_killed_at_random_moments(daemon, entra, keyring):
    print(f'IOTC_KILLS={KILLS} IOTC_SEED={SEED}')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    assert kill_often(daemon, entra, KILLS, SEED) == 0
    assert entra.count('device_code', status=200) == 1
    assert entra.count('refresh_token', status=200) > KILLS / 3


def test_the_window_that_is_left(daemon, entra, keyring):
    """
    A service that takes a second use of a refresh token for theft, and a kill between its answer
    and our keyring: one sign-in, said as it is.
    """
    entra.set(rotation='strict')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    entra.hold()
    daemon.start_get('work', claims=CLAIMS)
    entra.wait(grant_type='refresh_token')
    daemon.kill9()
    entra.release()
    daemon.start()
    name, text = daemon.error_of(daemon.get_token, 'work', claims=CLAIMS)
    assert name == 'SignInNeeded' and 'iotc-token login work' in text
    daemon.sign_in(entra)
    assert daemon.get_token('work')[1] == 'bearer'


def test_ended_while_the_server_answers(daemon, entra, keyring):
    """The end of a session waits (2 s at most) for what an old refresh token was spent for."""
    entra.set(rotation='strict')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    entra.hold()
    call = daemon.start_get('work', claims=CLAIMS)
    entra.wait(grant_type='refresh_token')
    daemon.process.send(signal.SIGTERM)
    entra.release()
    assert call.result()[1] == 'bearer'
    assert daemon.process.wait() == 0
    daemon.start()
    assert daemon.get_token('work', claims=CLAIMS)[1] == 'bearer'
    assert entra.count('refresh_token', status=200) == 2
