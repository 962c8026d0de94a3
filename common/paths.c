/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "common/memory.h"
#include "common/paths.h"

char *path_in_libexec(const char *in_build, const char *installed) {
        CLEANUP(freep) char *path = NULL;
        char self[PATH_MAX], *slash;
        ssize_t n;

        n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        self[MAX(n, 0)] = '\0';
        slash = strrchr(self, '/');
        if (slash) {
                path = xasprintf("%.*s/%s", (int)(slash - self), self, in_build);
                if (access(path, X_OK) == 0)
                        return STEAL(path);
        }
        return xasprintf("%s/%s", IOTC_LIBEXECDIR, installed);
}

char *path_in_home(const char *variable, const char *fallback, const char *file) {
        const char *base = getenv(variable), *home = getenv("HOME");

        if (base && *base == '/')
                return xasprintf("%s/iotc-token/%s", base, file);
        if (home && *home == '/')
                return xasprintf("%s/%s/iotc-token/%s", home, fallback, file);
        return NULL;
}
