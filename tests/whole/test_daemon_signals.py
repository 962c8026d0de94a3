# SPDX-License-Identifier: MIT
#
# A program that reads everything once and then listens knows at every moment what one that asks
# would be told: each change of a property, and each object that comes and goes, is a signal.

import signal

import pytest

from util_daemon import (ACCOUNT, MANAGER, OBJECT_MANAGER, ROOT, account_path, entra_account,
                         variants)
from util_process import wait_until

PROPERTIES = 'org.freedesktop.DBus.Properties'
UNTOLD = {'Stats', 'StoreProblem', 'SettingsProblem', 'LastUsedAt'}     # by the XML
TIMES = {'ExpiresAt', 'RefreshAt', 'LastRefreshAt'}     # of two clocks, read a moment later

ROOT_ACCOUNTS = '/org/iotc/Token1/account/'


class Mirror:
    """What signals say there is, from what was read once."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.watches = [daemon.watch(), daemon.bus.watch('org.iotc.Token1', OBJECT_MANAGER)]
        self.known = self.read()

    def read(self):
        objects = {(path, interface): dict(values)
                   for path, interfaces in self.daemon.objects().items()
                   for interface, values in interfaces.items() if values}
        objects[ROOT, MANAGER] = self.daemon.bus.get_all('org.iotc.Token1', ROOT, MANAGER)
        return objects

    def take(self, path, member, arguments):
        if member == 'PropertiesChanged':
            if path.startswith(ROOT_ACCOUNTS) and (path, arguments[0]) not in self.known:
                return      # of one that is gone: of no matter
            self.known.setdefault((path, arguments[0]), {}).update(arguments[1])
        elif member == 'InterfacesAdded':
            self.known |= {(arguments[0], interface): dict(values)
                           for interface, values in arguments[1].items() if values}
        else:
            for interface in arguments[1]:
                self.known.pop((arguments[0], interface), None)

    def differences(self):
        true, found = self.read(), []
        # Objects first: what is told of one that is gone is of no matter.
        for watch in reversed(self.watches):
            while watch.signals:
                self.take(*watch.signals.pop(0))
        for key in set(true) | set(self.known):
            ours, theirs = self.known.get(key, {}), true.get(key, {})
            for name in (set(ours) | set(theirs)) - UNTOLD:
                one, other = ours.get(name), theirs.get(name)
                if one != other and not (name in TIMES and None not in (one, other)
                                         and abs(one - other) <= 1):
                    found.append((*key, name, one, other))
        return found

    def check(self):
        try:
            wait_until(lambda: not self.differences(), 'signals that tell all', timeout=5)
        except AssertionError:
            assert self.differences() == []


@pytest.fixture
def mirror(daemon, entra, keyring):
    daemon.start(entra_account(entra, resources='https://other.example'))
    return Mirror(daemon)


def choose(daemon, name):
    daemon.call('Set', '(ssv)', (MANAGER, 'DefaultAccount', variants({'v': name})['v']),
                interface=PROPERTIES)


def test_accounts_come_and_go(mirror, daemon, entra):
    def add(name):
        daemon.call('AddAccount', '(ssa{sv})', (name, 'entra', variants({
            'authority': entra.authority, 'sign-in': 'device-code'})))
        mirror.check()

    add('second')
    add('third')
    choose(daemon, 'third')
    mirror.check()
    daemon.account_call('third', 'Remove')      # two are left, and none of them is the default
    assert daemon.get('DefaultAccount') == ''
    mirror.check()
    daemon.account_call('second', 'Remove')
    assert daemon.get('DefaultAccount') == 'work'
    mirror.check()
    daemon.write_settings(entra_account(entra, 'other') + '[account bad]\nsource=nonsense\n')
    daemon.process.send(signal.SIGHUP)
    wait_until(lambda: account_path('bad') in daemon.objects(), 'the bad account')
    mirror.check()


def test_a_sign_in_and_its_end(mirror, daemon, entra):
    def configure(**settings):
        daemon.account_call('work', 'Configure', '(a{sv})', (variants(settings),))
        mirror.check()

    daemon.sign_in(entra)
    mirror.check()
    token = daemon.get_token('work')[0]
    daemon.get_token('work', resource='https://other.example')
    mirror.check()
    daemon.call('ReportRejected', '(sss)', ('work', token, ''))
    assert daemon.get_token('work')[0] != token
    mirror.check()
    configure(resource='https://other.example', apps=['a.example.com'])
    configure(tenant=entra.tenant)
    assert daemon.get('State', 'work') == 'sign-in-needed'
    daemon.sign_in(entra)
    mirror.check()
    daemon.call('Cancel', path=daemon.start_sign_in('work'), interface='org.iotc.Token1.SignIn')
    mirror.check()
    daemon.account_call('work', 'SignOut')
    mirror.check()


def test_what_happens_to_it(mirror, daemon, entra, keyring):
    daemon.sign_in(entra)
    keyring.lock()
    daemon.wait_property('KeyringState', 'locked')
    mirror.check()
    keyring.unlock()
    daemon.wait_property('KeyringState', 'ok')
    mirror.check()
    entra.set(date_offset=7200)
    daemon.get_token('work', claims='{"access_token":{}}')
    wait_until(lambda: daemon.get('ClockOffset'), 'the clock to be known wrong')
    mirror.check()
    entra.set(date_offset=0)
    entra.fail(error='invalid_grant', code=50173)
    assert daemon.error_of(daemon.get_token, 'work', min_valid=86400)[0]
    mirror.check()
    keyring.delete('work')
    daemon.wait_property('State', 'sign-in-needed', account='work')
    assert daemon.bus.get_all('org.iotc.Token1', account_path('work'), ACCOUNT)['ExpiresAt'] == 0
    mirror.check()
