/* SPDX-License-Identifier: MIT */
/*
 * The command iotc-token: a table of verbs. Here are only the table, the help made from it, and
 * what has to hold for every verb: nobody looks into this process, and a result that could not
 * be written is a failure.
 */
#include <sys/prctl.h>

#include "base/output.h"
#include "base/say.h"
#include "command/verbs.h"
#include "doctor/doctor.h"

static const Verb verbs[] = {
        { "login",
          "[NAME] [--browser | --device-code | --azure-cli | --client-credentials] [--tenant T] "
          "[--client-id ID] [--app HOST]... [--resource URI]... [--authority URL]",
          N_("Add an account and sign in, or sign in again"),
          verb_login,
          { "iotc-token login", "iotc-token login work --tenant contoso.com --device-code" } },
        { "app",
          "add|remove HOST [NAME]",
          N_("Bind an application to an account, or take it away"),
          verb_app,
          { "iotc-token app add plant.example.com", "iotc-token app remove plant.example.com" } },
        { "api-token",
          VERB_TOKEN_USAGE,
          VERB_TOKEN_SUMMARY,
          verb_api_token,
          { "iotc-token api-token add ci --app contoso.azureiotcentral.com",
            "iotc-token api-token rotate ci" } },
        { "api", VERB_API_USAGE, VERB_API_SUMMARY, verb_remote, { NULL } },
        { "check", VERB_CHECK_USAGE, VERB_CHECK_SUMMARY, verb_remote, { NULL } },
        { "get",
          "[SELECTOR] [--header | --json] [--resource URI] [--min-valid S] [--force] [--no-wait]",
          N_("Print a token"),
          verb_get,
          { "curl -H @<(iotc-token get --header) \"$url\"",
            "header=$(iotc-token get work --header) || exit" } },
        { "list",
          "[--json] [--no-start]",
          N_("List the accounts"),
          verb_list,
          { "iotc-token list", "iotc-token list --json | jq -r '.[].name'" } },
        { "status",
          "[SELECTOR] [--json]",
          N_("Show how the daemon and its accounts do"),
          verb_status,
          { "iotc-token status", "iotc-token status work --json" } },
        { "watch",
          "[--json]",
          N_("Print a line for each change"),
          verb_watch,
          { "iotc-token watch", "iotc-token watch --json | jq --unbuffered .state" } },
        { "refresh",
          "[SELECTOR]",
          N_("Get a new token now"),
          verb_refresh,
          { "iotc-token refresh", "iotc-token refresh work" } },
        { "logout",
          "SELECTOR",
          N_("Forget an account's secret, keep the account"),
          verb_logout,
          { "iotc-token logout work", "iotc-token logout contoso.azureiotcentral.com" } },
        { "remove",
          "NAME [--leave-secret]",
          N_("Remove an account"),
          verb_remove,
          { "iotc-token remove work", "iotc-token remove work --leave-secret" } },
        { "default",
          "[NAME]",
          N_("Print or set the default account"),
          verb_default,
          { "iotc-token default", "iotc-token default work" } },
        { "unlock",
          "",
          N_("Ask the keyring to unlock"),
          verb_unlock,
          { "iotc-token unlock", "iotc-token get || iotc-token unlock" } },
        { "doctor",
          "[--json]",
          N_("Find what is wrong, and the command that mends it"),
          verb_doctor,
          { "iotc-token doctor", "iotc-token doctor --json" } },
        { "exec", VERB_EXEC_USAGE, VERB_EXEC_SUMMARY, verb_exec, { NULL } },
        { 0 },
};

static void help(FILE *f) {
        fprintf(f, "%s\n\n%s\n\n", _("Usage: iotc-token VERB [ARGUMENT]..."),
                _("Authorization for Azure IoT Central, from the daemon iotc-tokend."));
        for (const Verb *v = verbs; v->name; v++)
                fprintf(f, "  %-10s  %s\n", v->name, _(v->summary));
        fprintf(f, "\n  -h, --help     %s\n  -V, --version  %s\n\n%s\n",
                _("show this text, or after a verb its options"), _("show the version"),
                _("A SELECTOR is an account's name, or an application's host or URL; without\n"
                  "one it is $IOTC_TOKEN_ACCOUNT, else the default account. See iotc-token(1)."));
        fprintf(f, "\n%s\n  iotc-token login\n  curl -H @<(iotc-token get --header) \"$url\"\n",
                _("Examples:"));
}

/* "help VERB ..." is "VERB ... --help", in place: some verbs are programs that get argv whole. */
static void turn_help(int argc, char **argv) {
        static char option[] = "--help";

        for (int i = 1; i < argc - 1; i++)
                argv[i] = argv[i + 1];
        argv[argc - 1] = option;
}

static int run(int argc, char **argv) {
        const Verb *verb;

        if (argc < 2) {
                help(stderr);
                return EXIT_USAGE;
        }
        if (streq(argv[1], "help"))
                turn_help(argc, argv);
        if (streq(argv[1], "--help") || streq(argv[1], "-h")) {
                help(stdout);
                return EXIT_DONE;
        }
        if (streq(argv[1], "--version") || streq(argv[1], "-V")) {
                puts("iotc-token " IOTC_VERSION);
                return EXIT_DONE;
        }
        if (argv[1][0] == '-') {
                fail(EXIT_USAGE, "'%s' is no verb: options come after one", argv[1]);
                say("Usage: iotc-token VERB [ARGUMENT]...; 'iotc-token --help' lists the verbs");
                return EXIT_USAGE;
        }
        verb = args_verb(verbs, "", argv[1]);
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
