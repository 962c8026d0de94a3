# SPDX-License-Identifier: MIT
#
# The notification: what a person at a desktop sees of an account that needs them, and what they
# don't see.

import os
import time

import pytest

from util_bus import Bus, Gio, pump
from util_daemon import NAME, SIGN_IN, account_path, entra_account, variants
from util_desktop import Browser, Dunst, Server, Xfce, forge
from util_process import wait_until


@pytest.fixture
def browser(folder, build_dir):
    return Browser(folder, build_dir, f'unix:path={folder}/bus')


@pytest.fixture
def bus(folder, browser):
    """One that can start iotc-token-open."""
    bus = Bus(folder, browser.services)
    yield bus
    bus.close()


@pytest.fixture
def lapsed(daemon, entra, keyring):
    """lapsed(name...): those accounts' refresh tokens were revoked, and programs have met it."""
    def lapsed(*names, settings='', **options):
        daemon.start(settings + ''.join(entra_account(entra, name, **options) for name in names))
        for name in names:
            daemon.sign_in(entra, name)
        daemon.restart()
        for name in names:
            daemon.get_token(name)
        entra.revoke()
        for name in names:
            assert refused(daemon, name)
    return lapsed


def refused(daemon, name='work'):
    return daemon.error_of(daemon.get_token, name, force=True)[0] == 'SignInNeeded'


def wait_remembered(daemon, word):
    """Until the file of what outlives the daemon has it."""
    path = os.path.join(daemon.home.env['XDG_STATE_HOME'], 'iotc-token/state')

    def remembered():
        daemon.get('Version')       # the Server is served meanwhile
        if not os.path.exists(path):
            return False
        with open(path, encoding='utf-8') as file:
            return word in file.read()

    wait_until(remembered, f'{word} to be remembered')


def told(daemon):
    """How often it was decided to tell, which is said before the caller has its answer."""
    return daemon.text().count('is told on the desktop')


def test_told_once(daemon, entra, bus, lapsed):
    server = Server(bus)
    lapsed('work')
    note = server.wait()
    assert note.summary == 'Sign in to IoT Central again'
    assert note.body == 'Programs get no more tokens of account work (ada@contoso.example).'
    assert note.actions == {'default': '', 'sign-in': 'Sign in', 'later': 'Later'}
    assert note.hints['urgency'] == 1

    server.expire()
    assert refused(daemon)
    assert told(daemon) == 1
    wait_remembered(daemon, 'told_at')
    daemon.restart()
    assert refused(daemon)
    assert told(daemon) == 1

    daemon.sign_in(entra)
    assert told(daemon) == 1


def test_withdrawn_by_a_sign_in_elsewhere(daemon, entra, bus, lapsed):
    server = Server(bus)
    lapsed('work')
    server.wait()
    path = daemon.start_sign_in()
    server.wait_none()
    entra.approve(daemon.sign_in_property(path, 'UserCode'))
    daemon.wait_property('State', 'ready', account='work')
    assert told(daemon) == 1


def test_one_for_all_accounts(daemon, entra, bus, lapsed):
    server = Server(bus)
    lapsed('work', 'other')
    note = server.wait(lambda note: 'other' in note.body)
    assert note.summary == '2 accounts of IoT Central need you'
    assert note.body == 'work: iotc-token login work\nother: iotc-token login other'
    assert note.actions['sign-in'] == 'Sign in to work'
    daemon.sign_in(entra)
    note = server.wait(lambda note: 'work' not in note.body)
    assert note.summary == 'Sign in to IoT Central again'
    daemon.account_call('other', 'SignOut')
    server.wait_none()


def test_button_with_a_code(daemon, entra, bus, browser, lapsed):
    server = Server(bus)
    lapsed('work')
    server.wait()
    server.press('sign-in', token='token-1')
    assert browser.wait() == (f'{entra.authority}/device', 'token-1')
    note = server.wait(lambda note: 'code' in note.body)
    assert note.summary == 'Signing in: work'
    code = note.body.split()[3]
    assert note.body == f'Enter the code {code} at {entra.authority}/device'
    entra.approve(code)
    server.wait_none()
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[1] == 'bearer'


@pytest.mark.parametrize('stays', (False, True))
def test_button_with_the_browser(daemon, entra, bus, browser, lapsed, stays):
    server = Server(bus)
    lapsed('work')
    server.wait()
    daemon.account_call('work', 'Configure', '(a{sv})', (variants({'sign-in': 'browser'}),))
    server.press('default', stays=stays)
    page, _ = browser.wait()
    assert page.startswith(f'{entra.authority}/organizations/oauth2/v2.0/authorize?')
    if stays:
        assert server.wait(lambda note: 'browser' in note.body).actions['open'] == 'Open the page'
    entra.browse(page)
    daemon.wait_property('State', 'ready', account='work')
    server.wait_none()


