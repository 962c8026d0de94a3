/* SPDX-License-Identifier: MIT */
/*
 * What an account may be: each setting by a table of values, and that no text ever repeats one.
 */
#undef NDEBUG
#include <assert.h>

#include "model/account.h"
#include "model/limits.h"

#define OWN_ID    "11111111-2222-3333-4444-555555555555"
#define RESOURCE  "https://apps.azureiotcentral.com"
#define SOURCES_N _ACCOUNT_SOURCE_MAX

static Account *account(AccountSource source) {
        Account *a = NULL;

        assert(account_new(&a, "work", source) == 0);
        return a;
}

static int set_from(Account *a, const char *key, const char *value, AccountOrigin origin) {
        const char *const values[] = { value, NULL };
        CLEANUP(freep) char *problem = NULL;
        int r;

        r = account_set(a, key, values, origin, &problem);
        assert((r == 0) == !problem);
        /* Short values are words of the texts by chance. */
        if (problem && strlen(value) > 12)
                assert(!strstr(problem, value));
        return r;
}

static int set(Account *a, const char *key, const char *value) {
        return set_from(a, key, value, ACCOUNT_ORIGIN_FILE);
}

static void test_names(void) {
        char name[66];

        assert(account_name_valid("default"));
        assert(account_name_valid("9_a-B"));
        assert(!account_name_valid(""));
        assert(!account_name_valid("-a"));
        assert(!account_name_valid("_a"));
        assert(!account_name_valid("a.b"));
        assert(!account_name_valid("a/b"));
        assert(!account_name_valid("a b"));
        assert(!account_name_valid("a\n"));
        assert(!account_name_valid("\xc3\xa9"));

        memset(name, 'a', sizeof(name));
        name[64] = 0;
        assert(account_name_valid(name));
        name[64] = 'a';
        name[65] = 0;
        assert(!account_name_valid(name));
}

static void test_sources_have_names(void) {
        AccountSource source;

        for (AccountSource i = 0; i < SOURCES_N; i++) {
                assert(account_source_from_string(&source, account_source_to_string(i)) == 0);
                assert(source == i);
        }
        assert(account_source_from_string(&source, "Entra") == -EINVAL);
        assert(account_source_from_string(&source, "") == -EINVAL);
}

