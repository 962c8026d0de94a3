/* SPDX-License-Identifier: MIT */
/*
 * Options and settings: a{sv}. A key that comes twice is refused (to the D-Bus specification such a
 * message is corrupt), or the message of a call that waits could be of any size.
 */
#include "bus/link.h"
#include "model/limits.h"

/* Remember a key. 0, or what a handler returns. */
static int key_note(const char *keys[LIMIT_KEYS], size_t *n, const char *key, sd_bus_error *error) {
        for (size_t i = 0; i < *n; i++)
                if (streq(keys[i], key))
                        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                                "One of the options or settings is there twice.");
        if (*n == LIMIT_KEYS)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "There are too many options or settings.");
        keys[(*n)++] = key;
        return 0;
}

int dict_read(sd_bus_message *m, DictFn fn, void *userdata, sd_bus_error *error) {
        const char *keys[LIMIT_KEYS], *key;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &key);
                if (r >= 0)
                        r = key_note(keys, &n, key, error);
                if (r >= 0)
                        r = fn(m, key, userdata, error);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
