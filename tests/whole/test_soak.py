# SPDX-License-Identifier: MIT
#
# A minute of ./run soak. IOTC_SEED names its faults; a failure prints the seed, what was wrong, the
# last faults and the end of the log.

import os

import pytest

from soak import soak

SEED = int(os.environ.get('IOTC_SEED', '20'))


@pytest.mark.long
@pytest.mark.plain
def test_a_minute(folder, build_dir):
    assert soak(folder, build_dir, seed=SEED, seconds=40, pace=0.4, quiet=4)
