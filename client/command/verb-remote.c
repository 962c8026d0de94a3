/* SPDX-License-Identifier: MIT */
/*
 * Verbs that are programs of their own, in libexec.
 */
#include "base/libexec.h"
#include "command/verbs.h"

/* argv is the rest of main()'s own, which that program gets whole. */
int verb_remote(const Verb *verb, int argc, char **argv) {
        return libexec_run("api/iotc-token-api", "iotc-token-api", argv - 1);
}

int verb_exec(const Verb *verb, int argc, char **argv) {
        return libexec_run("exec/iotc-token-exec", "iotc-token-exec", argv);
}
