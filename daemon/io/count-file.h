/* SPDX-License-Identifier: MIT */
/*
 * A few bytes of the runtime folder that outlive the daemon, but not the boot: what was counted
 * goes on being counted when it is killed and started again. A file that can't be had or written is
 * no error: the daemon then counts for itself.
 */
#pragma once

#include <iotc-util.h>

/* Open dir/name, made if it is not there. -1: it can't be had. */
int count_file_open(const char *dir, const char *name);
/* How many of at most n bytes there are; 0: none, or they can't be read. fd may be -1. */
size_t count_file_read(int fd, void *data, size_t n);
void count_file_write(int fd, const void *data, size_t n);
