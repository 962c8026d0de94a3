/* SPDX-License-Identifier: MIT */
/*
 * What a person wants sent: a file or standard input, as a whole.
 */
#pragma once

#include "base/args.h"

/*
 * name: a file, or "-" for standard input, which can be read once. 0 and *ret, NUL-terminated, to
 * be freed by free(), and its length; or an exit code, the reason having been said.
 */
int input_read(const Verb *verb, char **ret, size_t *ret_n, const char *name);
