/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "paths.h"

int path_of_fetcher(char **ret) {
        char self[PATH_MAX];
        ssize_t n;

        n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        if (n > 0) {
                char *slash;

                self[n] = '\0';
                slash = strrchr(self, '/');
                if (slash &&
                    asprintf(ret, "%.*s/fetch/iotc-token-fetch", (int)(slash - self), self) >= 0) {
                        if (access(*ret, X_OK) == 0)
                                return 0;
                        free(*ret);
                }
        }
        *ret = strdup(IOTC_LIBEXECDIR "/iotc-token-fetch");
        return *ret ? 0 : -ENOMEM;
}

int path_in_home(char **ret, const char *variable, const char *fallback, const char *file) {
        const char *base = getenv(variable), *home = getenv("HOME");
        int n;

        *ret = NULL;
        if (base && *base == '/')
                n = asprintf(ret, "%s/iotc-token/%s", base, file);
        else if (home && *home == '/')
                n = asprintf(ret, "%s/%s/iotc-token/%s", home, fallback, file);
        else
                return 0;
        return n < 0 ? -ENOMEM : 0;
}
