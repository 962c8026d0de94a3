/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "model/limits.h"
#include "policy/refresh.h"

#define SEC(n) ((uint64_t)(n)*USEC_PER_SEC)
#define NOW    SEC(1000000)

/* Chance at its extremes, and in between. */
static const uint64_t chances[] = { 0, 1, 12345, UINT64_MAX / 3, UINT64_MAX - 1, UINT64_MAX };

static const PolicyWish no_wish = { 0 };

static PolicyWish promise(uint32_t seconds) {
        return (PolicyWish){ .strict = true, .min_valid = seconds };
}

/* A token that was issued age ago and had life then, both in µs. */
static Token token(uint64_t age, uint64_t life) {
        return (Token){ .issued_usec = NOW - age, .expires_usec = NOW - age + life };
}

static Token endless(void) {
        return (Token){ .expires_usec = USEC_INFINITY };
}

static void test_fresh_without_a_promise(void) {
        static const struct {
                uint64_t life, left;
                bool fresh;
        } rows[] = {
                { SEC(3600), SEC(3600), true },
                { SEC(3600), SEC(120), true },
                { SEC(3600), SEC(120) - 1, false },
                { SEC(3600), 1, false },
                { SEC(3600), 0, false }, /* 120 s, but of a short token only half: */
                { SEC(240), SEC(120), true },
                { SEC(240), SEC(120) - 1, false },
                { SEC(60), SEC(30), true },
                { SEC(60), SEC(30) - 1, false },
                { SEC(1), SEC(1), true },
                { SEC(1), SEC(1) / 2, true },
                { SEC(1), SEC(1) / 2 - 1, false },
                { SEC(1), 0, false },
                { 1, 1, true },
                { 1, 0, false },
                { 0, 0, false },
        };
        Token t = endless();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                t = token(rows[i].life - rows[i].left, rows[i].life);
                assert(policy_is_fresh(&t, no_wish, NOW) == rows[i].fresh);
        }
        t = endless();
        assert(policy_is_fresh(&t, no_wish, NOW));
        assert(policy_is_fresh(&t, no_wish, UINT64_MAX - 1));
        assert(!policy_is_fresh(NULL, no_wish, NOW));
        /* Long past its end. */
        t = token(SEC(7200), SEC(3600));
        assert(!policy_is_fresh(&t, no_wish, NOW) && !policy_is_usable(&t, no_wish, NOW));
}

static void test_a_promise_is_kept_to_the_microsecond(void) {
        static const struct {
                uint32_t min_valid;
                uint64_t left;
                bool fresh;
        } rows[] = {
                { 0, 1, true },
                { 0, 0, false }, /* nobody wants a token that is over */
                { 1, SEC(1), true },
                { 1, SEC(1) - 1, false },
                { 300, SEC(300), true },
                { 300, SEC(300) - 1, false },
                { 3600, SEC(3600), true },
                { UINT32_MAX, SEC(3600), false },
                { UINT32_MAX, SEC(UINT32_MAX), true },
                { UINT32_MAX, SEC(UINT32_MAX) - 1, false },
        };
        Token t;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                t = token(0, rows[i].left);
                assert(policy_is_fresh(&t, promise(rows[i].min_valid), NOW) == rows[i].fresh);
                assert(policy_is_usable(&t, promise(rows[i].min_valid), NOW) == rows[i].fresh);
        }
        t = endless();
        assert(policy_is_fresh(&t, promise(UINT32_MAX), NOW));
        assert(!policy_is_usable(NULL, promise(0), NOW));
}

static void test_the_last_microsecond_is_usable(void) {
        Token t = token(SEC(3600) - 1, SEC(3600));

        assert(policy_is_usable(&t, no_wish, NOW));
        assert(!policy_is_fresh(&t, no_wish, NOW));
        assert(!policy_is_usable(&t, no_wish, NOW + 1));
        assert(!policy_is_usable(NULL, no_wish, NOW));
}

