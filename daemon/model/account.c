/* SPDX-License-Identifier: MIT */
/*
 * See account.h. One const table says for every setting which sources have it, where it lives in an
 * Account, what it is without a word and how a value is checked and made comparable. Setting,
 * copying, listing and freeing all walk that table: a new setting is one row.
 */
#include <stdarg.h>

#include "common/host.h"
#include "common/memory.h"
#include "model/account.h"
#include "model/limits.h"
#include "model/strv.h"
#include "model/value.h"

#define ACCOUNT_DEFAULT_AUTHORITY "https://login.microsoftonline.com"
#define ACCOUNT_DEFAULT_RESOURCE  "https://apps.azureiotcentral.com"
#define ACCOUNT_DEFAULT_TENANT    "organizations"
/* Reserved for the account that is there without being set up. */
#define ACCOUNT_NAME_AZURE_CLI    "azure-cli"

#define ENTRA      (1U << ACCOUNT_SOURCE_ENTRA)
#define AZURE_CLI  (1U << ACCOUNT_SOURCE_AZURE_CLI)
#define CREDENTIAL (1U << ACCOUNT_SOURCE_CLIENT_CREDENTIALS)
#define API_TOKEN  (1U << ACCOUNT_SOURCE_API_TOKEN)
#define COMMAND    (1U << ACCOUNT_SOURCE_COMMAND)
#define ALL        (ENTRA | AZURE_CLI | CREDENTIAL | API_TOKEN | COMMAND)

typedef struct AccountSetting {
        const char *key;
        unsigned sources; /* bits: which have it */
        size_t offset;    /* of a char *, or of a char ** when it is a list */
        bool list;
        bool file_only;
        const char *fallback; /* the value without a word, or NULL */
        const char *expected; /* what a value has to be, for a person */
        /* A checked copy in its one spelling, caller frees: 0, -EINVAL. */
        int (*read)(char **ret, const char *value);
} AccountSetting;

/* In the order in which they are written. A key may have a row for each kind of source. */
static const AccountSetting account_settings[] = {
        { "sign-in", ENTRA, offsetof(Account, sign_in), false, false, "auto",
          "expected auto, browser or device-code", value_read_sign_in },
        { "authority", ENTRA | CREDENTIAL, offsetof(Account, authority), false, false,
          ACCOUNT_DEFAULT_AUTHORITY, "expected an https URL without user, query or fragment",
          host_check_url },
        { "tenant", ENTRA | CREDENTIAL, offsetof(Account, tenant), false, false,
          ACCOUNT_DEFAULT_TENANT, "expected a GUID, a domain or organizations", value_read_tenant },
        { "tenant", AZURE_CLI, offsetof(Account, tenant), false, false, NULL,
          "expected a GUID or a domain", value_read_tenant },
        { "subscription", AZURE_CLI, offsetof(Account, subscription), false, false, NULL,
          "expected the name or the id of a subscription", value_read_subscription },
        { "client-id", ENTRA | CREDENTIAL, offsetof(Account, client_id), false, false, NULL,
          "expected the application (client) id of a registration, a GUID", value_read_client_id },
        { "config-dir", AZURE_CLI, offsetof(Account, config_dir), false, true, NULL,
          "expected an absolute path", value_read_path },
        { "az", AZURE_CLI, offsetof(Account, az), false, true, NULL, "expected an absolute path",
          value_read_path },
        { "command", COMMAND, offsetof(Account, command), false, true, NULL,
          "expected an absolute path", value_read_path },
        { "apps", ALL, offsetof(Account, apps), true, false, NULL,
          "expected host names, or https URLs, of applications", host_normalize },
        { "resource", ALL, offsetof(Account, resource), false, false, ACCOUNT_DEFAULT_RESOURCE,
          "expected a URI such as " ACCOUNT_DEFAULT_RESOURCE " or a GUID, not scopes",
          value_read_resource },
        { "resources", ALL, offsetof(Account, resources), true, false, NULL,
          "expected URIs such as " ACCOUNT_DEFAULT_RESOURCE " or GUIDs, not scopes",
          value_read_resource },
};

/* Of no account; a caller on the bus might try all the same. */
static const char *const account_globals[] = { "proxy", "proxy-credentials", "ca-bundle", "store",
                                               "key-file" };
static const char *const account_sources[] = {
        [ACCOUNT_SOURCE_ENTRA] = "entra",
        [ACCOUNT_SOURCE_AZURE_CLI] = "azure-cli",
        [ACCOUNT_SOURCE_CLIENT_CREDENTIALS] = "client-credentials",
        [ACCOUNT_SOURCE_API_TOKEN] = "api-token",
        [ACCOUNT_SOURCE_COMMAND] = "command",
};

static char **account_text(const Account *a, const AccountSetting *s) {
        return (char **)((char *)a + s->offset);
}

static char ***account_list(const Account *a, const AccountSetting *s) {
        return (char ***)((char *)a + s->offset);
}

