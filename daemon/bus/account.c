/* SPDX-License-Identifier: MIT */
/*
 * org.iotc.Token1.Account: one object an account, made from the manager's list when it is asked
 * for.
 */
#include <iotc-dbus.h>

#include "bus/calls.h"
#include "bus/objects.h"

static int account_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                        void **ret_found, sd_bus_error *error) {
        CLEANUP(freep) char *name = NULL;
        const Bus *b = ((Link *)userdata)->bus;
        int r;

        r = sd_bus_path_decode(path, IOTC_PATH_ACCOUNT, &name);
        if (r <= 0)
                return r;
        *ret_found = manager_find(b->manager, name);
        return *ret_found ? 1 : 0;
}

static int account_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
                             sd_bus_error *error) {
        const Bus *b = ((Link *)userdata)->bus;
        char **paths;
        size_t n = 0;
        Keeper *k;
        int r;

        while (manager_account(b->manager, n))
                n++;
        paths = calloc(n + 1, sizeof(*paths));
        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; (k = manager_account(b->manager, i)); i++) {
                r = account_path(k, &paths[i]);
                if (r < 0) {
                        while (i--)
                                free(paths[i]);
                        free(paths);
                        return r;
                }
        }
        *ret = paths;
        return 0;
}

static int method_get_token(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return get_start(link_of(m), m, userdata, false, error);
}

static int method_refresh(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return refresh_start(link_of(m), m, userdata, error);
}

static int signin_option_read(sd_bus_message *m, const char *key, void *userdata,
                              sd_bus_error *error) {
        SignInWish *wish = userdata;
        int browser, r;

        if (streq(key, "method")) {
                r = sd_bus_message_read(m, "v", "s", &wish->method);
        } else if (streq(key, "browser")) {
                r = sd_bus_message_read(m, "v", "b", &browser);
                wish->browser = r >= 0 && browser;
        } else {
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "The options of a sign-in are 'method' and 'browser'.");
        }
        if (r < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "The option 'method' is of type 's', 'browser' of 'b'.");
        return 0;
}

static int method_sign_in(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP(freep) char *path = NULL;
        Problem problem = { 0 };
        SignInWish wish = { 0 };
        SignIn *signin;
        Link *l = link_of(m);
        int r;

        r = caller_check_manage(l, m, error);
        if (r < 0)
                return r;
        r = dict_read(m, signin_option_read, &wish, error);
        if (r < 0)
                return r;
        r = keeper_sign_in(userdata, &wish, &signin, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = signin_path(signin, &path);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "o", path);
}

static void account_on_done(const Problem *problem, void *userdata) {
        if (problem->outcome == OUTCOME_OK)
                call_done(userdata);
        else
                call_fail(userdata, problem);
}

