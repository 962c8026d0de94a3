# SPDX-License-Identifier: MIT
#
# The wall clock of the programs in a test's home: the machine's, and the seconds that a test has
# set (tests/stage/util-clock.c). The identity server, and the test itself, have the right time.

import os
import struct
import time


class Clock:
    def __init__(self, home):
        self.offset = 0
        self._file = os.path.join(home.folder, 'clock')
        with open(self._file, 'wb') as file:
            file.write(struct.pack('=q', 0))
        os.mkfifo(self._file + '.set')
        home.env.update(
            LD_PRELOAD=os.path.join(home.build_dir, 'tests/util-clock.so'),
            IOTC_TEST_CLOCK=self._file,
            ASAN_OPTIONS=home.env['ASAN_OPTIONS'] + ':verify_asan_link_order=0')

    def set(self, offset):
        """From now on it is ahead by so many seconds. Who watches the clock is told."""
        self.offset = offset
        with open(self._file, 'r+b') as file:
            file.write(struct.pack('=q', offset))
        fifo = os.open(self._file + '.set', os.O_RDWR | os.O_NONBLOCK)
        os.write(fifo, b'.')
        os.close(fifo)

    def now(self):
        return time.time() + self.offset
