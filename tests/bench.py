# SPDX-License-Identifier: MIT
#
# ./run bench: what the daemon costs on this machine. Take ratios from it, not times: each line
# stands beside its floor, the same road with nothing on it.
#
# usage: bench.py BUILD-FOLDER

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

from util_bus import Bus
from util_daemon import Cli, Daemon, Home, entra_account
from util_entra import Entra
from util_keyring import Keyring

CALLS = 20000
RUNS = 200


def calls(build_dir, environment, clients, *selector):
    """(median µs, 99th percentile µs, calls a second)"""
    done = subprocess.run([f'{build_dir}/tests/bench-calls', str(clients), str(CALLS), *selector],
                          env=environment, check=True, capture_output=True, text=True)
    return done.stdout.split()


def one_shot(environment, *command):
    """(median ms, 99th percentile ms) of a process from its start to its end."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return f'{times[RUNS // 2]:.2f}', f'{times[RUNS * 99 // 100]:.2f}'


def memory(pid):
    """(RSS, PSS, USS) in kB."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
        kb = {line.split(':')[0]: int(line.split()[1]) for line in file if line.endswith(' kB\n')}
    return kb['Rss'], kb['Pss'], kb['Private_Clean'] + kb['Private_Dirty']


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='utf-8') as file:
        return file.read().split()


def start_times(daemon):
    """Median ms from the start of the program to its name on the bus."""
    times = []
    for _ in range(10):
        daemon.stop()
        start = time.perf_counter()
        daemon.start()
        times.append((time.perf_counter() - start) * 1000)
    return sorted(times)[5]


def bench(build_dir, daemon, cli):
    environment = cli.environment()
    program = cli.program

    print('call over the bus                 median µs   99 % µs   calls/s')
    for clients in (1, 8, 64):
        for name, selector in (('Ping', ()), ('GetToken, warm', ('work',))):
            row = calls(build_dir, environment, clients, *selector)
            print(f'{name + ", " + str(clients) + " at once":30} {row[0]:>12} {row[1]:>9} '
                  f'{row[2]:>9}')

    print('\none process, start to end          median ms   99 % ms')
    for name, command in (('true', ('/bin/true',)), ('iotc-token get', (program, 'get', 'work')),
                          ('busctl call', ('/usr/bin/busctl', '--user', 'call', 'org.iotc.Token1',
                                           '/org/iotc/Token1', 'org.iotc.Token1.Manager',
                                           'GetToken', 'sa{sv}', 'work', '0'))):
        median, high = one_shot(environment, *command)
        print(f'{name:30} {median:>12} {high:>9}')

    print('\nmemory after that, kB                    RSS       PSS       USS')
    for name, pid in [('iotc-tokend', daemon.process.pid),
                      *(('its launcher', pid) for pid in children(daemon.process.pid))]:
        rss, pss, uss = memory(pid)
        print(f'{name:34} {rss:>9} {pss:>9} {uss:>9}')
    print(f'\nstart to name on the bus, with this tool: {start_times(daemon):.1f} ms')


def main(build_dir):
    folder = tempfile.mkdtemp(prefix='iotc-bench-')
    with contextlib.ExitStack() as parts:
        def sub(name):
            os.mkdir(os.path.join(folder, name), 0o700)
            return os.path.join(folder, name)

        parts.callback(shutil.rmtree, folder)
        entra = Entra(sub('entra'))
        parts.callback(entra.close)
        bus = Bus(sub('bus'))
        parts.callback(bus.close)
        keyring = Keyring(bus, sub('keyring'))
        parts.callback(keyring.close)
        keyring.start()
        home = Home(sub('home'), bus, build_dir)
        daemon = Daemon(home, bus, verbose=False)
        parts.callback(daemon.close)
        daemon.start(entra_account(entra))
        daemon.sign_in(entra)
        bench(build_dir, daemon, Cli(home))


if __name__ == '__main__':
    main(os.path.abspath(sys.argv[1]))
