# SPDX-License-Identifier: MIT
#
# Fixtures of the whole-program tests: real parts, private to a test, in folders that are gone
# afterwards. A test names what it needs (entra, bus, keyring, daemon, cli, az); what it doesn't
# name isn't there. After each test nothing may be left running, whoever started it.
#
# Run them by `./run test`, or with
# IOTC_BUILD_DIR=<build folder> /usr/bin/python3 -m pytest tests/whole

import ctypes
import faulthandler
import json
import os
import shutil
import signal
import sys
import tempfile

import pytest

sys.path[:0] = [os.path.join(os.path.dirname(__file__), each)
                for each in ('../stage', '../soak')]

from util_az import AZ, Az
from util_bus import Bus
from util_clock import Clock
from util_central import Central
from util_daemon import Cli, Daemon, Home, entra_account
from util_doctor import Doctor
from util_entra import Entra
from util_fetch import Fetcher
from util_keepassxc import KeePassXC
from util_keyring import Keyring
from util_logind import Logind
from util_process import running, wait_until
from util_screen import Screen

PR_SET_CHILD_SUBREAPER = 36
LAST_LINES = 40
ERRORS = pytest.StashKey()
# Seconds: for a test to be done; for the worker to be gone if that does not stop it; for them all.
TEST_TIME, WORKER_TIME, STAGE_TIME = 240, 300, 1800


def pytest_configure(config):
    config.addinivalue_line('markers', 'long: takes more than 10 s, most of it waiting')
    config.addinivalue_line('markers', 'plain: not for a build with sanitizers, or not worth one')
    # Orphans of a test become children of this process, where leftovers() finds them.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    # What nohup(1), a shell's "&" or a service manager ignores or blocks is theirs: programs start
    # as on a terminal. (Python itself ignores two, and undoes that for its children.)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGALRM, time_is_up)
    # pytest has standard error for itself while a test runs.
    config.stash[ERRORS] = os.fdopen(os.dup(2), 'w')
    faulthandler.dump_traceback_later(STAGE_TIME, exit=True, file=config.stash[ERRORS])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if 'plain_build' in item.fixturenames:
            item.add_marker('plain')


def time_is_up(*_):
    names = ', '.join(f'{name} ({pid})' for pid, name in leftovers().items())
    pytest.fail(f'not done after {TEST_TIME} s; running: {names}')


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """No test runs for ever: it fails, or, if it never comes back to Python, ends its worker."""
    errors = item.config.stash[ERRORS]
    signal.alarm(TEST_TIME)
    faulthandler.dump_traceback_later(WORKER_TIME, exit=True, file=errors)
    yield
    signal.alarm(0)
    faulthandler.dump_traceback_later(STAGE_TIME, exit=True, file=errors)


def pytest_unconfigure():
    # What a worker left that was ended so; of other tests nothing is left.
    for pid in leftovers():
        os.kill(pid, signal.SIGKILL)


def pytest_collection_modifyitems(items):
    # What begins last is not to be waited for alone.
    items.sort(key=lambda item: 'long' not in item.keywords)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """What failed with a daemon shows how that ended, and its last words, if no secret is there."""
    report = (yield).get_result()
    daemon = item.funcargs.get('daemon') if report.failed and hasattr(item, 'funcargs') else None
    if not daemon or not daemon.process:
        return
    servers = [item.funcargs[name] for name in ('entra', 'central') if name in item.funcargs]
    text = daemon.text()
    if any(server.leaks(text) for server in servers):
        text = 'secrets are in the log\n'
    report.sections.append((f'daemon {daemon.process.pid}, exit code {daemon.process.popen.poll()}',
                            ''.join(text.splitlines(True)[-LAST_LINES:])))
    if 'late_keyring' in item.funcargs and item.funcargs['late_keyring'].process:
        process = item.funcargs['late_keyring'].process
        report.sections.append((f'keyring {process.pid}, exit code {process.popen.poll()}', ''))


def leftovers(before=()):
    """{pid: command} of the processes below this one that are not among before."""
    processes = running()
    ours = {os.getpid()}
    grown = True
    while grown:
        below = {pid for pid, (parent, _) in processes.items() if parent in ours} - ours
        ours |= below
        grown = bool(below)
    return {pid: processes[pid][1] for pid in ours - {os.getpid()} - set(before)}


@pytest.fixture(autouse=True)
def nothing_left_running(request):
    # What lives as long as the worker must be there before the count.
    for name in ('entra_server', 'az_template', 'central_server'):
        if name in request.fixturenames:
            request.getfixturevalue(name)
    before = leftovers()
    yield
    try:
        wait_until(lambda: not leftovers(before), 'everything to have ended', 10)
    except AssertionError:
        left = leftovers(before)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        pytest.fail(f'left running: {left}')


@pytest.fixture(scope='session')
def build_dir():
    folder = os.environ.get('IOTC_BUILD_DIR')
    if not folder:
        pytest.fail('IOTC_BUILD_DIR names no build folder')
    return os.path.abspath(folder)


