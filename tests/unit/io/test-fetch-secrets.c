/* SPDX-License-Identifier: MIT */
/*
 * Secrets in what a fetcher says: the new refresh token is kept whatever else is wrong, and what
 * was sent does not come back as text.
 */
#include "util-event.h"

/* Whatever is wrong with the rest, the one that was sent may be spent. */
static void test_a_refresh_token_is_not_lost(void) {
        static const char *const rows[] = {
                "\"token\"",
                "\"token\",\"access_token\":\"a b\",\"expires_in\":60",
                "\"token\",\"access_token\":\"a\"",
                "\"error\",\"kind\":\"try-later\",\"message\":\"0.AX\"",
        };
        CLEANUP(fetch_event_freep) FetchEvent *long_one = NULL;
        char line[256], *big;
        Seen seen;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(fetch_event_freep) FetchEvent *e = NULL;

                snprintf(line, sizeof(line), "{\"event\":%s,\"refresh_token\":\"0.AX\"}", rows[i]);
                e = expect(line, &seen);
                assert(fetch_event_has_secret(e));
                assert(seen.errors == 1 && streq(seen.error->refresh_token, "0.AX"));
                assert(!strstr(problem_text(&seen.error->problem), "0.AX"));
        }
        big = malloc(LIMIT_ACCESS_TOKEN + 200);
        (void)sprintf(big,
                      "{\"event\":\"token\",\"expires_in\":60,\"refresh_token\":\"0.AX\","
                      "\"access_token\":\"%0*d\"}",
                      LIMIT_ACCESS_TOKEN + 1, 0);
        long_one = expect(big, &seen);
        free(big);
        assert(streq(seen.error->refresh_token, "0.AX"));
        assert(strstr(problem_text(&seen.error->problem), " 32769 bytes, more than the 32768 "));
}

static void test_what_was_sent_does_not_come_back(void) {
        CLEANUP(fetch_event_freep) FetchEvent *error = NULL, *prompt = NULL, *none = NULL;
        Seen seen;

        error = expect("{\"event\":\"error\",\"kind\":\"blocked\",\"message\":"
                       "\"0.AX-of-the-request-and-long%2d at http://u:p@h\"}",
                       &seen);
        assert(streq(problem_text(&seen.error->problem), "***%2d at http://***@h"));
        prompt = expect("{\"event\":\"prompt\",\"method\":\"m\",\"verification_uri\":\"https://h\","
                        "\"user_code\":\"0.AX-of-the-request-a\",\"message\":\"u:p@h\"}",
                        &seen);
        assert(streq(seen.prompt->user_code, "***") && streq(seen.prompt->message, "***@h"));
        assert(parse(&none, "{\"event\":\"prompt\",\"method\":\"m\",\"verification_uri\":"
                            "\"https://h/?0.AX-of-the-request-and-long\"}") == -EBADMSG);
}

int main(void) {
        test_a_refresh_token_is_not_lost();
        test_what_was_sent_does_not_come_back();
        return 0;
}
