# SPDX-License-Identifier: MIT
#
# A child process of a test that can't outlive it: it leads a session of its own, so that the end
# of it is the end of its whole group, and the kernel kills it when the test runner dies. Its
# output goes to a file, which a test may read while it runs.

import ctypes
import os
import resource
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
DEADLINE = 30  # seconds that any wait may take before the test fails


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what, timeout=DEADLINE):
    """Look again and again until condition() is true; for what no signal or reply tells."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f'waited {timeout} s in vain for: {what}'
        time.sleep(0.02)
    return value


def running():
    """{pid: (parent, command)} of all processes that are not zombies."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
                head, tail = file.read().rsplit(')', 1)
        except OSError:
            continue
        state, parent = tail.split()[:2]
        if state not in 'ZX':
            found[int(pid)] = (int(parent), head.split('(', 1)[1])
    return found


class Process:
    def __init__(self, argv, env, log, stdin=subprocess.DEVNULL, stdout=None,
                 survives_file_limit=False):
        """
        Output goes to the file log, errors too; stdout=PIPE keeps the output for the caller.
        survives_file_limit: writing past limit_files() is an error, no signal: a full disk.
        """
        self.log = log
        with open(log, 'ab') as file:
            self.popen = subprocess.Popen(
                [str(arg) for arg in argv], env=env, stdin=stdin, stdout=stdout or file,
                stderr=file, start_new_session=True, preexec_fn=_die_with_parent,
                restore_signals=not survives_file_limit)    # Python itself ignores SIGXFSZ
        self.pid = self.popen.pid
        self._gone = False

    @property
    def alive(self):
        return self.popen.poll() is None

    def send(self, number):
        if self.alive:
            self.popen.send_signal(number)

    def limit_files(self, size=resource.RLIM_INFINITY):
        """No file that it writes may grow past so many bytes."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def wait(self, timeout=DEADLINE):
        """The exit code, negative for a signal."""
        return self.popen.wait(timeout)

    def end(self, number=signal.SIGTERM):
        """End it politely, then its whole group for certain. Gives its exit code."""
        self.send(number)
        try:
            return self.wait(10)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill_group()

    def kill_group(self):
        if self._gone:      # its number may be another process's by now
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait(DEADLINE)
        self._gone = True

    def text(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()
