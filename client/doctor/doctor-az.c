/* SPDX-License-Identifier: MIT */
/*
 * The Azure CLI, as an account names it and as the shell finds it: safe to be run by the daemon,
 * and no version that is known not to work. Whether it gives a token, the account that uses it has
 * been asked.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/az-version.h"
#include "base/loop.h"
#include "doctor/check.h"

#include "common/program.h"

enum {
        AZ_TIME_MAX_SEC = 20, /* it takes 1 s; 10 s on a bad day */
};

static void az_exec(const char *path, int out) {
        sigset_t none;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGPIPE, SIG_DFL);
        if (setsid() >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
            dup2(null, STDERR_FILENO) >= 0 && setenv("AZURE_CORE_COLLECT_TELEMETRY", "0", 1) == 0 &&
            setenv("AZURE_CORE_ONLY_SHOW_ERRORS", "1", 1) == 0)
                (void)execl(path, path, "version", "-o", "json", (char *)NULL);
        _exit(127);
}

static uint64_t now_msec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* What it prints, until it has ended or its time is up. 0, -ETIME, 128 + a signal's number. */
static int az_read(int out, int signals, char *buf, size_t size) {
        uint64_t end = now_msec() + AZ_TIME_MAX_SEC * 1000;
        size_t n = 0;

        while (n < size - 1) {
                struct pollfd fds[] = { { .fd = out, .events = POLLIN },
                                        { .fd = signals, .events = POLLIN } };
                uint64_t now = now_msec();
                ssize_t got;

                if (now >= end || poll(fds, ARRAY_SIZE(fds), (int)(end - now)) == 0)
                        return -ETIME;
                if (fds[1].revents)
                        return loop_interrupted();
                got = read(out, buf + n, size - 1 - n);
                if (got <= 0)
                        break;
                n += (size_t)got;
        }
        buf[n] = '\0';
        return 0;
}

/* Its own words for `az version`; it and what it started have ended afterwards. As az_read(). */
static int az_run(const char *path, char *buf, size_t size) {
        CLEANUP(fd_closep) int out = -1, in = -1, signals = -1;
        int fds[2], r;
        pid_t pid;

        r = loop_block_signals();
        if (r < 0 || pipe2(fds, O_CLOEXEC) < 0)
                return r < 0 ? r : -errno;
        out = fds[0];
        in = fds[1];
        signals = loop_signals_fd();
        if (signals < 0)
                return signals;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                az_exec(path, in);
        in = fd_close(in);
        r = az_read(out, signals, buf, size);
        (void)kill(-pid, SIGKILL); /* a group of its own, unless it did not get that far */
        (void)kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}

static void tell_version(Doctor *d, const char *path, const char *output) {
        char version[AZ_VERSION_SIZE];
        const AzFault *fault;
        Finding finding = { .check = "az" };

        if (!az_version_read(version, output)) {
                doctor_tell(d,
                            &(Finding){ .check = "az",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("Accounts of the source azure-cli get no token. "
                                                  "Install az again.") },
                            N_("%s does not tell its version."), path);
                return;
        }
        fault = az_version_fault(version);
        if (!fault) {
                doctor_tell(d, &finding, "az %s (%s).", version, path);
                return;
        }
        finding.state = fault->broken ? FINDING_PROBLEM : FINDING_NOTE;
        finding.why = fault->why;
        finding.command = fault->command;
        doctor_tell(d, &finding,
                    fault->broken ? N_("az %s (%s) is known not to work for IoT Central.")
                                  : N_("az %s (%s) is known as unreliable."),
                    version, path);
}

/* Can the daemon have found it? Without an account of that source its built-in one is missing. */
static bool daemon_has_az(const Doctor *d) {
        for (size_t i = 0; i < d->accounts.n; i++)
                if (streq(properties_string(&d->accounts.items[i], "Source"), "azure-cli"))
                        return true;
        return !d->has_daemon;
}

