/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "keeper/source.h"
#include "model/limits.h"

static Account *account_of(AccountSource source) {
        Account *a;

        assert(account_new(&a, "work", source) == 0);
        return a;
}

/* A secret goes where it belongs, and nowhere else. */
static void test_where_a_secret_goes(void) {
        static const struct {
                AccountSource source;
                bool refresh_token, client_secret, client_id;
        } rows[] = {
                { ACCOUNT_SOURCE_ENTRA, true, false, true },
                { ACCOUNT_SOURCE_AZURE_CLI, false, false, false },
                { ACCOUNT_SOURCE_CLIENT_CREDENTIALS, false, true, true },
                { ACCOUNT_SOURCE_API_TOKEN, false, false, false },
                { ACCOUNT_SOURCE_COMMAND, true, false, false },
        };
        Env env = { .proxy = (char *)"http://proxy:1",
                    .proxy_credentials = (char *)"/pc",
                    .ca_bundle = (char *)"/ca" };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(account_freep) Account *a = account_of(rows[i].source);
                FetchRequest r;

                source_request(&r, &env, a, "secret-1");
                assert(streq(r.source, account_source_to_string(rows[i].source)));
                assert(streq(r.refresh_token, rows[i].refresh_token ? "secret-1" : NULL));
                assert(streq(r.client_secret, rows[i].client_secret ? "secret-1" : NULL));
                assert((r.client_id != NULL) == rows[i].client_id);
                assert(streq(r.resource, a->resource) && streq(r.tenant, a->tenant));
                assert(streq(r.proxy, "http://proxy:1") && streq(r.ca_bundle, "/ca"));
                assert(streq(r.proxy_credentials, "/pc"));
                assert(!r.method && !r.claims && r.deadline == 0);
        }
}

static void test_which_secret_is_one(void) {
        static const struct {
                AccountSource source;
                const char *secret;
                bool good;
        } rows[] = {
                { ACCOUNT_SOURCE_CLIENT_CREDENTIALS, "a~B 1", true },
                { ACCOUNT_SOURCE_CLIENT_CREDENTIALS, "", false },
                { ACCOUNT_SOURCE_CLIENT_CREDENTIALS, "a\nb", false },
                { ACCOUNT_SOURCE_API_TOKEN, "SharedAccessSignature sr=a&sig=b&se=2000000000000",
                  true },
                { ACCOUNT_SOURCE_API_TOKEN, "SharedAccessSignature sr=a&sig=b&se=1000000000000",
                  false },
                { ACCOUNT_SOURCE_API_TOKEN, "a~B 1", false },
                { ACCOUNT_SOURCE_ENTRA, "a", false },
                { ACCOUNT_SOURCE_AZURE_CLI, "a", false },
                { ACCOUNT_SOURCE_COMMAND, "a", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(account_freep) Account *a = account_of(rows[i].source);
                Problem problem = { 0 };
                int r = source_check_secret(a, rows[i].secret, 1700000000, &problem);

                assert(r == (rows[i].good ? 0 : OUTCOME_INVALID_ARGS));
                assert(rows[i].good || str_starts(problem.text, "work: "));
                assert(str_empty(rows[i].secret) || !problem.text || !strstr(problem.text, "a~B"));
                problem_clear(&problem);
        }
}

static void test_a_secret_that_is_too_long(void) {
        static const AccountSource sources[] = { ACCOUNT_SOURCE_CLIENT_CREDENTIALS,
                                                 ACCOUNT_SOURCE_API_TOKEN };
        char secret[LIMIT_SECRET + 2];

        memset(secret, 'x', sizeof(secret) - 1);
        secret[sizeof(secret) - 1] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
                CLEANUP(account_freep) Account *a = account_of(sources[i]);
                Problem problem = { 0 };

                assert(source_check_secret(a, secret, 0, &problem) == OUTCOME_INVALID_ARGS);
                problem_clear(&problem);
        }
}

int main(void) {
        test_where_a_secret_goes();
        test_which_secret_is_one();
        test_a_secret_that_is_too_long();
        return 0;
}
