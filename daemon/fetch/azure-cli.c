/* SPDX-License-Identifier: MIT */
/*
 * The source azure-cli: the token that az holds. It finds a safe az, makes sure that no two of
 * ours run at once on one config folder (az then loses its own token cache), runs it in a clean
 * environment and leaves the meaning of what it said to az-output.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/memory.h"
#include "common/program.h"
#include "common/redact.h"
#include "fetch/az-output.h"
#include "fetch/child.h"
#include "fetch/source.h"
#include "model/environment.h"

enum {
        AZ_TIME_MAX = 60, /* seconds for one az */
        AZ_END_TIME = 2,  /* seconds of the deadline kept back for ending it */
        AZ_LOCK_POLL_MSEC = 50,
        AZ_ENVIRONMENT_MAX = 16, /* variables of ours */
};

extern char **environ;

/* ---- which az ----------------------------------------------------------------------------- */

/* NULL with *answer. */
static char *az_find_program(Answer *answer, const Request *request) {
        CLEANUP(freep) char *path = NULL, *why = NULL;
        int r;

        if (request->az) {
                path = xstrdup(request->az);
                r = program_check(path, NULL);
        } else {
                r = program_find(&path, "az", getenv("PATH"));
        }
        if (r == PROGRAM_E_MISSING && request->az)
                answer_set(answer, ANSWER_SOURCE_MISSING,
                           "There is no program %s. Check the setting 'az'.", request->az);
        else if (r == PROGRAM_E_MISSING)
                answer_set(answer, ANSWER_SOURCE_MISSING,
                           "The Azure CLI (az) is not on PATH. Install the package azure-cli, or "
                           "name the program by the setting 'az'.");
        else if (r == PROGRAM_E_UNSAFE) {
                why = program_fault(path);
                answer_set(answer, ANSWER_SOURCE_MISSING,
                           "%s is not run: %s. Or name another by the setting 'az'.", path, why);
        }
        return r ? NULL : STEAL(path);
}

/* ---- one at a time ------------------------------------------------------------------------ */

/* The folder that az keeps its sign-in in. To be freed by free(). */
static char *az_config_folder(const Request *request) {
        const char *dir = request->config_dir ? request->config_dir : getenv("AZURE_CONFIG_DIR");
        const char *home = getenv("HOME");
        CLEANUP(freep)
        char *path = str_empty(dir) ? xasprintf("%s/.azure", home ?: "") : xstrdup(dir);
        char *real;

        real = realpath(path, NULL);
        return real ? real : STEAL(path);
}

/* FNV-1a, 64 bits: a name for a folder, no protection. */
static uint64_t az_hash(const char *s) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (; *s; s++)
                hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
        return hash;
}

/* In $XDG_RUNTIME_DIR/iotc-token, if no other user may hold one there, else in the config folder;
 * -1 when there is neither. */
static int az_lock_open(const char *folder) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        const char *runtime = getenv("XDG_RUNTIME_DIR");
        char path[PATH_MAX];
        int fd = -1;

        (void)snprintf(path, sizeof(path), "%s/iotc-token", runtime ?: "");
        if (runtime && trust_make_folder(path, &distrust) == 0) {
                (void)snprintf(path, sizeof(path), "%s/iotc-token/az-%016llx.lock", runtime,
                               (unsigned long long)az_hash(folder));
                fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        }
        if (fd < 0) {
                (void)snprintf(path, sizeof(path), "%s/iotc-token.lock", folder);
                fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        }
        return fd;
}

/* Hold *ret, a descriptor or -1, until az has ended. False with *answer when time ran out. */
static bool az_lock(int *ret, Answer *answer, const Request *request) {
        CLEANUP(freep) char *folder = az_config_folder(request);
        CLEANUP(fd_closep) int fd = -1;

        /* No folder to keep a lock in: then az has none to spoil either. */
        fd = az_lock_open(folder);
        while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        break;
                if (clock_usec() >= request->deadline_usec) {
                        answer_set(answer, ANSWER_TRY_LATER,
                                   "Another az is at work on %s and did not end in time.", folder);
                        return false;
                }
                clock_sleep_until(clock_usec() + AZ_LOCK_POLL_MSEC * 1000);
        }
        *ret = fd;
        fd = -1;
        return true;
}

/* ---- running it --------------------------------------------------------------------------- */

typedef struct Environment Environment;

struct Environment {
        char *ours[AZ_ENVIRONMENT_MAX];
        size_t n_ours;
        char **all; /* the user's without ours, and ours; the strings are borrowed */
};

static void environment_deinit(Environment *e) {
        for (size_t i = 0; i < e->n_ours; i++)
                free(e->ours[i]);
        free(e->all);
}

static void environment_add(Environment *e, const char *name, const char *value) {
        if (value && e->n_ours < AZ_ENVIRONMENT_MAX)
                e->ours[e->n_ours++] = xasprintf("%s=%s", name, value);
}

