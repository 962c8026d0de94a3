# SPDX-License-Identifier: MIT
#
# The build as `./run install` leaves it, laid over the folder that it was built for: the programs
# find their library, D-Bus finds the daemon, and the manual and the completions are where they are
# looked for. (What ./run makes of a prefix is in test_run.py.)

import json
import os
import subprocess

import pytest

from util_systemd import install

pytestmark = pytest.mark.plain

LAY = 'mount --bind "$1$2" "$2" && shift 2 && exec "$@"'


@pytest.fixture
def installed(folder, build_dir, plain_build):
    """installed(program, ...): its output, with the build installed and nothing else set."""
    tree = os.path.join(folder, 'tree')
    prefix = install(build_dir, tree)
    lay = ['unshare', '--map-current-user', '--keep-caps', '--mount', 'sh', '-c', LAY, 'sh', tree,
           prefix]
    probe = subprocess.run([*lay, 'true'], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f'no folder can be laid over another here: {probe.stderr.strip()}')
    env = {'HOME': os.path.join(folder, 'home'), 'XDG_RUNTIME_DIR': os.path.join(folder, 'run'),
           'PATH': f'{prefix}/bin:/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'}
    for name in ('HOME', 'XDG_RUNTIME_DIR'):
        os.mkdir(env[name], 0o700)

    def run(*argv):
        return subprocess.run([*lay, *argv], env=env, check=True, text=True, timeout=60,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout

    return run


def test_it_is_found(installed):
    shown = installed('dbus-run-session', '--', 'iotc-token', 'list', '--json')
    assert isinstance(json.loads(shown), list)
    assert installed('iotc-token', 'api', '--help').startswith('Usage: iotc-token api ')
    assert installed('man', '8', 'iotc-tokend').startswith('IOTC-TOKEND(8)')
    shown = installed('fish', '-c', 'set -x XDG_DATA_DIRS /usr/local/share:/usr/share\n'
                      'exec fish -c "complete -C \'iotc-token lo\'"')
    assert 'login' in shown and 'logout' in shown
    shown = installed('bash', '-c', '. /usr/share/bash-completion/bash_completion\n'
                      '_completion_loader iotc-token\ncomplete -p iotc-token')
    assert 'iotc-token' in shown
    shown = installed('pkg-config', '--libs', 'iotc-token')
    assert '-liotc-token' in shown
