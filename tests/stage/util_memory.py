# SPDX-License-Identifier: MIT
#
# Memory that runs short where a test says (util-memory.c): of a daemon's allocations, which
# are counted, some fail. The file that both have mapped is a list of 64-bit numbers.

import mmap
import os
import struct

PID, SEEN, FROM, UNTIL, FAILED = range(5)
NEVER = (1 << 62, 1 << 62)


class Memory:
    def __init__(self, home):
        path = os.path.join(home.folder, 'memory')
        with open(path, 'w+b') as file:
            file.truncate(mmap.PAGESIZE)
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.ample()
        home.env.update(
            LD_PRELOAD=os.path.join(home.build_dir, 'tests/util-memory.so'), IOTC_MEMORY=path,
            MALLOC_PERTURB_='165',      # what was freed, or never written, is no zero
            ASAN_OPTIONS=home.env['ASAN_OPTIONS'] + ':verify_asan_link_order=0')

    def _get(self, i):
        return struct.unpack_from('=q', self._map, 8 * i)[0]

    def _set(self, i, value):
        struct.pack_into('=q', self._map, 8 * i, value)

    def next_program(self):
        """It is about the program that starts next."""
        self._set(PID, 0)

    def short(self, after, count=1):
        """Of its allocations from now on fail count, after so many that do not."""
        self._set(FROM, NEVER[0])
        self._set(FAILED, 0)
        self._set(SEEN, 0)
        self._set(UNTIL, after + count)
        self._set(FROM, after)

    def ample(self):
        """None fails any more."""
        self._set(FROM, NEVER[0])
        self._set(UNTIL, NEVER[1])

    @property
    def failed(self):
        return self._get(FAILED)
