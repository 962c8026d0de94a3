# SPDX-License-Identifier: MIT
#
# Which account a selector means, and the set of accounts: added, changed and removed over D-Bus
# or by hand in the settings file, and what a fault in that file costs.

import os

import pytest

from util_bus import BusError
from util_daemon import ACCOUNT, INVALID_ARGS, MANAGER, OBJECT_MANAGER, account_path
from util_daemon import entra_account, variants
from util_process import wait_until

API_TOKEN = 'SharedAccessSignature sr=one&sig=c2VjcmV0c2VjcmV0&skn=test&se=4102444800000'


def add(daemon, name, source, **settings):
    return daemon.call('AddAccount', '(ssa{sv})', (name, source, variants(settings)))[0]


def add_entra(daemon, entra, name, **settings):
    return add(daemon, name, 'entra', authority=entra.authority, client_id=entra.client_id,
               sign_in='device-code', **settings)


def find(daemon, selector):
    return daemon.call('FindAccount', '(s)', (selector,))[0]


def test_only_bearer_account_is_the_default(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    assert daemon.get('DefaultAccount') == 'work'
    assert find(daemon, '') == account_path('work')
    add(daemon, 'token', 'api-token', secret=API_TOKEN)
    assert find(daemon, '') == account_path('work')     # an API token is never the default

    add_entra(daemon, entra, 'second')
    assert find(daemon, '') == account_path('work')     # whoever has it keeps it
    assert 'default=work' in daemon.read_settings()
    daemon.restart()
    assert find(daemon, '') == account_path('work')

    # By hand, nobody was chosen.
    daemon.restart(entra_account(entra) + entra_account(entra, 'second'))
    name, text = daemon.error_of(find, daemon, '')
    assert name == 'NoSuchAccount' and 'iotc-token default NAME' in text


def test_default_setting(daemon, entra, keyring):
    daemon.start('[iotc-token]\ndefault=second\n\n'
                 + entra_account(entra) + entra_account(entra, 'second'))
    assert find(daemon, '') == account_path('second')

    def choose(name):
        daemon.bus.call('org.iotc.Token1', '/org/iotc/Token1', 'org.freedesktop.DBus.Properties',
                        'Set', '(ssv)', (MANAGER, 'DefaultAccount', variants({'v': name})['v']))

    name, text = daemon.error_of(choose, 'nobody')
    assert name == 'NoSuchAccount' and "'nobody'" in text
    choose('work')
    assert find(daemon, '') == account_path('work')
    assert 'default=work' in daemon.read_settings()
    daemon.restart()
    assert find(daemon, '') == account_path('work')


def test_no_account_at_all(daemon, keyring):
    daemon.start('')
    name, text = daemon.error_of(daemon.get_token)
    assert name == 'NoSuchAccount' and 'iotc-token login' in text


def test_application_selectors(daemon, entra, keyring):
    daemon.start(entra_account(entra)
                 + entra_account(entra, 'second', apps='second.azureiotcentral.com;own.example'))
    daemon.restart('[iotc-token]\ndefault=work\n\n' + daemon.read_settings())
    work, second = account_path('work'), account_path('second')
    for selector, path in {
            'second.azureiotcentral.com': second,
            'https://Second.AzureIoTCentral.com./api/devices?x=1': second,
            'https://second.azureiotcentral.com:443/': second,
            'own.example': second,
            'any.azureiotcentral.com': work,
            'http://127.0.0.1:8080/api': work,
            'localhost:8080': work,
    }.items():
        assert find(daemon, selector) == path, selector


@pytest.mark.parametrize('selector, error', [
    ('nobody', 'NoSuchAccount'),
    ('azureiotcentral.com.evil.example', 'NoSuchAccount'),
    ('evilazureiotcentral.com', 'NoSuchAccount'),
    ('https://user:pass@app.azureiotcentral.com', INVALID_ARGS),
    ('x\ny', INVALID_ARGS),
])
def test_selectors_that_are_refused(daemon, entra, keyring, selector, error):
    daemon.start(entra_account(entra))
    name, text = daemon.error_of(find, daemon, selector)
    assert name in (error, INVALID_ARGS if '\n' not in selector else 'NoSuchAccount')
    if 'evil' in selector:
        assert 'app-suffixes' in text


def test_app_suffixes(daemon, entra, keyring):
    daemon.start('[iotc-token]\napp-suffixes=own.example\n\n' + entra_account(entra))
    assert find(daemon, 'app.own.example') == account_path('work')
    assert daemon.error_of(find, daemon, 'app.azureiotcentral.com')[0] == 'NoSuchAccount'


def test_added_account_appears_and_stays(daemon, entra, keyring):
    daemon.start('')
    watch = daemon.bus.watch('org.iotc.Token1', OBJECT_MANAGER)
    path = add_entra(daemon, entra, 'new-one', apps=['new.azureiotcentral.com'])
    assert path == account_path('new-one')
    added = watch.wait(lambda p, m, a: m == 'InterfacesAdded' and a[0] == path, 'InterfacesAdded')
    assert added[2][1][ACCOUNT]['Name'] == 'new-one'
    assert daemon.get('Apps', 'new-one') == ['new.azureiotcentral.com']
    assert '[account new-one]' in daemon.read_settings()
    assert os.stat(daemon.home.config).st_mode & 0o77 == 0

    daemon.restart()
    assert find(daemon, 'new.azureiotcentral.com') == path
    daemon.sign_in(entra, 'new-one')
    daemon.account_call('new-one', 'Remove')
    watch.wait(lambda p, m, a: m == 'InterfacesRemoved' and a[0] == path, 'InterfacesRemoved')
    watch.close()
    assert path not in daemon.objects()
    assert 'new-one' not in daemon.read_settings()
    wait_until(lambda: keyring.items() == {}, 'the record to be gone')


@pytest.mark.parametrize('name, source, settings, error', [
    ('work', 'entra', {}, 'AccountExists'),
    ('bad.name', 'entra', {}, INVALID_ARGS),
    ('', 'entra', {}, INVALID_ARGS),
    ('x' * 65, 'entra', {}, INVALID_ARGS),
    ('new', 'no-such-source', {}, INVALID_ARGS),
    ('new', 'entra', {'no_such_setting': 'x'}, INVALID_ARGS),
    ('new', 'entra', {'authority': 'http://login.example'}, INVALID_ARGS),
    ('new', 'entra', {'apps': ['taken.azureiotcentral.com']}, INVALID_ARGS),
    ('new', 'azure-cli', {'az': '/tmp/az'}, 'Denied'),
    ('new', 'command', {'command': '/bin/true'}, 'Denied'),
    ('new', 'entra', {'proxy-credentials': '/tmp/file'}, 'Denied'),
])
def test_accounts_that_are_refused(daemon, entra, keyring, name, source, settings, error):
    daemon.start(entra_account(entra, apps='taken.azureiotcentral.com'))
    before = daemon.read_settings()
    got, text = daemon.error_of(add, daemon, name, source, **settings)
    assert got == error and text
    assert daemon.read_settings() == before


def test_configure_drops_tokens_of_another_authority(daemon, entra, keyring):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.account_call('work', 'Configure', '(a{sv})',
                        (variants({'apps': ['a.azureiotcentral.com']}),))
    assert daemon.get_token('work')[1] == 'bearer'
    daemon.account_call('work', 'Configure', '(a{sv})', (variants({'tenant': entra.tenant}),))
    assert daemon.get('Tenant', 'work') == entra.tenant
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'


def test_bad_line_costs_its_account_only(daemon, entra, keyring):
    settings = ('# my accounts\n[account broken]\nsource=entra\nthis is a pasted secret\n\n'
                + entra_account(entra))
    daemon.start(settings)
    daemon.sign_in(entra)
    assert daemon.get_token('work')[1] == 'bearer'
    assert daemon.get('State', 'broken') == 'misconfigured'
    name, text = daemon.error_of(daemon.get_token, 'broken')
    assert name == 'Misconfigured' and 'line 4' in text
    assert 'pasted' not in text + str(daemon.objects()) + daemon.text()

    # While a bad line is there the file is the person's alone.
    with pytest.raises(BusError):
        add_entra(daemon, entra, 'new')
    assert daemon.read_settings() == settings


def test_comments_are_kept(daemon, entra, keyring):
    daemon.start('# mine\n' + entra_account(entra).replace('tenant=', '# why\ntenant='))
    add_entra(daemon, entra, 'second')
    text = daemon.read_settings()
    assert text.startswith('# mine\n') and '# why\ntenant=' in text


@pytest.mark.parametrize('settings', [
    'rubbish\n', '[account work\nsource=entra\n', '\0\0\0', '[account work]\n', '[' * 10000,
    '[account work]\nsource=entra\ntenant=\xff\n', '[account a]\nsource=entra\n' * 200,
])
def test_no_settings_file_ends_the_daemon(daemon, keyring, settings):
    daemon.start(settings)
    assert daemon.get('Version')
    daemon.error_of(daemon.get_token)
