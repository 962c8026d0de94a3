/* SPDX-License-Identifier: MIT */
#include "base/bus.h"
#include "base/say.h"
#include "lib/connection.h"

int bus_fail(sd_bus_error *error, int r) {
        int code = sd_bus_error_is_set(error) ? fail_error(error->name, error->message)
                                              : fail_errno(r);

        sd_bus_error_free(error);
        return code;
}

int bus_open(sd_bus **ret) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = connection_open(ret, true, &error);
        return r < 0 ? bus_fail(&error, r) : 0;
}

int bus_open_session(sd_bus **ret) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = connection_open_session(ret, &error);
        return r < 0 ? bus_fail(&error, r) : 0;
}

int bus_open_running(sd_bus **ret) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (connection_daemon_runs())
                return bus_open(ret);
        r = bus_open_session(&bus);
        if (r)
                return r;
        /* Whatever else is wrong the next call says, better. */
        if (sd_bus_get_name_creds(bus, IOTC_BUS_NAME, 0, NULL) == -ENXIO) {
                (void)sd_bus_error_set(&error, SD_BUS_ERROR_NAME_HAS_NO_OWNER, NULL);
                (void)connection_explain(&error);
                return bus_fail(&error, -ENXIO);
        }
        *ret = STEAL(bus);
        return 0;
}

int bus_match(sd_bus *bus, sd_bus_slot **ret, const char *rule, sd_bus_message_handler_t handler,
              void *userdata) {
        CLEANUP(freep) char *whole = NULL;

        /* By the daemon's own socket signals have no sender, and there is no other. */
        if (asprintf(&whole, "type='signal',%s%s", rule,
                     connection_is_direct(bus) ? "" : ",sender='" IOTC_BUS_NAME "'") < 0) {
                whole = NULL;
                return -ENOMEM;
        }
        return sd_bus_add_match(bus, ret, whole, handler, userdata);
}

int bus_method(sd_bus *bus, sd_bus_message **ret, const char *path, const char *interface,
               const char *member) {
        int r;

        r = sd_bus_message_new_method_call(bus, ret, IOTC_BUS_NAME, path, interface, member);
        return r < 0 ? fail_errno(r) : 0;
}

int bus_call_unless(sd_bus *bus, sd_bus_message *m, unsigned timeout_sec, const char *name,
                    sd_bus_message **ret) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = connection_call(bus, m, false, timeout_sec * USEC_PER_SEC, &error, ret);
        if (r >= 0)
                return 0;
        if (name && sd_bus_error_has_name(&error, name)) {
                sd_bus_error_free(&error);
                return -1;
        }
        return bus_fail(&error, r);
}

int bus_call_lost(sd_bus *bus, sd_bus_message *m, unsigned timeout_sec, const char *name,
                  bool *ret_lost) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = connection_call(bus, m, false, timeout_sec * USEC_PER_SEC, &error, NULL);
        if (r >= 0)
                return 0;
        *ret_lost =
                connection_went_away(&error) || sd_bus_error_has_name(&error, SD_BUS_ERROR_TIMEOUT);
        if (!*ret_lost && !sd_bus_error_has_name(&error, name))
                return bus_fail(&error, r);
        sd_bus_error_free(&error);
        return -1;
}

int bus_call(sd_bus *bus, sd_bus_message *m, unsigned timeout_sec, sd_bus_message **ret) {
        return bus_call_unless(bus, m, timeout_sec, NULL, ret);
}

int bus_account_do(sd_bus *bus, const char *path, const char *member, unsigned timeout_sec) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, member);
        return r ?: bus_call(bus, m, timeout_sec, NULL);
}

int bus_find_account_unless(sd_bus *bus, const char *selector, const char *name, char **ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r;

        r = bus_method(bus, &m, IOTC_PATH, IOTC_INTERFACE_MANAGER, "FindAccount");
        if (r)
                return r;
        r = sd_bus_message_append(m, "s", selector);
        if (r < 0)
                return fail_errno(r);
        r = bus_call_unless(bus, m, BUS_TIMEOUT_SEC, name, &reply);
        if (r)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return fail_errno(r);
        *ret = strdup(path);
        return *ret ? 0 : fail_errno(-ENOMEM);
}

int bus_find_account(sd_bus *bus, const char *selector, char **ret) {
        return bus_find_account_unless(bus, selector, NULL, ret);
}

int bus_get_all(sd_bus *bus, const char *path, const char *interface, Properties *properties) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = bus_method(bus, &m, path, "org.freedesktop.DBus.Properties", "GetAll");
        if (r)
                return r;
        r = sd_bus_message_append(m, "s", interface);
        if (r < 0)
                return fail_errno(r);
        r = bus_call(bus, m, BUS_TIMEOUT_SEC, &reply);
        if (r)
                return r;
        r = properties_read(properties, reply);
        return r < 0 ? fail_errno(r) : 0;
}

void accounts_deinit(Accounts *accounts) {
        for (size_t i = 0; i < accounts->n; i++)
                properties_deinit(&accounts->items[i]);
        free(accounts->items);
        *accounts = (Accounts){ 0 };
}

int bus_read_account(sd_bus_message *m, Properties *properties) {
        const char *interface;
        int r, found = 0;

        r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read(m, "s", &interface);
                if (r < 0)
                        return r;
                if (streq(interface, IOTC_INTERFACE_ACCOUNT)) {
                        r = properties_read(properties, m);
                        found = 1;
                } else {
                        r = sd_bus_message_skip(m, "a{sv}");
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : found;
}

static int accounts_put(Accounts *accounts, Properties *properties) {
        Properties *items;

        items = reallocarray(accounts->items, accounts->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        accounts->items = items;
        items[accounts->n++] = *properties;
        *properties = (Properties){ 0 };
        return 0;
}

/* One object, {oa{sa{sv}}}: kept if it is an account. */
static int accounts_read_object(Accounts *accounts, sd_bus_message *m) {
        CLEANUP(properties_deinit) Properties properties = { 0 };
        const char *path;
        int r;

        r = sd_bus_message_read(m, "o", &path);
        if (r >= 0)
                r = bus_read_account(m, &properties);
        return r > 0 ? accounts_put(accounts, &properties) : r;
}

static int accounts_read(Accounts *accounts, sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = accounts_read_object(accounts, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int account_compare(const void *a, const void *b) {
        return strcmp(properties_string(a, "Name"), properties_string(b, "Name"));
}

int bus_read_accounts(sd_bus_message *m, Accounts *ret) {
        CLEANUP(accounts_deinit) Accounts accounts = { 0 };
        int r;

        r = accounts_read(&accounts, m);
        if (r < 0)
                return r;
        if (accounts.n)
                qsort(accounts.items, accounts.n, sizeof(*accounts.items), account_compare);

        *ret = accounts;
        accounts = (Accounts){ 0 };
        return 0;
}

int bus_get_accounts(sd_bus *bus, Accounts *ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = bus_method(bus, &m, IOTC_PATH, "org.freedesktop.DBus.ObjectManager",
                       "GetManagedObjects");
        if (r)
                return r;
        r = bus_call(bus, m, BUS_TIMEOUT_SEC, &reply);
        if (r)
                return r;
        r = bus_read_accounts(reply, ret);
        return r < 0 ? fail_errno(r) : 0;
}

char *account_name(const char *path) {
        char *name = NULL;

        return sd_bus_path_decode(path, IOTC_PATH_ACCOUNT, &name) > 0 ? name : NULL;
}

int bus_append_list(sd_bus_message *m, const char *key, const StringList *list) {
        int r;

        if (list->n == 0)
                return 0;
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **)list->items);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
