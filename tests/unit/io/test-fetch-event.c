/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "util-event.h"

static void test_what_is_no_event(void) {
        static const char *const bad[] = {
                "",
                " ",
                "null",
                "[]",
                "token",
                "{\"event\":\"token\"",
                "{\"event\":\"token\"}{}",
                "\xff\xfe",
                "Traceback (most recent call last):",
                "<html><body>302</body></html>",
        };
        FetchEvent *e = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(parse(&e, bad[i]) == -EBADMSG);
        assert(!e && !fetch_event_free(NULL));
}

static void test_what_we_do_not_know_is_ignored(void) {
        static const char *const unknown[] = {
                "{}",
                "{\"event\":\"progress\",\"percent\":5}",
                "{\"event\":7}",
                "{\"event\":null}",
                "{\"event\":[\"token\"]}",
                "{\"Event\":\"token\"}",
        };
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
                FetchEvent *e = expect(unknown[i], &seen);

                assert(fetch_event_type(e) == FETCH_EVENT_OTHER);
                assert(seen.prompts + seen.tokens + seen.errors == 0);
                fetch_event_free(e);
        }
}

static void test_a_token(void) {
        CLEANUP(fetch_event_freep) FetchEvent *e = NULL;
        Seen seen;

        e = expect("{\"event\":\"token\",\"access_token\":\"aa.bb-_~+/==\",\"expires_in\":3599,"
                   "\"refresh_in\":1800,\"refresh_token\":\"0.rt \\\"x\\\"\",\"scope\":\"a b\","
                   "\"user\":\"zo\xc3\xab@contoso.com\",\"tenant\":\"t\",\"date\":1700000000,"
                   "\"later\":{\"x\":1}}",
                   &seen);
        assert(seen.tokens == 1 && seen.prompts + seen.errors == 0);
        assert(streq(seen.token->access_token, "aa.bb-_~+/=="));
        assert(streq(seen.token->refresh_token, "0.rt \"x\""));
        assert(streq(seen.token->user, "zo\xc3\xab@contoso.com"));
        assert(streq(seen.token->tenant, "t"));
        assert(seen.token->issued_usec == BOOTTIME);
        assert(seen.token->expires_usec == BOOTTIME + 3599 * USEC_PER_SEC);
        assert(seen.token->refresh_usec == BOOTTIME + 1800 * USEC_PER_SEC);
        assert(seen.token->date == 1700000000);
}

static void test_the_least_token(void) {
        CLEANUP(fetch_event_freep) FetchEvent *e = NULL;
        Seen seen;

        e = expect("{\"event\":\"token\",\"access_token\":\"a\",\"expires_in\":1}", &seen);
        assert(seen.token->expires_usec == BOOTTIME + USEC_PER_SEC);
        assert(seen.token->date == 0);
        assert(!seen.token->refresh_token && !seen.token->user && !seen.token->tenant);
        assert(seen.token->refresh_usec == 0);
}

static void test_a_token_with_a_bad_field(void) {
        static const char *const bad[] = {
                "",
                "\"access_token\":\"a\"",
                "\"expires_in\":60",
                "\"access_token\":null,\"expires_in\":60",
                "\"access_token\":5,\"expires_in\":60",
                "\"access_token\":\"\",\"expires_in\":60",
                "\"access_token\":\"a b\",\"expires_in\":60",
                "\"access_token\":\"a\\n\",\"expires_in\":60",
                "\"access_token\":\"a\\r\\nX-Evil: 1\",\"expires_in\":60",
                "\"access_token\":\"a\\u0000b\",\"expires_in\":60",
                "\"access_token\":\"\xc3\xa9\",\"expires_in\":60",
                "\"access_token\":\"=a\",\"expires_in\":60",
                "\"access_token\":\"a\",\"expires_in\":0",
                "\"access_token\":\"a\",\"expires_in\":-1",
                "\"access_token\":\"a\",\"expires_in\":null",
                "\"access_token\":\"a\",\"expires_in\":\"soon\"",
                "\"access_token\":\"a\",\"expires_in\":[60]",
                "\"access_token\":\"a\",\"expires_in\":true",
                "\"access_token\":\"a\",\"expires_in\":1e400",
                "\"access_token\":\"a\",\"expires_in\":60,\"refresh_in\":-1",
                "\"access_token\":\"a\",\"expires_in\":60,\"refresh_in\":\"x\"",
                "\"access_token\":\"a\",\"expires_in\":60,\"refresh_token\":\"\"",
                "\"access_token\":\"a\",\"expires_in\":60,\"refresh_token\":\"a\\tb\"",
                "\"access_token\":\"a\",\"expires_in\":60,\"refresh_token\":\"\xc3\xa9\"",
        };
        char line[256];
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                CLEANUP(fetch_event_freep) FetchEvent *e = NULL;

                snprintf(line, sizeof(line), "{\"event\":\"token\"%s%s}", *bad[i] ? "," : "",
                         bad[i]);
                e = expect(line, &seen);
                assert(seen.errors == 1 && seen.tokens == 0);
                assert(seen.error->problem.outcome == OUTCOME_UNAVAILABLE);
                assert(!seen.error->refresh_token);
        }
}

