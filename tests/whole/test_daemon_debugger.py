# SPDX-License-Identifier: MIT
#
# Another process of the same user, which may debug what that user starts, gets at nothing of the
# daemon, its launcher and its fetcher. Root may look into everything, so where the runner is root
# all of them go without its powers.

import json
import os
import stat
import subprocess
import sys

import pytest

from util_daemon import entra_account
from util_process import running, wait_until

PLAIN = ['/usr/bin/setpriv', '--bounding-set', '-all', '--inh-caps', '-all']
# What can be opened, and whether it lets itself be attached to, of each process.
SPY = '''
import ctypes, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
found = {}
for pid in sys.argv[1:]:
    found[pid] = got = []
    for name in ("mem", "environ", "maps", "fd/0", "root", "cwd"):
        try:
            os.close(os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_NONBLOCK))
            got.append(name)
        except OSError:
            pass
    if libc.ptrace(0x4206, int(pid), None, None) == 0:      # PTRACE_SEIZE
        got.append("ptrace")
print(json.dumps(found))
'''


def spy(pids):
    prefix = PLAIN if os.getuid() == 0 else []
    done = subprocess.run([*prefix, sys.executable, '-c', SPY, *map(str, pids)], check=True,
                          capture_output=True, text=True, timeout=60)
    return {int(pid): got for pid, got in json.loads(done.stdout).items()}


@pytest.fixture
def prefix(daemon):
    daemon.prefix = PLAIN if os.getuid() == 0 else []
    sleep = subprocess.Popen([*daemon.prefix, 'sleep', '1000'])
    try:
        wait_until(lambda: running().get(sleep.pid, (0, ''))[1] == 'sleep', 'sleep to run')
        if 'ptrace' not in spy([sleep.pid])[sleep.pid]:
            pytest.skip('no process may debug another here (kernel.yama.ptrace_scope)')
    finally:
        sleep.kill()
        sleep.wait()


def test_no_debugger_of_the_user_gets_at_it(daemon, entra, keyring, prefix):
    daemon.start(entra_account(entra))
    daemon.sign_in_before(entra)
    entra.hold()
    call = daemon.start_get('work', force=True, timeout=60)
    entra.wait(grant_type='refresh_token')      # so the fetcher is there, and has a secret
    family, found = {daemon.process.pid: 'iotc-tokend'}, running()
    while more := {pid: name for pid, (parent, name) in found.items()
                   if parent in family and pid not in family}:
        family |= more
    assert {'iotc-launcher', 'iotc-token-fetc'} <= set(family.values())
    assert {family[pid]: got for pid, got in spy(family).items() if got} == {}
    entra.release()
    assert call.result()[1] == 'bearer'


def test_the_installed_fetcher_can_not_be_read(daemon, folder):
    """So that there is no moment before it has protected itself: prctl(2), PR_SET_DUMPABLE."""
    if not os.access(daemon.home.build_dir, os.W_OK):
        pytest.skip("the build folder is another user's: nothing can be installed from it")
    subprocess.run(['meson', 'install', '-C', daemon.home.build_dir, '--no-rebuild', '--quiet',
                    '--destdir', folder], check=True, capture_output=True, timeout=120)
    modes = {name: stat.S_IMODE(os.stat(os.path.join(at, name)).st_mode)
             for at, _, names in os.walk(folder) for name in names
             if name in ('iotc-tokend', 'iotc-token-fetch')}
    assert modes == {'iotc-tokend': 0o711, 'iotc-token-fetch': 0o711}
