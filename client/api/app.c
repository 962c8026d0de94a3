/* SPDX-License-Identifier: MIT */
#include "api/app.h"
#include "base/bus.h"
#include "base/say.h"

const char *app_or_environment(const char *app) {
        const char *environment = getenv("IOTC_TOKEN_APP");

        if (app || str_empty(environment))
                return app;
        return environment;
}

int app_of_account(const Verb *verb, char **ret, const char *account) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties properties = { 0 };
        CLEANUP(freep) char *path = NULL;
        char *const *apps;
        const char *name;
        int r;

        r = bus_open(&bus);
        r = r ?: bus_find_account(bus, account, &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &properties);
        if (r)
                return r;
        name = properties_string(&properties, "Name");
        apps = properties_strings(&properties, "Apps");
        if (!apps[0])
                return args_wrong(verb, "which application? '%s' lists none: add --app HOST", name);
        if (apps[1])
                return args_wrong(verb, "which application? '%s' lists %s, %s%s: add --app HOST",
                                  name, apps[0], apps[1], apps[2] ? " ..." : "");
        *ret = strdup(apps[0]);
        return *ret ? 0 : fail_errno(-ENOMEM);
}
