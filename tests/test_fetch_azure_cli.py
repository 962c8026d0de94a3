# SPDX-License-Identifier: MIT
#
# The fetcher with the real az: its token, its end when nobody reads any more, and az's many ways
# to fail told apart.

import os
import shutil
import time

from conftest import leftovers
from util_entra import RESOURCE
from util_process import wait_until


def ask(fetcher, signed_in_az, **fields):
    fetcher.home.extra = signed_in_az.env()
    return fetcher.start({'source': 'azure-cli', 'resource': RESOURCE, 'deadline': 60, **fields})


def test_token(fetcher, az, entra):
    token = ask(fetcher, az).last()
    assert token['event'] == 'token' and token['tenant'] == entra.tenant
    assert token['access_token'] == az.token()['accessToken']
    assert 3500 < token['expires_in'] <= 3600
    assert 'refresh_token' not in token


def test_config_dir_and_tenant_of_the_request(fetcher, az, entra, folder):
    env = {**az.env(), 'AZURE_CONFIG_DIR': folder + '/other'}
    fetcher.home.extra = env
    request = {'source': 'azure-cli', 'resource': RESOURCE, 'deadline': 60}
    assert fetcher.start(request).error()['kind'] == 'sign-in-needed'
    request.update(config_dir=az.folder, tenant=entra.tenant)
    assert fetcher.start(request).last()['event'] == 'token'


def test_signed_out_and_revoked(fetcher, az, entra, folder):
    entra.revoke()
    error = ask(fetcher, az).error()
    assert error['kind'] == 'sign-in-needed' and 'az login' in error['message']


def test_throttled_is_no_sign_in(fetcher, az, entra):
    # az prints "Interactive authentication is needed" for this one too.
    entra.fail(count=10, status=429, error='invalid_request', code=90055)
    assert ask(fetcher, az).error()['kind'] == 'try-later'


def test_server_fault(fetcher, az, entra):
    entra.fail(count=10, status=503)
    assert ask(fetcher, az).error()['kind'] == 'try-later'


def test_network_gone(fetcher, az, entra):
    entra.stop()
    error = ask(fetcher, az).error()
    assert error['kind'] == 'try-later' and 'Traceback' not in error['message']


def test_unknown_resource(fetcher, az):
    assert ask(fetcher, az, resource='https://nobody.example').error()['kind'] == 'misconfigured'


def test_no_az(fetcher):
    error = fetcher.start({'source': 'azure-cli', 'resource': RESOURCE, 'deadline': 60}).error()
    assert error['kind'] == 'source-missing'


def test_ends_with_its_az(fetcher, az, entra):
    entra.hold()
    before = leftovers()
    fetch = ask(fetcher, az)
    entra.wait(grant_type='refresh_token')
    assert len(leftovers(before)) >= 2
    fetch.stdout.close()
    wait_until(lambda: not leftovers(before), 'az to be gone', 10)
    entra.release()


def test_deadline_ends_az(fetcher, az, entra):
    entra.hold()
    before = leftovers()
    start = time.monotonic()
    assert ask(fetcher, az, deadline=3).error()['kind'] == 'try-later'
    assert time.monotonic() - start < 10
    wait_until(lambda: not leftovers(before), 'az to be gone', 10)
    entra.release()


def test_two_at_once_take_turns(fetcher, az, entra):
    fetches = [ask(fetcher, az) for _ in range(3)]
    assert len({fetch.last()['access_token'] for fetch in fetches}) == 1
    assert entra.count('refresh_token') == 1


def test_az_that_others_can_write_is_not_run(fetcher, az, folder):
    target = os.path.join(folder, 'az-copy')
    shutil.copy('/bin/true', target)
    os.chmod(target, 0o777)
    error = ask(fetcher, az, az=target).error()
    assert error['kind'] in ('misconfigured', 'source-missing') and target in error['message']
