/* SPDX-License-Identifier: MIT */
/*
 * Verbs that need more than the bus are programs of their own in libexec, so that
 * `iotc-token get` does not load their libraries.
 */
#pragma once

#include <iotc-util.h>

/* Become the program of path_in_libexec(), with argv as its arguments. Returns only when that
 * failed, which has been said: the exit code. */
int libexec_run(const char *in_build, const char *installed, char **argv);
