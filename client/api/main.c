/* SPDX-License-Identifier: MIT */
/*
 * The program iotc-token-api: those verbs of iotc-token that speak HTTP to an application, as
 * iotc-token becomes it. Here is only their table.
 */
#include <sys/prctl.h>

#include "../output.h"
#include "../say.h"
#include "verbs.h"

static const Verb verbs[] = {
        { "api", VERB_API_USAGE, VERB_API_SUMMARY, verb_api },
        { 0 },
};

static int run(int argc, char **argv) {
        const Verb *verb = argc < 2 ? NULL : args_verb(verbs, "", argv[1]);

        if (!verb) {
                say("Usage: iotc-token VERB [ARGUMENT]...; 'iotc-token --help' lists the verbs");
                return EXIT_USAGE;
        }
        return verb->run(verb, argc - 1, argv + 1);
}

int main(int argc, char **argv) {
        int code;

#ifndef __SANITIZE_ADDRESS__ /* its leak check has to look into the process */
        (void)prctl(PR_SET_DUMPABLE, 0);
#endif
        output_open();
        code = run(argc, argv);
        return output_close(code == ARGS_E_HELP ? EXIT_DONE : code);
}
