# SPDX-License-Identifier: MIT
#
# Memory is short: an allocation of the daemon fails, the first one of what it does, or the second,
# and so on, or all from there on for as long as that takes. It says so, or ends with a word and is
# started again; it does not crash, signs nobody out, and has all its sign-ins when there is memory
# again. The fixture daemon looks for secrets in its log.
#
# What fails are allocations of the daemon's own code. GLib ends the process, by design; json-c 0.16
# (Debian 12) crashes on the key of an object that it could not copy; libsystemd 252 closes the
# connection, so that the daemon ends ("The session bus is gone"), and aborts in bus_match_run()
# after a match that it could not add. IOTC_MEMORY_LIBRARIES=1 has those of the latter two fail as
# well. Here every so many are tried; IOTC_MEMORY_STRIDE=1 tries each, in some minutes.

import os
import signal

import pytest

from util_bus import BusError
from util_daemon import INVALID_ARGS, NAME, SIGN_IN, account_path, entra_account, variants
from util_memory import Memory
from util_process import wait_until

STRIDE = int(os.environ.get('IOTC_MEMORY_STRIDE', '0'))
ALL = 1 << 40
OTHER = 'https://other.example'
CLAIMS = '{"access_token":{}}'
API_TOKEN = 'SharedAccessSignature sr=one&sig=c2VjcmV0c2VjcmV0&skn=test&se=4102444800000'
# What a caller may be told; above all nobody is told to sign in.
REFUSALS = {'org.freedesktop.DBus.Error.NoMemory', 'org.freedesktop.DBus.Error.Failed',
            'org.freedesktop.DBus.Error.LimitsExceeded', INVALID_ARGS,
            'Unavailable', 'TimedOut', 'Denied', 'Cancelled'}
ENDS = {'done', 'failed', 'cancelled'}
GONE = {'org.freedesktop.DBus.Error.NoReply', 'org.freedesktop.DBus.Error.ServiceUnknown',
        'org.freedesktop.DBus.Error.NameHasNoOwner'}


@pytest.fixture
def memory(home, plain_build):
    memory = Memory(home)
    if os.environ.get('IOTC_MEMORY_LIBRARIES'):
        memory.also_libraries()
    return memory


def start_signed_in(memory, daemon, entra, store=''):
    memory.next_program()
    daemon.start(store + entra_account(entra, resources=OTHER))
    daemon.sign_in(entra)
    return daemon


@pytest.fixture
def signed_in(memory, daemon, entra, keyring):
    return start_signed_in(memory, daemon, entra)


@pytest.fixture
def signed_in_to_files(memory, daemon, entra):
    """Without a keyring, its secrets in encrypted files."""
    key = os.path.join(daemon.home.folder, 'key')
    with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), 'wb') as file:
        file.write(os.urandom(32))
    return start_signed_in(memory, daemon, entra,
                           f'[iotc-token]\nstore=file\nkey-file={key}\n\n')


def still_signed_in(daemon, memory):
    """In the next life as well, and its refresh token is good."""
    memory.ample()
    daemon.restart()
    daemon.forget_requests()
    assert daemon.get_token('work', claims=CLAIMS)[1] == 'bearer'