static void test_numbers_out_of_proportion(void) {
        static const struct {
                const char *fields;
                uint64_t life, refresh; /* s; refresh 0: no advice */
        } rows[] = {
                { "\"expires_in\":9999999999", LIMIT_LIFETIME_SECONDS, 0 },
                { "\"expires_in\":99999999999999999999", LIMIT_LIFETIME_SECONDS, 0 },
                { "\"expires_in\":18446744073709551615", LIMIT_LIFETIME_SECONDS, 0 },
                { "\"expires_in\":60,\"refresh_in\":60", 60, 0 },
                { "\"expires_in\":60,\"refresh_in\":61", 60, 0 },
                { "\"expires_in\":60,\"refresh_in\":18446744073709551615", 60, 0 },
                { "\"expires_in\":60,\"refresh_in\":0", 60, 0 },
                { "\"expires_in\":60,\"refresh_in\":59", 60, 59 },
                { "\"expires_in\":\"60\",\"refresh_in\":\"1\"", 60, 1 },
        };
        char line[256];
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(fetch_event_freep) FetchEvent *e = NULL;

                snprintf(line, sizeof(line), "{\"event\":\"token\",\"access_token\":\"a\",%s}",
                         rows[i].fields);
                e = expect(line, &seen);
                assert(seen.token->expires_usec == BOOTTIME + rows[i].life * USEC_PER_SEC);
                assert(seen.token->refresh_usec ==
                       (rows[i].refresh ? BOOTTIME + rows[i].refresh * USEC_PER_SEC : 0));
        }
}

static char *token_line(const char *key, size_t n) {
        CLEANUP(freep) char *value = malloc(n + 1);
        char *line;

        memset(value, 'x', n);
        value[n] = '\0';
        assert(asprintf(&line, "{\"event\":\"token\",\"expires_in\":60,%s\"%s\":\"%s\"}",
                        streq(key, "access_token") ? "" : "\"access_token\":\"a\",", key,
                        value) > 0);
        return line;
}

static void test_tokens_that_are_too_long(void) {
        static const struct {
                const char *key;
                size_t limit;
        } rows[] = {
                { "access_token", LIMIT_ACCESS_TOKEN },
                { "refresh_token", LIMIT_REFRESH_TOKEN },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(freep) char *most = token_line(rows[i].key, rows[i].limit);
                CLEANUP(freep) char *more = token_line(rows[i].key, rows[i].limit + 1);
                CLEANUP(fetch_event_freep) FetchEvent *refused = NULL, *taken = NULL;

                assert(parse(&refused, more) == 0 && parse(&taken, most) == 0);
                assert(fetch_event_type(refused) == FETCH_EVENT_ERROR);
                assert(fetch_event_type(taken) == FETCH_EVENT_TOKEN);
        }
}

/* What a source says of its user ends on a bus, in a terminal and in a log. */
static void test_text_is_clean_when_it_gets_here(void) {
        CLEANUP(fetch_event_freep) FetchEvent *token = NULL;
        CLEANUP(fetch_event_freep) FetchEvent *error = NULL;
        CLEANUP(freep) char *long_user = token_line("user", 4000);
        CLEANUP(fetch_event_freep) FetchEvent *long_one = NULL;
        Seen seen;

        token = expect("{\"event\":\"token\",\"access_token\":\"a\",\"expires_in\":60,"
                       "\"user\":\"\\u001b[31meve\\r\\n\\u202egnp\",\"tenant\":\"a\\nb\"}",
                       &seen);
        assert(text_is_clean(seen.token->user) && strstr(seen.token->user, "eve"));
        assert(streq(seen.token->tenant, "a b"));
        error = expect("{\"event\":\"error\",\"kind\":\"blocked\","
                       "\"message\":\"line 1\\r\\nline 2\\u0007\"}",
                       &seen);
        assert(streq(problem_text(&seen.error->problem), "line 1 line 2"));
        long_one = expect(long_user, &seen);
        assert(strlen(seen.token->user) == 320);
}