static void test_beyond_is_longer_than_the_whole_life(void) {
        Token t = token(SEC(10), SEC(3600));

        assert(!policy_is_beyond(&t, promise(3600)));
        assert(policy_is_beyond(&t, promise(3601)));
        assert(policy_is_beyond(&t, promise(UINT32_MAX)));
        assert(!policy_is_beyond(&t, no_wish));
        assert(!policy_is_beyond(NULL, promise(UINT32_MAX)));
        t = endless();
        assert(!policy_is_beyond(&t, promise(UINT32_MAX)));
}

/* refresh at, in µs after the issue, lies within [min, max] whatever the chance. */
static void expect_refresh(AccountSource source, const Token *t, uint64_t min, uint64_t max) {
        for (size_t i = 0; i < ARRAY_SIZE(chances); i++) {
                uint64_t at = policy_refresh_at(source, t, chances[i]);

                assert(at >= t->issued_usec + min && at <= t->issued_usec + max);
        }
}

static void test_refresh_at_80_percent_of_a_life(void) {
        Token t = token(0, SEC(3600));

        assert(policy_refresh_at(ACCOUNT_SOURCE_ENTRA, &t, 0) == NOW + SEC(2880));
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(2700), SEC(2880));
        expect_refresh(ACCOUNT_SOURCE_COMMAND, &t, SEC(2700), SEC(2880));
        /* The whole of the chance is used: callers of many machines spread. */
        assert(policy_refresh_at(ACCOUNT_SOURCE_ENTRA, &t, SEC(180)) == NOW + SEC(2700));
        assert(policy_refresh_at(ACCOUNT_SOURCE_ENTRA, &t, SEC(180) + 1) == NOW + SEC(2880));

        /* At the latest 5 min before its end, when it lives over 15 min. */
        t = token(0, SEC(901));
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(601), SEC(601));
        t = token(0, SEC(900));
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(675), SEC(720));
        t = token(0, SEC(86400));
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(64800), SEC(69120));
}

static void test_refresh_at_the_servers_advice(void) {
        Token t = token(0, SEC(86400));

        t.refresh_usec = NOW + SEC(43200);
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(43200 - 4320), SEC(43200));
        assert(policy_refresh_at(ACCOUNT_SOURCE_ENTRA, &t, 0) == t.refresh_usec);
        /* Too late an advice is not followed, too early a one not to the letter: a source that
         * says "at once", always, is not asked without a pause. */
        t.refresh_usec = NOW + SEC(86399);
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(0), SEC(86100));
        t.refresh_usec = NOW + 1;
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(5), SEC(5));
        /* Advice from before its issue or after its end is none. */
        t.refresh_usec = NOW - 1;
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(64800), SEC(69120));
        t.refresh_usec = UINT64_MAX;
        expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(64800), SEC(69120));
}

static void test_a_short_life_is_no_reason_to_hurry(void) {
        static const uint64_t lives[] = { 0, 1, SEC(1), SEC(2), SEC(5) };

        for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
                Token t = token(0, lives[i]);

                expect_refresh(ACCOUNT_SOURCE_ENTRA, &t, SEC(5), SEC(5));
                expect_refresh(ACCOUNT_SOURCE_AZURE_CLI, &t, SEC(5), SEC(5));
        }
}

static void test_az_is_asked_in_the_last_five_minutes(void) {
        Token t = token(0, SEC(3600));

        expect_refresh(ACCOUNT_SOURCE_AZURE_CLI, &t, SEC(3330), SEC(3330));
        t = token(0, SEC(400)); /* az's cache had it: half of what is left */
        expect_refresh(ACCOUNT_SOURCE_AZURE_CLI, &t, SEC(200), SEC(200));
        t = token(0, SEC(540));
        expect_refresh(ACCOUNT_SOURCE_AZURE_CLI, &t, SEC(270), SEC(270));
}

