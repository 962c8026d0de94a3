/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <signal.h>

#include "base/libexec.h"
#include "base/say.h"

int libexec_path(char **ret, const char *in_build, const char *installed) {
        char self[PATH_MAX];
        ssize_t n;

        n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        if (n > 0) {
                char *slash;

                self[n] = '\0';
                slash = strrchr(self, '/');
                if (slash && asprintf(ret, "%.*s/%s", (int)(slash - self), self, in_build) >= 0) {
                        if (access(*ret, X_OK) == 0)
                                return 0;
                        free(*ret);
                }
        }
        return asprintf(ret, "%s/%s", IOTC_LIBEXECDIR, installed) < 0 ? -ENOMEM : 0;
}

int libexec_run(const char *in_build, const char *installed, char **argv) {
        CLEANUP(freep) char *path = NULL;
        int r;

        r = libexec_path(&path, in_build, installed);
        if (r < 0)
                return fail_errno(r);
        (void)signal(SIGPIPE, SIG_DFL);
        (void)execv(path, argv);
        return fail(EXIT_FAILED, "can't run %s: %s; is iotc-token installed completely?", path,
                    strerror(errno));
}
