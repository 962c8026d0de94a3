# SPDX-License-Identifier: MIT
#
# A minute of ./run soak, and a quarter of one under sanitizers. IOTC_SEED names its faults; a
# failure prints the seed, what was wrong, the last faults and the end of the log.

import os

import pytest

from soak import soak

SEED = int(os.environ.get('IOTC_SEED', '20'))


@pytest.mark.long
def test_a_minute(folder, build_dir, sanitized):
    size = {'seconds': 12, 'accounts': 8, 'clients': 40} if sanitized else {'seconds': 40}
    assert soak(folder, build_dir, seed=SEED, pace=0.4, quiet=4, **size)
