/* SPDX-License-Identifier: MIT */
/*
 * org.iotc.Token1.Manager on the root object.
 */
#include <iotc-dbus.h>

#include "bus/calls.h"
#include "bus/objects.h"
#include "common/secret.h"
#include "model/challenge.h"

/* Read the selector, the first argument of most calls, and resolve it. */
static int keeper_read(const Link *l, sd_bus_message *m, Keeper **ret, sd_bus_error *error) {
        const char *selector;
        Problem problem = { 0 };
        int r;

        r = sd_bus_message_read_basic(m, 's', &selector);
        if (r < 0)
                return r;
        r = manager_resolve(l->bus->manager, selector, ret, &problem);
        return r == 0 ? 0 : handler_result(r, &problem, error);
}

static int method_get_token(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Keeper *k;
        int r;

        r = keeper_read(userdata, m, &k, error);
        return r < 0 ? r : get_start(userdata, m, k, false, error);
}

static int method_get_authorization(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Keeper *k;
        int r;

        r = keeper_read(userdata, m, &k, error);
        return r < 0 ? r : get_start(userdata, m, k, true, error);
}

static int method_report_rejected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP(secret_freep) char *claims = NULL;
        const char *token, *www_authenticate;
        Problem problem = { 0 };
        Keeper *k;
        int r;

        r = caller_check(userdata, m, error);
        if (r >= 0)
                r = keeper_read(userdata, m, &k, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(m, "ss", &token, &www_authenticate);
        if (r < 0)
                return r;
        r = challenge_claims(&claims, www_authenticate);
        if (r == -ENOMEM)
                return r;
        r = keeper_report_rejected(k, token, claims, link_sender(userdata, m), &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_find_account(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP(freep) char *path = NULL;
        Keeper *k;
        int r;

        r = keeper_read(userdata, m, &k, error);
        if (r < 0)
                return r;
        r = account_path(k, &path);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "o", path);
}

static void add_on_done(Keeper *k, const Problem *problem, void *userdata) {
        CLEANUP(freep) char *path = NULL;
        Call *c = userdata;

        if (!k) {
                call_fail(c, problem);
                return;
        }
        if (account_path(k, &path) >= 0)
                (void)sd_bus_reply_method_return(c->message, "o", path);
        call_drop(c);
}

static int account_read(sd_bus_message *m, Account **ret, char **secret, sd_bus_error *error) {
        CLEANUP(account_freep) Account *a = NULL;
        const char *name, *source;
        AccountSource which;
        int r;

        r = sd_bus_message_read(m, "ss", &name, &source);
        if (r < 0)
                return r;
        if (!account_name_valid(name))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS,
                        "An account's name is 1 to 64 letters, digits, '-' and '_', "
                        "beginning with a letter or digit.");
        if (account_source_from_string(&which, source) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "There is no such source. There are: entra, azure-cli, "
                                        "client-credentials, api-token.");
        if (which == ACCOUNT_SOURCE_COMMAND)
                return sd_bus_error_set(
                        error, IOTC_ERROR_DENIED,
                        "Accounts of source command come from the settings file only.");
        r = account_new(&a, name, which);
        if (r < 0)
                return r;
        r = settings_read(m, a, secret, error);
        if (r < 0)
                return r;
        if (which == ACCOUNT_SOURCE_API_TOKEN && !*secret)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "%s: the setting 'secret' (the API token) is missing.",
                                         name);
        if (which == ACCOUNT_SOURCE_CLIENT_CREDENTIALS && !*secret)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "%s: the setting 'secret' (the client's secret) is "
                                         "missing.",
                                         name);
        *ret = STEAL(a);
        return 0;
}

static int method_add_account(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP(account_freep) Account *a = NULL;
        CLEANUP(secret_freep) char *secret = NULL;
        CLEANUP(freep) char *path = NULL;
        CLEANUP(freep) char *name = NULL;
        Problem problem = { 0 };
        const Bus *b = ((Link *)userdata)->bus;
        Call *call;
        int r;

        r = caller_check_manage(userdata, m, error);
        if (r < 0)
                return r;
        r = account_read(m, &a, &secret, error);
        if (r < 0)
                return r;
        name = strdup(a->name);
        if (!name)
                return -ENOMEM;
        r = call_new(&call, userdata, m, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = manager_add(b->manager, STEAL(a), secret, &call->manager_op, add_on_done, call,
                        &problem);
        if (r == 0 && call->manager_op)
                return 1;
        call_drop(call);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = account_path(manager_find(b->manager, name), &path);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "o", path);
}

