# SPDX-License-Identifier: MIT
#
# The fetcher with the real az: its token, its end when nobody reads any more, and az's many ways
# to fail told apart.

import os
import shutil
import signal
import time

import pytest

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


def test_no_lock_where_others_could_hold_it(fetcher, az):
    runtime = os.path.join(fetcher.home.env['XDG_RUNTIME_DIR'], 'iotc-token')
    assert ask(fetcher, az).last()['event'] == 'token'
    assert [name for name in os.listdir(runtime) if name.startswith('az-')]
    shutil.rmtree(runtime)
    os.mkdir(runtime)
    os.chmod(runtime, 0o777)
    assert ask(fetcher, az).last()['event'] == 'token'
    assert os.listdir(runtime) == []


def test_az_that_others_can_write_is_not_run(fetcher, az, folder):
    target = os.path.join(folder, 'az-copy')
    shutil.copy('/bin/true', target)
    os.chmod(target, 0o777)
    error = ask(fetcher, az, az=target).error()
    assert error['kind'] in ('misconfigured', 'source-missing') and target in error['message']


def ask_by_fields(fetcher, signed_in_az, **fields):
    """As ask(), with az's settings in the request instead of the environment."""
    fetcher.home.extra = {'PATH': '/usr/bin:/bin', **fields.pop('extra', {})}
    return fetcher.start({
        'source': 'azure-cli', 'resource': RESOURCE, 'deadline': 60,
        'config_dir': signed_in_az.folder, 'proxy': signed_in_az.entra.proxy,
        'ca_bundle': signed_in_az.entra.ca_bundle, **fields})


def test_settings_win_over_the_environment(fetcher, az):
    token = ask_by_fields(fetcher, az, extra={
        'TZ': 'Asia/Kolkata', 'AZURE_CORE_OUTPUT': 'table', 'AZURE_CONFIG_DIR': '/nonexistent',
        'https_proxy': 'http://127.0.0.1:1', 'REQUESTS_CA_BUNDLE': '/nonexistent'}).last()
    assert token['event'] == 'token'
    assert 3500 <= token['expires_in'] <= 3600


@pytest.mark.parametrize('field, value, kind, says', [
    ('ca_bundle', '/etc/ssl/certs/ca-certificates.crt', 'try-later', 'ca-bundle'),
    ('ca_bundle', '/nonexistent', 'misconfigured', 'ca-bundle'),
    ('proxy', 'http://127.0.0.1:1', 'try-later', 'proxy'),
    ('tenant', 'nowhere.example', 'misconfigured', 'tenant'),
    ('subscription', 'nothing', 'misconfigured', 'subscription'),
    ('config_dir', '/dev/null', 'misconfigured', 'config folder'),
    ('claims', '{"access_token":{}}', 'sign-in-needed', 'az logout'),
    ('az', '/nonexistent/az', 'source-missing', '/nonexistent/az'),
    ('az', '/etc/passwd', 'source-missing', '/etc/passwd'),
])
def test_a_setting_that_is_wrong(fetcher, az, field, value, kind, says):
    error = ask_by_fields(fetcher, az, **{field: value}).error()
    assert error['kind'] == kind, error['message']
    assert says in error['message'] and error['message'].isprintable()


def test_a_tenant_and_a_subscription(fetcher, az):
    error = ask_by_fields(fetcher, az, tenant='a', subscription='b').error()
    assert error['kind'] == 'misconfigured' and 'not both' in error['message']


@pytest.mark.parametrize('failure, kind, says', [
    ({'error': 'invalid_grant', 'code': 50076, 'suberror': 'basic_action'}, 'sign-in-needed',
     'az login'),
    ({'error': 'temporarily_unavailable'}, 'try-later', 'AADSTS90033'),
    ({'status': 200, 'body': '<html>hotel</html>'}, 'try-later', 'sign-in page'),
    ({'error': 'invalid_grant', 'code': 53003, 'suberror': 'message_only'}, 'blocked',
     'administrator'),
])
def test_a_refusal_by_the_server(fetcher, az, entra, failure, kind, says):
    entra.fail(count=9, **failure)
    error = ask(fetcher, az).error()
    assert error['kind'] == kind and says in error['message']
    # az would repeat the old error from its own cache for a minute.
    assert error.get('retry_after') == (61 if kind == 'try-later' else None)


def test_path_skips_what_others_may_change(fetcher, az, folder):
    os.mkdir(f'{folder}/open')
    os.chmod(f'{folder}/open', 0o777)
    with open(f'{folder}/open/az', 'w', encoding='utf-8') as file:
        file.write('#!/bin/sh\n: >"$0.ran"\n')
    os.chmod(f'{folder}/open/az', 0o755)
    error = ask_by_fields(fetcher, az, extra={'PATH': f'.:{folder}/open'}).error()
    assert error['kind'] == 'source-missing' and f'{folder}/open/az' in error['message']
    token = ask_by_fields(fetcher, az, extra={'PATH': f'{folder}/open:/usr/bin:/bin'}).last()
    assert token['event'] == 'token' and os.listdir(f'{folder}/open') == ['az']


def test_the_wait_for_another_is_bounded(fetcher, az, entra):
    entra.hold()
    ask_by_fields(fetcher, az)
    entra.wait(grant_type='refresh_token')
    start = time.monotonic()
    error = ask_by_fields(fetcher, az, deadline=1).error()
    assert error['kind'] == 'try-later' and 'Another az' in error['message']
    assert time.monotonic() - start < 5


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize('whole_group', [False, True])
def test_az_does_not_outlive_it(fetcher, az, entra, number, whole_group):
    entra.hold()
    before = leftovers()
    fetch = ask_by_fields(fetcher, az)
    entra.wait(grant_type='refresh_token')
    (os.killpg if whole_group else os.kill)(fetch.process.pid, number)
    wait_until(lambda: not leftovers(before), 'az to be gone', 10)


@pytest.mark.parametrize('name', ['throttled', 'Too many requests'])
def test_names_are_no_words_of_az(fetcher, az, entra, folder, name):
    """What az repeats of what people have named does not decide what is wrong."""
    request = {'source': 'azure-cli', 'resource': RESOURCE, 'deadline': 60}
    fetcher.home.extra = az.env()
    fault = fetcher.start({**request, 'subscription': name}).error()
    assert (fault['kind'], "'subscription'" in fault['message']) == ('misconfigured', True), fault
    fault = fetcher.start({**request, 'ca_bundle': f'{folder}/{name}',
                           'tenant': 'throttled.example'}).error()
    assert (fault['kind'], "'ca-bundle'" in fault['message']) == ('misconfigured', True), fault
    path = os.path.join(folder, name)
    with open(path, 'wb'):
        pass
    fault = fetcher.start({**request, 'config_dir': path}).error()
    assert (fault['kind'], 'config folder' in fault['message']) == ('misconfigured', True), fault
