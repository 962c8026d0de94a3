/* SPDX-License-Identifier: MIT */
/*
 * Settings as they come over D-Bus (a{sv}), into an Account.
 */
#include <iotc-dbus.h>

#include "bus/calls.h"
#include "common/secret.h"
#include "common/text.h"
#include "model/limits.h"

/* The reply repeats the key: cut short, but never inside a character. */
static int key_refuse(const char *key, const char *problem, sd_bus_error *error) {
        CLEANUP(freep) char *shown = text_clean(key, LIMIT_KEY_SHOWN);

        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "The setting '%s' %s.",
                                 shown ? shown : "", problem);
}

/* One value or a list, as a list; the strings belong to the message. */
static int values_read(sd_bus_message *m, const char *key, const char *ret[LIST_ENTRIES_MAX + 1],
                       sd_bus_error *error) {
        const char *contents;
        size_t n = 0;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (!streq(contents, "s") && !streq(contents, "as"))
                return key_refuse(key, "must be of type 's' or 'as'", error);
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        if (streq(contents, "s")) {
                r = sd_bus_message_read_basic(m, 's', &ret[n++]);
                if (r < 0)
                        return r;
        } else {
                r = sd_bus_message_enter_container(m, 'a', "s");
                if (r < 0)
                        return r;
                while (n < LIST_ENTRIES_MAX && (r = sd_bus_message_read_basic(m, 's', &ret[n])) > 0)
                        n++;
                if (r < 0)
                        return r;
                if (sd_bus_message_at_end(m, false) <= 0)
                        return key_refuse(key, "has too many entries", error);
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        ret[n] = NULL;
        return sd_bus_message_exit_container(m);
}

static int secret_take(const char *const *values, char **secret, sd_bus_error *error) {
        if (!values[0] || values[1])
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "The setting 'secret' is one string.");
        *secret = secret_dup(values[0]);
        return *secret ? 0 : -ENOMEM;
}

typedef struct Target {
        Account *account;
        char **secret;
} Target;

static int setting_take(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        const char *values[LIST_ENTRIES_MAX + 1];
        CLEANUP(freep) char *problem = NULL;
        const Target *target = userdata;
        int r;

        r = values_read(m, key, values, error);
        if (r < 0)
                return r;
        if (target->secret && streq(key, "secret"))
                return secret_take(values, target->secret, error);
        r = account_set(target->account, key, values, ACCOUNT_ORIGIN_BUS, &problem);
        switch (r) {
        case ACCOUNT_E_UNKNOWN_KEY:
        case ACCOUNT_E_BAD_VALUE:
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s: %s.",
                                         target->account->name, problem);
        case ACCOUNT_E_FILE_ONLY:
                return sd_bus_error_setf(error, IOTC_ERROR_DENIED, "%s: %s.", target->account->name,
                                         problem);
        default:
                return r;
        }
}

int settings_read(sd_bus_message *m, Account *a, char **secret, sd_bus_error *error) {
        Target target = { .account = a, .secret = secret };
        CLEANUP(freep) char *problem = NULL;
        int r;

        r = dict_read(m, setting_take, &target, error);
        if (r < 0)
                return r;
        r = account_check(a, &problem);
        if (r > 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s: %s.", a->name,
                                         problem);
        return r;
}
