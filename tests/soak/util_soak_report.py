# SPDX-License-Identifier: MIT
#
# What a soak measures of the daemon's processes, and the table it closes with.

import os
import time

from util_soak_world import children

TRIES = 12      # quiet times looked for


def memory(pids):
    """
    "PSS (private)" in kB. The former has its share of the libraries, which is smaller the more
    others run; the latter is its own. None where the kernel doesn't tell us.
    """
    shared = private = 0
    for pid in pids:
        try:
            with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
                kb = {line.split(':')[0]: int(line.split()[1]) for line in file
                      if line.endswith(' kB\n')}
        except OSError:     # the daemon can't be dumped, so that only root may look
            return None
        shared += kb['Pss']
        private += kb['Private_Dirty']
    return f'{shared} ({private})'


def switches(pids):
    """How often their threads have gone to sleep so far."""
    total = 0
    for pid in pids:
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/status', encoding='utf-8') as file:
                total += next(int(line.split()[1]) for line in file
                              if line.startswith('voluntary_ctxt_switches'))
    return total


def descriptors(pids):
    """How many files they have open; None where the kernel doesn't tell us."""
    try:
        return sum(len(os.listdir(f'/proc/{pid}/fd')) for pid in pids)
    except OSError:
        return None


def idle_switches(world, seconds):
    """Wake-ups a minute while nobody asks and nothing is due; None when something always is."""
    for _ in range(TRIES):
        stats, pids = world.daemon.stats(), daemon_pids(world)
        before, began = switches(pids), time.monotonic()
        time.sleep(seconds)
        rate = (switches(pids) - before) * 60 / (time.monotonic() - began)
        if world.daemon.stats() == stats:
            return rate
    return None


def daemon_pids(world):
    pid = world.daemon.process.pid
    return [pid, *children(pid)]


def row(label, value, must=None):
    """One line; must: what it has to be, when it has to. Gives whether it is."""
    good = must is None or value == must
    print(f'{label:44}{value!s:>12}{"" if must is None else f"   must be {must}":14}'
          f'{"" if good else "  BROKEN"}')
    return good


def milliseconds(seconds):
    """median, 99th percentile and maximum of a sorted list."""
    at = [seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100], seconds[-1]]
    return ' / '.join(f'{1000 * value:.1f}' for value in at)


def print_soak(world, crowd, figures):
    """The table of a soak. Gives whether every "must" holds."""
    upstream = world.entra.count('refresh_token')
    signed_in = world.entra.count('device_code', status=200)
    calls = crowd.answered + crowd.refused + len(crowd.wrong)
    world.judge.read()
    print()
    held = [
        row('requests answered', crowd.answered),
        row('refused with a right reason', crowd.refused),
        *(row(f'    {why}', f'{count}  {count / calls:5.1%}')
          for why, count in sorted(crowd.reasons.items(), key=lambda item: -item[1])),
        row('wrong', len(crowd.wrong), 0),
        row('attempts against the rules', len(world.judge.wrong), 0),
        row('in doubt: the harness itself was late', crowd.in_doubt),
        row('forced sign-ins', crowd.sign_ins_asked + signed_in, 0),
        row('ends of the daemon that nobody ordered', len(world.crashes), 0),
        row('slowest token, s', f'{crowd.slowest:.1f}'),
        row('lives of the daemon', world.lives),
        row('tokens handed out, each counted once', len(crowd.tokens)),
        row('upstream requests for each of them', f'{upstream / max(len(crowd.tokens), 1):.2f}'),
        row('attempts; failed; beyond what lives demand',
            f'{world.judge.attempts}; {world.judge.failures}; {world.judge.beyond}'),
        row('requests that are in no log', max(upstream - world.judge.attempts, 0), 0),
    ]
    for label, value in figures.items():
        row(label, value)
    print('faults: ' + ', '.join(f'{count} × {what}'
                                 for what, count in sorted(world.diary.counts().items())))
    return all(held)


def print_failure(world, crowd, seed):
    for when, what in sorted(crowd.wrong[:20] + world.judge.wrong[:20]):
        print(f'{when:8.2f} {what}')
    print(f'\nThe last faults, of seed {seed}:')
    print('\n'.join(world.diary.tail()))
    print('\nThe end of the log:')
    print('\n'.join(world.daemon.text().splitlines()[-25:]))


def print_rotation(kills, lost, windows):
    """kills: of each kind of server; lost: sign-ins at the one as Entra, and at the strict one."""
    ours, theirs = windows
    print()
    held = row(f'{kills} kills in exchanges, sign-ins: as Entra', lost[0], 0)
    row(f'{kills} kills in exchanges, sign-ins: strict', lost[1])
    row('strict: ours, ms (median / 99 % / max)', milliseconds(ours))
    row('strict: the server\'s, ms', milliseconds(theirs))
    hourly = (sum(ours) + sum(theirs)) / len(ours) / (0.8 * 3600)
    row('strict: loss for each kill, tokens of an hour', f'1 : {1 / hourly:.0f}')
    return held
