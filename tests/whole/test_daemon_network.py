# SPDX-License-Identifier: MIT
#
# The network comes back: told by the kernel, or by NetworkManager or networkd, which know what the
# kernel can't see. Whoever waits for it is tried at once, a flapping network costs one try, and
# what a server asked to wait for is waited for.

import os

import pytest

from util_daemon import entra_account
from util_network import PATH, Namespace, NetworkService
from util_process import Process

NEWS = 'The network is '


def news(daemon):
    return daemon.text().count(NEWS)


@pytest.fixture(params=['NetworkManager', 'networkd'])
def service(folder, request):
    path = os.path.join(folder, 'network')
    os.mkdir(path)
    service = NetworkService(path, request.param)
    yield service
    service.close()


@pytest.fixture
def network_manager(folder):
    path = os.path.join(folder, 'network')
    os.mkdir(path)
    service = NetworkService(path, 'NetworkManager')
    service.start(True)
    yield service
    service.close()


def start_online(daemon, settings, **env):
    daemon.start(settings, **env)
    if not daemon.get('Online'):
        pytest.skip('this machine has no network')


def test_tried_when_the_network_gets_better(service, daemon, az, entra):
    """az is not asked again for 61 s after a failure, unless the network's return is a reason."""
    service.start(False)
    environment = {**az.env(), 'HTTPS_PROXY': 'http://127.0.0.1:9'}
    daemon.start('[iotc-token]\nproxy=http://127.0.0.1:9\n', **{**environment, **service.env()})
    if service.which == 'NetworkManager':
        daemon.wait_property('Online', False)
    elif not daemon.get('Online'):
        pytest.skip('this machine has no network')
    assert daemon.error_of(daemon.get_token, timeout=60)[0] == 'Unavailable'
    before = daemon.stats()['fetches']
    # Twenty changes in a moment, the last one for the better.
    for _ in range(10):
        service.tell(True)
        service.tell(False)
    service.tell(True)
    daemon.wait_stat('fetch-failures', before + 1)
    assert daemon.stats()['fetches'] == before + 1 and daemon.get('Online')


def test_portal_and_its_end_is_online(network_manager, daemon, entra, keyring):
    start_online(daemon, entra_account(entra), **network_manager.env())
    network_manager.tell(False)
    daemon.wait_property('Online', False)
    network_manager.tell(True)
    daemon.wait_property('Online', True)
    # Without it there is no portal that is known of; another one may know of one.
    network_manager.tell(False)
    daemon.wait_property('Online', False)
    network_manager.stop()
    daemon.wait_property('Online', True)
    network_manager.start(False)
    daemon.wait_property('Online', False)
    # A portal keeps nobody from trying.
    daemon.sign_in(entra)
    assert daemon.get_token('work', force=True)[1] == 'bearer'
    network_manager.bus.process.kill_group()
    daemon.wait_property('Online', True)
    assert daemon.get_token('work')[1] == 'bearer'


def test_never_before_the_server_s_own_time(network_manager, daemon, entra, keyring):
    start_online(daemon, entra_account(entra), **network_manager.env())
    daemon.sign_in_before(entra)
    entra.fail(status=429, headers={'retry-after': '600'}, body='', count=100)
    name, text = daemon.error_of(daemon.get_token, 'work', force=True, min_valid=3590)
    assert name == 'Unavailable', text
    before, heard = daemon.stats()['fetches'], news(daemon)
    network_manager.tell(False)
    daemon.wait_property('Online', False)
    network_manager.tell(True)
    daemon.wait_property('Online', True)
    assert news(daemon) >= heard + 2 and daemon.stats()['fetches'] == before


def test_a_moment_without_network_is_waited_out(daemon, entra, keyring, cli):
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    old = daemon.get_token('work')[0]
    entra.stop()
    script = cli.start('get', 'work', '--force')
    daemon.wait_stat('fetch-failures', 1)
    entra.start()
    assert script.wait() == 0, script.text()
    assert script.text().strip() not in ('', old)


@pytest.fixture
def apart(daemon, entra, keyring):
    """A daemon that is signed in, in a network of its own that has no address yet."""
    if not Namespace.possible():
        pytest.skip('no network namespaces here')
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    daemon.stop()
    binary = os.path.join(daemon.home.build_dir, 'daemon/iotc-tokend')
    daemon.process = Process(['unshare', '-n', binary, *daemon.options],
                             {**daemon.home.environment(), **PATH}, daemon.log)
    daemon.bus.wait_name('org.iotc.Token1', alive=lambda: daemon.process.alive)
    return daemon, Namespace(daemon.process.pid)


def test_an_address_comes(apart):
    daemon, namespace = apart
    assert not daemon.get('Online')
    assert daemon.error_of(daemon.get_token, 'work', force=True, min_valid=3590)[0] == 'Unavailable'
    namespace.ip('address', 'add', '169.254.9.9/16', 'dev', 'net0', 'scope', 'link')
    namespace.ip('address', 'del', '169.254.9.9/16', 'dev', 'net0')
    heard = news(daemon)
    for i in range(20):
        namespace.ip('address', 'add', f'192.0.2.{i + 1}/24', 'dev', 'net0')
    daemon.wait_property('Online', True)
    assert news(daemon) == heard + 1
    namespace.ip('link', 'set', 'net0', 'down')
    daemon.wait_property('Online', False)
