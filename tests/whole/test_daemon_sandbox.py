# SPDX-License-Identifier: MIT
#
# Programs in a Flatpak or a Snap may get tokens and nothing else. The Flatpak here is a real
# bubblewrap sandbox with /.flatpak-info in its root; the Snap a process in a cgroup of that name.
# The command iotc-token is not dumpable, so that its file tree is closed to a daemon without
# CAP_SYS_PTRACE: the same program, inside and outside, shows that this is no verdict.

import os
import re
import subprocess
import sys

import pytest

from util_daemon import ACCOUNT, MANAGER, NAME, ROOT, account_path, entra_account
from util_process import running, wait_until
from util_raw import RawClient

STAGE = os.path.join(os.path.dirname(__file__), '../stage')
DENIED = 'sandbox may get tokens'
CALLS = [
    (ROOT, MANAGER, 'AddAccount', 'ssa{sv}', 'other', 'entra', '0'),
    (ROOT, MANAGER, 'Unlock'),
    (ROOT, MANAGER, 'ReportRejected', 'sss', 'work', 'x', ''),
    (account_path('work'), ACCOUNT, 'Remove'),
    (account_path('work'), ACCOUNT, 'Forget'),
    (account_path('work'), ACCOUNT, 'SignIn', 'a{sv}', '0'),
    (account_path('work'), ACCOUNT, 'SignOut'),
    (account_path('work'), ACCOUNT, 'SetSecret', 's', 'x'),
    (account_path('work'), ACCOUNT, 'Configure', 'a{sv}', '0'),
]
WRITES = [
    (ROOT, MANAGER, 'DefaultAccount', 's', ''),
    (account_path('work'), ACCOUNT, 'Apps', 'as', '0'),
]
# The daemon as its unit starts it, in a user namespace of its own (PrivateUsers=yes), and, where
# the runner is root, without the power to look into every process.
PREFIXES = {
    'plain': [],
    'private-users': ['/usr/bin/unshare', '--user', '--map-current-user'],
    'no-ptrace': ['/usr/bin/setpriv', '--bounding-set', '-sys_ptrace', '--inh-caps', '-sys_ptrace'],
}


@pytest.fixture(params=PREFIXES)
def prefix(request, daemon):
    """What starts the daemon."""
    prefix = PREFIXES[request.param]
    if request.param == 'no-ptrace' and os.getuid() != 0:
        pytest.skip('the runner is not root: it has no CAP_SYS_PTRACE anyway')
    probe = subprocess.run([*prefix, 'true'], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f'{request.param}: {probe.stderr.strip()}')
    daemon.prefix = prefix


@pytest.fixture(params=['bus', 'socket'])
def door(request, daemon):
    """The address that callers use, on either way in."""
    daemon.door = (daemon.bus.address if request.param == 'bus'
                   else f'unix:path={daemon.socket}')
    return daemon.door


def busctl(daemon, prefix, *arguments):
    return subprocess.run([*prefix, 'busctl', f'--address={daemon.door}', *arguments],
                          env=daemon.home.env | {'PATH': '/usr/bin:/bin'}, capture_output=True,
                          text=True, timeout=60, check=False)


def flatpak(folder, *more):
    """bwrap as flatpak calls it, as far as it matters: a root of its own with /.flatpak-info."""
    info = os.path.join(folder, 'flatpak-info')
    with open(info, 'w', encoding='utf-8') as file:
        file.write('[Application]\nname=org.example.App\n')
    bwrap = ['bwrap', '--ro-bind', '/usr', '/usr', '--symlink', 'usr/lib', '/lib',
            '--symlink', 'usr/lib64', '/lib64', '--symlink', 'usr/bin', '/bin', '--proc', '/proc',
            '--bind', folder, folder, '--ro-bind', info, '/.flatpak-info', '--die-with-parent',
            *more]
    probe = subprocess.run([*bwrap, 'true'], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f'no sandbox can be made here: {probe.stderr.strip()}')
    return bwrap


def snap(folder):
    """sh that enters a cgroup as snapd names it; what it made goes with the test."""
    roots = ('/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd')
    for root in roots:
        group = os.path.join(root, f'snap.iotc-test.{os.getpid()}')
        if not os.path.exists(os.path.join(root, 'cgroup.procs')):
            continue
        try:
            os.mkdir(group)
            with open(os.path.join(group, 'cgroup.procs'), encoding='utf-8'):
                pass
        except OSError:
            continue
        return group, ['sh', '-c', f'echo $$ >{group}/cgroup.procs && exec "$@"', 'sh']
    pytest.skip('no cgroup can be made here')


def check(daemon, prefix):
    for call in CALLS:
        done = busctl(daemon, prefix, 'call', NAME, *call)
        assert done.returncode != 0 and DENIED in done.stderr, f'{call[2]}: {done.stderr}'
    for write in WRITES:
        done = busctl(daemon, prefix, 'set-property', NAME, *write)
        assert done.returncode != 0 and DENIED in done.stderr, f'{write[2]}: {done.stderr}'
    assert [path for path in daemon.objects() if '/account/' in path] == [account_path('work')]
    done = busctl(daemon, prefix, 'call', NAME, ROOT, MANAGER, 'GetToken', 'sa{sv}', 'work', '0')
    assert done.returncode == 0 and 'bearer' in done.stdout, done.stderr


