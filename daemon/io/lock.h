/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks between the daemons of one user (flock(2) on files in the runtime folder). The
 * kernel lets go of them when the holder dies: nothing stale is left.
 */
#pragma once

#include <iotc-util.h>

/* Make the folder (0700) when it is missing. 0 or -errno. */
int lock_folder(const char *dir);
/* Take dir/name without waiting. 0 and *ret_fd (closing it lets go); -EAGAIN when somebody holds
 * it; other -errno when it can't be had at all. */
int lock_take(int *ret_fd, const char *dir, const char *name);
