# SPDX-License-Identifier: MIT
#
# ./run bench: what the daemon costs on this machine, beside what it should be compared with: the
# same road with nothing on it, and the programs that people use for the same end. The parts of a
# comparison take turns, so that a busy machine is busy for all of them: take the ratios, not the
# times.
#
# usage: bench.py BUILD-FOLDER

import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../stage'))

from util_bus import Bus
from util_daemon import ACCOUNT, MANAGER, ROOT, Cli, Daemon, Home, account_path, entra_account
from util_daemon import variants
from util_entra import Entra
from util_keyring import Keyring
from util_process import Process, wait_until
from util_raw import RawClient

NAME = 'org.iotc.Token1'
BARE = 'org.iotc.Bench'
ROUNDS = 7
CALLS = 4000
RUNS = 150
FLOODS = 20
FLOOD = 5000


def calls(build_dir, environment, clients, name, *selector):
    """(median µs, 99th percentile µs, calls a second) of one round"""
    done = subprocess.run(
        [f'{build_dir}/tests/bench-calls', name, str(clients), str(CALLS), *selector],
        env=environment, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def bench_calls(build_dir, environment, way, name, bare, pids):
    """name, bare: names on the bus, or paths of sockets."""
    print(f'{f"call over the {way}":28} median µs   99 % µs   calls/s   × bare service')
    kinds = (('Ping', name, ()), ('bare sd-bus service', bare, ('work',)),
             ('GetToken, warm', name, ('work',)))
    cpus = os.sched_getaffinity(0)
    for clients in (1, 8, 64):
        # One client: all on one core, as nothing runs at the same time anyway.
        for pid in (0, *pids):
            os.sched_setaffinity(pid, {min(cpus)} if clients == 1 else cpus)
        rounds = [[calls(build_dir, environment, clients, service, *selector)
                   for _, service, selector in kinds] for _ in range(ROUNDS)]
        for i, (label, _, _) in enumerate(kinds):
            row = [statistics.median(one[i][column] for one in rounds) for column in range(3)]
            ratio = statistics.median(one[i][0] / one[1][0] for one in rounds)
            print(f'{label + f", {clients} at once":28} {row[0]:9.0f} {row[1]:9.0f} {row[2]:9.0f} '
                  f'{ratio:13.2f}')


def bench_floods(address):
    """What a client waits for whose call comes after many of another's."""
    work = account_path('work')
    get = (ROOT, MANAGER, 'GetToken', '(sa{sv})', ('work', {}))

    def configure(**settings):
        return work, ACCOUNT, 'Configure', '(a{sv})', (variants(settings),)

    floods = (('nobody', 0, [get]), ('GetToken, warm', FLOOD, [get]),
              ('Configure, refused', FLOOD, [configure(no_setting='x')]),
              ('Configure, nothing new', FLOOD, [configure()]),
              ('Configure, written', FLOOD // 50,
               [configure(apps=['a.example.com']), configure(apps=['b.example.com'])]))
    print('\nbehind the calls of another         GetToken, ms, 99 %     Configure, ms, 99 %')
    for label, count, flood in floods:
        times = [[], []]
        for _ in range(FLOODS):
            for i, call in enumerate((get, configure())):
                other, client = RawClient(address), RawClient(address)
                calls = b''.join(other.message(NAME, *flood[n % len(flood)])
                                 for n in range(count))
                call = client.message(NAME, *call)
                other.send(calls)
                start = time.perf_counter()
                client.send(call)
                client.reply()
                times[i].append((time.perf_counter() - start) * 1000)
                other.replies(count)
                other.close()
                client.close()
        row = [column for one in times for column in (statistics.median(one),
                                                      sorted(one)[FLOODS * 99 // 100])]
        print(f'{label + (f", {count}" if count else ""):30} {row[0]:17.1f} {row[1]:7.1f} '
              f'{row[2]:16.1f} {row[3]:7.1f}')


def bench_processes(environment, program):
    print('\none process, start to end    median ms   99 % ms   × busctl')
    commands = (
        ('true', ('/bin/true',)),
        ('iotc-token get', (program, 'get', 'work')),
        ('busctl --user call', ('/usr/bin/busctl', '--user', 'call', NAME, '/org/iotc/Token1',
                                'org.iotc.Token1.Manager', 'GetToken', 'sa{sv}', 'work', '0')),
        ('secret-tool lookup', ('/usr/bin/secret-tool', 'lookup', 'account', 'work')))
    times = [[] for _ in commands]
    for _ in range(RUNS):
        for i, (_, command) in enumerate(commands):
            start = time.perf_counter()
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            times[i].append((time.perf_counter() - start) * 1000)
    for i, (label, _) in enumerate(commands):
        ratio = statistics.median(a / b for a, b in zip(times[i], times[2]))
        print(f'{label:28} {statistics.median(times[i]):9.2f} '
              f'{sorted(times[i])[RUNS * 99 // 100]:9.2f} {ratio:10.2f}')


def memory(pid):
    """(RSS, PSS, USS) in kB."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
        kb = {line.split(':')[0]: int(line.split()[1]) for line in file if line.endswith(' kB\n')}
    return kb['Rss'], kb['Pss'], kb['Private_Clean'] + kb['Private_Dirty']


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='utf-8') as file:
        return [int(word) for word in file.read().split()]


@contextlib.contextmanager
def oidc_agent(folder):
    """Debian's oidc-agent without an account: the pids of its two processes."""
    env = {'HOME': folder, 'PATH': '/usr/bin:/bin'}
    said = subprocess.run(['oidc-agent'], env=env, check=True, capture_output=True,
                          text=True).stdout
    env |= dict(re.findall(r'^(OIDC\w+)=([^;]+);', said, re.M))
    pid = int(env['OIDCD_PID'])
    try:
        yield [pid, *children(pid)]
    finally:
        subprocess.run(['oidc-agent', '--kill'], env=env, check=True, capture_output=True)


def print_memory(label, pids):
    rows = [memory(pid) for pid in pids]
    print(f'{label:28}' + ''.join(f'{sum(column):10}' for column in zip(*rows)))


def bench_memory(daemon, bus, folder):
    print('\nmemory, kB                         RSS       PSS       USS')
    ours = [daemon.process.pid, *children(daemon.process.pid)]
    print_memory('iotc-tokend and launcher', ours)
    with oidc_agent(folder) as agent:
        print_memory('oidc-agent, two processes', agent)
    bench_floods(bus.address)
    print_memory('\niotc-tokend after the floods', ours)


def start_times(daemon):
    """Median ms from the start of the program to its name on the bus."""
    times = []
    for _ in range(10):
        daemon.stop()
        start = time.perf_counter()
        daemon.start()
        times.append((time.perf_counter() - start) * 1000)
    return sorted(times)[5]


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
        cli = Cli(home)
        length = len(daemon.get_token('work')[0])
        bare = Process([f'{build_dir}/tests/bench-service', BARE, str(length)], cli.environment(),
                       os.path.join(home.folder, 'bench-service.log'))
        parts.callback(bare.end)
        bus.wait_name(BARE)
        path = os.path.join(home.folder, 'bench-socket')
        peers = Process([f'{build_dir}/tests/bench-service', path, str(length)],
                        cli.environment(), os.path.join(home.folder, 'bench-peers.log'))
        parts.callback(peers.end)
        wait_until(lambda: os.path.exists(path), 'the bare service at a socket')

        print(f'A token of {length} bytes; {ROUNDS} rounds of {CALLS} calls.')
        bench_calls(build_dir, cli.environment(), 'bus', NAME, BARE,
                    (daemon.process.pid, bare.pid, bus.process.pid))
        print()
        bench_calls(build_dir, cli.environment(), 'direct socket', daemon.socket, path,
                    (daemon.process.pid, peers.pid))
        bench_processes(cli.environment(), cli.program)
        bench_memory(daemon, bus, sub('oidc-agent'))
        print(f'\nstart to name on the bus, with this tool: {start_times(daemon):.1f} ms')


if __name__ == '__main__':
    main(os.path.abspath(sys.argv[1]))
