/* SPDX-License-Identifier: MIT */
/*
 * Verbs that need more than the bus are programs of their own in libexec, so that
 * `iotc-token get` does not load their libraries.
 */
#pragma once

#include <iotc-util.h>

/*
 * The path of a program of ours: in_build, relative to this program's folder, when there is one;
 * else where it was installed, below libexec. 0 and *ret, to be freed by free(), or -ENOMEM.
 */
int libexec_path(char **ret, const char *in_build, const char *installed);
/* Become that program, with argv as its arguments. Returns only when that failed, which has been
 * said: the exit code. */
int libexec_run(const char *in_build, const char *installed, char **argv);
