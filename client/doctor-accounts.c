/* SPDX-License-Identifier: MIT */
/*
 * Every account, tried: each that can get a new token gets one, all at once, by the daemon's own
 * way through proxy, CA and clock. What comes back is what a program would be told. An API token
 * is only looked at; whether an application takes it, `iotc-token check` finds out.
 */
#include <time.h>

#include "connection.h"
#include "display.h"
#include "doctor.h"
#include "loop.h"

enum {
        API_TOKEN_NOTE_SEC = 14 * 86400, /* as the daemon warns */
        API_TOKEN_PROBLEM_SEC = 3 * 86400,
};

typedef struct Probes Probes;

typedef struct Probe {
        Probes *probes;
        const Properties *account;
        char *path;
        sd_bus_slot *slot;
        sd_bus_error error;
        bool asked, answered;
} Probe;

struct Probes {
        Doctor *doctor;
        Loop *loop;
        Probe *items;
        size_t n, n_open;
};

static void probes_deinit(Probes *probes) {
        for (size_t i = 0; i < probes->n; i++) {
                sd_bus_slot_unref(probes->items[i].slot);
                sd_bus_error_free(&probes->items[i].error);
                free(probes->items[i].path);
        }
        free(probes->items);
        loop_free(probes->loop);
}

static const char *probe_name(const Probe *probe) {
        return properties_string(probe->account, "Name");
}

static void probes_show(const Probes *probes) {
        CLEANUP(freep) char *names = NULL;
        size_t n;
        FILE *f;

        f = open_memstream(&names, &n);
        if (!f)
                return;
        for (size_t i = 0; i < probes->n; i++)
                if (probes->items[i].asked && !probes->items[i].answered)
                        fprintf(f, " %s", probe_name(&probes->items[i]));
        if (fclose(f) == 0)
                doctor_progress(probes->doctor, "getting new tokens:%s", names);
}

static int probe_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Probe *probe = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        probe->answered = true;
        if (error)
                (void)connection_failed(probe->probes->doctor->bus, error, &probe->error);
        if (--probe->probes->n_open == 0)
                return loop_end(probe->probes->loop, 0);
        probes_show(probe->probes);
        return 0;
}

static int probe_start(Probe *probe) {
        const char *source = properties_string(probe->account, "Source");
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = probe->probes->doctor->bus;
        int r;

        if (streq(source, "api-token") ||
            streq(properties_string(probe->account, "State"), "signing-in"))
                return 0;
        r = sd_bus_path_encode(IOTC_PATH_ACCOUNT, probe_name(probe), &probe->path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, IOTC_BUS_NAME, probe->path,
                                                   IOTC_INTERFACE_ACCOUNT, "Refresh");
        if (r >= 0)
                r = sd_bus_call_async(bus, &probe->slot, m, probe_on_reply, probe,
                                      BUS_TIMEOUT_FETCH * USEC_PER_SEC);
        if (r < 0)
                return r;
        probe->asked = true;
        probe->probes->n_open++;
        return 0;
}

static void tell_api_token(Doctor *d, const Properties *account) {
        const char *name = properties_string(account, "Name");
        uint64_t end = properties_number(account, "ExpiresAt"), now = (uint64_t)time(NULL);
        CLEANUP(freep) char *command = NULL;
        char left[DISPLAY_DURATION_SIZE];
        bool problem = end <= now + API_TOKEN_PROBLEM_SEC;

        if (!streq(properties_string(account, "State"), "ready") ||
            (end && end <= now + API_TOKEN_NOTE_SEC)) {
                if (asprintf(&command, "iotc-token api-token %s %s%s", end > now ? "rotate" : "add",
                             name, end > now ? "" : " --replace") < 0)
                        command = NULL;
        }
        if (!streq(properties_string(account, "State"), "ready")) {
                char *const *error = properties_strings(account, "LastError");
                bool locked = streq(properties_string(account, "State"), "locked");

                doctor_tell(d,
                            &(Finding){ .check = "account",
                                        .state = FINDING_PROBLEM,
                                        .account = name,
                                        .why = "Calls to its applications fail.",
                                        .command = locked ? "iotc-token unlock" : command },
                            "%s%s%s", *error && **error ? "" : name, *error && **error ? "" : ": ",
                            *error && **error ? error[1] : properties_string(account, "State"));
                return;
        }
        display_left(left, end, now);
        doctor_tell(d,
                    &(Finding){ .check = "account",
                                .state = !command  ? FINDING_OK
                                         : problem ? FINDING_PROBLEM
                                                   : FINDING_NOTE,
                                .account = name,
                                .why = "Nobody renews an API token by itself.",
                                .command = command },
                    "%s: API token%s%s.", name,
                    end ? ", ends in " : " without an end that is known", end ? left : "");
}

static void tell_ready(Doctor *d, const Probe *probe) {
        CLEANUP(freep) char *user = NULL;
        const char *const where[] = { IOTC_BUS_NAME, probe->path, IOTC_INTERFACE_ACCOUNT };
        char left[DISPLAY_DURATION_SIZE];
        uint64_t end = 0;

        d->n_reached++;
        (void)doctor_get(d->bus, where, "ExpiresAt", 't', &end);
        (void)doctor_get(d->bus, where, "User", 's', &user);
        doctor_tell(d, &(Finding){ .check = "account", .account = probe_name(probe) },
                    "%s: got a token, valid for %s%s%s.", probe_name(probe),
                    display_left(left, end, (uint64_t)time(NULL)), str_empty(user) ? "" : ", as ",
                    user ?: "");
}

