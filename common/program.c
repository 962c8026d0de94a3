/* SPDX-License-Identifier: MIT */
/*
 * See program.h. A program is run by the path that was checked, not by a descriptor: az is a script
 * that finds its Python by the folder of $0. Nobody but root and the user can make that path lead
 * anywhere else, because every folder on the way is checked.
 */
#include <limits.h>
#include <sys/stat.h>

#include "common/memory.h"
#include "common/program.h"
#include "common/trust.h"

int program_check(const char *path, Distrust *ret) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;
        int r = PROGRAM_E_UNSAFE;

        if (*path == '/')
                r = trust_open(&fd, &distrust, path, TRUST_PROGRAM);
        if (r < 0 ||
            (r == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)))
                return PROGRAM_E_MISSING;
        if (ret) {
                *ret = distrust;
                distrust = (Distrust){ 0 };
        }
        return r == 0 ? 0 : PROGRAM_E_UNSAFE;
}

char *program_fault(const char *path) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };

        (void)program_check(path, &distrust);
        return distrust_text(&distrust);
}

int program_find(char **ret, const char *name, const char *search) {
        CLEANUP(freep) char *skipped = NULL;

        for (const char *p = search ? search : "/usr/local/bin:/usr/bin:/bin"; p;
             p = *p ? p + 1 : NULL) {
                size_t n = strcspn(p, ":");
                CLEANUP(freep)
                char *path = xasprintf("%.*s/%s", (int)MIN(n, (size_t)PATH_MAX), p, name);
                int r;

                p += n;
                /* An empty entry means the working folder, like any other relative one. */
                if (*path != '/' || n == 0)
                        continue;
                r = program_check(path, NULL);
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
