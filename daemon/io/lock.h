/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks between the daemons of one user (flock(2) on files in the runtime folder). The
 * kernel lets go of them when the holder dies: nothing stale is left.
 */
#pragma once

#include <iotc-util.h>

/* Take dir/name without waiting. 0 and *ret_fd (closing it lets go); -EAGAIN when somebody holds
 * it; other -errno when it can't be had at all. */
int lock_take(int *ret_fd, const char *dir, const char *name);
/*
 * What one holder leaves for the next in the file. lock_read: how many of at most n bytes there are
 * (0: none, or they can't be read). lock_write: a file that can't be written stays as it was.
 */
size_t lock_read(int fd, void *data, size_t n);
void lock_write(int fd, const void *data, size_t n);
