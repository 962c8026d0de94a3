/* SPDX-License-Identifier: MIT */
/*
 * See global.h. A suffix decides where tokens may go without being asked for by name, so it
 * is a domain below a top-level one; a proxy's password would be a secret in clear, so it is in a
 * file of its own.
 */
#include "io/config/global.h"
#include "common/host.h"
#include "model/account.h"
#include "model/limits.h"
#include "model/strv.h"
#include "model/value.h"

typedef struct ConfigGlobal {
        const char *key;
        size_t offset; /* in ConfigGlobals: of a char *, or of a char ** when it is a list */
        bool list;
        const char *expected;
        /* A checked copy, caller frees: 0, -EINVAL, -ENOMEM. */
        int (*read)(char **ret, const char *value);
} ConfigGlobal;

static int global_read_name(char **ret, const char *value) {
        return account_name_valid(value) ? value_read_any(ret, value) : -EINVAL;
}

static int global_read_suffix(char **ret, const char *value) {
        CLEANUP(freep) char *host = NULL;
        int r;

        r = host_normalize(&host, value + (*value == '.'));
        if (r < 0)
                return r;
        if (strpbrk(value, ":/") || !strchr(host, '.'))
                return -EINVAL;
        *ret = STEAL(host);
        return 0;
}

/* What curl and az both understand. */
static int global_read_proxy(char **ret, const char *value) {
        CLEANUP(freep) char *host = NULL, *address = NULL;
        size_t n;
        int r;

        n = str_starts(value, "http://") ? 7 : str_starts(value, "https://") ? 8 : 0;
        if (n == 0)
                return -EINVAL;
        address = strdup(value + n);
        if (!address)
                return -ENOMEM;
        n = strlen(address);
        if (n > 0 && address[n - 1] == '/')
                address[n - 1] = 0;
        /* Bare, so that no scheme stands in front of it once more. */
        r = strchr(address, '/') ? -EINVAL : host_normalize(&host, address);
        return r < 0 ? r : value_read_any(ret, value);
}

static int global_read_store(char **ret, const char *value) {
        return streq(value, "keyring") || streq(value, "file") ? value_read_any(ret, value)
                                                               : -EINVAL;
}

static int global_read_switch(char **ret, const char *value) {
        return streq(value, "yes") || streq(value, "no") ? value_read_any(ret, value) : -EINVAL;
}

static const ConfigGlobal config_globals[] = {
        { "default", offsetof(ConfigGlobals, default_account), false,
          "expected the name of an account", global_read_name },
        { "app-suffixes", offsetof(ConfigGlobals, app_suffixes), true,
          "expected domains such as azureiotcentral.com", global_read_suffix },
        { "proxy", offsetof(ConfigGlobals, proxy), false,
          "expected http://HOST:PORT; a user and password go into a file that proxy-credentials "
          "names",
          global_read_proxy },
        { "proxy-credentials", offsetof(ConfigGlobals, proxy_credentials), false,
          "expected the absolute path of a file with USER:PASSWORD", value_read_path },
        { "ca-bundle", offsetof(ConfigGlobals, ca_bundle), false, "expected an absolute path",
          value_read_path },
        { "store", offsetof(ConfigGlobals, store), false,
          "expected keyring, or file (and then key-file, or a systemd credential)",
          global_read_store },
        { "key-file", offsetof(ConfigGlobals, key_file), false, "expected an absolute path",
          value_read_path },
        { "notifications", offsetof(ConfigGlobals, notifications), false, "expected yes or no",
          global_read_switch },
};

static char **global_text(const ConfigGlobals *g, const ConfigGlobal *s) {
        return (char **)((char *)g + s->offset);
}

static char ***global_list(const ConfigGlobals *g, const ConfigGlobal *s) {
        return (char ***)((char *)g + s->offset);
}

static int global_refuse(char **ret_problem, const ConfigGlobal *s, const char *expected) {
        return asprintf(ret_problem, "%s: %s", s->key, expected) < 0 ? -ENOMEM
                                                                     : ACCOUNT_E_BAD_VALUE;
}

static int global_set_text(ConfigGlobals *g, const ConfigGlobal *s, const char *value,
                           char **ret_problem) {
        char *text = NULL;
        int r;

        r = s->read(&text, value);
        if (r == -EINVAL)
                return global_refuse(ret_problem, s, s->expected);
        if (r < 0)
                return r;
        free(*global_text(g, s));
        *global_text(g, s) = text;
        return 0;
}

static int global_set_list(ConfigGlobals *g, const ConfigGlobal *s, const char *const *values,
                           char **ret_problem) {
        CLEANUP(strv_freep) char **list = NULL;
        size_t n = strv_length(values);
        int r;

        if (n > LIST_ENTRIES_MAX)
                return global_refuse(ret_problem, s, "too many entries");
        list = calloc(n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                r = s->read(&list[i], values[i]);
                if (r == -EINVAL)
                        return global_refuse(ret_problem, s, s->expected);
                if (r < 0)
                        return r;
        }
        strv_free(*global_list(g, s));
        *global_list(g, s) = STEAL(list);
        return 0;
}

int config_global_set(ConfigGlobals *g, const char *key, const char *const *values,
                      char **ret_problem) {
        for (size_t i = 0; i < ARRAY_SIZE(config_globals); i++) {
                const ConfigGlobal *s = &config_globals[i];

                if (!streq(s->key, key))
                        continue;
                if (s->list)
                        return global_set_list(g, s, values, ret_problem);
                return global_set_text(g, s, values[0], ret_problem);
        }
        *ret_problem =
                strdup("not a setting of [iotc-token], which has default, app-suffixes, "
                       "proxy, proxy-credentials, ca-bundle, store, key-file, notifications");
        return *ret_problem ? ACCOUNT_E_UNKNOWN_KEY : -ENOMEM;
}

bool config_global_is_list(const char *key) {
        for (size_t i = 0; i < ARRAY_SIZE(config_globals); i++)
                if (streq(config_globals[i].key, key))
                        return config_globals[i].list;
        return false;
}

void config_globals_each(const ConfigGlobals *g,
                         void (*fn)(const char *key, const char *const *values, void *userdata),
                         void *userdata) {
        for (size_t i = 0; i < ARRAY_SIZE(config_globals); i++) {
                const ConfigGlobal *s = &config_globals[i];
                const char *one[2] = { NULL, NULL };

                if (s->list) {
                        if (*global_list(g, s))
                                fn(s->key, (const char *const *)*global_list(g, s), userdata);
                } else if (*global_text(g, s)) {
                        one[0] = *global_text(g, s);
                        fn(s->key, one, userdata);
                }
        }
}

void config_globals_deinit(ConfigGlobals *g) {
        for (size_t i = 0; i < ARRAY_SIZE(config_globals); i++) {
                const ConfigGlobal *s = &config_globals[i];

                if (s->list)
                        strv_free(*global_list(g, s));
                else
                        free(*global_text(g, s));
        }
        *g = (ConfigGlobals){ 0 };
}