static void test_what_does_not_end_is_not_refreshed(void) {
        Token t = endless();

        assert(policy_refresh_at(ACCOUNT_SOURCE_ENTRA, &t, 7) == USEC_INFINITY);
        assert(policy_refresh_at(ACCOUNT_SOURCE_AZURE_CLI, &t, 7) == USEC_INFINITY);
        t = token(0, SEC(3600));
        assert(policy_refresh_at(ACCOUNT_SOURCE_API_TOKEN, &t, 7) == USEC_INFINITY);
}

static void expect_delay(AccountSource source, unsigned n, uint64_t retry_after, uint64_t seconds) {
        for (size_t i = 0; i < ARRAY_SIZE(chances); i++) {
                uint64_t delay = policy_retry_delay(source, n, retry_after, chances[i]);

                assert(delay >= SEC(seconds) && delay <= SEC(seconds) + SEC(seconds) / 4);
        }
        assert(policy_retry_delay(source, n, retry_after, 0) == SEC(seconds));
        assert(policy_retry_delay(source, n, retry_after, SEC(seconds) / 4) ==
               SEC(seconds) + SEC(seconds) / 4);
}

static void test_back_off(void) {
        static const uint64_t seconds[] = { 1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };

        for (unsigned n = 0; n < ARRAY_SIZE(seconds); n++) {
                expect_delay(ACCOUNT_SOURCE_ENTRA, n, 0, seconds[n]);
                expect_delay(ACCOUNT_SOURCE_AZURE_CLI, n, 0, MAX(seconds[n], UINT64_C(61)));
                expect_delay(ACCOUNT_SOURCE_ENTRA, n, 30, MAX(seconds[n], UINT64_C(30)));
                expect_delay(ACCOUNT_SOURCE_ENTRA, n, 3600, 3600);
                expect_delay(ACCOUNT_SOURCE_ENTRA, n, UINT64_MAX, LIMIT_RETRY_AFTER_SECONDS);
        }
        expect_delay(ACCOUNT_SOURCE_ENTRA, 64, 0, 300);
        expect_delay(ACCOUNT_SOURCE_ENTRA, UINT32_MAX, 0, 300);
        expect_delay(ACCOUNT_SOURCE_AZURE_CLI, 1, 60, 61);
        expect_delay(ACCOUNT_SOURCE_AZURE_CLI, 1, 62, 62);
}

