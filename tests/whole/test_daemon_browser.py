# SPDX-License-Identifier: MIT
#
# Signing in by the browser, through the daemon: which method a sign-in takes, and what a desktop
# app sees of one that a browser on this machine completes.

import urllib.error
import urllib.parse
import urllib.request

import pytest

from util_daemon import SIGN_IN, entra_account
from util_process import wait_until


def browser_account(entra, **settings):
    return entra_account(entra, **{'sign_in': 'browser', **settings})


def test_sign_in(daemon, entra, keyring):
    daemon.start(browser_account(entra))
    path = daemon.start_sign_in()
    shown = daemon.bus.get_all('org.iotc.Token1', path, SIGN_IN)
    assert (shown['Method'], shown['UserCode'], shown['State']) == ('browser', '', 'pending')
    assert shown['Message'] and shown['ExpiresAt'] > 0
    assert daemon.get('State', 'work') == 'signing-in'

    page = entra.browse(shown['VerificationUri'])
    assert 'You are signed in' in page['text']
    daemon.wait_property('State', 'done', path=path, interface=SIGN_IN)
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get('User', 'work') == 'ada@contoso.example'
    token = daemon.get_token('work')[0]
    assert entra.leaks(token) == 1
    assert keyring.items() == {'work': 'IoT Central: work (entra)'}
    # The page's address is in no log: state and challenge are nobody's business.
    assert 'code_challenge' not in daemon.text()

    # What it brought is a refresh token like any other.
    daemon.restart()
    assert daemon.get_token('work')[0] == token
    daemon.account_call('work', 'Refresh')
    assert entra.count('refresh_token') == 1


@pytest.mark.parametrize('setting, options, method', [
    ('auto', {}, 'device-code'),
    ('auto', {'method': 'auto'}, 'device-code'),
    ('auto', {'browser': True}, 'browser'),
    ('auto', {'browser': True, 'method': 'auto'}, 'browser'),
    ('auto', {'browser': False}, 'device-code'),
    ('auto', {'browser': True, 'method': 'device-code'}, 'device-code'),
    ('browser', {}, 'browser'),
    ('browser', {'browser': False}, 'browser'),
    ('browser', {'method': 'device-code'}, 'device-code'),
    ('device-code', {'browser': True}, 'device-code'),
    ('device-code', {'method': 'browser'}, 'browser'),
])
def test_which_method(daemon, entra, setting, options, method):
    daemon.start(browser_account(entra, sign_in=setting))
    path = daemon.start_sign_in(**options)
    assert daemon.sign_in_property(path, 'Method') == method


def test_options_that_are_none(daemon, entra):
    daemon.start(browser_account(entra))
    for options in {'method': 'by-mail'}, {'method': True}, {'browser': 'yes'}, {'browse': True}:
        name, text = daemon.error_of(daemon.start_sign_in, **options)
        assert name.endswith('.InvalidArgs') and text


def test_a_second_one_joins(daemon, entra):
    daemon.start(browser_account(entra))
    first = daemon.start_sign_in()
    assert daemon.start_sign_in(method='device-code') == first


def test_cancelled(daemon, entra):
    daemon.start(browser_account(entra))
    path = daemon.start_sign_in()
    uri = urllib.parse.urlsplit(daemon.sign_in_property(path, 'VerificationUri'))
    redirect = dict(urllib.parse.parse_qsl(uri.query))['redirect_uri']
    with pytest.raises(urllib.error.HTTPError):     # somebody listens
        urllib.request.urlopen(redirect, timeout=10)
    daemon.call('Cancel', path=path, interface=SIGN_IN)
    daemon.wait_property('State', 'cancelled', path=path, interface=SIGN_IN)

    def gone():
        try:
            urllib.request.urlopen(redirect, timeout=10)
        except urllib.error.HTTPError:
            return False
        except OSError:
            return True
    wait_until(gone, 'the port to be closed', 10)


def test_declined(daemon, entra):
    daemon.start(browser_account(entra))
    path = daemon.start_sign_in()
    entra.decline(daemon.sign_in_property(path, 'VerificationUri'))
    daemon.wait_property('State', 'cancelled', path=path, interface=SIGN_IN)
    assert 'declined' in daemon.sign_in_property(path, 'Error')[1]


def test_device_codes_are_blocked(daemon, entra, keyring):
    """By a policy that shows only at the end: the text leads to the browser, which works."""
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    entra.fail(error='invalid_grant', code=53003, suberror='message_only')
    entra.approve(daemon.sign_in_property(path, 'UserCode'))
    daemon.wait_property('State', 'failed', path=path, interface=SIGN_IN)
    name, text = daemon.sign_in_property(path, 'Error')
    assert name.endswith('.Blocked') and text.endswith('iotc-token login work --browser')

    path = daemon.start_sign_in(method='browser')
    entra.browse(daemon.sign_in_property(path, 'VerificationUri'))
    daemon.wait_property('State', 'ready', account='work')


def test_a_refresh_is_blocked(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.fail(error='invalid_grant', code=53003, suberror='message_only')
    name, text = daemon.error_of(daemon.account_call, 'work', 'Refresh')
    assert name == 'Blocked' and text.endswith('iotc-token login work --browser')
