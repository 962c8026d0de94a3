/* SPDX-License-Identifier: MIT */
/*
 * Small private files as a whole: read within a limit, and replaced so that a crash, a full disk or
 * a pulled plug leaves either the old or the new one (rename(2), fsync(2)).
 */
#pragma once

#include "common/trust.h"

/*
 * The bytes of a regular file, with a NUL after them (caller frees; *ret_n doesn't count it). 0;
 * -EFBIG when there are more than max bytes; -EISDIR, and -EBADFD for a pipe, a socket or a device,
 * which are not read; -ENOENT, -EACCES and what else open(2) and read(2) say; -ENOMEM.
 */
int file_read(char **ret, size_t *ret_n, const char *path, size_t max);
/* The same of a file that only the user and root can change (TRUST_FILE): TRUST_E_UNSAFE and
 * *distrust, which the caller clears, for any other. */
int file_read_own(char **ret, size_t *ret_n, Distrust *distrust, const char *path, size_t max);
/* Does the path end at a link, its own or one of its folders', whose target is not there? */
bool file_leads_nowhere(const char *path);
/* Is this the name of a file that file_replace() had no time to put in place, or has not yet? */
bool file_is_temporary(const char *name);
/* Make every missing folder that path lies in, mode 0700. 0 or -errno. */
int file_make_folders(const char *path);
/*
 * Put data[0..n) in the place of the file, mode 0600, and make missing folders of the path, mode
 * 0700. A symbolic link is followed; one that leads nowhere is -ENOENT. 0, or -errno (-ENOSPC, ...)
 * with the old file untouched and nothing left behind.
 */
int file_replace(const char *path, const char *data, size_t n);

/* The bytes of a file; n 0 also stands for no file. Borrowed. */
typedef struct FileBytes {
        const char *data;
        size_t n;
} FileBytes;

enum {
        FILE_E_CHANGED = 1, /* the file is not what was expected any more, and nothing is done */
};

/* The same only if the file still has these bytes, so that what somebody else has written is not
 * lost. 0, FILE_E_CHANGED, -errno. */
int file_replace_if(const char *path, const char *data, size_t n, const FileBytes *expected);