static void test_prompts(void) {
        static const char *const bad[] = {
                "\"verification_uri\":\"https://microsoft.com/devicelogin\"",
                "\"method\":\"device-code\"",
                "\"method\":\"a\\nb\",\"verification_uri\":\"https://microsoft.com/\"",
                "\"method\":\"device-code\",\"verification_uri\":\"http://microsoft.com/\"",
                "\"method\":\"device-code\",\"verification_uri\":\"file:///etc/passwd\"",
                "\"method\":\"device-code\",\"verification_uri\":\"javascript:alert(1)\"",
                "\"method\":\"device-code\",\"verification_uri\":\"microsoft.com\"",
                "\"method\":\"device-code\",\"verification_uri\":\"https://good@evil.example/\"",
                "\"method\":\"device-code\",\"verification_uri\":\"https://a.example/\\u001b[2J\"",
                "\"method\":\"device-code\",\"verification_uri\":\"https://a.example/ x\"",
                "\"method\":\"device-code\",\"verification_uri\":\"https://a.example/\\\"x\"",
                "\"method\":\"device-code\",\"verification_uri\":\"https://a.example/\","
                "\"expires_at\":\"later\"",
                "\"method\":\"device-code\",\"verification_uri\":\"https://a.example/\","
                "\"expires_at\":-1",
        };
        CLEANUP(fetch_event_freep) FetchEvent *e = NULL;
        CLEANUP(fetch_event_freep) FetchEvent *local = NULL;
        FetchEvent *none = NULL;
        char line[256];
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                snprintf(line, sizeof(line), "{\"event\":\"prompt\",%s}", bad[i]);
                assert(parse(&none, line) == -EBADMSG);
        }
        e = expect("{\"event\":\"prompt\",\"method\":\"device-code\","
                   "\"verification_uri\":\"https://microsoft.com/devicelogin\","
                   "\"user_code\":\"ABCD-EFGH\",\"message\":\"Open\\nthe page\","
                   "\"expires_at\":1700000900}",
                   &seen);
        assert(seen.prompts == 1 && seen.tokens + seen.errors == 0);
        assert(streq(seen.prompt->method, "device-code"));
        assert(streq(seen.prompt->verification_uri, "https://microsoft.com/devicelogin"));
        assert(streq(seen.prompt->user_code, "ABCD-EFGH"));
        assert(streq(seen.prompt->message, "Open the page"));
        assert(seen.prompt->expires_usec == BOOTTIME + 900 * USEC_PER_SEC);
        /* A fetch that nobody follows has no handler for it. */
        fetch_event_dispatch(e, &(FetchHandler){ NULL, on_token, on_error }, &seen);

        local = expect("{\"event\":\"prompt\",\"method\":\"browser\","
                       "\"verification_uri\":\"http://127.0.0.1:8400/start\"}",
                       &seen);
        assert(!seen.prompt->user_code && !seen.prompt->message &&
               seen.prompt->expires_usec == USEC_INFINITY);
}

