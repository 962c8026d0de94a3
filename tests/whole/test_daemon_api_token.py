# SPDX-License-Identifier: MIT
#
# API tokens of IoT Central applications: kept in the keyring, given out as they are, never by
# default, and their own end read from them.

import signal
import time

import pytest

from util_bus import BusError
from util_daemon import INVALID_ARGS, MANAGER, NAME, ROOT, account_path, entra_account, variants
from util_process import wait_until

APP = 'contoso.azureiotcentral.com'


def api_token(expires=4102444800):
    return f'SharedAccessSignature sr=one&sig=c2VjcmV0LXNpZ25hdHVyZQ&skn=test&se={expires}000'


def add(daemon, secret, name='devices', **settings):
    return daemon.call('AddAccount', '(ssa{sv})',
                       (name, 'api-token', variants({'secret': secret, **settings})))[0]


def no_trace(daemon):
    assert 'c2VjcmV0' not in daemon.text() + str(daemon.objects()) + daemon.read_settings()


def test_stored_and_given_out(daemon, keyring):
    daemon.start('')
    assert add(daemon, api_token(), apps=[APP]) == account_path('devices')
    expected = (api_token(), 'api-token', 4102444800)
    assert daemon.get_token('devices') == expected
    assert daemon.get_token(f'https://{APP}/api/devices') == expected
    assert daemon.get_authorization(APP) == (api_token(), 4102444800)
    assert daemon.get('ExpiresAt', 'devices') == 4102444800
    assert daemon.get('State', 'devices') == 'ready'
    assert keyring.items() == {'devices': 'IoT Central: devices (api-token)'}
    no_trace(daemon)

    daemon.restart()
    assert daemon.get_token(APP) == expected


def test_never_the_default(daemon, keyring):
    daemon.start('')
    add(daemon, api_token())
    assert daemon.error_of(daemon.get_token)[0] == 'NoSuchAccount'
    assert daemon.error_of(daemon.get_token, 'other.azureiotcentral.com')[0] == 'NoSuchAccount'


def test_force_and_refresh_do_nothing(daemon, keyring):
    daemon.start('')
    add(daemon, api_token())
    assert daemon.get_token('devices', force=True)[0] == api_token()
    assert daemon.get('State', 'devices') == 'ready'


def test_replaced(daemon, keyring):
    daemon.start('')
    add(daemon, api_token())
    other = api_token(4102444801)
    daemon.account_call('devices', 'SetSecret', '(s)', (other,))
    assert daemon.get_token('devices') == (other, 'api-token', 4102444801)
    daemon.kill9()
    daemon.start()
    assert daemon.get_token('devices')[0] == other


def test_expired(daemon, keyring):
    daemon.start('')
    soon = int(time.time()) - 10
    try:
        add(daemon, api_token(soon))
    except BusError as error:
        assert error.text
        return
    name, text = daemon.error_of(daemon.get_token, 'devices')
    assert name == 'SignInNeeded' and 'devices' in text


def test_an_end_that_is_near_is_told(daemon, keyring):
    daemon.start('')
    end = int(time.time()) + 10 * 86400 + 600
    add(daemon, api_token(end))
    daemon.wait_log('devices: its API token ends at '
                    + time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(end)))
    name, text = daemon.get('LastError', 'devices')
    assert name.endswith('SignInNeeded') and 'api-token rotate devices' in text
    assert daemon.get('State', 'devices') == 'ready' and daemon.get_token('devices')
    daemon.account_call('devices', 'SetSecret', '(s)', (api_token(),))
    assert daemon.get('LastError', 'devices') == ('', '')


def test_rejected_is_kept(daemon, keyring):
    daemon.start('')
    add(daemon, api_token())
    daemon.call('ReportRejected', '(sss)', ('devices', api_token(), ''))
    assert daemon.get('LastError', 'devices')[0]
    assert daemon.get_token('devices')[0] == api_token()
    no_trace(daemon)


@pytest.mark.parametrize('secret', ['', 'two\nlines', 'caf\u00e9', 'x' * 65536])
def test_secrets_that_are_refused(daemon, keyring, secret):
    daemon.start('')
    name, text = daemon.error_of(add, daemon, secret)
    assert name in (INVALID_ARGS, 'org.freedesktop.DBus.Error.LimitsExceeded')
    assert not secret or secret not in text
    assert daemon.objects().get(account_path('devices')) is None


def test_not_added_when_it_can_t_be_stored(daemon, keyring):
    daemon.start('')
    keyring.lock()
    assert daemon.error_of(add, daemon, api_token())[0] == 'KeyringLocked'
    assert account_path('devices') not in daemon.objects()
    assert 'devices' not in (daemon.read_settings() if True else '')


def test_beside_a_person(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    add(daemon, api_token(), apps=[APP])
    assert daemon.get_token()[1] == 'bearer'
    assert daemon.get_token(APP)[1] == 'api-token'
    assert daemon.get_token('other.azureiotcentral.com')[1] == 'bearer'


def start_adds(daemon, connection, tokens):
    """AddAccount for each (name, token), sent at once."""
    return [connection.start_call(
        NAME, ROOT, MANAGER, 'AddAccount', '(ssa{sv})',
        (name, 'api-token', variants({'secret': token})), timeout=60) for name, token in tokens]


def test_no_more_at_once_than_one_after_the_other(daemon, keyring, bus):
    daemon.start('')
    calls = start_adds(daemon, bus, [(f'n{i}', api_token()) for i in range(80)])
    errors = {daemon.error_of(call.result, 60)[0] for call in calls[64:]}
    assert errors == {'org.freedesktop.DBus.Error.LimitsExceeded'}
    assert len([call.result(60) for call in calls[:64]]) == 64
    assert len(keyring.items()) == 64


def test_two_of_one_name_at_once(daemon, keyring, bus):
    daemon.start('')
    first, second = start_adds(daemon, bus, [('devices', api_token()),
                                             ('devices', api_token(4102444801))])
    assert daemon.error_of(second.result)[0] == 'AccountExists'
    first.result()
    daemon.restart()
    assert daemon.get_token('devices')[0] == api_token()


def test_secret_of_a_caller_that_left_goes(daemon, keyring, bus):
    daemon.start('')
    caller = bus.connect()
    keyring.process.send(signal.SIGSTOP)
    try:
        start_adds(daemon, caller, [('devices', api_token())])
        caller.call(NAME, ROOT, 'org.freedesktop.DBus.Peer', 'Ping')
        caller.close()
        bus.wait_name(caller.name, owned=False)
        assert daemon.get('Version')    # answered after that news
    finally:
        keyring.process.send(signal.SIGCONT)
    wait_until(lambda: keyring.items() == {}, 'the item to be gone')
    daemon.restart()
    assert account_path('devices') not in daemon.objects()
