/* SPDX-License-Identifier: MIT */
/*
 * See program.h. Being writable by a group counts as by others, unless it is root's or the user's
 * own (the same number as the user, as Debian and Fedora make it): a umask of 002 is common there.
 */
#include <limits.h>
#include <sys/stat.h>

#include "model/program.h"

bool program_is_ours(const struct stat *st) {
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return false;
        if (st->st_mode & S_IWOTH)
                return false;
        return !(st->st_mode & S_IWGRP) || st->st_gid == 0 ||
               (st->st_gid == getegid() && st->st_gid == geteuid());
}

static bool program_folder_is_ours(const char *path) {
        CLEANUP(freep) char *folder = strndup(path, (size_t)(strrchr(path, '/') - path) + 1);
        struct stat st;

        return folder && stat(folder, &st) == 0 && program_is_ours(&st);
}

int program_check(const char *path) {
        CLEANUP(freep) char *real = NULL;
        struct stat st;

        if (*path != '/')
                return PROGRAM_E_UNSAFE;
        real = realpath(path, NULL);
        if (!real || stat(real, &st) < 0 || !S_ISREG(st.st_mode) || access(real, X_OK) < 0)
                return PROGRAM_E_MISSING;
        if (!program_is_ours(&st) || !program_folder_is_ours(real) || !program_folder_is_ours(path))
                return PROGRAM_E_UNSAFE;
        return 0;
}

int program_find(char **ret, const char *name, const char *search) {
        CLEANUP(freep) char *skipped = NULL;

        for (const char *p = search ? search : "/usr/local/bin:/usr/bin:/bin"; p;
             p = *p ? p + 1 : NULL) {
                CLEANUP(freep) char *path = NULL;
                size_t n = strcspn(p, ":");
                int r;

                if (asprintf(&path, "%.*s/%s", (int)MIN(n, (size_t)PATH_MAX), p, name) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                p += n;
                /* An empty entry means the working folder, like any other relative one. */
                if (*path != '/' || n == 0)
                        continue;
                r = program_check(path);
                if (r == 0) {
                        *ret = STEAL(path);
                        return 0;
                }
                if (r == PROGRAM_E_UNSAFE && !skipped)
                        skipped = STEAL(path);
        }
        if (!skipped)
                return PROGRAM_E_MISSING;
        *ret = STEAL(skipped);
        return PROGRAM_E_UNSAFE;
}