@pytest.fixture(scope='session')
def sanitized(build_dir):
    """Is it a build with sanitizers?"""
    with open(os.path.join(build_dir, 'meson-info/intro-buildoptions.json'),
              encoding='utf-8') as file:
        options = {option['name']: option['value'] for option in json.load(file)}
    return options['b_sanitize'] != 'none'


@pytest.fixture
def plain_build(sanitized):
    """For what a build with sanitizers can't show: its leak check looks into the process."""
    if sanitized:
        pytest.skip('a build with sanitizers')


def _temporary_folder():
    # Short, because the path of a unix socket has room for 107 bytes.
    folder = tempfile.mkdtemp(prefix='iotc-')
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def folder():
    yield from _temporary_folder()


@pytest.fixture(scope='session')
def worker_folder():
    yield from _temporary_folder()


@pytest.fixture(scope='session')
def entra_server(worker_folder):
    folder = os.path.join(worker_folder, 'entra')
    os.mkdir(folder)
    server = Entra(folder)
    yield server
    server.close()


@pytest.fixture
def entra(entra_server):
    entra_server.reset()
    yield entra_server
    entra_server.reset()


@pytest.fixture(scope='session')
def central_server(entra_server, worker_folder):
    folder = os.path.join(worker_folder, 'central')
    os.mkdir(folder)
    server = Central(entra_server, folder)
    yield server
    server.close()


@pytest.fixture
def central(central_server, entra):
    """An IoT Central application, which trusts the tokens of the test's Entra."""
    central_server.reset()
    return central_server


@pytest.fixture
def bus(folder):
    services = os.path.join(folder, 'services')
    os.mkdir(services, 0o700)
    bus = Bus(folder, services)
    yield bus
    bus.close()


@pytest.fixture
def home(folder, bus, build_dir):
    path = os.path.join(folder, 'home')
    os.mkdir(path, 0o700)
    return Home(path, bus, build_dir)


@pytest.fixture
def keyring(late_keyring):
    """A keyring that runs, unlocked. A test that doesn't name it has none."""
    late_keyring.start()
    return late_keyring


@pytest.fixture
def late_keyring(folder, bus):
    """A keyring that a test starts itself, or never."""
    path = os.path.join(folder, 'keyring')
    os.mkdir(path, 0o700)
    keyring = Keyring(bus, path)
    yield keyring
    keyring.close()


@pytest.fixture
def keepassxc(folder, bus, screen):
    """A real KeePassXC as the keyring, not started."""
    if not shutil.which('keepassxc'):
        pytest.skip('KeePassXC is not installed (Debian: keepassxc)')
    path = os.path.join(folder, 'keepassxc')
    os.mkdir(path, 0o700)
    keepassxc = KeePassXC(bus, path, screen)
    yield keepassxc
    keepassxc.close()


@pytest.fixture
def logind(folder):
    """A system bus with logind on it; without this fixture a daemon has no system bus."""
    path = os.path.join(folder, 'system')
    os.mkdir(path, 0o700)
    logind = Logind(path)
    logind.start()
    yield logind
    logind.close()


@pytest.fixture
def daemon(home, bus, request):
    """The daemon, not started: daemon.start(settings)."""
    # Set up before it, so that they end after it.
    for name in ('late_keyring', 'keyring', 'keepassxc', 'logind', 'entra', 'az', 'central'):
        if name in request.fixturenames:
            request.getfixturevalue(name)
    daemon = Daemon(home, bus)
    yield daemon
    daemon.close()
    if 'entra' in request.fixturenames:
        leaks = request.getfixturevalue('entra').leaks(daemon.text())
        assert leaks == 0, f'{leaks} secrets are in the log'
    if 'central' in request.fixturenames:
        assert request.getfixturevalue('central').leaks(daemon.text()) == 0


@pytest.fixture
def clock(home):
    """The wall clock of all programs in the home, to be set; name it before the daemon."""
    return Clock(home)


@pytest.fixture
def screen(folder):
    """A display, for what has a window."""
    screen = Screen(folder)
    yield screen
    screen.close()


@pytest.fixture
def cli(home):
    return Cli(home)


@pytest.fixture(scope='session')
def az_template(entra_server, worker_folder):
    if not AZ:
        pytest.fail('the Azure CLI is not installed (Debian: azure-cli)')
    entra_server.reset()
    template = Az(entra_server, os.path.join(worker_folder, 'az'))
    template.sign_in()
    entra_server.keep()
    return template


@pytest.fixture
def az(az_template, entra, folder):
    """The real az, signed in, in a folder of the test's own."""
    return az_template.copy(os.path.join(folder, 'az'))


@pytest.fixture
def fetcher(home, request):
    """Starts iotc-token-fetch as the daemon would."""
    for name in ('entra', 'az'):
        if name in request.fixturenames:
            request.getfixturevalue(name)
    fetcher = Fetcher(home)
    yield fetcher
    fetcher.close()


@pytest.fixture
def doctor(cli):
    return Doctor(cli)


@pytest.fixture
def well(daemon, entra, keyring):
    """A daemon with one account, which is signed in; its token is not a fresh one."""
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.clear()
    return daemon