static void test_errors(void) {
        static const struct {
                const char *fields;
                Outcome outcome;
                uint64_t retry_after;
        } rows[] = {
                { "\"kind\":\"sign-in-needed\"", OUTCOME_SIGN_IN_NEEDED, 0 },
                { "\"kind\":\"blocked\",\"claims\":\"{\\\"a\\\":1}\"", OUTCOME_BLOCKED, 0 },
                { "\"kind\":\"blocked\",\"claims\":\"[]\"", OUTCOME_BLOCKED, 0 },
                { "\"kind\":\"blocked\",\"claims\":{}", OUTCOME_BLOCKED, 0 },
                { "\"kind\":\"try-later\",\"retry_after\":7", OUTCOME_UNAVAILABLE, 7 },
                { "\"kind\":\"try-later\",\"retry_after\":\"7\"", OUTCOME_UNAVAILABLE, 7 },
                { "\"kind\":\"try-later\",\"retry_after\":99999999", OUTCOME_UNAVAILABLE, 3600 },
                /* What it may mean is its own; a failure is not made worse by it. */
                { "\"kind\":\"try-later\",\"retry_after\":-1", OUTCOME_UNAVAILABLE, 0 },
                { "\"kind\":\"try-later\",\"retry_after\":\"soon\"", OUTCOME_UNAVAILABLE, 0 },
                { "\"kind\":\"misconfigured\",\"code\":\"AADSTS700016\"", OUTCOME_MISCONFIGURED,
                  0 },
                { "\"kind\":\"blocked\"", OUTCOME_BLOCKED, 0 },
                { "\"kind\":\"source-missing\"", OUTCOME_SOURCE_MISSING, 0 },
                { "\"kind\":\"cancelled\"", OUTCOME_CANCELLED, 0 },
        };
        static const char *const bad[] = {
                "{\"event\":\"error\"}",
                "{\"event\":\"error\",\"kind\":\"\"}",
                "{\"event\":\"error\",\"kind\":\"ok\"}",
                "{\"event\":\"error\",\"kind\":null,\"message\":\"x\"}",
                "{\"event\":\"error\",\"kind\":5}",
        };
        FetchEvent *none = NULL;
        char line[256];
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(fetch_event_freep) FetchEvent *e = NULL;

                snprintf(line, sizeof(line), "{\"event\":\"error\",\"message\":\"why\",%s}",
                         rows[i].fields);
                e = expect(line, &seen);
                assert(seen.errors == 1 && seen.prompts + seen.tokens == 0);
                assert(seen.error->problem.outcome == rows[i].outcome);
                assert(seen.error->retry_after == rows[i].retry_after);
                assert(!seen.error->claims == !strstr(rows[i].fields, "{\\\"a"));
                assert(streq(problem_text(&seen.error->problem), "why"));
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(parse(&none, bad[i]) == -EBADMSG);
}

/* Only the word of the fetcher that no request left takes one back. */
static void test_what_was_not_sent(void) {
        static const struct {
                const char *field;
                bool unsent;
        } cases[] = {
                { ",\"sent\":false", true },      { "", false },
                { ",\"sent\":true", false },      { ",\"sent\":null", false },
                { ",\"sent\":\"false\"", false }, { ",\"sent\":0", false },
        };
        char line[128];
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(fetch_event_freep) FetchEvent *e = NULL;

                snprintf(line, sizeof(line),
                         "{\"event\":\"error\",\"kind\":\"try-later\",\"message\":\"no\"%s}",
                         cases[i].field);
                e = expect(line, &seen);
                assert(seen.error->unsent == cases[i].unsent);
        }
}

static void test_an_error_without_a_reason_says_so(void) {
        static const char *const messages[] = { "", ",\"message\":\"\"", ",\"message\":\"\\n\"",
                                                ",\"message\":5" };
        char line[128];
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
                CLEANUP(fetch_event_freep) FetchEvent *e = NULL;

                snprintf(line, sizeof(line), "{\"event\":\"error\",\"kind\":\"blocked\"%s}",
                         messages[i]);
                e = expect(line, &seen);
                assert(!str_empty(problem_text(&seen.error->problem)));
        }
}

static void test_a_date_that_is_none(void) {
        static const char *const dates[] = { "\"yesterday\"", "-5", "{}", "null" };

        for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
                FetchEvent *e;
                char line[256];
                Seen seen;

                snprintf(line, sizeof(line),
                         "{\"event\":\"token\",\"access_token\":\"a\",\"expires_in\":60,\"date\":%"
                         "s}",
                         dates[i]);
                e = expect(line, &seen);
                assert(seen.tokens == 1 && seen.token->date == 0);
                fetch_event_free(e);
        }
}

int main(void) {
        test_a_date_that_is_none();
        test_what_is_no_event();
        test_what_we_do_not_know_is_ignored();
        test_a_token();
        test_the_least_token();
        test_a_token_with_a_bad_field();
        test_numbers_out_of_proportion();
        test_tokens_that_are_too_long();
        test_text_is_clean_when_it_gets_here();
        test_prompts();
        test_errors();
        test_what_was_not_sent();
        test_an_error_without_a_reason_says_so();
        return 0;
}
