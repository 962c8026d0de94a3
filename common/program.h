/* SPDX-License-Identifier: MIT */
/*
 * Which program may be run with a person's sign-in in reach: an absolute path to a regular file
 * that only root or the user can change, in folders of which the same holds up to the root.
 */
#pragma once

#include "common/trust.h"

enum {
        _PROGRAM_E_SUCCESS,
        PROGRAM_E_MISSING, /* no such executable file */
        PROGRAM_E_UNSAFE, /* it, or a folder on the way, is somebody else's or writable by others */
};

/*
 * 0 or PROGRAM_E_*. Links are followed. ret, to be cleared by distrust_clear(), may be NULL; for a
 * relative path, which is unsafe, its path is NULL.
 */
int program_check(const char *path, Distrust *ret);
/* Why a path is PROGRAM_E_UNSAFE, and what mends it, for a person: distrust_text(). */
char *program_fault(const char *path);
/*
 * The first safe program of that name in a PATH (NULL = "/usr/local/bin:/usr/bin:/bin"). 0 and
 * *ret, to be freed by free(); PROGRAM_E_MISSING; PROGRAM_E_UNSAFE and in *ret the one that was
 * skipped.
 */
int program_find(char **ret, const char *name, const char *search);