static void test_defaults(void) {
        CLEANUP(account_freep) Account *entra = account(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(account_freep) Account *az = account(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(account_freep) Account *api = account(ACCOUNT_SOURCE_API_TOKEN);
        Account *none = NULL;

        assert(streq(entra->authority, "https://login.microsoftonline.com"));
        assert(streq(entra->tenant, "organizations"));
        assert(streq(entra->sign_in, "auto"));
        assert(streq(entra->resource, RESOURCE));
        assert(!entra->client_id && streq(account_client_id(entra), IOTC_DEFAULT_CLIENT_ID));
        assert(!entra->apps && !entra->resources && !entra->problem);

        assert(!az->tenant && !az->authority && streq(az->resource, RESOURCE));
        assert(account_is_bearer(entra) && account_is_bearer(az) && !account_is_bearer(api));

        assert(account_new(&none, "a.b", ACCOUNT_SOURCE_ENTRA) == -EINVAL);
        assert(account_new(&none, "a", SOURCES_N) == -EINVAL);
        assert(!none);
}

static void test_values(void) {
        static const struct {
                AccountSource source;
                const char *key, *value;
                int want;
        } rows[] = {
                { ACCOUNT_SOURCE_ENTRA, "tenant", "contoso.com", 0 },
                { ACCOUNT_SOURCE_ENTRA, "tenant", "consumers", 0 },
                { ACCOUNT_SOURCE_ENTRA, "tenant", OWN_ID, 0 },
                { ACCOUNT_SOURCE_ENTRA, "tenant", "", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "tenant", "..", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "tenant", "a..b", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "tenant", "contoso.com/other", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "tenant", "contoso.com?x=y", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "tenant", "contoso com tenant", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "client-id", OWN_ID, 0 },
                { ACCOUNT_SOURCE_ENTRA, "client-id", "", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "client-id", "has/a/slash/in/it", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "client-id", OWN_ID OWN_ID, ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "sign-in", "device-code", 0 },
                { ACCOUNT_SOURCE_ENTRA, "sign-in", "password", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "authority", "https://login.microsoftonline.us/", 0 },
                { ACCOUNT_SOURCE_ENTRA, "authority", "http://127.0.0.1:8080/x", 0 },
                { ACCOUNT_SOURCE_ENTRA, "authority", "http://login.example", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "authority", "", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "resource", "api://" OWN_ID "/x", 0 },
                { ACCOUNT_SOURCE_ENTRA, "resource", "urn:example", 0 },
                { ACCOUNT_SOURCE_ENTRA, "resource", "https:", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "resource", "iotcentral.example", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "resource", "https://a.example b", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "resource", "https://a.example\"b", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "resource", "https://a.example\nb", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "resource", "https://a.\xc3\xa9xample",
                  ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_ENTRA, "apps", "Contoso.azureiotcentral.com", 0 },
                { ACCOUNT_SOURCE_ENTRA, "apps", "http://contoso.example", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_AZURE_CLI, "subscription", "Pay-As-You-Go (Zürich)", 0 },
                { ACCOUNT_SOURCE_AZURE_CLI, "subscription", "--output=table", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_AZURE_CLI, "subscription", "subscription\n1",
                  ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_AZURE_CLI, "subscription", "", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_AZURE_CLI, "config-dir", "/home/user/.azure-work", 0 },
                { ACCOUNT_SOURCE_AZURE_CLI, "config-dir", "~/.azure-of-work", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_AZURE_CLI, "az", "/opt/az/bin/az", 0 },
                { ACCOUNT_SOURCE_AZURE_CLI, "az", "opt/az/bin/az", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_COMMAND, "command", "/usr/libexec/my source", 0 },
                { ACCOUNT_SOURCE_COMMAND, "command", "", ACCOUNT_E_BAD_VALUE },
                { ACCOUNT_SOURCE_API_TOKEN, "apps", "10.0.0.1:8443", 0 },
                /* what a source doesn't have */
                { ACCOUNT_SOURCE_ENTRA, "az", "/opt/az/bin/az", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_ENTRA, "subscription", "a", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_ENTRA, "Tenant", "a", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_ENTRA, "secret", "a-very-secret-secret", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_ENTRA, "", "", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_AZURE_CLI, "client-id", OWN_ID, ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_CLIENT_CREDENTIALS, "sign-in", "auto", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_API_TOKEN, "tenant", "contoso.com", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_COMMAND, "authority", "https://a.example", ACCOUNT_E_UNKNOWN_KEY },
                { ACCOUNT_SOURCE_COMMAND, "proxy", "http://proxy:3128", ACCOUNT_E_UNKNOWN_KEY },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(account_freep) Account *a = account(rows[i].source);
                int r;

                r = set(a, rows[i].key, rows[i].value);
                if (r != rows[i].want) {
                        fprintf(stderr, "%s=%s gave %d\n", rows[i].key, rows[i].value, r);
                        abort();
                }
        }
}

static void test_one_spelling(void) {
        CLEANUP(account_freep) Account *a = account(ACCOUNT_SOURCE_ENTRA);

        assert(set(a, "tenant", "Contoso.COM") == 0 && streq(a->tenant, "contoso.com"));
        assert(set(a, "authority", "https://Login.Example:443/") == 0);
        assert(streq(a->authority, "https://login.example"));
        assert(set(a, "apps", "https://Contoso.azureiotcentral.com./devices") == 0);
        assert(account_has_app(a, "contoso.azureiotcentral.com"));
        assert(!account_has_app(a, "azureiotcentral.com"));
}

static void test_the_bus_may_not_name_programs(void) {
        static const char *const keys[] = { "command", "az",        "config-dir",
                                            "proxy",   "ca-bundle", "proxy-credentials",
                                            "store",   "key-file" };

        for (AccountSource source = 0; source < SOURCES_N; source++) {
                CLEANUP(account_freep) Account *a = account(source);
                for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                        assert(set_from(a, keys[i], "/bin/mine", ACCOUNT_ORIGIN_BUS) ==
                               ACCOUNT_E_FILE_ONLY);
                assert(!a->command && !a->az && !a->config_dir);
                assert(set_from(a, "apps", "a.example", ACCOUNT_ORIGIN_BUS) == 0);
        }
}

static void test_a_refused_value_changes_nothing(void) {
        const char *const apps[] = { "good.example", "bad example", NULL };
        const char *const twice[] = { "a.example", "https://A.example/", NULL };
        const char *const two[] = { "a.example", "b.example", NULL };
        const char *many[LIST_ENTRIES_MAX + 2] = { 0 };
        CLEANUP(account_freep) Account *a = account(ACCOUNT_SOURCE_ENTRA);
        const char *const none[] = { NULL };
        char names[LIST_ENTRIES_MAX + 1][16];
        CLEANUP(freep) char *p1 = NULL, *p2 = NULL, *p3 = NULL, *p4 = NULL;

        assert(set(a, "apps", "old.example") == 0);
        assert(set(a, "tenant", "old.example") == 0);
        assert(account_set(a, "apps", apps, ACCOUNT_ORIGIN_BUS, &p1) == ACCOUNT_E_BAD_VALUE);
        assert(account_set(a, "apps", twice, ACCOUNT_ORIGIN_BUS, &p2) == ACCOUNT_E_BAD_VALUE);
        assert(account_set(a, "tenant", two, ACCOUNT_ORIGIN_BUS, &p3) == ACCOUNT_E_BAD_VALUE);
        assert(streq(p3, "tenant: expected one value"));
        for (size_t i = 0; i <= LIST_ENTRIES_MAX; i++) {
                snprintf(names[i], sizeof(names[i]), "a%zu.example", i);
                many[i] = names[i];
        }
        assert(account_set(a, "apps", many, ACCOUNT_ORIGIN_BUS, &p4) == ACCOUNT_E_BAD_VALUE);
        assert(account_has_app(a, "old.example") && !a->apps[1]);
        assert(streq(a->tenant, "old.example"));

        many[LIST_ENTRIES_MAX] = NULL;
        assert(account_set(a, "apps", many, ACCOUNT_ORIGIN_BUS, NULL) == 0);
        assert(account_has_app(a, "a63.example"));

        /* An empty list is the way back to the default. */
        assert(account_set(a, "apps", none, ACCOUNT_ORIGIN_BUS, NULL) == 0 && !a->apps);
        assert(account_set(a, "tenant", none, ACCOUNT_ORIGIN_BUS, NULL) == 0);
        assert(streq(a->tenant, "organizations"));
}

static void test_the_text_says_what_to_write(void) {
        CLEANUP(account_freep) Account *a = account(ACCOUNT_SOURCE_ENTRA);
        const char *const empty[] = { "", NULL };
        CLEANUP(freep) char *value = NULL, *key = NULL;

        assert(account_set(a, "tenant", empty, ACCOUNT_ORIGIN_FILE, &value) == ACCOUNT_E_BAD_VALUE);
        assert(streq(value, "tenant: expected a GUID, a domain or organizations"));
        assert(account_set(a, "tennant", empty, ACCOUNT_ORIGIN_FILE, &key) ==
               ACCOUNT_E_UNKNOWN_KEY);
        assert(strstr(key, "entra") && strstr(key, "tenant, client-id, apps"));
        assert(!strstr(key, "tennant"));
}

static void test_check(void) {
        static const struct {
                const char *name;
                AccountSource source;
                const char *tenant, *other, *value;
                const char *want; /* a word of the text; NULL: sound */
        } rows[] = {
                { .name = "a", .source = ACCOUNT_SOURCE_ENTRA },
                { .name = "a", .source = ACCOUNT_SOURCE_API_TOKEN },
                { .name = "azure-cli", .source = ACCOUNT_SOURCE_AZURE_CLI },
                { .name = "azure-cli", .source = ACCOUNT_SOURCE_ENTRA, .want = "reserved" },
                { .name = "a", .source = ACCOUNT_SOURCE_AZURE_CLI, .tenant = "a.example" },
                { .name = "a",
                  .source = ACCOUNT_SOURCE_AZURE_CLI,
                  .tenant = "a.example",
                  .other = "subscription",
                  .value = "s",
                  .want = "exclude" },
                { .name = "a", .source = ACCOUNT_SOURCE_COMMAND, .want = "command is missing" },
                { .name = "a",
                  .source = ACCOUNT_SOURCE_COMMAND,
                  .other = "command",
                  .value = "/bin/x" },
                { .name = "a",
                  .source = ACCOUNT_SOURCE_CLIENT_CREDENTIALS,
                  .tenant = "a.example",
                  .want = "client-id is missing" },
                { .name = "a",
                  .source = ACCOUNT_SOURCE_CLIENT_CREDENTIALS,
                  .other = "client-id",
                  .value = OWN_ID,
                  .want = "tenant is missing" },
                { .name = "a",
                  .source = ACCOUNT_SOURCE_CLIENT_CREDENTIALS,
                  .tenant = "Common",
                  .other = "client-id",
                  .value = OWN_ID,
                  .want = "tenant is missing" },
                { .name = "a",
                  .source = ACCOUNT_SOURCE_CLIENT_CREDENTIALS,
                  .tenant = "a.example",
                  .other = "client-id",
                  .value = OWN_ID },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(account_freep) Account *a = NULL;
                CLEANUP(freep) char *problem = NULL;
                int r;

                assert(account_new(&a, rows[i].name, rows[i].source) == 0);
                if (rows[i].tenant)
                        assert(set(a, "tenant", rows[i].tenant) == 0);
                if (rows[i].other)
                        assert(set(a, rows[i].other, rows[i].value) == 0);
                r = account_check(a, &problem);
                assert(r == (rows[i].want ? ACCOUNT_E_BAD_VALUE : 0));
                assert(!rows[i].want || strstr(problem, rows[i].want));
        }
}

static void add_setting(const char *key, const char *const *values, void *userdata) {
        char *text = userdata;

        strcat(strcat(text, key), "=");
        for (size_t i = 0; values[i]; i++)
                strcat(strcat(text, values[i]), ";");
        strcat(text, "\n");
}

static void test_what_is_written_is_what_differs(void) {
        const char *const apps[] = { "b.example", "a.example", NULL };
        const char *const resources[] = { "https://r.example/", NULL };
        CLEANUP(account_freep) Account *a = account(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(account_freep) Account *copy = NULL;
        char text[512] = "", again[512] = "";

        account_each_setting(a, add_setting, text);
        assert(streq(text, ""));

        assert(account_set(a, "resources", resources, ACCOUNT_ORIGIN_FILE, NULL) == 0);
        assert(account_set(a, "apps", apps, ACCOUNT_ORIGIN_FILE, NULL) == 0);
        assert(set(a, "resource", RESOURCE) == 0);
        assert(set(a, "sign-in", "auto") == 0);
        assert(set(a, "tenant", "contoso.com") == 0);
        account_each_setting(a, add_setting, text);
        assert(streq(text, "tenant=contoso.com;\napps=b.example;a.example;\n"
                           "resources=https://r.example/;\n"));

        a->system = true;
        a->problem = strdup("line 1: bad");
        assert(account_copy(&copy, a) == 0);
        account_each_setting(copy, add_setting, again);
        assert(streq(text, again));
        assert(streq(copy->name, "work") && copy->system && !copy->builtin);
        assert(streq(copy->problem, "line 1: bad") && copy->problem != a->problem);
}

static void test_a_copy_is_whole(void) {
        CLEANUP(account_freep) Account *a = account(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(account_freep) Account *copy = NULL;

        assert(set(a, "config-dir", "/home/user/.azure-work") == 0);
        assert(set(a, "az", "/opt/az") == 0);
        assert(set(a, "subscription", "s") == 0);
        a->builtin = true;
        assert(account_copy(&copy, a) == 0);
        assert(streq(copy->config_dir, a->config_dir) && streq(copy->az, a->az));
        assert(streq(copy->subscription, "s") && copy->builtin);
        assert(account_same_identity(a, copy));
}

static void test_identity(void) {
        CLEANUP(account_freep) Account *a = account(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(account_freep) Account *b = account(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(account_freep) Account *c = account(ACCOUNT_SOURCE_CLIENT_CREDENTIALS);

        assert(account_same_identity(a, b));
        assert(!account_same_identity(a, c));
        assert(set(b, "apps", "a.example") == 0 && set(b, "resource", "https://r.example") == 0);
        assert(set(b, "client-id", IOTC_DEFAULT_CLIENT_ID) == 0);
        assert(set(b, "authority", "https://login.microsoftonline.com/") == 0);
        assert(account_same_identity(a, b));
        assert(set(b, "client-id", OWN_ID) == 0);
        assert(!account_same_identity(a, b));
        assert(set(a, "client-id", OWN_ID) == 0 && set(a, "tenant", "a.example") == 0);
        assert(!account_same_identity(a, b));
        assert(set(b, "tenant", "A.example") == 0);
        assert(account_same_identity(a, b));
        assert(set(b, "authority", "https://login.microsoftonline.us") == 0);
        assert(!account_same_identity(a, b));
}

static void test_resources(void) {
        const char *const more[] = { "https://management.azure.com", "api://x/y", NULL };
        CLEANUP(account_freep) Account *a = account(ACCOUNT_SOURCE_ENTRA);

        assert(!account_allows_resource(a, RESOURCE "/"));
        assert(account_set(a, "resources", more, ACCOUNT_ORIGIN_FILE, NULL) == 0);
        assert(account_allows_resource(a, "api://x/y"));
        assert(account_find_resource(a, RESOURCE "/.default") == a->resource);
        assert(account_find_resource(a, "api://x/y/.default") == a->resources[1]);
        assert(!account_find_resource(a, "openid"));
}

int main(void) {
        test_names();
        test_sources_have_names();
        test_defaults();
        test_values();
        test_one_spelling();
        test_the_bus_may_not_name_programs();
        test_a_refused_value_changes_nothing();
        test_the_text_says_what_to_write();
        test_check();
        test_what_is_written_is_what_differs();
        test_a_copy_is_whole();
        test_identity();
        test_resources();
        return 0;
}