static void test_may_a_caller_start_an_attempt(void) {
        static const struct {
                KeeperTry when;
                uint64_t ago, retry_in, not_before_in; /* s */
                bool may, forced;                      /* without and with force */
        } rows[] = {
                { KEEPER_TRY_NEVER, 90000, 0, 0, false, false },
                { KEEPER_TRY_WAIT, 90000, 0, 0, false, false },
                { KEEPER_TRY_NOW, 0, 0, 0, true, true },
                { KEEPER_TRY_BACK_OFF, 0, 1, 0, false, false },
                { KEEPER_TRY_BACK_OFF, 1, 0, 0, true, true },
                { KEEPER_TRY_BACK_OFF, 29, 300, 0, false, false },
                { KEEPER_TRY_BACK_OFF, 30, 300, 0, true, true },
                { KEEPER_TRY_BACK_OFF, 30, 300, 1, false, false },
                { KEEPER_TRY_SLOWLY, 29, 0, 0, false, false },
                { KEEPER_TRY_SLOWLY, 30, 0, 0, true, true },
                { KEEPER_TRY_FORCED, 29, 0, 0, false, false },
                { KEEPER_TRY_FORCED, 30, 0, 0, false, true },
                { KEEPER_TRY_FORCED, 90000, 0, 0, false, true },
                /* Entra's loop detector wants silence, whoever asks. */
                { KEEPER_TRY_FORCED, 299, 0, 1, false, false },
                { KEEPER_TRY_FORCED, 300, 0, 0, false, true },
                /* az login happens out of our sight: az is asked again soon, or at once. */
                { KEEPER_TRY_SOON, 1, 0, 0, false, true },
                { KEEPER_TRY_SOON, 2, 0, 0, true, true },
                { KEEPER_TRY_SOON, 1, 0, 60, false, true },
                { KEEPER_TRY_SOON, 2, 0, 60, true, true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                PolicyFailure f = { .tried = NOW - SEC(rows[i].ago),
                                    .retry_at = NOW + SEC(rows[i].retry_in),
                                    .not_before = rows[i].not_before_in
                                                          ? NOW + SEC(rows[i].not_before_in)
                                                          : 0 };

                assert(policy_may_try(rows[i].when, &f, false, NOW) == rows[i].may);
                assert(policy_may_try(rows[i].when, &f, true, NOW) == rows[i].forced);
        }
}

static void test_an_idle_account_is_only_kept_alive(void) {
        uint64_t day = SEC(86400);

        assert(policy_is_idle(0, NOW));
        assert(!policy_is_idle(NOW, NOW) && !policy_is_idle(NOW, NOW + day - 1));
        assert(policy_is_idle(NOW, NOW + day));
        assert(policy_keep_alive_at(NOW) == NOW + 7 * day);

        assert(policy_background_at(NOW + SEC(60), NOW, NOW + day) == NOW + SEC(60));
        assert(policy_background_at(NOW + day, NOW, NOW + 7 * day) == NOW + 7 * day);
        assert(policy_background_at(NOW + SEC(60), 0, USEC_INFINITY) == USEC_INFINITY);
        assert(policy_background_at(USEC_INFINITY, NOW, NOW + day) == NOW + day);
}

static void test_the_start_is_a_use_within_14_days(void) {
        uint64_t day = 86400, wall = 1000 * day;

        assert(policy_start_is_use(0, wall)); /* not known */
        assert(policy_start_is_use(wall, wall));
        assert(policy_start_is_use(wall - 14 * day + 1, wall));
        assert(!policy_start_is_use(wall - 14 * day, wall));
        assert(policy_start_is_use(wall + day, wall)); /* the clock was set back */
        assert(policy_start_is_use(wall + 20 * 365 * day, wall));
        assert(policy_start_is_use(UINT64_MAX, wall));
}

static void test_how_long_a_token_covers(void) {
        Token t = { .type = TOKEN_TYPE_BEARER,
                    .issued_usec = NOW,
                    .refresh_usec = 0,
                    .expires_usec = NOW + SEC(3600) };
        Token brief = { .type = TOKEN_TYPE_BEARER,
                        .issued_usec = NOW,
                        .expires_usec = NOW + SEC(10) };

        assert(policy_covered_until(ACCOUNT_SOURCE_ENTRA, &t, NOW + SEC(2880)) == NOW + SEC(2880));
        assert(policy_covered_until(ACCOUNT_SOURCE_ENTRA, &t, USEC_INFINITY) == NOW + SEC(3480));
        assert(policy_covered_until(ACCOUNT_SOURCE_ENTRA, &brief, NOW + SEC(8)) == NOW + SEC(5));
        assert(policy_covered_until(ACCOUNT_SOURCE_AZURE_CLI, &t, NOW + SEC(3330)) == 0);
}

int main(void) {
        test_fresh_without_a_promise();
        test_a_promise_is_kept_to_the_microsecond();
        test_the_last_microsecond_is_usable();
        test_beyond_is_longer_than_the_whole_life();
        test_refresh_at_80_percent_of_a_life();
        test_refresh_at_the_servers_advice();
        test_a_short_life_is_no_reason_to_hurry();
        test_az_is_asked_in_the_last_five_minutes();
        test_what_does_not_end_is_not_refreshed();
        test_back_off();
        test_may_a_caller_start_an_attempt();
        test_an_idle_account_is_only_kept_alive();
        test_the_start_is_a_use_within_14_days();
        test_how_long_a_token_covers();
        return 0;
}