/* The command for an error; *made is what has to be freed. */
static const char *failure_command(const Probe *probe, char **made) {
        const char *source = properties_string(probe->account, "Source");
        const char *name = probe_name(probe);

        *made = NULL;
        if (sd_bus_error_has_name(&probe->error, IOTC_ERROR_KEYRING_LOCKED))
                return "iotc-token unlock";
        if (sd_bus_error_has_name(&probe->error, IOTC_ERROR_SOURCE_MISSING) ||
            (sd_bus_error_has_name(&probe->error, IOTC_ERROR_MISCONFIGURED) &&
             strstr(probe->error.message ?: "", "accounts.conf")))
                *made = doctor_edit_command();
        else if (sd_bus_error_has_name(&probe->error, IOTC_ERROR_SIGN_IN_NEEDED)) {
                if (streq(source, "azure-cli"))
                        return "az login --allow-no-subscriptions";
                if (asprintf(made, "iotc-token login %s", name) < 0)
                        *made = NULL;
        } else if (asprintf(made, "iotc-token refresh %s", name) < 0)
                *made = NULL;
        return *made;
}

static const char *failure_why(const Probe *probe) {
        static const struct {
                const char *name, *why;
        } whys[] = {
                { IOTC_ERROR_SIGN_IN_NEEDED, "Only a person can help: programs get no token." },
                { IOTC_ERROR_KEYRING_LOCKED, "What was signed in can't be read until then." },
                { IOTC_ERROR_KEYRING_ABSENT, "What was signed in can't be read until then." },
                { IOTC_ERROR_UNAVAILABLE, "The server can't be reached or has a fault: a token "
                                          "that is still valid is served; it is tried again." },
                { IOTC_ERROR_TIMED_OUT, "The server does not answer: a token that is still valid "
                                        "is served; it is tried again." },
                { IOTC_ERROR_MISCONFIGURED, "It is not tried again before the settings change." },
                { IOTC_ERROR_BLOCKED, "A policy of the tenant forbids it; its administrator can "
                                      "say more." },
                { IOTC_ERROR_SOURCE_MISSING, "The program that gives this account's tokens can't "
                                             "be run by the daemon." },
        };

        for (size_t i = 0; i < ARRAY_SIZE(whys); i++)
                if (sd_bus_error_has_name(&probe->error, whys[i].name))
                        return whys[i].why;
        return NULL;
}

static void tell_failure(Doctor *d, const Probe *probe) {
        CLEANUP(freep) char *made = NULL;
        const char *text = probe->error.message ?: probe->error.name;
        const char *name = probe_name(probe);
        bool named = str_starts(text, name) && text[strlen(name)] == ':';
        /* The daemon spares the identity service: nothing is known to be wrong. */
        bool spared = strstr(text, "too often") ||
                      sd_bus_error_has_name(&probe->error, SD_BUS_ERROR_LIMITS_EXCEEDED);

        if (!spared && (sd_bus_error_has_name(&probe->error, IOTC_ERROR_UNAVAILABLE) ||
                        sd_bus_error_has_name(&probe->error, IOTC_ERROR_TIMED_OUT)))
                d->n_unreached++;
        doctor_tell(d,
                    &(Finding){ .check = "account",
                                .state = spared ? FINDING_NOTE : FINDING_PROBLEM,
                                .account = name,
                                .why = spared ? "The identity service is spared; it is tried again "
                                                "by itself."
                                              : failure_why(probe),
                                .command = spared ? NULL : failure_command(probe, &made) },
                    "%s%s%s", named ? "" : name, named ? "" : ": ", text);
}

static void probe_tell(Doctor *d, const Probe *probe) {
        if (streq(properties_string(probe->account, "Source"), "api-token"))
                tell_api_token(d, probe->account);
        else if (!probe->asked || !probe->answered)
                doctor_tell(d,
                            &(Finding){ .check = "account",
                                        .state = FINDING_NOTE,
                                        .account = probe_name(probe) },
                            "%s: not tried, because %s.", probe_name(probe),
                            probe->asked ? "the session bus closed the connection"
                                         : "a sign-in is going on");
        else if (sd_bus_error_is_set(&probe->error))
                tell_failure(d, probe);
        else
                tell_ready(d, probe);
}

static int probes_run(Probes *probes) {
        Doctor *d = probes->doctor;
        int r = 0;

        probes->items = calloc(d->accounts.n, sizeof(*probes->items));
        if (!probes->items)
                return -ENOMEM;
        for (; probes->n < d->accounts.n && r >= 0; probes->n++) {
                Probe *probe = &probes->items[probes->n];

                *probe = (Probe){ .probes = probes, .account = &d->accounts.items[probes->n] };
                r = probe_start(probe);
        }
        if (r < 0 || probes->n_open == 0)
                return r;
        probes_show(probes);
        return loop_run(probes->loop);
}

int doctor_check_accounts(Doctor *d) {
        CLEANUP(probes_deinit) Probes probes = { .doctor = d };
        int r;

        if (!d->has_daemon)
                return 0;
        if (d->accounts.n == 0) {
                doctor_tell(d,
                            &(Finding){ .check = "account",
                                        .state = FINDING_NOTE,
                                        .why = "Without one there are no tokens.",
                                        .command = "iotc-token login" },
                            "There is no account yet.");
                return 0;
        }
        r = loop_new(&probes.loop, d->bus);
        if (r)
                return r;
        r = probes_run(&probes);
        if (r > 128)
                return r;
        for (size_t i = 0; i < probes.n; i++)
                probe_tell(d, &probes.items[i]);
        return 0;
}
