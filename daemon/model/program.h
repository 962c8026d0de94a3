/* SPDX-License-Identifier: MIT */
/*
 * Which program may be run with a person's sign-in in reach: an absolute path to a regular file
 * that only root or the user can change, in a folder of which the same holds.
 */
#pragma once

#include <iotc-util.h>

enum {
        _PROGRAM_E_SUCCESS,
        PROGRAM_E_MISSING, /* no such executable file */
        PROGRAM_E_UNSAFE,  /* it, or its folder, is somebody else's or writable by others */
};

struct stat;

/* Can nobody but root and the user change it, by its owner and mode? */
bool program_is_ours(const struct stat *st);
/* 0 or PROGRAM_E_*. Links are followed; the folder of the link and of its target both count. */
int program_check(const char *path);
/*
 * The first safe program of that name in a PATH (NULL = "/usr/local/bin:/usr/bin:/bin"). 0 and
 * *ret, to be freed by free(); PROGRAM_E_MISSING; PROGRAM_E_UNSAFE and in *ret the one that was
 * skipped; -ENOMEM.
 */
int program_find(char **ret, const char *name, const char *search);
