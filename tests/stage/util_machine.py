# SPDX-License-Identifier: MIT
#
# What the machine and whoever runs the tests allow, asked by the power that is needed and not by a
# name for it: root in a container may less than root.

import os

# Numbers of linux/capability.h.
CAP_SETUID = 7
CAP_SYS_PTRACE = 19


def can(capability):
    """Have we this capability?"""
    with open('/proc/self/status', encoding='utf-8') as file:
        effective = next(line for line in file if line.startswith('CapEff:'))
    return bool(int(effective.split()[1], 16) >> capability & 1)


def sees_all():
    """May we look into every process of this user, one that forbids it too?"""
    return os.geteuid() == 0 and can(CAP_SYS_PTRACE)


def is_anybody():
    """May we become other users?"""
    return os.geteuid() == 0 and can(CAP_SETUID)