def test_no_browser(daemon, entra, bus, browser, lapsed):
    browser.answer(3)
    server = Server(bus)
    lapsed('work')
    server.wait()
    daemon.account_call('work', 'Configure', '(a{sv})', (variants({'sign-in': 'browser'}),))
    server.press('sign-in')
    note = server.wait(lambda note: 'No browser' in note.body)
    assert note.body == 'No browser could be opened.\nRun: iotc-token login work'


def test_sign_in_that_fails(daemon, entra, bus, browser, lapsed):
    server = Server(bus)
    lapsed('work')
    server.wait()
    server.press('sign-in', stays=True)
    code = server.wait(lambda note: 'code' in note.body).body.split()[3]
    entra.deny(code)
    server.wait(lambda note: note.summary == 'Sign in to IoT Central again')


@pytest.mark.parametrize('how', ('later', 'dismiss'))
def test_not_now(daemon, entra, bus, lapsed, how):
    server = Server(bus)
    lapsed('work')
    server.wait()
    if how == 'later':
        server.press('later')
    else:
        server.dismiss()
    wait_remembered(daemon, 'quiet_until')
    daemon.restart()
    assert refused(daemon)
    assert told(daemon) == 1


def test_server_that_is_started_again(daemon, entra, bus, lapsed):
    first = Server(bus)
    lapsed('work')
    first.wait()
    first.stop()
    second = Server(bus)
    assert refused(daemon)
    assert told(daemon) == 1
    # Its number is somebody else's now.
    second.shown[1] = None
    daemon.sign_in(entra)
    assert (second.asked, list(second.shown)) == (0, [1])


def test_no_server(daemon, entra, bus, lapsed):
    lapsed('work')
    assert refused(daemon)
    daemon.wait_log('No notification is shown')
    assert daemon.text().count('No notification is shown') == 1
    # The person logs in to a desktop.
    server = Server(bus)
    assert 'work' in server.wait().body
    daemon.sign_in(entra)
    server.wait_none()


def test_server_that_refuses(daemon, entra, bus, lapsed):
    server = Server(bus)
    server.refuses = True
    lapsed('work')
    wait_remembered(daemon, 'told_at')    # as if it had been shown: no storm of attempts
    assert refused(daemon)
    assert (server.told, told(daemon)) == (1, 1)


def test_server_that_hangs(daemon, entra, bus, lapsed):
    first = Server(bus)
    first.held = []
    lapsed('work', 'other')
    pump(lambda: first.held, 'the question')
    daemon.account_call('work', 'SignOut')
    daemon.account_call('other', 'SignOut')     # nobody is needed any more
    first.stop()
    daemon.wait_log('No notification is shown')
    second = Server(bus)
    daemon.start_sign_in('other')
    assert (second.asked, second.told) == (0, 0)


def test_server_without_buttons_or_markup(daemon, entra, bus, lapsed):
    server = Server(bus, capabilities=('body',))
    lapsed('work')
    note = server.wait()
    assert note.actions == {}
    assert note.body.endswith('(ada@contoso.example).\nRun: iotc-token login work')


def test_markup_is_escaped(daemon, entra, bus, keyring):
    server = Server(bus)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra, user='<b>&"x@contoso.example')
    daemon.restart()
    daemon.get_token('work')
    entra.revoke()
    assert refused(daemon)
    assert '(&lt;b&gt;&amp;&quot;x@contoso.example)' in server.wait().body


def test_switched_off_and_on(daemon, entra, bus, lapsed):
    server = Server(bus)
    lapsed('work', settings='[iotc-token]\nnotifications=no\n')
    assert told(daemon) == 0
    settings = daemon.read_settings()
    daemon.write_settings(settings.replace('=no', '=yes'))
    server.wait()
    daemon.write_settings(settings)
    server.wait_none()


def test_nobody_was_ever_signed_in(daemon, entra, bus, keyring):
    server = Server(bus)
    daemon.start(entra_account(entra))
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    daemon.sign_in(entra)
    daemon.account_call('work', 'SignOut')
    assert daemon.error_of(daemon.get_token, 'work')[0] == 'SignInNeeded'
    assert server.asked == 0


def test_api_token_that_ends_soon(daemon, bus, keyring):
    server = Server(bus)
    daemon.start('')
    end = int(time.time()) + 10 * 86400 + 3600
    daemon.call('AddAccount', '(ssa{sv})', ('ci', 'api-token', variants({
        'secret': f'SharedAccessSignature sr=a&sig=b&skn=ci&se={end}000',
        'apps': ['contoso.azureiotcentral.com']})))
    daemon.get_token('ci')
    daemon.restart()
    note = server.wait()
    assert note.summary == 'An API token of IoT Central ends in 10 days'
    assert note.body == ('Account ci: make and store the next one in time.\n'
                         'Run: iotc-token api-token rotate ci')
    assert note.actions == {'default': '', 'later': 'Later'}
    server.expire()
    wait_remembered(daemon, 'told_at')
    before = told(daemon)
    daemon.restart()
    daemon.get_token('ci')
    assert told(daemon) == before


