# SPDX-License-Identifier: MIT
#
# What outlives the daemon: after a restart, a crash or a crash at the worst moment a caller is
# served as before, from the keyring, and nothing of the dead daemon goes on running.

import os

from conftest import leftovers
from util_daemon import entra_account
from util_process import wait_until


def test_restart_without_network(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    before = daemon.get_token('work')
    daemon.stop()
    entra.stop()
    daemon.start()
    assert daemon.get_token('work')[0] == before[0]
    assert abs(daemon.get_token('work')[2] - before[2]) <= 1
    assert daemon.get('State', 'work') == 'ready'
    assert daemon.get('User', 'work') == 'ada@contoso.example'
    assert daemon.get('Tenant', 'work') == entra.tenant


def test_killed_and_started_again(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    before = daemon.get_token('work')[0]
    daemon.kill9()
    entra.clear()
    daemon.start()
    assert daemon.get_token('work')[0] == before
    assert entra.count() == 0


def test_killed_while_the_server_answers(daemon, entra, keyring):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.hold()
    daemon.start_get('work', min_valid=600)
    entra.wait(grant_type='refresh_token')      # the server has given out a new refresh token
    daemon.kill9()
    entra.release()
    entra.set(access_token_ttl=3600)
    daemon.start()
    assert daemon.get_token('work', min_valid=600)[1] == 'bearer'


def test_killed_right_after_the_reply(daemon, entra, keyring):
    # With strict rotation only the newest refresh token works. It must be in the keyring before
    # the caller hears of the access token that came with it.
    entra.set(access_token_ttl=300, rotation='strict')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.kill9()
    for ttl in (600, 1200, 1800):
        entra.set(access_token_ttl=ttl)
        daemon.start()
        assert daemon.get_token('work', min_valid=ttl - 100)[1] == 'bearer'
        daemon.kill9()
    assert entra.count('refresh_token', status=200) == 3


def test_killed_daemon_leaves_nothing_running(daemon, entra, keyring):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.hold()
    daemon.start_get('work', min_valid=600)
    entra.wait(grant_type='refresh_token')
    daemon.kill9()
    wait_until(lambda: not any(command.startswith('iotc') for command in leftovers().values()),
               'the fetcher and the launcher to be gone')
    entra.release()


def test_ended_while_a_call_waits(daemon, entra, keyring):
    entra.set(access_token_ttl=300)
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.hold()
    call = daemon.start_get('work', min_valid=600)
    entra.wait(grant_type='refresh_token')
    daemon.stop()
    assert daemon.error_of(call.result)[0]
    entra.release()


def test_remembers_the_last_use(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.get_token('work')
    used = daemon.get('LastUsedAt', 'work')
    assert used > 0
    daemon.restart()
    assert daemon.get('LastUsedAt', 'work') == used
    path = os.path.join(daemon.home.env['XDG_STATE_HOME'], 'iotc-token', 'state')
    assert os.stat(path).st_mode & 0o777 == 0o600
    daemon.stop()
    with open(path, 'w', encoding='utf-8') as file:
        file.write('{"accounts": [3, {"name": 1}, "garbage"')
    daemon.start()
    assert daemon.get_token('work')[1] == 'bearer'