static bool environment_has(const Environment *e, const char *variable) {
        size_t n = strcspn(variable, "=") + 1;

        for (size_t i = 0; i < e->n_ours; i++)
                if (strncmp(e->ours[i], variable, n) == 0)
                        return true;
        return false;
}

static void environment_init(Environment *e, const Request *request) {
        const char *const settings[][2] = {
                /* The date that az before 2.54 prints is local time without a zone. */
                { "TZ", "UTC" },
                { "LC_ALL", "C.UTF-8" },
                { "AZURE_CORE_COLLECT_TELEMETRY", "0" },
                { "AZURE_CORE_ONLY_SHOW_ERRORS", "1" },
                { "AZURE_LOGGING_ENABLE_LOG_FILE", "no" },
                { "NO_COLOR", "1" },
                /* The az of "iotc-token exec --az" would ask the daemon, which waits for us. */
                { "IOTC_TOKEN_ACCOUNT", "" },
                { "AZURE_CONFIG_DIR", request->config_dir },
                { "REQUESTS_CA_BUNDLE", request->ca_bundle },
                { "HTTPS_PROXY", request->proxy },
                /* Python takes the lower case one first. */
                { "https_proxy", request->proxy },
        };
        size_t n = 0, n_all = 0;

        *e = (Environment){ 0 };
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                environment_add(e, settings[i][0], settings[i][1]);
        while (environ && environ[n])
                n++;
        e->all = xcalloc(n + e->n_ours + 1, sizeof(*e->all));
        for (size_t i = 0; i < n; i++)
                if (!environment_has(e, environ[i]) && !environment_is_unsafe(environ[i]))
                        e->all[n_all++] = environ[i];
        for (size_t i = 0; i < e->n_ours; i++)
                e->all[n_all++] = e->ours[i];
}

/* When az must have ended: time is kept back to end it before the request's own deadline. */
static uint64_t az_limit(const Request *request) {
        uint64_t now = clock_usec();
        uint64_t left = request->deadline_usec - MIN(now, request->deadline_usec);

        left -= MIN(left / 2, AZ_END_TIME * USEC_PER_SEC);
        return now + MIN(left, AZ_TIME_MAX * USEC_PER_SEC);
}

static int az_run(Answer *answer, const char *az, const Request *request) {
        const char *option = request->tenant ? "--tenant" : "--subscription";
        const char *value = request->tenant ? request->tenant : request->subscription;
        const char *const argv[] = {
                az,   "account", "get-access-token",    "--resource", request->resource,
                "-o", "json",    value ? option : NULL, value,        NULL,
        };
        CLEANUP(freep) char *said = NULL;
        Environment environment;
        Child child = { 0 };
        int r;

        environment_init(&environment, request);
        r = child_run(&child, (char *const *)argv, environment.all, az_limit(request));
        environment_deinit(&environment);
        said = r == 0 ? redact(child.err, NULL, 0) : NULL;
        /* What az did is not known, unless it could not be run at all. */
        answer->sent = !(r == 0 && !child.timed_out && WIFEXITED(child.status) &&
                         (WEXITSTATUS(child.status) == 126 || WEXITSTATUS(child.status) == 127));
        if (r == 0 && child.timed_out)
                answer_set(answer, ANSWER_TRY_LATER,
                           "az did not answer in time and was ended. Try it by hand: az account "
                           "get-access-token -o json");
        else if (r == 0 && child.status == 0)
                az_read_token(answer, child.out, child.n_out, clock_wall(), clock_usec());
        else if (r == 0)
                r = az_read_failure(answer, child.status, said, request, clock_usec());
        child_deinit(&child);
        return r;
}

static bool az_check_request(Answer *answer, const Request *request) {
        char command[EVENT_MESSAGE_MAX / 2];

        if (!request->resource) {
                answer_set(answer, ANSWER_MISCONFIGURED, "The request names no resource.");
        } else if (request->tenant && request->subscription) {
                answer_set(answer, ANSWER_MISCONFIGURED,
                           "az takes a tenant or a subscription, not both. Remove one of the "
                           "account's settings 'tenant' and 'subscription'.");
        } else if (request->claims) {
                answer_set(answer, ANSWER_SIGN_IN_NEEDED,
                           "A server wants more proof than az's sign-in gives. Run 'az logout', "
                           "then '%s'.",
                           az_login_command(command, sizeof(command), request, true));
        } else {
                return true;
        }
        return false;
}

int azure_cli_fetch(Answer *answer, const Request *request) {
        CLEANUP(freep) char *az = NULL;
        CLEANUP(fd_closep) int lock = -1;
        int r;

        if (!az_check_request(answer, request))
                return 0;
        az = az_find_program(answer, request);
        if (!az || !az_lock(&lock, answer, request))
                return 0;
        r = az_run(answer, az, request);
        if (r == AZ_E_AGAIN)
                r = az_run(answer, az, request);
        return MIN(r, 0);
}