@pytest.mark.parametrize('kind', (Dunst, Xfce))
def test_a_real_server(daemon, entra, bus, browser, folder, screen, lapsed, kind):
    """One with its own ideas of what a button does, and of how long a notification shows: what
    waits for the person stays, and goes by itself. The pictures are there to be looked at."""
    if kind is Xfce and not Xfce.paths:
        pytest.skip('there is no xfce4-notifyd')
    server = kind(bus, screen, folder)
    try:
        lapsed('work')
        wait_until(lambda: screen.picture('notification.png') > 20, 'the notification')
        server.wait_for_another_to_expire()
        assert server.closed() == 0
        server.press(2)
        browser.wait()
        code = daemon.sign_in_property(daemon.start_sign_in(), 'UserCode')
        server.wait_for_another_to_expire()
        assert screen.picture('notification-code.png') > 20
        server.press(1)                         # opens the page once more, and the code stays
        wait_until(lambda: len(browser.opened()) == 2, 'the page once more')
        server.wait_for_another_to_expire()
        assert screen.picture('notification-again.png') > 20
        entra.approve(code)
        wait_until(lambda: screen.picture('notification-none.png') < 5, 'an empty screen')
    finally:
        server.close()


def test_nothing_expires_by_itself(daemon, entra, bus, browser, lapsed):
    server = Server(bus)
    lapsed('work')
    note = server.wait()
    assert (note.timeout, note.hints['urgency'], note.hints['resident']) == (0, 1, True)
    server.press('sign-in')
    note = server.wait(lambda note: 'code' in note.body)
    assert (note.timeout, note.hints['urgency'], note.hints['resident']) == (0, 2, True)
    server.press('open')
    assert 'code' in server.wait().body         # a click closes it, so it is shown again
    path = daemon.start_sign_in()
    daemon.bus.call(NAME, path, SIGN_IN, 'Cancel')
    server.wait_none()


def test_only_the_server_s_word_counts(daemon, entra, bus, browser, lapsed):
    server = Server(bus)
    lapsed('work')
    server.wait()
    before = len(entra.requests(kind='devicecode'))
    forge(bus, server, 'sign-in')
    assert refused(daemon)      # by then it has been read
    server.press('later', stays=True)
    server.wait_none()
    assert len(entra.requests(kind='devicecode')) == before
    assert daemon.get('State', 'work') == 'sign-in-needed'


def test_only_pages_of_sign_ins_are_opened(daemon, entra, bus, browser, keyring):
    def error_of(path):
        return daemon.error_of(bus.call, 'org.iotc.Token1.Opener', '/org/iotc/Token1/Opener',
                               'org.iotc.Token1.Opener', 'Open', '(os)', (path, ''),
                               flags=Gio.DBusCallFlags.NONE)[0]

    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    daemon.call('Cancel', path=path, interface=SIGN_IN)
    assert error_of(account_path('work')).endswith('InvalidArgs')
    assert error_of(path + '9').endswith('UnknownObject')
    assert browser.opened() == []


def test_two_pages_at_once(daemon, entra, bus, browser, keyring):
    """How the first browser ends is nothing to the second one's caller."""
    daemon.start(entra_account(entra))
    path = daemon.start_sign_in()
    calls = []
    for code, after in ((3, 1), (0, 2)):
        browser.answer(code, after)
        calls.append(bus.start_call('org.iotc.Token1.Opener', '/org/iotc/Token1/Opener',
                                    'org.iotc.Token1.Opener', 'Open', '(os)', (path, ''),
                                    flags=Gio.DBusCallFlags.NONE))
        wait_until(lambda: len(browser.opened()) == len(calls), 'the page to be opened')
    for call in calls:
        assert call.result(30) == ()
    daemon.call('Cancel', path=path, interface=SIGN_IN)


def test_azure_cli(daemon, az, entra, bus, keyring):
    server = Server(bus)
    entra.set(access_token_ttl=200)     # which az renews at every call
    daemon.start('', **az.env())
    daemon.get_token(timeout=60)
    daemon.restart()
    daemon.get_token(timeout=60)
    entra.revoke()
    assert daemon.error_of(daemon.get_token, timeout=60, force=True)[0] == 'SignInNeeded'
    note = server.wait()
    assert note.body == ('Programs get no more tokens of account azure-cli.\n'
                         'Run: az login --allow-no-subscriptions')
    assert 'sign-in' not in note.actions
    # Who signs out does not want to be asked in again.
    az.run('logout')
    server.wait_none()
    assert daemon.error_of(daemon.get_token, timeout=60)[0] == 'SignInNeeded'
    assert told(daemon) == 1
