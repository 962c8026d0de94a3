# SPDX-License-Identifier: MIT
#
# The daemon and a network between it and the identity server that does what networks do. Whatever
# it is: who asks is told what happened, the token that lives is served, nobody signs in again, and
# once the network behaves a new token is there without anybody's doing.

import time

import pytest

from util_daemon import entra_account
from util_proxy import Proxy

SHORT = 300     # seconds of a first token that the tests below outgrow by min-valid

# A fault of util_proxy.FAULTS, and what the error must say.
FAULTS = [
    ('refused', "127.0.0.1 can't be reached: "),
    ('cut-at-once', 'The answer of 127.0.0.1 was lost: '),
    ('cut-request', 'The answer of 127.0.0.1 was lost: '),
    ('cut-answer', 'The answer of 127.0.0.1 was lost: '),
    ('cut-headers', '127.0.0.1 gave no token'),
    ('cut-body', 'The answer of 127.0.0.1 was lost: '),
    ('noise', 'The answer of 127.0.0.1 was lost: it is not HTTP'),
    ('garbled', '127.0.0.1 gave no token'),
    ('huge', 'The answer of 127.0.0.1 was lost: it answered more than 1024 KiB'),
    ('endless-headers', 'The answer of 127.0.0.1 was lost: '),
    ('login-page', 'sign-in page'),
    ('redirect', '302'),
]
TLS_FAULTS = [
    ('tls-cut-handshake', "localhost can't be reached: "),
    ('tls-cut-answer', 'The answer of localhost was lost: '),
]


@pytest.fixture
def proxy(entra):
    proxy = Proxy(int(entra.authority.rsplit(':', 1)[1]))
    yield proxy
    proxy.close()


@pytest.fixture
def tls_proxy(entra):
    proxy = Proxy(int(entra.tls_authority.rsplit(':', 1)[1]))
    yield proxy
    proxy.close()


def start(daemon, entra, authority):
    entra.set(access_token_ttl=SHORT)
    daemon.start(f'[iotc-token]\nca-bundle={entra.ca_bundle}\n\n'
                 + entra_account(entra, authority=authority))
    daemon.sign_in_before(entra)
    entra.set(access_token_ttl=3600)
    entra.clear()


def break_it(proxy, fault):
    if fault == 'refused':
        proxy.refuse()
    else:
        proxy.be(fault)


def mend_it(proxy):
    proxy.be('pass')
    proxy.listen()


def survive(daemon, entra, proxy, fault, says):
    old = daemon.get_token('work')
    break_it(proxy, fault)
    name, text = daemon.error_of(daemon.get_token, 'work', min_valid=600, timeout=60)
    assert name == 'Unavailable' and 'work: ' in text and says in text, text
    assert text.isprintable() and 'Next try in' in text
    assert says in daemon.get('LastError', 'work')[1]
    assert daemon.get_token('work') == old and daemon.get('State', 'work') == 'ready'
    entra.clear()
    mend_it(proxy)
    # Nobody asks, and nobody signs in.
    entra.wait(grant_type='refresh_token', status=200)
    assert daemon.get_token('work', min_valid=600)[0] != old[0]
    assert entra.count() <= 2
    # What came with the lost answers has cost no refresh token.
    daemon.restart()
    assert daemon.get_token('work', force=True)[1] == 'bearer'


@pytest.mark.parametrize('fault, says', FAULTS)
def test_fault(daemon, entra, keyring, proxy, fault, says):
    start(daemon, entra, proxy.url)
    survive(daemon, entra, proxy, fault, says)


@pytest.mark.parametrize('fault, says', TLS_FAULTS)
def test_fault_of_tls(daemon, entra, keyring, tls_proxy, fault, says):
    start(daemon, entra, f'https://localhost:{tls_proxy.port}')
    survive(daemon, entra, tls_proxy, fault, says)


def test_accepted_and_silent(daemon, entra, keyring, proxy):
    start(daemon, entra, proxy.url)
    old = daemon.get_token('work')
    proxy.be('silent')
    name, text = daemon.error_of(daemon.get_token, 'work', min_valid=600, timeout=1)
    assert name == 'TimedOut' and 'iotc-token status work' in text
    assert daemon.get_token('work', timeout=0) == old
    assert entra.count() == 0
    proxy.be('pass')        # which cuts what hangs
    entra.wait(grant_type='refresh_token', status=200)
    assert daemon.get_token('work', min_valid=600)[0] != old[0]


@pytest.mark.long
def test_one_byte_a_second(daemon, entra, keyring, proxy):
    """A server that keeps a fetch busy has no hold on it: its time is up after 30 s."""
    start(daemon, entra, proxy.url)
    old = daemon.get_token('work')
    proxy.be('slow')
    began = time.monotonic()
    call = daemon.start_get('work', min_valid=600, timeout=60)
    assert daemon.get_token('work') == old
    name, text = daemon.error_of(call.result, 70)
    assert name == 'Unavailable' and 'The answer of 127.0.0.1 was lost: ' in text
    assert 29 < time.monotonic() - began < 50
    proxy.be('pass')
    assert daemon.get_token('work', min_valid=600, timeout=60)[0] != old[0]


def test_what_only_looks_wrong(daemon, entra, keyring, proxy):
    """The body says what it is, not a gateway's Content-Type."""
    start(daemon, entra, proxy.url)
    proxy.be('wrong-type')
    assert daemon.get_token('work', min_valid=600)[1] == 'bearer'
    assert proxy.answered == 1


def test_the_token_ends_meanwhile(daemon, entra, keyring, proxy):
    entra.set(access_token_ttl=6)
    daemon.start(entra_account(entra, authority=proxy.url))
    daemon.sign_in(entra)
    proxy.refuse()
    daemon.wait_property('State', 'unavailable', account='work')
    name, text = daemon.error_of(daemon.get_token, 'work', timeout=0)
    assert name == 'Unavailable' and text
    assert daemon.get('LastError', 'work')[0].endswith('.Unavailable')
    mend_it(proxy)
    daemon.wait_property('State', 'ready', account='work')
    assert daemon.get_token('work')[2] > time.time()
