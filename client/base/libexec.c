/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "base/libexec.h"
#include "base/say.h"
#include "common/paths.h"

int libexec_run(const char *in_build, const char *installed, char **argv) {
        CLEANUP(freep) char *path = path_in_libexec(in_build, installed);

        (void)signal(SIGPIPE, SIG_DFL);
        (void)execv(path, argv);
        return fail(EXIT_FAILED, "can't run %s: %s; is iotc-token installed completely?", path,
                    strerror(errno));
}
