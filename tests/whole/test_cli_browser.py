# SPDX-License-Identifier: MIT
#
# iotc-token login by the browser, from the command to the page and back. The desktop's part,
# xdg-open, is a script that notes what it was to open.

import os
import re
import signal

import pytest

from util_daemon import Cli, entra_account
from util_process import wait_until
from util_terminal import CTRL_C, Terminal

URL = r'\n(http://\S+/authorize\?\S+)\n'
DESKTOP = {'DISPLAY': ':99'}
REMOTE = {'DISPLAY': ':99', 'SSH_CONNECTION': '192.0.2.1 4711 192.0.2.2 22'}


class Desktop(Cli):
    """The command on a desktop: a display, and an xdg-open before all others."""

    def __init__(self, home):
        super().__init__(home)
        self.opened = os.path.join(home.folder, 'opened')
        self.desktop = dict(DESKTOP)

    def environment(self):
        folder = os.path.join(self.home.folder, 'bin')
        return {**super().environment(), 'PATH': f'{folder}:/usr/bin:/bin', **self.desktop}

    def write(self, body):
        path = os.path.join(self.home.folder, 'bin', 'xdg-open')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\n{body}\n')
        os.chmod(path, 0o700)

    def url(self):
        """What was opened."""
        wait_until(lambda: os.path.exists(self.opened), 'a browser to be opened')
        with open(self.opened, encoding='utf-8') as file:
            return file.read().strip()


@pytest.fixture
def desktop(home):
    desktop = Desktop(home)
    # Noise of a browser's must not reach the terminal.
    desktop.write(f'echo noise; echo noise >&2; printf "%s\\n" "$*" >{desktop.opened}.new\n'
                  f'mv {desktop.opened}.new {desktop.opened}')
    return desktop


@pytest.fixture
def options(entra):
    return ('--authority', entra.authority, '--client-id', entra.client_id)


def test_on_a_desktop(daemon, entra, keyring, desktop, options):
    daemon.start('')
    with Terminal([desktop.program, 'login', 'work', *options], desktop.environment()) as terminal:
        shown = terminal.wait_for(URL)[1]
        terminal.wait_for(r'\rWaiting; .* left\. Ctrl-C cancels')
        assert desktop.url() == shown
        assert 'You are signed in' in entra.browse(shown)['text']
        terminal.wait_for("Signed in to 'work' as ada@contoso.example")
        assert terminal.wait() == 0
        assert 'noise' not in terminal.shown and 'xdg-open' not in terminal.shown
    assert desktop.ok('get', 'work') == daemon.get_token('work')[0] + '\n'


@pytest.mark.parametrize('environment, arguments, browser', [
    (DESKTOP, (), True), ({'WAYLAND_DISPLAY': 'wayland-0'}, (), True), ({}, (), False),
    (REMOTE, (), False), (DESKTOP, ('--device-code',), False), ({}, ('--browser',), True),
    (REMOTE, ('--browser',), True),
])
def test_which_way(daemon, entra, desktop, options, environment, arguments, browser):
    daemon.start('')
    desktop.desktop = environment
    process = desktop.start('login', *arguments, *options)
    wait_until(lambda: 'Waiting; ' in process.text() or not process.alive, 'what to do')
    assert bool(re.search(URL, process.text())) == browser
    assert ('enter the code' in process.text()) == (not browser)
    if browser and environment:
        assert desktop.url() == re.search(URL, process.text())[1]
    if browser and environment is REMOTE:
        port = re.search(r'localhost%3A(\d+)', process.text())[1]
        assert f'ssh -N -L {port}:localhost:{port} HOST' in process.text()
    process.send(signal.SIGINT)
    assert process.wait() == 130


def test_the_setting_decides(daemon, entra, desktop):
    daemon.start(entra_account(entra, sign_in='device-code'))
    process = desktop.start('login', 'work')
    wait_until(lambda: 'enter the code' in process.text() or not process.alive, 'the code')
    process.send(signal.SIGINT)
    assert process.wait() == 130
    assert not os.path.exists(desktop.opened)


@pytest.mark.parametrize('body', ['exit 3', 'kill -9 $$', None])
def test_no_browser_can_be_opened(daemon, entra, keyring, desktop, options, body):
    daemon.start('')
    if body:
        desktop.write(body)
    else:
        os.remove(os.path.join(desktop.home.folder, 'bin', 'xdg-open'))
        desktop.desktop['PATH'] = os.path.join(desktop.home.folder, 'bin')
    process = desktop.start('login', 'work', *options)
    wait_until(lambda: 'xdg-open could not' in process.text() or not process.alive, 'the news')
    assert 'iotc-token login work --device-code' in process.text()
    # By hand it works.
    entra.browse(re.search(URL, process.text())[1])
    assert process.wait() == 0, process.text()


def test_a_browser_that_stays(daemon, entra, keyring, desktop, options):
    """xdg-open may become the browser itself: nobody waits for its end, or ends it."""
    daemon.start('')
    desktop.write(f'echo $$ >{desktop.opened}.new\nmv {desktop.opened}.new {desktop.opened}\n'
                  'exec sleep 1000')
    with Terminal([desktop.program, 'login', *options], desktop.environment()) as terminal:
        url = terminal.wait_for(URL)[1]
        browser = int(desktop.url())
        entra.browse(url)
        assert terminal.wait() == 0
    os.kill(browser, signal.SIGKILL)    # raises if it is gone


def test_ctrl_c(daemon, entra, keyring, desktop, options):
    daemon.start('')
    with Terminal([desktop.program, 'login', 'work', *options], desktop.environment()) as terminal:
        terminal.wait_for(URL)
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
        assert "'work' was not kept" in terminal.shown
    assert '[account work]' not in daemon.read_settings()


def test_declined(daemon, entra, keyring, desktop, options):
    daemon.start('')
    process = desktop.start('login', 'work', *options)
    entra.decline(desktop.url())
    assert process.wait() == 1
    assert 'declined' in process.text()


@pytest.mark.parametrize('arguments', [
    ('--browser', '--device-code'), ('--browser', '--azure-cli'), ('--device-code', '--azure-cli'),
])
def test_one_way_at_a_time(cli, arguments):
    done = cli.run('login', *arguments)
    assert done.returncode == 2 and 'exclude' in done.stderr