class Calls:
    """The calls that are made; each gives what undoes it, or None."""

    def __init__(self, daemon, entra, keyring):
        self.daemon, self.entra, self.keyring = daemon, entra, keyring
        self.count = 0
        self.approved = set()

    def get(self):
        self.daemon.get_token('work')

    def exchange(self):
        self.daemon.get_token('work', claims=CLAIMS, timeout=1)

    def other(self):
        self.daemon.get_token('work', resource=OTHER, force=True, timeout=1)

    def objects(self):
        self.daemon.objects()

    def configure(self):
        self.count += 1
        self.daemon.account_call('work', 'Configure', '(a{sv})', (
            variants({'apps': [f'a{self.count}.azureiotcentral.com']}),))

    def reload(self):
        self.daemon.process.send(signal.SIGHUP)
        self.daemon.get('Version')

    def add(self):
        self.daemon.call('AddAccount', '(ssa{sv})', (
            'devices', 'api-token', variants({'secret': API_TOKEN})))

    def remove(self):
        self.daemon.account_call('devices', 'Remove')

    def sign_in(self):
        path = self.daemon.account_call('work', 'SignIn', '(a{sv})', ({},))[0]

        def get(prop):
            try:
                return self.daemon.bus.get(NAME, path, SIGN_IN, prop)
            except BusError as error:
                if error.name in GONE:
                    raise
                return None     # it has no memory to say it

        wait_until(lambda: get('VerificationUri') or get('State') in ENDS, 'the page')
        code = get('UserCode')
        if code and code not in self.approved:
            self.approved.add(code)
            self.entra.approve(code)
        wait_until(lambda: get('State') in ENDS, 'the end of the sign-in')

    def has_devices(self):
        return account_path('devices') in self.daemon.objects()

    def prepare(self, what):
        """As it is to be before the call."""
        if what == 'exchange' or what == 'other':
            self.daemon.forget_requests()
        if what == 'remove' and not self.has_devices():
            self.add()
        if what == 'add':
            if self.has_devices():
                self.remove()
            # What a failed call has stored it may not have had the memory to delete.
            self.keyring.delete('devices')


def refusal(call):
    """The name of the error that it gives, or None."""
    try:
        call()
    except BusError as error:
        assert error.text
        return error.name.replace('org.iotc.Token1.Error.', '')
    return None


def sweep(daemon, memory, calls, what, stride, count):
    """Have it fail at each stride-th allocation of a call, until it has no more of them."""
    after = 0
    while True:
        calls.prepare(what)
        memory.short(after, count)
        name = refusal(getattr(calls, what))
        failed, places = memory.failed, f'{what}, {after} of {count}: {memory.places()}'
        memory.ample()
        if name in GONE:
            code = daemon.process.wait()
            assert code >= 0, f'it crashed with {code} at {places}:\n{daemon.text()[-4000:]}'
            memory.next_program()
            daemon.start()
            failed = 1
        else:
            assert name is None or name in REFUSALS, f'{name} at {places}'
        assert daemon.get_token('work')[1] == 'bearer', places
        if not failed:
            return
        after += STRIDE or stride


@pytest.mark.parametrize('what, stride', [
    ('get', 1), ('exchange', 1), ('other', 1), ('objects', 1), ('configure', 1), ('reload', 1),
    ('add', 2), ('remove', 2), ('sign_in', 41)])
def test_calls(signed_in, memory, entra, keyring, what, stride):
    calls = Calls(signed_in, entra, keyring)
    sweep(signed_in, memory, calls, what, stride, 1)
    if what != 'sign_in':
        sweep(signed_in, memory, calls, what, 2 * stride + 1, ALL)
    still_signed_in(signed_in, memory)


def sweep_start(daemon, memory, stride, count):
    after = 0
    while True:
        daemon.stop()
        memory.next_program()
        memory.short(after, count)
        daemon.process = daemon.start_process()
        wait_until(lambda: not daemon.process.alive or daemon.bus.owner(NAME),
                   'the daemon to start, or to end')
        failed, places = memory.failed, memory.places()
        memory.ample()
        if not daemon.process.alive:
            code = daemon.process.wait()
            assert code > 0, f'{code} at {after} of {count}: {places}'
            memory.next_program()
            daemon.start()
        # What could not be read then is read again soon.
        wait_until(lambda: refusal(lambda: daemon.get_token('work')) is None,
                   f'a token after {after} of {count}: {places}')
        if not failed:
            return
        after += STRIDE or stride


@pytest.mark.parametrize('count', [1, ALL])
def test_start(signed_in, memory, count):
    sweep_start(signed_in, memory, 29, count)
    still_signed_in(signed_in, memory)


def test_files(signed_in_to_files, memory, entra):
    daemon = signed_in_to_files
    calls = Calls(daemon, entra, None)
    for what in ('exchange', 'remove', 'reload'):
        sweep(daemon, memory, calls, what, 3, 1)
    sweep_start(daemon, memory, 31, 1)
    still_signed_in(daemon, memory)
