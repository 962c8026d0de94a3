/* SPDX-License-Identifier: MIT */
/*
 * iotc-token exec: run a command whose libraries find the account's tokens at a managed-identity
 * endpoint of its own, and with --az at a look-alike of az. This process becomes the command; the
 * endpoint is a helper's (helper.h), for as long as the command runs.
 */
#include <signal.h>
#include <sys/prctl.h>

#include "base/bus.h"
#include "base/output.h"
#include "base/say.h"
#include "base/verb-texts.h"
#include "common/paths.h"
#include "exec/endpoint.h"
#include "exec/environment.h"
#include "exec/helper.h"

enum {
        /* What env(1), nice(1) and timeout(1) end with when it is not the program that failed. */
        EXEC_EXIT_OURS = 125,
        EXEC_EXIT_NOT_EXECUTABLE = 126,
        EXEC_EXIT_NOT_FOUND = 127,
};

static const Verb verb = { .name = "exec",
                           .usage = VERB_EXEC_USAGE,
                           .summary = VERB_EXEC_SUMMARY,
                           .examples = {
                                   "iotc-token exec -- node dashboard.js",
                                   "iotc-token exec work --az -- az account get-access-token" } };

typedef struct Exec {
        bool az;
        const char *selector;
        char **command;
        char *name;
        Properties account;
        Endpoint *endpoint;
} Exec;

/* What is before "--" is ours, what is behind it the command. */
static int arguments_read(Exec *x, int argc, char **argv) {
        const Option options[] = {
                { "az", NULL, N_("answer 'az account get-access-token' as well"), OPTION_FLAG,
                  &x->az },
                { 0 },
        };
        bool help = false;
        int n = 1, r;

        while (n < argc && !streq(argv[n], "--"))
                n++;
        if (n + 1 < argc)
                x->command = &argv[n + 1];
        /* Without "--" its options would be taken for ours. */
        for (int i = 1; i < n; i++)
                help |= streq(argv[i], "--help") || streq(argv[i], "-h");
        if (!x->command && !help)
                return args_wrong(&verb, "the command to run is missing: put it behind '--'");
        r = args_parse(&verb, options, &n, argv, 0, 1);
        if (r)
                return r;
        x->selector = args_selector(n, argv);
        return 0;
}

static int account_read(Exec *x) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(freep) char *path = NULL;

        if (bus_open(&bus) || bus_find_account(bus, x->selector, &path) ||
            bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &x->account))
                return EXEC_EXIT_OURS;
        x->name = account_name(path);
        if (!x->name)
                return fail(EXEC_EXIT_OURS, "%s", strerror(ENOMEM));
        if (streq(properties_string(&x->account, "Source"), "api-token"))
                return fail(EXEC_EXIT_OURS,
                            "%s: an API token is no managed identity's token: give an account that "
                            "signs in at Entra. For a header: iotc-token get --header %s",
                            x->name, x->name);
        return 0;
}

/* The command may well do something useful before it needs a token: a warning, no more. */
static void account_warn(const Exec *x) {
        const char *state = properties_string(&x->account, "State");
        char *const *error = properties_strings(&x->account, "LastError");

        if (exit_of_state(state) == EXIT_DONE)
                return;
        if (*error && **error && error[1])
                say("Warning: %s", error[1]);
        else if (streq(state, "sign-in-needed"))
                say("Warning: %s: nobody is signed in, so the command gets no token. Sign in: "
                    "iotc-token login %s",
                    x->name, x->name);
        else
                say("Warning: %s is %s, so the command may get no token. See: iotc-token status %s",
                    x->name, state, x->name);
}

/* The folder in which az is ours. */
static int az_folder(char **ret) {
        CLEANUP(freep) char *az = path_in_libexec("../az/az", "az/az");
        char *slash;

        if (access(az, X_OK) < 0)
                return -errno;
        slash = strrchr(az, '/');
        *slash = '\0';
        *ret = realpath(az, NULL);
        return *ret ? 0 : -errno;
}

/* Become the command, with SIGPIPE as a shell would give it. Returns when that can't be. */
static int command_exec(char **command) {
        int error;

        (void)signal(SIGPIPE, SIG_DFL);
        (void)execvp(command[0], command);
        error = errno;
        return fail(error == ENOENT ? EXEC_EXIT_NOT_FOUND : EXEC_EXIT_NOT_EXECUTABLE,
                    "can't run %s: %s", command[0], strerror(error));
}

static int exec_run(Exec *x) {
        CLEANUP(freep) char *folder = NULL;
        int r;

        if (x->az) {
                r = az_folder(&folder);
                if (r < 0)
                        return fail(EXEC_EXIT_OURS, "can't find the look-alike of az: %s",
                                    strerror(-r));
        }
        r = endpoint_new(&x->endpoint, x->name, properties_string(&x->account, "ClientId"));
        if (r < 0)
                return fail(EXEC_EXIT_OURS, "can't listen on loopback: %s", strerror(-r));
        account_warn(x);

        r = helper_fork(x->endpoint);
        if (r < 0)
                return fail(EXEC_EXIT_OURS, "can't serve tokens to the command: %s", strerror(-r));
        r = environment_set(x->name, endpoint_url(x->endpoint), endpoint_secret(x->endpoint),
                            folder);
        if (r < 0)
                return fail(EXEC_EXIT_OURS, "%s", strerror(-r));
        return command_exec(x->command);
}

static void exec_deinit(Exec *x) {
        endpoint_free(x->endpoint);
        properties_deinit(&x->account);
        free(x->name);
}

int main(int argc, char **argv) {
        CLEANUP(exec_deinit) Exec x = { 0 };
        int code;

#ifndef __SANITIZE_ADDRESS__ /* its leak check has to look into the process */
        (void)prctl(PR_SET_DUMPABLE, 0);
#endif
        output_open();
        code = arguments_read(&x, argc, argv);
        code = code ?: account_read(&x);
        code = code ?: exec_run(&x);
        return output_close(code == ARGS_E_HELP ? EXIT_DONE : code);
}