static bool account_has(const Account *a, const AccountSetting *s) {
        return s->sources & (1U << a->source);
}

/* Write the text and pass the outcome on. */
PRINTF_LIKE(3, 4)
static int account_refuse(char **ret_problem, int outcome, const char *format, ...) {
        va_list args;

        va_start(args, format);
        *ret_problem = xvasprintf(format, args);
        va_end(args);
        return outcome;
}

int account_new(Account **ret, const char *name, AccountSource source) {
        Account *a;

        if (!account_name_valid(name) || source >= _ACCOUNT_SOURCE_MAX)
                return -EINVAL;
        *ret = a = xcalloc(1, sizeof(*a));
        a->source = source;
        a->name = xstrdup(name);
        for (size_t i = 0; i < ARRAY_SIZE(account_settings); i++) {
                const AccountSetting *s = &account_settings[i];

                if (account_has(a, s) && s->fallback)
                        *account_text(a, s) = xstrdup(s->fallback);
        }
        return 0;
}

int account_copy(Account **ret, const Account *from) {
        CLEANUP(account_freep) Account *a = NULL;
        int r;

        r = account_new(&a, from->name, from->source);
        if (r < 0)
                return r;
        a->builtin = from->builtin;
        a->system = from->system;
        a->problem = xstrdup(from->problem);
        for (size_t i = 0; i < ARRAY_SIZE(account_settings); i++) {
                const AccountSetting *s = &account_settings[i];

                if (!account_has(a, s))
                        continue;
                if (s->list) {
                        *account_list(a, s) = strv_copy(*account_list(from, s));
                } else {
                        free(*account_text(a, s));
                        *account_text(a, s) = xstrdup(*account_text(from, s));
                }
        }

        *ret = STEAL(a);
        return 0;
}

Account *account_free(Account *a) {
        if (!a)
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(account_settings); i++) {
                const AccountSetting *s = &account_settings[i];

                if (!account_has(a, s))
                        continue;
                if (s->list)
                        strv_free(*account_list(a, s));
                else
                        free(*account_text(a, s));
        }
        free(a->problem);
        free(a->name);
        free(a);
        return NULL;
}

static int account_set_text(Account *a, const AccountSetting *s, const char *const *values,
                            char **ret_problem) {
        char *text;

        if (values[0] && values[1])
                return account_refuse(ret_problem, ACCOUNT_E_BAD_VALUE, "%s: expected one value",
                                      s->key);
        if (!values[0])
                text = xstrdup(s->fallback);
        else if (s->read(&text, values[0]) < 0)
                return account_refuse(ret_problem, ACCOUNT_E_BAD_VALUE, "%s: %s", s->key,
                                      s->expected);
        free(*account_text(a, s));
        *account_text(a, s) = text;
        return 0;
}

static int account_set_list(Account *a, const AccountSetting *s, const char *const *values,
                            char **ret_problem) {
        CLEANUP(strv_freep) char **list = NULL;
        size_t n = strv_length(values);

        if (n > LIST_ENTRIES_MAX)
                return account_refuse(ret_problem, ACCOUNT_E_BAD_VALUE,
                                      "%s: at most %d entries are possible", s->key,
                                      LIST_ENTRIES_MAX);
        if (n > 0)
                list = xcalloc(n + 1, sizeof(*list));
        for (size_t i = 0; i < n; i++) {
                CLEANUP(freep) char *entry = NULL;

                if (s->read(&entry, values[i]) < 0)
                        return account_refuse(ret_problem, ACCOUNT_E_BAD_VALUE, "%s: %s", s->key,
                                              s->expected);
                if (s->read == host_normalize ? host_in(list, entry) : strv_has(list, entry))
                        return account_refuse(ret_problem, ACCOUNT_E_BAD_VALUE,
                                              "%s: an entry is there twice", s->key);
                list[i] = STEAL(entry);
        }

        strv_free(*account_list(a, s));
        *account_list(a, s) = STEAL(list);
        return 0;
}

/* The names of the source's settings that may come from there. */
static int account_refuse_key(const Account *a, AccountOrigin origin, char **ret_problem) {
        char names[256] = "";

        for (size_t i = 0; i < ARRAY_SIZE(account_settings); i++) {
                const AccountSetting *s = &account_settings[i];
                size_t n = strlen(names);

                if (account_has(a, s) && !(s->file_only && origin == ACCOUNT_ORIGIN_BUS))
                        (void)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "", s->key);
        }
        return account_refuse(ret_problem, ACCOUNT_E_UNKNOWN_KEY,
                              "not a setting of the source %s, which has %s",
                              account_source_to_string(a->source), names);
}

static bool account_key_file_only(const char *key) {
        for (size_t i = 0; i < ARRAY_SIZE(account_globals); i++)
                if (streq(account_globals[i], key))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(account_settings); i++)
                if (streq(account_settings[i].key, key))
                        return account_settings[i].file_only;
        return false;
}

