/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>

#include "base/bus.h"
#include "base/loop.h"
#include "base/say.h"
#include "command/az-login.h"
#include "common/program.h"

static void az_exec(const char *tenant) {
        const char *const plain[] = { "az",       "login", "--allow-no-subscriptions",
                                      "--output", "none",  tenant ? "--tenant" : NULL,
                                      tenant,     NULL };
        CLEANUP(freep) char *az = NULL, *why = NULL;
        sigset_t none;
        int r;

        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGPIPE, SIG_DFL);
        /* Else az hides the code that the person has to enter. */
        (void)setenv("AZURE_CORE_ONLY_SHOW_ERRORS", "0", 1);
        r = program_find(&az, "az", getenv("PATH"));
        if (r == 0)
                (void)execv(az, (char *const *)plain);
        why = r == PROGRAM_E_UNSAFE ? program_fault(az) : NULL;
        (void)fail(EXIT_FAILED, "can't run az: %s",
                   why ?: strerror(r == PROGRAM_E_MISSING ? ENOENT : errno));
        _exit(127);
}

/* `az login` in this terminal. 0 or an exit code. */
static int az_run(const char *tenant) {
        int status = 0, interrupted;
        pid_t pid;

        say("The Azure CLI is not signed in: running 'az login --allow-no-subscriptions'.");
        pid = fork();
        if (pid < 0)
                return fail_errno(-errno);
        if (pid == 0)
                az_exec(tenant);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return fail_errno(-errno);

        interrupted = loop_interrupted();
        if (interrupted)
                return interrupted;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return fail(EXIT_SIGN_IN_NEEDED, "'az login' failed; see what it said above");
        return 0;
}

int az_login(sd_bus *bus, const char *path, const char *tenant) {
        int r;

        r = loop_refresh_unless(bus, path, IOTC_ERROR_SIGN_IN_NEEDED);
        if (r >= 0)
                return r;
        r = az_run(tenant);
        return r ?: loop_refresh_unless(bus, path, NULL);
}