@pytest.mark.parametrize('more', [(), ('--unshare-pid',)], ids=['', 'unshare-pid'])
def test_flatpak_gets_tokens_but_changes_nothing(daemon, entra, keyring, folder, prefix, door,
                                                 more):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    check(daemon, flatpak(folder, *more))
    # The very same call from outside is allowed.
    assert busctl(daemon, (), 'call', NAME, *CALLS[3]).returncode == 0


@pytest.mark.parametrize('more', [(), ('--unshare-pid',)], ids=['', 'unshare-pid'])
def test_a_command_that_is_not_dumpable_is_known(daemon, cli, entra, keyring, folder, prefix, more):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    inside = [*flatpak(folder, *more, '--ro-bind', daemon.home.build_dir, daemon.home.build_dir),
              cli.program]
    done = subprocess.run([*inside, 'get', 'work'], env=cli.environment(), capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
    for command in (('default', 'work'), ('logout', 'work'), ('remove', 'work'), ('unlock',)):
        done = subprocess.run([*inside, *command], env=cli.environment(), capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.returncode == 6 and DENIED in done.stderr, f'{command}: {done.stderr}'
    cli.ok('default', 'work')
    cli.ok('unlock')
    login = cli.start('login', 'work', '--device-code')
    entra.approve(wait_until(lambda: re.search(r'enter the code (\S+)', login.text()),
                             'the code')[1])
    assert login.wait() == 0, login.text()


# Its connection lives on in a child; its number is free for any other process, once it is reaped.
GONE = '''
import os, sys
sys.path.insert(0, sys.argv[1])
from util_raw import RawClient
client = RawClient(sys.argv[2])
parent = os.getpid()
if os.fork():
    sys.stdin.read(1)
    os._exit(0)
while os.getppid() == parent:
    pass
os.read(int(sys.argv[3]), 1)
blob = client.message('org.iotc.Token1', '/org/iotc/Token1', 'org.iotc.Token1.Manager', 'Unlock')
client.send(blob)
print(client.reply().get_body().unpack()[0], flush=True)
'''


def answer_to_gone(address, meanwhile):
    """What the child's call is answered; its parent has ended by then, and meanwhile() was done."""
    read, write = os.pipe()
    with subprocess.Popen([sys.executable, '-B', '-c', GONE, STAGE,
                           address, str(read)], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, pass_fds=(read,)) as child:
        os.close(read)
        child.stdin.write('x')
        child.stdin.flush()
        wait_until(lambda: child.pid not in running(), 'the parent to end')
        try:
            meanwhile(child)
        finally:
            os.close(write)
        return child.stdout.readline()


@pytest.mark.parametrize('reaped', [True, False], ids=['reaped', 'zombie'])
def test_a_caller_that_is_gone_is_refused(daemon, door, reaped):
    daemon.start()
    assert 'could not be identified' in answer_to_gone(door, lambda child: reaped and child.wait())


def another_takes(pid):
    """Another process, outside of any sandbox, with that number, which is free."""
    for _ in range(2000):
        try:
            with open('/proc/sys/kernel/ns_last_pid', 'w', encoding='ascii') as file:
                file.write(str(pid - 1))
        except PermissionError:     # its mode allows it, and the kernel does not
            pytest.skip('the runner may not say which number is next')
        process = subprocess.Popen(['sleep', '60'])
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    pytest.skip('others were quicker to take the number')


def test_a_number_that_another_process_has_by_now(daemon, door):
    """A bus that knows the process itself (ProcessFD) is not deceived, nor one that knows its
    number by a process that talks to nobody."""
    if not os.access('/proc/sys/kernel/ns_last_pid', os.W_OK):
        pytest.skip('the runner may not say which number is next')
    daemon.start()
    others = []

    def meanwhile(child):
        child.wait()
        others.append(another_takes(child.pid))

    try:
        assert 'could not be identified' in answer_to_gone(door, meanwhile)
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_claims_of_a_flatpak_bind_nobody(daemon, entra, keyring, folder, door):
    """They are refused, and the next sign-in of the person knows nothing of them."""
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    entra.fail(match={'grant_type': 'refresh_token'}, error='invalid_grant', code=50076)
    done = busctl(daemon, flatpak(folder), 'call', NAME, ROOT, MANAGER, 'GetToken',
                  'sa{sv}', 'work', '1', 'claims', 's', '{"access_token":{}}')
    assert done.returncode != 0, done.stdout
    assert daemon.get('State', 'work') == 'ready' and daemon.get('LastError', 'work') == ('', '')
    entra.clear()
    daemon.sign_in(entra)
    assert [one.get('claims') for one in entra.requests() if one.get('claims')] == []


def test_snap_gets_tokens_but_changes_nothing(daemon, entra, keyring, folder, door):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    group, prefix = snap(folder)
    try:
        check(daemon, prefix)
    finally:
        os.rmdir(group)