static void tell_unseen(Doctor *d, const char *path) {
        CLEANUP(freep) char *command = doctor_restart_command(d, "PATH");

        doctor_tell(
                d,
                &(Finding){ .check = "az",
                            .state = d->accounts.n ? FINDING_NOTE : FINDING_PROBLEM,
                            .why = N_("A user service has a PATH of its own. Or name it, as az=, "
                                      "in an account of source azure-cli in accounts.conf."),
                            .command = command },
                N_("az is %s here, but iotc-tokend does not find it."), path);
}

/* Another one than the daemon's, or with another sign-in. */
static void check_other(Doctor *d, const char *path) {
        const char *here = getenv("AZURE_CONFIG_DIR");
        const char *there = doctor_daemon_variable(d, "AZURE_CONFIG_DIR");
        CLEANUP(freep) char *other = NULL, *command = NULL;

        if (d->settings.az || !doctor_knows_environment(d))
                return;
        if (program_find(&other, "az", doctor_daemon_variable(d, "PATH")) == 0 &&
            !streq(other, path)) {
                command = doctor_restart_command(d, "PATH");
                doctor_tell(d,
                            &(Finding){ .check = "az",
                                        .state = FINDING_NOTE,
                                        .why = N_("The daemon's PATH is another than this "
                                                  "shell's. To make it the same:"),
                                        .command = command },
                            N_("az is %s here; iotc-tokend runs %s."), path, other);
        }
        if (streq(str_empty(here) ? NULL : here, there))
                return;
        free(command);
        command = str_empty(here) ? doctor_export_command(d, "AZURE_CONFIG_DIR")
                                  : doctor_restart_command(d, "AZURE_CONFIG_DIR");
        doctor_tell(d,
                    &(Finding){ .check = "az",
                                .state = FINDING_NOTE,
                                .why = N_("A sign-in by az in one is not seen in the other. For "
                                          "good: config-dir= in the account. Until the next "
                                          "login:"),
                                .command = command },
                    N_("AZURE_CONFIG_DIR is %s here, and %s for iotc-tokend."),
                    str_empty(here) ? "~/.azure" : here, there ?: "~/.azure");
}

static void tell_unsafe(Doctor *d, const char *path) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        CLEANUP(freep) char *command = NULL;

        (void)program_check(path, &distrust);
        command = distrust_command(&distrust);
        doctor_tell(d,
                    &(Finding){ .check = "az",
                                .state = daemon_has_az(d) ? FINDING_PROBLEM : FINDING_NOTE,
                                .why = N_("The daemon runs no program that another user could put "
                                          "there."),
                                .command = command },
                    distrust.foreign ? N_("%s is not run: %s belongs to another user.")
                                     : N_("%s is not run: %s can be written by other users."),
                    path, distrust.path ?: path);
}

static int check_version(Doctor *d, const char *path) {
        char output[65536]; /* extensions print, too */
        int r;

        doctor_progress(d, "asking az for its version");
        r = az_run(path, output, sizeof(output));
        if (r > 128)
                return r;
        if (r == 0) {
                tell_version(d, path, output);
                return 0;
        }
        doctor_tell(d,
                    &(Finding){ .check = "az",
                                .state = FINDING_PROBLEM,
                                .why = N_("A token from it takes as long, or longer.") },
                    N_("%s did not tell its version: %s."), path,
                    r == -ETIME ? doctor_word(d, N_("no answer in 20 s")) : strerror(-r));
        return 0;
}

/* The one that an account names; the daemon's own words about one that isn't there are better. */
static int check_named(Doctor *d, const char *path) {
        int r = program_check(path, NULL);

        if (r == PROGRAM_E_UNSAFE)
                tell_unsafe(d, path);
        return r == 0 ? check_version(d, path) : 0;
}

int doctor_check_az(Doctor *d) {
        CLEANUP(freep) char *path = NULL;
        int r = 0;

        if (d->settings.az)
                r = check_named(d, d->settings.az);
        if (r)
                return r;
        r = program_find(&path, "az", getenv("PATH"));
        if ((r != 0 && r != PROGRAM_E_UNSAFE) || streq(path, d->settings.az))
                return 0;
        if (r == PROGRAM_E_UNSAFE) {
                tell_unsafe(d, path);
                return 0;
        }
        if (!daemon_has_az(d))
                tell_unseen(d, path);
        else
                check_other(d, path);
        return check_version(d, path);
}