static void unlock_on_done(int outcome, const char *secret, void *userdata) {
        Problem problem = { 0 };
        Call *c = userdata;
        const char *why = keyring_complaint(c->link->bus->env->keyring);

        if (outcome != 0 && why) {
                (void)problem_set(&problem,
                                  outcome == KEYRING_E_LOCKED ? OUTCOME_KEYRING_LOCKED
                                                              : OUTCOME_KEYRING_ABSENT,
                                  "%s", why);
                call_fail(c, &problem);
                problem_clear(&problem);
                return;
        }
        if (outcome != 0 && outcome != KEYRING_E_LOCKED) {
                (void)problem_set(
                        &problem, OUTCOME_KEYRING_ABSENT,
                        outcome == KEYRING_E_SILENT
                                ? "The keyring does not answer. Try again in a moment, or end its "
                                  "program and start it again."
                                : "No keyring answers. Start one (gnome-keyring-daemon, "
                                  "KeePassXC).");
                call_fail(c, &problem);
                problem_clear(&problem);
                return;
        }
        (void)sd_bus_reply_method_return(c->message, "b", outcome == 0);
        call_drop(c);
}

static int method_unlock(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Problem problem = { 0 };
        const Bus *b = ((Link *)userdata)->bus;
        Call *call;
        int r;

        r = caller_check(userdata, m, error);
        if (r < 0)
                return r;
        r = call_new(&call, userdata, m, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = keyring_unlock(b->env->keyring, &call->keyring_op, unlock_on_done, call);
        if (r < 0) {
                call_drop(call);
                return r;
        }
        return 1;
}

static int property_get_default(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error) {
        Keeper *k = manager_default(((Link *)userdata)->bus->manager);

        return sd_bus_message_append(reply, "s", k ? keeper_account(k)->name : "");
}

static int property_set_default(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *value, void *userdata,
                                sd_bus_error *error) {
        Problem problem = { 0 };
        const Bus *b = ((Link *)userdata)->bus;
        const char *name;
        int r;

        r = caller_check_manage(userdata, value, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read_basic(value, 's', &name);
        if (r < 0)
                return r;
        r = manager_set_default(b->manager, name, &problem);
        return handler_result(r, &problem, error);
}

static int property_get_version(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", IOTC_VERSION);
}

static int property_get_keyring_state(sd_bus *bus, const char *path, const char *interface,
                                      const char *property, sd_bus_message *reply, void *userdata,
                                      sd_bus_error *error) {
        const Bus *b = ((Link *)userdata)->bus;

        return sd_bus_message_append(reply, "s",
                                     keyring_state_to_string(keyring_state(b->env->keyring)));
}

static int property_get_store(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error) {
        const Bus *b = ((Link *)userdata)->bus;

        return sd_bus_message_append(reply, "s", keyring_kind(b->env->keyring));
}

static int property_get_store_problem(sd_bus *bus, const char *path, const char *interface,
                                      const char *property, sd_bus_message *reply, void *userdata,
                                      sd_bus_error *error) {
        const Bus *b = ((Link *)userdata)->bus;

        return sd_bus_message_append(reply, "s", keyring_complaint(b->env->keyring) ?: "");
}

static int property_get_settings_problem(sd_bus *bus, const char *path, const char *interface,
                                         const char *property, sd_bus_message *reply,
                                         void *userdata, sd_bus_error *error) {
        const Bus *b = ((Link *)userdata)->bus;

        return sd_bus_message_append(reply, "s", manager_settings_problem(b->manager) ?: "");
}

static int property_get_online(sd_bus *bus, const char *path, const char *interface,
                               const char *property, sd_bus_message *reply, void *userdata,
                               sd_bus_error *error) {
        const Bus *b = ((Link *)userdata)->bus;

        return sd_bus_message_append(reply, "b", b->env->online);
}

static int property_get_clock_offset(sd_bus *bus, const char *path, const char *interface,
                                     const char *property, sd_bus_message *reply, void *userdata,
                                     sd_bus_error *error) {
        const Bus *b = ((Link *)userdata)->bus;

        return sd_bus_message_append(reply, "x", b->env->clock_offset);
}

static int property_get_stats(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error) {
        const Stats *s = &((Link *)userdata)->bus->env->stats;
        const struct {
                const char *name;
                uint64_t value;
        } entries[] = {
                { "requests", s->requests },
                { "cache-hits", s->cache_hits },
                { "coalesced", s->coalesced },
                { "fetches", s->fetches },
                { "fetch-failures", s->fetch_failures },
                { "sign-ins", s->sign_ins },
                { "sign-in-failures", s->sign_in_failures },
                { "keyring-reads", s->keyring_reads },
                { "keyring-writes", s->keyring_writes },
                { "keyring-failures", s->keyring_failures },
        };
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{st}");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(entries); i++)
                r = sd_bus_message_append(reply, "{st}", entries[i].name, entries[i].value);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

#define METHOD_FLAGS (SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE)

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetToken", SD_BUS_ARGS("s", selector, "a{sv}", options),
                                SD_BUS_RESULT("s", token, "s", type, "t", expires_at),
                                method_get_token, METHOD_FLAGS),
        SD_BUS_METHOD_WITH_ARGS("GetAuthorization", SD_BUS_ARGS("s", selector, "a{sv}", options),
                                SD_BUS_RESULT("s", value, "t", expires_at),
                                method_get_authorization, METHOD_FLAGS),
        SD_BUS_METHOD_WITH_ARGS("ReportRejected",
                                SD_BUS_ARGS("s", selector, "s", token, "s", www_authenticate),
                                SD_BUS_NO_RESULT, method_report_rejected, METHOD_FLAGS),
        SD_BUS_METHOD_WITH_ARGS("AddAccount",
                                SD_BUS_ARGS("s", name, "s", source, "a{sv}", settings),
                                SD_BUS_RESULT("o", account), method_add_account, METHOD_FLAGS),
        SD_BUS_METHOD_WITH_ARGS("FindAccount", SD_BUS_ARGS("s", selector),
                                SD_BUS_RESULT("o", account), method_find_account,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unlock", SD_BUS_NO_ARGS, SD_BUS_RESULT("b", unlocked),
                                method_unlock, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", property_get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_WRITABLE_PROPERTY("DefaultAccount", "s", property_get_default, property_set_default,
                                 0,
                                 SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("KeyringState", "s", property_get_keyring_state, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Store", "s", property_get_store, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StoreProblem", "s", property_get_store_problem, 0, 0),
        SD_BUS_PROPERTY("SettingsFiles", "as", property_get_settings_files, 0,
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("SettingsProblem", "s", property_get_settings_problem, 0, 0),
        SD_BUS_PROPERTY("Environment", "as", property_get_environment, 0,
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Online", "b", property_get_online, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ClockOffset", "x", property_get_clock_offset, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Stats", "a{st}", property_get_stats, 0, 0),
        SD_BUS_VTABLE_END,
};

int manager_serve(Link *l) {
        return sd_bus_add_object_vtable(l->sd, NULL, IOTC_PATH, IOTC_INTERFACE_MANAGER,
                                        manager_vtable, l);
}

void manager_emit(Link *l, unsigned what) {
        const char *names[5];
        size_t n = 0;

        if (what & MANAGER_CHANGED_DEFAULT_ACCOUNT)
                names[n++] = "DefaultAccount";
        if (what & MANAGER_CHANGED_KEYRING_STATE)
                names[n++] = "KeyringState";
        if (what & MANAGER_CHANGED_ONLINE)
                names[n++] = "Online";
        if (what & MANAGER_CHANGED_CLOCK_OFFSET)
                names[n++] = "ClockOffset";
        names[n] = NULL;
        (void)sd_bus_emit_properties_changed_strv(l->sd, IOTC_PATH, IOTC_INTERFACE_MANAGER,
                                                  (char **)names);
}
