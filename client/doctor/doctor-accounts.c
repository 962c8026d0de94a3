/* SPDX-License-Identifier: MIT */
/*
 * Every account, tried: each that can get a new token gets one, all at once, by the daemon's own
 * way through proxy, CA and clock. What comes back is what a program would be told. An API token
 * is only looked at; whether an application takes it, `iotc-token check` finds out.
 */
#include <time.h>

#include "base/display.h"
#include "base/loop.h"
#include "base/say.h"
#include "doctor/check.h"
#include "lib/connection.h"

enum {
        API_TOKEN_NOTE_SEC = 14 * 86400, /* as the daemon warns */
        API_TOKEN_PROBLEM_SEC = 3 * 86400,
};

typedef struct Probes Probes;

typedef struct Probe {
        Probes *probes;
        char *name, *path;
        bool lasting; /* an API token */
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
                free(probes->items[i].name);
                free(probes->items[i].path);
        }
        free(probes->items);
        loop_free(probes->loop);
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
                        fprintf(f, " %s", probes->items[i].name);
        if (fclose(f) == 0)
                doctor_progress(probes->doctor, "getting new tokens:%s", names);
}

static int probe_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Probe *probe = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        probe->answered = true;
        if (error) {
                (void)sd_bus_error_copy(&probe->error, error);
                (void)connection_explain(&probe->error);
        }
        if (--probe->probes->n_open == 0)
                return loop_end(probe->probes->loop, 0);
        probes_show(probe->probes);
        return 0;
}

static int probe_start(Probe *probe, const Properties *account) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = probe->probes->doctor->daemon;
        int r;

        probe->name = strdup(properties_string(account, "Name"));
        if (!probe->name)
                return -ENOMEM;
        probe->lasting = streq(properties_string(account, "Source"), "api-token");
        if (probe->lasting || streq(properties_string(account, "State"), "signing-in"))
                return 0;
        r = sd_bus_path_encode(IOTC_PATH_ACCOUNT, probe->name, &probe->path);
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

/* What the daemon said of itself last: "" when there is nothing. */
static const char *last_error(const Properties *account) {
        char *const *error = properties_strings(account, "LastError");

        return *error && **error ? error[1] : "";
}

static void tell_api_token(Doctor *d, const Properties *account) {
        const char *name = properties_string(account, "Name");
        const char *state = properties_string(account, "State"), *error = last_error(account);
        char *const *apps = properties_strings(account, "Apps");
        uint64_t end = properties_number(account, "ExpiresAt"), now = (uint64_t)time(NULL);
        bool ending = end && end <= now + API_TOKEN_NOTE_SEC;
        /* One that an application has rejected is shown as ready: others may take it. */
        bool ready = streq(state, "ready") && (ending || !*error);
        Finding finding = { .check = "account", .account = name };
        CLEANUP(freep) char *command = NULL;
        char left[DISPLAY_DURATION_SIZE];

        if (streq(state, "misconfigured"))
                command = doctor_mend_command(d, error);
        else if (streq(state, "locked"))
                command = strdup("iotc-token unlock");
        else if (asprintf(&command,
                          ready && apps[0] && !apps[1] ? "iotc-token api-token rotate %s"
                                                       : "iotc-token api-token add %s --replace",
                          name) < 0)
                command = NULL;
        if (!ready) {
                finding.state = FINDING_PROBLEM;
                finding.why = N_("Calls to its applications fail.");
                finding.command = streq(state, "unavailable") ? NULL : command;
                doctor_tell(d, &finding, "%s%s%s", *error ? "" : name, *error ? "" : ": ",
                            *error ? error : state);
                return;
        }
        if (ending) {
                finding.state = end <= now + API_TOKEN_PROBLEM_SEC ? FINDING_PROBLEM : FINDING_NOTE;
                finding.why = N_("Nobody renews an API token by itself.");
                finding.command = command;
        }
        if (end)
                doctor_tell(d, &finding, N_("%s: API token, ends in %s."), name,
                            display_left(left, end, now));
        else
                doctor_tell(d, &finding, N_("%s: API token without an end that is known."), name);
}

