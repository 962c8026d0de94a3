/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "common/secret.h"
#include "model/record.h"

#define RESOURCE "https://apps.azureiotcentral.com"

static Account *account_of(AccountSource source) {
        Account *a;

        assert(account_new(&a, "work", source) == 0);
        return a;
}

static void set(Account *a, const char *key, const char *value) {
        const char *const values[] = { value, NULL };
        char *problem = NULL;

        assert(account_set(a, key, values, ACCOUNT_ORIGIN_FILE, &problem) == 0);
}

static void expect_string(const char *have, const char *want) {
        assert(streq(have, want));
}

static void test_what_is_stored_is_read_back(void) {
        CLEANUP(account_freep) Account *a = account_of(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(record_freep) Record *wrote = NULL;
        CLEANUP(record_freep) Record *read = NULL;
        CLEANUP(secret_freep) char *text = NULL;

        assert(record_new(&wrote, a) == 0);
        assert(record_set_secret(wrote, "0.refresh\"\\~token") == 0);
        wrote->secret_at = 1700000000;
        assert(record_set_user(wrote, "zoë@contoso.com") == 0);
        assert(record_set_seen_tenant(wrote, "7d1b4b1e-8f4b-4c07-9a52-1f6d5c0e2a11") == 0);
        assert(record_set_token(wrote, RESOURCE, "aaa.bbb", 1000, 4600, 2800) == 0);
        assert(record_set_token(wrote, "https://graph.microsoft.com", "ccc", 1001, 4601, 0) == 0);
        assert(record_to_text(&text, wrote) == 0);

        assert(record_from_text(&read, text) == 0);
        expect_string(read->source, "entra");
        expect_string(read->authority, a->authority);
        expect_string(read->tenant, a->tenant);
        expect_string(read->client_id, account_client_id(a));
        expect_string(read->user, "zoë@contoso.com");
        expect_string(read->seen_tenant, "7d1b4b1e-8f4b-4c07-9a52-1f6d5c0e2a11");
        expect_string(read->secret, "0.refresh\"\\~token");
        assert(read->secret_at == 1700000000 && read->n_tokens == 2);
        /* Another one came otherwise, and later. */
        assert(record_set_secret(wrote, "another") == 0 && wrote->secret_at == 0);
        expect_string(read->tokens[0].resource, RESOURCE);
        expect_string(read->tokens[0].access_token, "aaa.bbb");
        assert(read->tokens[0].issued_at == 1000);
        assert(read->tokens[0].expires_at == 4600);
        assert(read->tokens[0].refresh_at == 2800);
        expect_string(read->tokens[1].access_token, "ccc");
        assert(read->tokens[1].refresh_at == 0);
        assert(record_matches(read, a));
}

static void test_times_of_the_boot(void) {
        CLEANUP(account_freep) Account *a = account_of(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(record_freep) Record *wrote = NULL;
        CLEANUP(record_freep) Record *read = NULL;
        CLEANUP(secret_freep) char *text = NULL;
        const RecordToken *t;

        assert(record_new(&wrote, a) == 0);
        assert(record_set_token(wrote, RESOURCE, "aaa", 1000, 4600, 2800) == 0);
        assert(record_set_token(wrote, "https://b.example", "bbb", 1000, 4600, 0) == 0);
        assert(record_set_boottimes(wrote, RESOURCE, "first", 5, 3600000005, 1800000005) == 0);
        assert(record_set_boottimes(wrote, "https://b.example", "", 5, 6, 7) == 0);
        assert(record_set_boottimes(wrote, "https://nowhere.example", "first", 5, 6, 7) == 0);
        assert(record_to_text(&text, wrote) == 0);
        assert(record_from_text(&read, text) == 0 && read->n_tokens == 2);
        t = &read->tokens[0];
        expect_string(t->boot, "first");
        assert(t->issued_usec == 5 && t->expires_usec == 3600000005 &&
               t->refresh_usec == 1800000005);
        assert(t->issued_at == 1000 && t->expires_at == 4600 && t->refresh_at == 2800);
        assert(!read->tokens[1].boot);
        /* Another token of the resource has other times. */
        assert(record_set_token(read, RESOURCE, "ccc", 2000, 5600, 0) == 0);
        assert(!read->tokens[0].boot);
}

#define OLD_TOKEN                                                                                  \
        "{\"generation\":1,\"source\":\"entra\",\"tokens\":[{\"resource\":\"r\",\"access_token\":" \
        "\"aaa\",\"issued_at\":1000,\"expires_at\":4600,\"refresh_at\":0"

static void test_records_of_older_versions(void) {
        static const char *const texts[] = {
                OLD_TOKEN "}]}",
                /* Half of what a newer one writes is as good as nothing. */
                OLD_TOKEN ",\"boot\":\"first\"}]}",
                OLD_TOKEN ",\"boot\":\"first\",\"issued_usec\":5,\"expires_usec\":-1,"
                          "\"refresh_usec\":0}]}",
                OLD_TOKEN ",\"boot\":5,\"issued_usec\":5,\"expires_usec\":6,\"refresh_usec\":0}]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                CLEANUP(record_freep) Record *read = NULL;

                assert(record_from_text(&read, texts[i]) == 0 && read->n_tokens == 1);
                assert(read->tokens[0].expires_at == 4600 && !read->tokens[0].boot);
        }
}

static void test_an_empty_record_is_a_record(void) {
        CLEANUP(account_freep) Account *a = account_of(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(record_freep) Record *wrote = NULL;
        CLEANUP(record_freep) Record *read = NULL;
        CLEANUP(secret_freep) char *text = NULL;

        assert(record_new(&wrote, a) == 0);
        assert(record_to_text(&text, wrote) == 0);
        assert(record_from_text(&read, text) == 0);
        assert(!read->secret && !read->user && read->n_tokens == 0);
        assert(record_matches(read, a));
}

static void test_one_token_for_a_resource(void) {
        CLEANUP(account_freep) Account *a = account_of(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(record_freep) Record *r = NULL;

        assert(record_new(&r, a) == 0);
        for (uint64_t i = 0; i < 100; i++)
                assert(record_set_token(r, RESOURCE, i % 2 ? "odd" : "even", i, i + 10, 0) == 0);
        assert(r->n_tokens == 1);
        expect_string(r->tokens[0].access_token, "odd");
        assert(r->tokens[0].expires_at == 109);
        /* Its own value may be handed in again. */
        assert(record_set_token(r, r->tokens[0].resource, r->tokens[0].access_token, 1, 2, 0) == 0);
        expect_string(r->tokens[0].access_token, "odd");
        assert(record_set_secret(r, "s") == 0 && record_set_secret(r, r->secret) == 0);
        expect_string(r->secret, "s");

        record_drop_tokens(r);
        assert(r->n_tokens == 0);
        record_drop_tokens(r);
        assert(record_set_secret(r, NULL) == 0 && !r->secret);
}

static void test_other_settings_are_another_identity(void) {
        static const struct {
                const char *key, *value;
                bool same;
        } rows[] = {
                { "authority", "https://login.microsoftonline.us", false },
                { "tenant", "contoso.com", false },
                { "client-id", "11111111-2222-3333-4444-555555555555", false },
                { "resource", "https://other.example.com", true },
                { "apps", "contoso.azureiotcentral.com", true },
                { "sign-in", "device-code", true },
        };
        CLEANUP(account_freep) Account *plain = account_of(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(account_freep) Account *az = account_of(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(account_freep) Account *api = account_of(ACCOUNT_SOURCE_API_TOKEN);
        CLEANUP(record_freep) Record *of_plain = NULL;
        CLEANUP(record_freep) Record *of_api = NULL;

        assert(record_new(&of_plain, plain) == 0);
        assert(record_new(&of_api, api) == 0);
        assert(record_matches(of_plain, plain));
        assert(record_matches(of_api, api));
        assert(!record_matches(of_plain, az) && !record_matches(of_plain, api));
        assert(!record_matches(of_api, plain));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(account_freep) Account *other = account_of(ACCOUNT_SOURCE_ENTRA);
                CLEANUP(record_freep) Record *of_other = NULL;

                set(other, rows[i].key, rows[i].value);
                assert(record_matches(of_plain, other) == rows[i].same);
                assert(record_new(&of_other, other) == 0);
                assert(record_matches(of_other, other));
                assert(record_matches(of_other, plain) == rows[i].same);
        }
}

/* Accounts of one program that differ in whose tokens it gives. */
static void test_a_program_for_two_people(void) {
        CLEANUP(account_freep) Account *plain = account_of(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(account_freep) Account *one = account_of(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(account_freep) Account *two = account_of(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(account_freep) Account *folder = account_of(ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(account_freep) Account *command = account_of(ACCOUNT_SOURCE_COMMAND);
        CLEANUP(account_freep) Account *other_az = account_of(ACCOUNT_SOURCE_AZURE_CLI);
        const Account *const all[] = { plain, one, two, folder, command };

        set(one, "subscription", "Contoso \"One\"");
        set(two, "subscription", "Two");
        set(folder, "config-dir", "/home/ann/.azure-two");
        set(command, "command", "/usr/bin/token");
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                CLEANUP(record_freep) Record *wrote = NULL;
                CLEANUP(record_freep) Record *read = NULL;
                CLEANUP(secret_freep) char *text = NULL;

                assert(record_new(&wrote, all[i]) == 0);
                assert(record_to_text(&text, wrote) == 0);
                assert(record_from_text(&read, text) == 0);
                for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
                        assert(record_matches(read, all[j]) == (i == j));
                        assert(account_same_identity(all[i], all[j]) == (i == j));
                }
        }
        /* Where az is does not matter. */
        set(other_az, "az", "/opt/az/bin/az");
        assert(account_same_identity(plain, other_az));
}

static void test_garbage_is_no_record(void) {
        static const char *const bad[] = {
                "",
                "secret",
                "{",
                "{}",
                "[]",
                "null",
                "{\"generation\":1}",
                "{\"source\":\"entra\"}",
                "{\"generation\":0,\"source\":\"entra\"}",
                "{\"generation\":2,\"source\":\"entra\"}", /* of a later version */
                "{\"generation\":-1,\"source\":\"entra\"}",
                "{\"generation\":\"x\",\"source\":\"entra\"}",
                "{\"generation\":1,\"source\":5}",
                "{\"generation\":1,\"source\":\"entra\"} trailing",
                "{\"generation\":1,\"source\":\"entra\",\"secret\":\"\xff\"}",
        };
        Record *r = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(record_from_text(&r, bad[i]) == -EBADMSG);
        assert(!r);

        /* What a later version of the same generation adds is ignored. */
        assert(record_from_text(
                       &r, "{\"generation\":1,\"source\":\"entra\",\"new\":{\"a\":[1]}}") == 0);
        record_free(r);
        assert(!record_free(NULL));
}

/* A token that can't be used is left out, and costs nobody the sign-in beside it. */
static void test_tokens_that_are_none(void) {
        static const char *const bad[] = {
                "1",
                "null",
                "{}",
                "{\"resource\":\"r\",\"access_token\":\"a\",\"issued_at\":1,\"expires_at\":2}",
                "{\"resource\":\"r\",\"access_token\":\"a\",\"issued_at\":1,\"expires_at\":-2,"
                "\"refresh_at\":0}",
                "{\"resource\":\"r\",\"access_token\":7,\"issued_at\":1,\"expires_at\":2,"
                "\"refresh_at\":0}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                CLEANUP(record_freep) Record *r = NULL;
                CLEANUP(freep) char *text = NULL;

                assert(asprintf(&text,
                                "{\"generation\":1,\"source\":\"entra\",\"secret\":\"s\","
                                "\"tokens\":[%s,{\"resource\":\"good\",\"access_token\":\"a\","
                                "\"issued_at\":1,\"expires_at\":2,\"refresh_at\":0}]}",
                                bad[i]) > 0);
                assert(record_from_text(&r, text) == 0);
                assert(streq(r->secret, "s"));
                assert(r->n_tokens == 1 && streq(r->tokens[0].resource, "good"));
        }
}

/* As Debian 12's daemon has written it: bytes of UTF-8, not escaped. */
static void test_what_is_not_ascii(void) {
        CLEANUP(record_freep) Record *r = NULL;

        assert(record_from_text(&r,
                                "{\"generation\":1,\"source\":\"command\","
                                "\"whose\":\"K\xc3\xbc\x63he\\u000a\\u000a/opt/K\xc3\xbc\x63he\","
                                "\"user\":\"zo\xc3\xab@contoso.example\",\"secret\":\"s\","
                                "\"tokens\":[]}") == 0);
        assert(streq(r->user, "zo\xc3\xab@contoso.example") && streq(r->secret, "s"));
        assert(streq(r->whose, "K\xc3\xbc\x63he\n\n/opt/K\xc3\xbc\x63he"));
}

static char *long_text(size_t n) {
        char *s = malloc(n + 1);

        assert(s);
        memset(s, 'x', n);
        s[n] = '\0';
        return s;
}

static void test_long_secrets_come_back_whole(void) {
        CLEANUP(account_freep) Account *a = account_of(ACCOUNT_SOURCE_ENTRA);
        CLEANUP(record_freep) Record *wrote = NULL;
        CLEANUP(record_freep) Record *read = NULL;
        CLEANUP(secret_freep) char *text = NULL;
        CLEANUP(secret_freep) char *refresh_token = long_text(16 * 1024);
        CLEANUP(secret_freep) char *access_token = long_text(32 * 1024);
        char resource[64];

        assert(record_new(&wrote, a) == 0);
        assert(record_set_secret(wrote, refresh_token) == 0);
        for (size_t i = 0; i < 64; i++) {
                snprintf(resource, sizeof(resource), "https://r%zu.example.com", i);
                assert(record_set_token(wrote, resource, access_token, i, i, i) == 0);
        }
        assert(record_to_text(&text, wrote) == 0);
        assert(record_from_text(&read, text) == 0);
        assert(streq(read->secret, refresh_token));
        assert(read->n_tokens == 64);
        assert(streq(read->tokens[63].access_token, access_token));
        assert(read->tokens[63].expires_at == 63);
}

int main(void) {
        test_what_is_stored_is_read_back();
        test_times_of_the_boot();
        test_records_of_older_versions();
        test_an_empty_record_is_a_record();
        test_one_token_for_a_resource();
        test_other_settings_are_another_identity();
        test_a_program_for_two_people();
        test_garbage_is_no_record();
        test_tokens_that_are_none();
        test_what_is_not_ascii();
        test_long_secrets_come_back_whole();
        return 0;
}
