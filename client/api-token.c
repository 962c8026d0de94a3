/* SPDX-License-Identifier: MIT */
#include "api-token.h"
#include "say.h"

int api_token_add(sd_bus *bus, const char *name, const char *secret, const StringList *apps) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, IOTC_PATH, IOTC_INTERFACE_MANAGER, "AddAccount");
        if (r)
                return r;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", name, "api-token");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "secret", "s", secret);
        if (r >= 0)
                r = bus_append_list(m, "apps", apps);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return fail_errno(r);
        return bus_call_unless(bus, m, BUS_TIMEOUT_SEC, IOTC_ERROR_ACCOUNT_EXISTS, NULL);
}

int api_token_set(sd_bus *bus, const char *path, const char *secret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, "SetSecret");
        if (r)
                return r;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", secret);
        return r < 0 ? fail_errno(r) : bus_call(bus, m, BUS_TIMEOUT_SEC, NULL);
}

int api_token_set_apps(sd_bus *bus, const char *path, const StringList *apps) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (apps->n == 0)
                return 0;
        r = bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, "Configure");
        if (r)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = bus_append_list(m, "apps", apps);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? fail_errno(r) : bus_call(bus, m, BUS_TIMEOUT_SEC, NULL);
}
