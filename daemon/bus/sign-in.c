/* SPDX-License-Identifier: MIT */
/*
 * org.iotc.Token1.SignIn: one object a sign-in that is pending or has just ended.
 */
#include <iotc-dbus.h>

#include "bus/objects.h"
#include "keeper/signin.h"

/* Each sign-in of each account, until fn says stop by a value other than 0. */
static int signins_each(const Bus *b, int (*fn)(SignIn *s, void *userdata), void *userdata) {
        Keeper *k;

        for (size_t i = 0; (k = manager_account(b->manager, i)); i++)
                for (SignIn *s = keeper_signins(k); s; s = signin_next(s)) {
                        int r = fn(s, userdata);

                        if (r != 0)
                                return r;
                }
        return 0;
}

typedef struct Search {
        uint64_t number;
        SignIn *found;
} Search;

static int search_signin(SignIn *s, void *userdata) {
        Search *search = userdata;
        SignInView view;

        signin_view(s, &view);
        if (view.number == search->number)
                search->found = s;
        return search->found != NULL;
}

static int signin_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                       void **ret_found, sd_bus_error *error) {
        CLEANUP(freep) char *expected = NULL;
        Search search = { 0 };
        int r;

        if (!str_starts(path, IOTC_PATH_SIGNIN "/"))
                return 0;
        search.number = strtoull(path + strlen(IOTC_PATH_SIGNIN "/"), NULL, 10);
        (void)signins_each(((Link *)userdata)->bus, search_signin, &search);
        if (!search.found)
                return 0;
        r = signin_path(search.found, &expected);
        if (r < 0)
                return r;
        if (!streq(path, expected))
                return 0;
        *ret_found = search.found;
        return 1;
}

typedef struct Paths {
        char **list;
        size_t n;
} Paths;

static int paths_append(SignIn *s, void *userdata) {
        Paths *paths = userdata;
        char **list;
        int r;

        list = reallocarray(paths->list, paths->n + 2, sizeof(*list));
        if (!list)
                return -ENOMEM;
        paths->list = list;
        r = signin_path(s, &list[paths->n]);
        if (r < 0)
                return r;
        list[++paths->n] = NULL;
        return 0;
}

static int signin_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
                            sd_bus_error *error) {
        Paths paths = { 0 };
        int r;

        r = signins_each(((Link *)userdata)->bus, paths_append, &paths);
        if (r < 0) {
                while (paths.n)
                        free(paths.list[--paths.n]);
                free(paths.list);
                return r;
        }
        *ret = paths.list;
        return 0;
}

static int method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        int r;

        r = caller_check_manage(link_of(m), m, error);
        if (r < 0)
                return r;
        signin_cancel(userdata);
        return sd_bus_reply_method_return(m, NULL);
}

static int property_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        CLEANUP(freep) char *account = NULL;
        SignInView view;
        int r;

        signin_view(userdata, &view);
        if (streq(property, "Account")) {
                r = account_path(view.keeper, &account);
                if (r < 0)
                        return r;
                return sd_bus_message_append(reply, "o", account);
        }
        if (streq(property, "ExpiresAt"))
                return sd_bus_message_append(reply, "t", view.expires_at);
        if (streq(property, "Error"))
                return sd_bus_message_append(reply, "(ss)",
                                             outcome_to_error_name(view.error->outcome),
                                             problem_text(view.error));
        return sd_bus_message_append(reply, "s",
                                     streq(property, "Method")            ? view.method
                                     : streq(property, "UserCode")        ? view.user_code
                                     : streq(property, "VerificationUri") ? view.verification_uri
                                     : streq(property, "Message")
                                             ? view.message
                                             : signin_state_to_string(view.state));
}

#define CHANGING(name, type) \
        SD_BUS_PROPERTY(name, type, property_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable signin_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_cancel,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Account", "o", property_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        CHANGING("Method", "s"),
        CHANGING("UserCode", "s"),
        CHANGING("VerificationUri", "s"),
        CHANGING("Message", "s"),
        CHANGING("ExpiresAt", "t"),
        CHANGING("State", "s"),
        CHANGING("Error", "(ss)"),
        SD_BUS_VTABLE_END,
};

int signin_serve(Link *l) {
        int r;

        r = sd_bus_add_fallback_vtable(l->sd, NULL, IOTC_PATH_SIGNIN, IOTC_INTERFACE_SIGNIN,
                                       signin_vtable, signin_find, l);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(l->sd, NULL, IOTC_PATH_SIGNIN, signin_enumerate, l);
}

void signin_emit(Link *l, SignIn *s) {
        CLEANUP(freep) char *path = NULL;

        if (signin_path(s, &path) >= 0)
                (void)sd_bus_emit_properties_changed(l->sd, path, IOTC_INTERFACE_SIGNIN, "Method",
                                                     "UserCode", "VerificationUri", "Message",
                                                     "ExpiresAt", "State", "Error", NULL);
}
