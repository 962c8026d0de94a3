# SPDX-License-Identifier: MIT
#
# A program on a terminal of its own, as a person has it: what it shows is read as it comes, keys
# are typed, and Ctrl-C is a key that the terminal turns into a signal.

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from util_process import DEADLINE

CTRL_C = '\x03'
CTRL_Z = '\x1a'


class Terminal:
    def __init__(self, argv, env, columns=80):
        self.shown = ''
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, columns))

        def own_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        try:
            self.popen = subprocess.Popen(argv, env=env, stdin=slave, stdout=slave, stderr=slave,
                                          start_new_session=True, preexec_fn=own_terminal)
        finally:
            os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait(DEADLINE)
        os.close(self._master)

    def _read(self, timeout):
        """What is there next, or '' at the end: when nobody has the terminal open any more."""
        if not select.select([self._master], [], [], timeout)[0]:
            raise AssertionError(f'waited in vain; shown so far:\n{self.shown}')
        try:
            text = os.read(self._master, 65536).decode(errors='replace')
        except OSError:
            return ''
        self.shown += text.replace('\r\n', '\n')
        return text

    def wait_for(self, pattern, timeout=DEADLINE):
        """Read until pattern is shown: its match."""
        end = time.monotonic() + timeout
        while not (match := re.search(pattern, self.shown)):
            assert self._read(max(end - time.monotonic(), 0)), \
                f'it ended without showing {pattern}:\n{self.shown}'
        return match

    def type(self, text):
        os.write(self._master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def wait(self, timeout=DEADLINE):
        """Read to its end: the exit code."""
        while self._read(timeout):
            pass
        return self.popen.wait(timeout)