static int method_sign_out(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Problem problem = { 0 };
        Call *call;
        Link *l = link_of(m);
        int r;

        r = caller_check_manage(l, m, error);
        if (r < 0)
                return r;
        r = call_new(&call, l, m, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = keeper_sign_out(userdata, &call->keeper_op, account_on_done, call, &problem);
        if (r != 0) {
                call_drop(call);
                return handler_result(r, &problem, error);
        }
        return 1;
}

static int method_set_secret(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Problem problem = { 0 };
        const char *secret;
        Call *call;
        Link *l = link_of(m);
        int r;

        r = caller_check_manage(l, m, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read_basic(m, 's', &secret);
        if (r < 0)
                return r;
        r = call_new(&call, l, m, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = keeper_set_secret(userdata, secret, &call->keeper_op, account_on_done, call, &problem);
        if (r != 0) {
                call_drop(call);
                return handler_result(r, &problem, error);
        }
        return 1;
}

static void remove_on_done(Keeper *added, const Problem *problem, void *userdata) {
        account_on_done(problem, userdata);
}

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Problem problem = { 0 };
        Link *l = link_of(m);
        Call *call;
        int r;

        r = caller_check_manage(l, m, error);
        if (r < 0)
                return r;
        r = call_new(&call, l, m, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = manager_remove(l->bus->manager, userdata, &call->manager_op, remove_on_done, call,
                           &problem);
        if (r == 0 && call->manager_op)
                return 1;
        call_drop(call);
        if (r != 0)
                return handler_result(r, &problem, error);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_forget(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Problem problem = { 0 };
        Link *l = link_of(m);
        int r;

        r = caller_check_manage(l, m, error);
        if (r < 0)
                return r;
        r = manager_forget(l->bus->manager, userdata, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_configure(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP(account_freep) Account *a = NULL;
        Problem problem = { 0 };
        Link *l = link_of(m);
        int r;

        r = caller_check_manage(l, m, error);
        if (r < 0)
                return r;
        r = manager_check_changeable(l->bus->manager, userdata, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        r = account_copy(&a, keeper_account(userdata));
        if (r < 0)
                return r;
        r = settings_read(m, a, NULL, error);
        if (r < 0)
                return r;
        r = manager_configure(l->bus->manager, userdata, STEAL(a), &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        return sd_bus_reply_method_return(m, NULL);
}

static int property_get_text(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error) {
        const Account *a = keeper_account(userdata);
        const char *value = NULL;
        bool bearer =
                a->source == ACCOUNT_SOURCE_ENTRA || a->source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS;
        KeeperView view;

        keeper_view(userdata, &view);
        if (streq(property, "Name"))
                value = a->name;
        else if (streq(property, "Source"))
                value = account_source_to_string(a->source);
        else if (streq(property, "Authority"))
                value = bearer ? a->authority : NULL;
        else if (streq(property, "Tenant"))
                value = a->source == ACCOUNT_SOURCE_API_TOKEN ? NULL : view.tenant;
        else if (streq(property, "ClientId"))
                value = bearer ? account_client_id(a) : NULL;
        else if (streq(property, "Resource"))
                value = account_is_bearer(a) ? a->resource : NULL;
        else if (streq(property, "User"))
                value = view.user;
        else if (streq(property, "State"))
                value = keeper_state_to_string(view.state);
        return sd_bus_message_append(reply, "s", value ? value : "");
}

static int property_get_time(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error) {
        KeeperView view;
        uint64_t value;

        keeper_view(userdata, &view);
        value = streq(property, "ExpiresAt")       ? view.expires_at
                : streq(property, "RefreshAt")     ? view.refresh_at
                : streq(property, "LastRefreshAt") ? view.last_refresh_at
                                                   : view.last_used_at;
        return sd_bus_message_append(reply, "t", value);
}

static int property_get_last_error(sd_bus *bus, const char *path, const char *interface,
                                   const char *property, sd_bus_message *reply, void *userdata,
                                   sd_bus_error *error) {
        KeeperView view;

        keeper_view(userdata, &view);
        return sd_bus_message_append(reply, "(ss)", outcome_to_error_name(view.last_error->outcome),
                                     problem_text(view.last_error));
}

static int property_get_apps(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error) {
        return sd_bus_message_append_strv(reply, keeper_account(userdata)->apps);
}

static int property_set_apps(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *value, void *userdata,
                             sd_bus_error *error) {
        CLEANUP(account_freep) Account *a = NULL;
        CLEANUP(freep) char *text = NULL;
        CLEANUP(freep) char **apps = NULL; /* the strings are ours as well */
        Problem problem = { 0 };
        Link *l = link_of(value);
        int r;

        r = caller_check_manage(l, value, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read_strv(value, &apps);
        if (r < 0)
                return r;
        r = manager_check_changeable(l->bus->manager, userdata, &problem);
        if (r == 0)
                r = account_copy(&a, keeper_account(userdata));
        if (r == 0) {
                r = account_set(a, "apps", (const char *const *)(apps ? apps : (char *[]){ NULL }),
                                ACCOUNT_ORIGIN_BUS, &text);
                if (r > 0)
                        r = problem_set(&problem, OUTCOME_INVALID_ARGS, "%s: %s.", a->name, text);
        }
        if (r == 0)
                r = manager_configure(l->bus->manager, userdata, STEAL(a), &problem);
        for (char **app = apps; app && *app; app++)
                free(*app);
        return handler_result(r, &problem, error);
}

#define METHOD_FLAGS (SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE)
#define TEXT(name) \
        SD_BUS_PROPERTY(name, "s", property_get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define TIME(name) \
        SD_BUS_PROPERTY(name, "t", property_get_time, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable account_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetToken", SD_BUS_ARGS("a{sv}", options),
                                SD_BUS_RESULT("s", token, "s", type, "t", expires_at),
                                method_get_token, METHOD_FLAGS),
        SD_BUS_METHOD_WITH_ARGS("Refresh", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_refresh,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SignIn", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", signin),
                                method_sign_in, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SignOut", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_sign_out,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_remove,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Forget", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_forget,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Configure", SD_BUS_ARGS("a{sv}", settings), SD_BUS_NO_RESULT,
                                method_configure, METHOD_FLAGS),
        SD_BUS_METHOD_WITH_ARGS("SetSecret", SD_BUS_ARGS("s", secret), SD_BUS_NO_RESULT,
                                method_set_secret, METHOD_FLAGS),
        SD_BUS_PROPERTY("Name", "s", property_get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        TEXT("Source"),
        SD_BUS_WRITABLE_PROPERTY("Apps", "as", property_get_apps, property_set_apps, 0,
                                 SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED),
        TEXT("Authority"),
        TEXT("Tenant"),
        TEXT("ClientId"),
        TEXT("Resource"),
        TEXT("User"),
        TEXT("State"),
        TIME("ExpiresAt"),
        TIME("RefreshAt"),
        TIME("LastRefreshAt"),
        SD_BUS_PROPERTY("LastError", "(ss)", property_get_last_error, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("LastUsedAt", "t", property_get_time, 0, 0),
        SD_BUS_VTABLE_END,
};

int account_serve(Link *l) {
        int r;

        r = sd_bus_add_fallback_vtable(l->sd, NULL, IOTC_PATH_ACCOUNT, IOTC_INTERFACE_ACCOUNT,
                                       account_vtable, account_find, l);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(l->sd, NULL, IOTC_PATH_ACCOUNT, account_enumerate, l);
}

void account_emit(Link *l, Keeper *k, unsigned what) {
        static const struct {
                unsigned what;
                const char *name;
        } properties[] = {
                { ACCOUNT_CHANGED_SETTINGS, "Source" },
                { ACCOUNT_CHANGED_SETTINGS, "Apps" },
                { ACCOUNT_CHANGED_SETTINGS, "Authority" },
                { ACCOUNT_CHANGED_SETTINGS | ACCOUNT_CHANGED_USER, "Tenant" },
                { ACCOUNT_CHANGED_SETTINGS, "ClientId" },
                { ACCOUNT_CHANGED_SETTINGS, "Resource" },
                { ACCOUNT_CHANGED_USER, "User" },
                { ACCOUNT_CHANGED_STATE, "State" },
                { ACCOUNT_CHANGED_EXPIRES_AT, "ExpiresAt" },
                { ACCOUNT_CHANGED_REFRESH_AT, "RefreshAt" },
                { ACCOUNT_CHANGED_LAST_REFRESH_AT, "LastRefreshAt" },
                { ACCOUNT_CHANGED_LAST_ERROR, "LastError" },
        };
        CLEANUP(freep) char *path = NULL;
        const char *names[ARRAY_SIZE(properties) + 1];
        size_t n = 0;

        if (account_path(k, &path) < 0)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
                if (properties[i].what & what)
                        names[n++] = properties[i].name;
        names[n] = NULL;
        (void)sd_bus_emit_properties_changed_strv(l->sd, path, IOTC_INTERFACE_ACCOUNT,
                                                  (char **)names);
}