int account_set(Account *a, const char *key, const char *const *values, AccountOrigin origin,
                char **ret_problem) {
        const AccountSetting *setting = NULL;

        if (origin == ACCOUNT_ORIGIN_BUS && account_key_file_only(key))
                return account_refuse(ret_problem, ACCOUNT_E_FILE_ONLY,
                                      "%s: can be set in the settings file only", key);
        for (size_t i = 0; i < ARRAY_SIZE(account_settings) && !setting; i++)
                if (account_has(a, &account_settings[i]) && streq(account_settings[i].key, key))
                        setting = &account_settings[i];
        /* The key isn't quoted: in a file it may be the first part of a pasted secret. */
        if (!setting)
                return account_refuse_key(a, origin, ret_problem);
        if (setting->list)
                return account_set_list(a, setting, values, ret_problem);
        return account_set_text(a, setting, values, ret_problem);
}

bool account_key_is_list(const char *key) {
        for (size_t i = 0; i < ARRAY_SIZE(account_settings); i++)
                if (streq(account_settings[i].key, key))
                        return account_settings[i].list;
        return false;
}

int account_check(const Account *a, char **ret_problem) {
        const char *problem = NULL;

        if (streq(a->name, ACCOUNT_NAME_AZURE_CLI) && a->source != ACCOUNT_SOURCE_AZURE_CLI)
                problem = "the name azure-cli is reserved for an account with source=azure-cli";
        else if (a->tenant && a->subscription)
                problem = "tenant and subscription exclude each other: set one of them";
        else if (a->source == ACCOUNT_SOURCE_COMMAND && !a->command)
                problem = "command is missing: set the absolute path of a program";
        else if (a->source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS && !a->client_id)
                problem = "client-id is missing: a secret belongs to a registration of your own";
        else if (a->source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS &&
                 (streq(a->tenant, "organizations") || streq(a->tenant, "common") ||
                  streq(a->tenant, "consumers")))
                problem = "tenant is missing: client-credentials needs its GUID or a domain of it";

        return problem ? account_refuse(ret_problem, ACCOUNT_E_BAD_VALUE, "%s", problem) : 0;
}

void account_each_setting(const Account *a,
                          void (*fn)(const char *key, const char *const *values, void *userdata),
                          void *userdata) {
        for (size_t i = 0; i < ARRAY_SIZE(account_settings); i++) {
                const AccountSetting *s = &account_settings[i];
                const char *one[2] = { NULL, NULL };

                if (!account_has(a, s))
                        continue;
                if (s->list) {
                        if (*account_list(a, s))
                                fn(s->key, (const char *const *)*account_list(a, s), userdata);
                } else if (!streq(*account_text(a, s), s->fallback)) {
                        one[0] = *account_text(a, s);
                        fn(s->key, one, userdata);
                }
        }
}

bool account_name_valid(const char *name) {
        size_t n = strnlen(name, 65);

        return n >= 1 && n <= 64 && name[0] != '-' && name[0] != '_' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                       n;
}

const char *account_source_to_string(AccountSource source) {
        return account_sources[source];
}

int account_source_from_string(AccountSource *ret, const char *s) {
        for (size_t i = 0; i < ARRAY_SIZE(account_sources); i++) {
                if (streq(account_sources[i], s)) {
                        *ret = i;
                        return 0;
                }
        }
        return -EINVAL;
}

bool account_is_bearer(const Account *a) {
        return a->source != ACCOUNT_SOURCE_API_TOKEN;
}

const char *account_client_id(const Account *a) {
        return a->client_id ?: IOTC_DEFAULT_CLIENT_ID;
}

bool account_same_identity(const Account *a, const Account *b) {
        return a->source == b->source && streq(a->authority, b->authority) &&
               streq(a->tenant, b->tenant) && streq(account_client_id(a), account_client_id(b)) &&
               streq(a->subscription, b->subscription) && streq(a->config_dir, b->config_dir) &&
               streq(a->command, b->command);
}

bool account_same_settings(const Account *a, const Account *b) {
        return account_same_identity(a, b) && a->builtin == b->builtin && a->system == b->system &&
               streq(a->name, b->name) && streq(a->sign_in, b->sign_in) &&
               streq(a->client_id, b->client_id) && streq(a->resource, b->resource) &&
               streq(a->az, b->az) && streq(a->problem, b->problem) &&
               strv_equal(a->resources, b->resources) && strv_equal(a->apps, b->apps);
}

const char *account_find_resource(const Account *a, const char *asked) {
        CLEANUP(freep) char *resource = NULL;

        if (streq(a->resource, asked))
                return a->resource;
        for (char **r = a->resources; r && *r; r++)
                if (streq(*r, asked))
                        return *r;
        (void)value_read_resource(&resource, asked);
        return !resource || streq(resource, asked) ? NULL : account_find_resource(a, resource);
}

bool account_allows_resource(const Account *a, const char *resource) {
        return streq(a->resource, resource) || strv_has(a->resources, resource);
}

bool account_has_app(const Account *a, const char *host) {
        return host_in(a->apps, host);
}
