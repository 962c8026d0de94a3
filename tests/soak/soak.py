# SPDX-License-Identifier: MIT
#
# ./run soak [--minutes N] [--seed S]: many accounts, more callers, tokens that live 10 s, and
# everything goes wrong, with real parts. It closes with a table and fails when a "must" is broken.
# The seed fixes what goes wrong and in which order; the machine's own timing is the world's.

import argparse
import contextlib
import os
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../stage'))

from util_bus import pump
from util_rotation import kill_often, windows
from util_soak_clients import Crowd
from util_soak_faults import Faults
from util_soak_report import (daemon_pids, descriptors, idle_switches, memory, print_failure,
                              print_rotation, print_soak)
from util_soak_world import World

STEADY_SHARE = 0.4      # of the time the daemon itself is left alive: does its memory grow?


def memory_of(world):
    pids = daemon_pids(world)
    return memory(pids), descriptors(pids)


def run_faults(world, crowd, faults, seconds):
    """Faults, first with and then without the death of the daemon; the figures of the latter."""
    began = time.monotonic()
    faults.run(began + (1 - STEADY_SHARE) * seconds)
    faults.kill = False
    faults.pause(3, 3)      # a young daemon has not yet done everything once
    start = memory_of(world)
    faults.run(began + seconds)
    crowd.stop()
    pump(lambda: not crowd.busy(), 'every caller to have an answer', 90)
    world.look_after()
    return start


def soak(folder, build_dir, seconds, seed, accounts=20, clients=200, think=4, pace=1, quiet=20):
    """Gives whether every "must" holds; prints the table, and why not."""
    chance = random.Random(seed)
    with contextlib.ExitStack() as parts:
        world = World(folder, build_dir, accounts, parts)
        world.open()
        crowd = Crowd(world, clients, chance, think)
        parts.callback(crowd.close)
        crowd.start()
        start = run_faults(world, crowd, Faults(world, chance, pace), seconds)
        end = memory_of(world)
        world.calm()
        held = print_soak(world, crowd, {
            'memory, kB PSS (private): start': start[0],
            'memory, kB PSS (private): end': end[0],
            'open files: start, end': f'{start[1]}, {end[1]}',
            'wake-ups a minute, idle': idle_switches(world, quiet),
        })
        if not held:
            print_failure(world, crowd, seed)
        leaks = world.entra.leaks(world.daemon.text())
        if leaks:
            print(f'{leaks} secrets are in the log')
        world.daemon.stop()
        world.daemon.close()    # a word of a sanitizer is a failure
        return held and not leaks


def rotation(folder, build_dir, kills, seed):
    """The daemon killed in exchanges of its refresh token, at both kinds of server."""
    with contextlib.ExitStack() as parts:
        world = World(folder, build_dir, 0, parts)
        world.names = ['work']
        daemon, entra = world.daemon, world.entra
        daemon.write_settings(world.settings())
        daemon.start()
        lost = []
        for kind in 'entra', 'strict':
            daemon.sign_in(entra)
            entra.set(rotation=kind)
            lost.append(kill_often(daemon, entra, kills, seed))
        held = print_rotation(kills, lost, windows(daemon, entra, max(kills // 2, 20)))
        daemon.stop()
        return held


def main():
    parser = argparse.ArgumentParser(prog='./run soak')
    parser.add_argument('build_dir')
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument('--kills', type=int, default=500, help='of the rotation test')
    arguments = parser.parse_args()
    build_dir = os.path.abspath(arguments.build_dir)
    print(f'{arguments.minutes:g} minutes, seed {arguments.seed}', flush=True)
    folders = [tempfile.mkdtemp(prefix='iotc-soak-') for _ in range(2)]
    try:
        held = [rotation(folders[0], build_dir, arguments.kills, arguments.seed),
                soak(folders[1], build_dir, 60 * arguments.minutes, arguments.seed)]
    finally:
        for folder in folders:
            shutil.rmtree(folder)
    if not all(held):
        print(f'\nAgain: ./run soak --minutes {arguments.minutes:g} --seed {arguments.seed}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