/* A token came; the daemon may know of something else, as that the keyring did not take it. */
static void tell_ready(Doctor *d, const Properties *account) {
        const char *name = properties_string(account, "Name");
        const char *source = properties_string(account, "Source");
        const char *user = properties_string(account, "User"), *error = last_error(account);
        char left[DISPLAY_DURATION_SIZE];

        /* az answers from a cache of its own, and a program as it likes. */
        if (!streq(source, "azure-cli") && !streq(source, "command"))
                d->n_reached++;
        display_left(left, properties_number(account, "ExpiresAt"), (uint64_t)time(NULL));
        if (*user)
                doctor_tell(d, &(Finding){ .check = "account", .account = name },
                            N_("%s: got a token, valid for %s, as %s."), name, left, user);
        else
                doctor_tell(d, &(Finding){ .check = "account", .account = name },
                            N_("%s: got a token, valid for %s."), name, left);
        if (*error)
                doctor_tell(d,
                            &(Finding){ .check = "account",
                                        .state = FINDING_NOTE,
                                        .account = name,
                                        .why = N_("Tokens are served all the same.") },
                            "%s", error);
}

/* The `az login` that the daemon's text ends with: it knows tenant and folder. What az or a server
 * said is in that text, too, so that nothing but plain words is taken. To be freed by free(), or
 * NULL. */
static char *az_login_command(const char *text) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789@%+=:,./_- ";
        const char *found = NULL, *end;

        for (const char *p = text; (p = strchr(p, '\'')); p++)
                if (str_starts(p + 1, "az login --allow") || str_starts(p + 1, "AZURE_CONFIG_DIR="))
                        found = p + 1;
        end = found ? found + strspn(found, plain) : NULL;
        if (!found || *end != '\'' || !memmem(found, (size_t)(end - found), "az login --allow", 16))
                return strdup("az login --allow-no-subscriptions");
        return strndup(found, (size_t)(end - found));
}

/* The command that mends it, to be freed by free(); NULL where there is none: what only time, an
 * administrator or another finding's command helps against. */
static char *failure_command(const Doctor *d, const Probe *probe, const char *source) {
        const sd_bus_error *error = &probe->error;
        const char *text = error->message ?: "";
        bool az = streq(source, "azure-cli");
        char *command;

        if (sd_bus_error_has_name(error, IOTC_ERROR_KEYRING_LOCKED))
                return strdup("iotc-token unlock");
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT))
                return doctor_restart_command(d, NULL);
        if (sd_bus_error_has_name(error, IOTC_ERROR_SOURCE_MISSING))
                return az && !d->settings.az ? doctor_install_command("azure-cli")
                                             : doctor_edit_command(d);
        if (sd_bus_error_has_name(error, IOTC_ERROR_MISCONFIGURED) &&
            (strstr(text, "accounts.conf") || !streq(source, "client-credentials")))
                return az && !strstr(text, "setting") ? NULL : doctor_mend_command(d, text);
        if (!sd_bus_error_has_names(error, IOTC_ERROR_SIGN_IN_NEEDED, IOTC_ERROR_MISCONFIGURED))
                return NULL;
        if (az)
                return az_login_command(text);
        return asprintf(&command, "iotc-token login %s", probe->name) < 0 ? NULL : command;
}

static const char *failure_why(const Probe *probe) {
        static const struct {
                const char *name, *why;
        } whys[] = {
                { IOTC_ERROR_SIGN_IN_NEEDED, N_("Only a person can help: programs get no token.") },
                { IOTC_ERROR_KEYRING_LOCKED, N_("What was signed in can't be read until then.") },
                { IOTC_ERROR_KEYRING_ABSENT, N_("What was signed in can't be read until then.") },
                { IOTC_ERROR_UNAVAILABLE, N_("No new token is to be had now: one that is still "
                                             "valid is served, and it is tried again.") },
                { IOTC_ERROR_TIMED_OUT,
                  N_("The server does not answer: a token that is still valid "
                     "is served; it is tried again.") },
                { IOTC_ERROR_MISCONFIGURED,
                  N_("It is not tried again before the settings change.") },
                { IOTC_ERROR_BLOCKED, N_("A policy of the tenant forbids it; its administrator can "
                                         "say more.") },
                { IOTC_ERROR_SOURCE_MISSING,
                  N_("The program that gives this account's tokens can't "
                     "be run by the daemon.") },
        };

        for (size_t i = 0; i < ARRAY_SIZE(whys); i++)
                if (sd_bus_error_has_name(&probe->error, whys[i].name))
                        return whys[i].why;
        return N_("Programs get no token of this account.");
}

