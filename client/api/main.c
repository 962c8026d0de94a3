/* SPDX-License-Identifier: MIT */
/*
 * The program iotc-token-api: those verbs of iotc-token that speak HTTP to an application, as
 * iotc-token becomes it. Here is only their table.
 */
#include <sys/prctl.h>

#include "api/verbs.h"
#include "base/output.h"
#include "base/say.h"

static int verb_token(const Verb *verb, int argc, char **argv);

static const Verb verbs[] = {
        { "api",
          VERB_API_USAGE,
          VERB_API_SUMMARY,
          verb_api,
          { "iotc-token api devices --app contoso.azureiotcentral.com --jq '.value[].id'",
            "iotc-token api devices/t1 -X patch -F enabled=false" } },
        { "check",
          VERB_CHECK_USAGE,
          VERB_CHECK_SUMMARY,
          verb_check,
          { "iotc-token check contoso.azureiotcentral.com",
            "iotc-token check contoso.azureiotcentral.com --account work" } },
        { "api-token",
          VERB_TOKEN_USAGE,
          VERB_TOKEN_SUMMARY,
          verb_token,
          { "iotc-token api-token add ci --app contoso.azureiotcentral.com",
            "iotc-token api-token rotate ci" } },
        { 0 },
};

/* Behind "api-token". */
static const Verb token_verbs[] = {
        { "create",
          VERB_TOKEN_CREATE_USAGE,
          VERB_TOKEN_CREATE_SUMMARY,
          verb_token_create,
          { "iotc-token api-token create ci --role admin --app contoso.azureiotcentral.com",
            "iotc-token api-token create ci --role viewer --expiry 90d \\\n      --app "
            "contoso.azureiotcentral.com" } },
        { "list",
          VERB_TOKEN_LIST_USAGE,
          VERB_TOKEN_LIST_SUMMARY,
          verb_token_list,
          { "iotc-token api-token list --app contoso.azureiotcentral.com",
            "iotc-token api-token list --json --app contoso.azureiotcentral.com" } },
        { "show",
          VERB_TOKEN_SHOW_USAGE,
          VERB_TOKEN_SHOW_SUMMARY,
          verb_token_show,
          { "iotc-token api-token show ci --app contoso.azureiotcentral.com",
            "iotc-token api-token show ci --json --app contoso.azureiotcentral.com" } },
        { "revoke",
          VERB_TOKEN_REVOKE_USAGE,
          VERB_TOKEN_REVOKE_SUMMARY,
          verb_token_revoke,
          { "iotc-token api-token revoke ci --app contoso.azureiotcentral.com",
            "iotc-token api-token revoke ci-r2 --app contoso.azureiotcentral.com" } },
        { "rotate",
          VERB_TOKEN_ROTATE_USAGE,
          VERB_TOKEN_ROTATE_SUMMARY,
          verb_token_rotate,
          { "iotc-token api-token rotate ci", "iotc-token api-token rotate ci --expiry 90d" } },
        { 0 },
};

static int verb_token(const Verb *verb, int argc, char **argv) {
        const Verb *found = argc < 2 ? NULL : args_verb(token_verbs, "api-token ", argv[1]);
        char name[32];
        Verb inner;

        if (!found) {
                args_say_usage(verb);
                return EXIT_USAGE;
        }
        snprintf(name, sizeof(name), "api-token %s", found->name);
        inner = *found;
        inner.name = name;
        return found->run(&inner, argc - 1, argv + 1);
}

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
