/* SPDX-License-Identifier: MIT */
/*
 * What the daemon sees of the world, for a client that sees another one: a shell has variables that
 * a service does not get, and the other way round.
 */
#include "bus/objects.h"
#include "common/text.h"
#include "model/limits.h"

int property_get_settings_files(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error) {
        const Manager *m = ((Link *)userdata)->bus->manager;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        for (int user = 0; r >= 0 && user <= 1; user++) {
                CLEANUP(freep) char *shown = NULL;
                const char *file = manager_settings_path(m, user);

                if (!file)
                        continue;
                shown = text_clean(file, PATH_LENGTH_MAX);
                r = shown ? sd_bus_message_append(reply, "s", shown) : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* A proxy's URL goes without what is before its last '@': that is a user's name and password. */
static int environment_append(sd_bus_message *reply, const char *name, const char *value) {
        const char *at = strcasestr(name, "proxy") ? strrchr(value, '@') : NULL;
        const char *scheme = strstr(value, "://");
        CLEANUP(freep) char *entry = NULL, *shown = NULL;
        int n = at && scheme && scheme < at ? (int)(scheme + strlen("://") - value) : 0;

        if (asprintf(&entry, "%s=%.*s%s", name, n, value, at ? at + 1 : value) < 0) {
                entry = NULL;
                return -ENOMEM;
        }
        shown = text_clean(entry, PATH_LENGTH_MAX);
        return shown ? sd_bus_message_append(reply, "s", shown) : -ENOMEM;
}

int property_get_environment(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error) {
        static const char *const names[] = {
                "HOME",        "PATH",      "XDG_CONFIG_HOME", "AZURE_CONFIG_DIR", "https_proxy",
                "HTTPS_PROXY", "all_proxy", "ALL_PROXY",       "no_proxy",         "NO_PROXY",
        };
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(names); i++) {
                const char *value = getenv(names[i]);

                if (!str_empty(value))
                        r = environment_append(reply, names[i], value);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}