/* The built-in account is there as soon as az is: nobody misses it who has another. */
static bool is_nobodys(const Doctor *d, const Probe *probe) {
        return streq(probe->name, "azure-cli") &&
               sd_bus_error_has_name(&probe->error, IOTC_ERROR_SIGN_IN_NEEDED) &&
               !streq(properties_string(&d->manager, "DefaultAccount"), probe->name);
}

static void tell_failure(Doctor *d, const Probe *probe, const char *source) {
        CLEANUP(freep) char *command = NULL;
        const sd_bus_error *error = &probe->error;
        const char *text = error->message ?: error->name;
        bool named = str_starts(text, probe->name) && text[strlen(probe->name)] == ':';
        bool spared = (sd_bus_error_has_name(error, IOTC_ERROR_UNAVAILABLE) &&
                       strstr(text, "too often")) ||
                      sd_bus_error_has_name(error, SD_BUS_ERROR_LIMITS_EXCEEDED);
        Finding finding = { .check = "account", .account = probe->name };

        if (spared) {
                finding.state = FINDING_NOTE;
                finding.why = N_("The identity service is spared; it is tried again by itself.");
        } else {
                finding.state = FINDING_PROBLEM;
                finding.why = failure_why(probe);
                if (is_nobodys(d, probe)) {
                        finding.state = FINDING_NOTE;
                        finding.why = N_("This account is there because az is: it matters only if "
                                         "programs are to use az's sign-in.");
                }
                finding.command = command = failure_command(d, probe, source);
                if (sd_bus_error_has_name(error, IOTC_ERROR_UNAVAILABLE) ||
                    sd_bus_error_has_name(error, IOTC_ERROR_TIMED_OUT))
                        d->n_unreached++;
        }
        doctor_tell(d, &finding, "%s%s%s", named ? "" : probe->name, named ? "" : ": ", text);
}

static void probe_tell(Doctor *d, const Probe *probe) {
        const Properties none = { 0 }, *account = &none;

        for (size_t i = 0; i < d->accounts.n; i++)
                if (streq(properties_string(&d->accounts.items[i], "Name"), probe->name))
                        account = &d->accounts.items[i];
        if (account == &none) /* removed meanwhile */
                return;
        if (probe->lasting)
                tell_api_token(d, account);
        else if (!probe->asked || !probe->answered)
                doctor_tell(d,
                            &(Finding){ .check = "account",
                                        .state = FINDING_NOTE,
                                        .account = probe->name },
                            probe->asked ? N_("%s: not tried, because the session bus closed the "
                                              "connection.")
                                         : N_("%s: not tried, because a sign-in is going on."),
                            probe->name);
        else if (sd_bus_error_is_set(&probe->error))
                tell_failure(d, probe, properties_string(account, "Source"));
        else
                tell_ready(d, account);
}

static int probes_run(Probes *probes) {
        Doctor *d = probes->doctor;
        int r = 0;

        probes->items = calloc(d->accounts.n, sizeof(*probes->items));
        if (!probes->items)
                return -ENOMEM;
        while (probes->n < d->accounts.n && r >= 0) {
                Probe *probe = &probes->items[probes->n];

                probe->probes = probes;
                r = probe_start(probe, &d->accounts.items[probes->n++]);
        }
        if (r < 0 || probes->n_open == 0)
                return r;
        probes_show(probes);
        return loop_run(probes->loop);
}

int doctor_check_accounts(Doctor *d) {
        CLEANUP(probes_deinit) Probes probes = { .doctor = d };
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!d->has_daemon)
                return 0;
        if (d->accounts.n == 0) {
                if (*properties_string(&d->manager, "SettingsProblem"))
                        return 0; /* that is why, and has been told */
                doctor_tell(d,
                            &(Finding){ .check = "account",
                                        .state = FINDING_NOTE,
                                        .why = N_("Without one there are no tokens."),
                                        .command = "iotc-token login" },
                            N_("There is no account yet."));
                return 0;
        }
        r = loop_new(&probes.loop, d->daemon);
        if (r)
                return r;
        r = probes_run(&probes);
        if (r > 128)
                return r;
        if (r < 0)
                return fail_errno(r);
        /* They changed, and maybe what is known of the clock. */
        (void)doctor_read_daemon(d, &error);
        sd_bus_error_free(&error);
        for (size_t i = 0; i < probes.n; i++)
                probe_tell(d, &probes.items[i]);
        return 0;
}
