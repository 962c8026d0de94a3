/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

static void test_warm_is_at_once(void) {
        Caller c = { 0 };
        uint64_t next;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        (void)stage_changed(&s);
        next = fake_timer_next();
        for (unsigned i = 0; i < 10; i++) {
                ASK(&c, &s, 20);
                expect_token(&c, "secret-at-1");
        }
        assert(s.env.stats.requests == 10 && s.env.stats.cache_hits == 10);
        assert(s.env.stats.fetches == 1 && fake_fetches_running() == 0);
        assert(fake_timer_next() == next && stage_changed(&s) == 0);
        stage_deinit(&s);
}

static void test_the_old_token_serves_while_a_refresh_fails(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        /* 100 s are left: a fetch is worth waiting for, but not worth an error. */
        fake_time_sleep(SEC(3500 - 2));
        ASK(&c, &s, 20);
        expect_waiting(&c);
        answer_error(OUTCOME_UNAVAILABLE, 0);
        expect_token(&c, "secret-at-1");
        assert(stage_state(&s) == KEEPER_STATE_READY);
        /* The next one is not kept waiting by the same failure. */
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");
        /* Who was there at the end of its patience gets it, too. */
        fake_time_pass(SEC(2));
        assert(fake_fetches_running() == 1);
        ASK(&c, &s, 3);
        expect_waiting(&c);
        fake_time_pass(SEC(3));
        expect_token(&c, "secret-at-1");
        /* When it is over, it is over. */
        fake_time_pass(SEC(95));
        answer_error(OUTCOME_UNAVAILABLE, 60);
        assert(stage_state(&s) == KEEPER_STATE_UNAVAILABLE);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "Next try in 60 s");
        stage_deinit(&s);
}

static void test_timeout_zero_is_what_is_in_memory(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3598 - 60));
        ASK(&c, &s, 0);
        expect_token(&c, "secret-at-1"); /* still valid, and being renewed */
        assert(fake_fetches_running() == 1);
        fake_time_pass(SEC(60));
        ASK(&c, &s, 0);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "being fetched");
        answer_token("secret-at-2", NULL);
        ASK(&c, &s, 0);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

static void test_min_valid_is_a_promise(void) {
        const PolicyWish wish = { .strict = true, .min_valid = 1800 };
        const PolicyWish beyond = { .strict = true, .min_valid = 4000 };
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        ASK(&c, &s, 20, .wish = wish);
        expect_token(&c, "secret-at-1");
        fake_time_pass(SEC(1800));
        ASK(&c, &s, 20, .wish = wish);
        expect_waiting(&c);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");

        /* At most one fetch, then the truth; and no other fetch for the same impossible wish. */
        fake_time_pass(SEC(61));
        ASK(&c, &s, 20, .wish = beyond);
        expect_waiting(&c);
        answer_token("secret-at-3", NULL);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "min-valid");
        assert(fake_fetches() == 3 && fake_fetches_running() == 0);
        ASK(&c, &s, 20, .wish = beyond);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "not 4000 s");
        assert(fake_fetches() == 3);

        /* A valid token that is too short is no answer to a promise when the fetch fails. */
        fake_time_pass(SEC(2000));
        ASK(&c, &s, 20, .wish = wish);
        answer_error(OUTCOME_UNAVAILABLE, 0);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "Next try in");
        stage_deinit(&s);
}

static void test_force_is_never_the_token_held(void) {
        Caller c = { 0 }, plain = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        /* A fetch that ended under a minute ago is the one that force wants. */
        ASK(&c, &s, 20, .force = true);
        expect_token(&c, "secret-at-1");
        fake_time_pass(SEC(60));
        ASK(&c, &s, 20, .force = true);
        expect_waiting(&c);
        ASK(&plain, &s, 20); /* others are not kept waiting by it */
        expect_token(&plain, "secret-at-1");
        answer_error(OUTCOME_UNAVAILABLE, 11);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "Next try in");
        ASK(&plain, &s, 20);
        expect_token(&plain, "secret-at-1");

        fake_time_pass(SEC(11));
        assert(fake_fetches_running() == 1);
        ASK(&c, &s, 20, .force = true);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        ASK(&c, &s, 0, .force = true);
        expect_token(&c, "secret-at-2");
        fake_time_pass(SEC(60));
        ASK(&c, &s, 0, .force = true);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "being fetched");
        stage_deinit(&s);
}

/* az may well give out the token that it gave before. */
static void test_force_asks_az_again(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
        assert(fake_fetches() == 0); /* az is not run before somebody wants it */
        ASK(&c, &s, 20);
        assert(streq(fake_fetch_request(fake_fetch())->source, "azure-cli"));
        assert(!fake_fetch_request(fake_fetch())->client_id);
        answer_token("secret-at-1", NULL);
        expect_token(&c, "secret-at-1");
        fake_time_pass(SEC(60));
        ASK(&c, &s, 20, .force = true);
        expect_waiting(&c);
        answer_token("secret-at-1", NULL);
        expect_token(&c, "secret-at-1");
        stage_deinit(&s);
}

static void test_a_failed_challenge_is_its_callers_own(void) {
        Caller challenged = { 0 }, plain = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        (void)stage_changed(&s);
        ASK(&challenged, &s, 20, .claims = "{\"access_token\":{}}");
        expect_waiting(&challenged);
        assert(streq(fake_fetch_request(fake_fetch())->claims, "{\"access_token\":{}}"));
        answer_error(OUTCOME_BLOCKED, 0);
        expect_failure(&challenged, OUTCOME_BLOCKED, "said");
        assert(stage_state(&s) == KEEPER_STATE_READY);
        assert(!(stage_changed(&s) & (ACCOUNT_CHANGED_STATE | ACCOUNT_CHANGED_LAST_ERROR)));
        ASK(&plain, &s, 20);
        expect_token(&plain, "secret-at-1");

        /* One that succeeds satisfies the others as well, those that wait included. */
        fake_time_pass(SEC(3590));
        answer_error(OUTCOME_UNAVAILABLE, 600);
        ASK(&challenged, &s, 30, .claims = "{\"access_token\":{}}");
        ASK(&plain, &s, 30, .wish = { .strict = true, .min_valid = 60 });
        expect_failure(&plain, OUTCOME_UNAVAILABLE, "Next try");
        answer_token("secret-at-2", "secret-rt-2");
        expect_token(&challenged, "secret-at-2");
        ASK(&plain, &s, 20);
        expect_token(&plain, "secret-at-2");
        fake_time_pass(SEC(61));
        ASK(&challenged, &s, 30, .claims = "{\"access_token\":{}}");
        ASK(&plain, &s, 30, .force = true);
        expect_waiting(&plain);
        answer_token("secret-at-3", NULL);
        expect_token(&challenged, "secret-at-3");
        expect_token(&plain, "secret-at-3");
        assert(fake_fetches_running() == 0);
        stage_deinit(&s);
}

static void test_challenges_are_limited(void) {
        Caller c[LIMIT_CHALLENGES] = { 0 }, more = { 0 };
        char claims[32];
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
                snprintf(claims, sizeof(claims), "{\"n\":%zu}", i);
                ASK(&c[i], &s, i % 2 ? 20 : 0, .claims = claims);
        }
        ASK(&more, &s, 20, .claims = "{\"n\":-1}");
        expect_failure(&more, OUTCOME_LIMITS_EXCEEDED, "Try again");
        assert(fake_fetches_running() == 1);
        for (size_t i = 0; i < ARRAY_SIZE(c); i++)
                caller_leave(&c[i]);
        ASK(&more, &s, 20);
        expect_token(&more, "secret-at-1");
        stage_deinit(&s);
}

static void test_other_resources(void) {
        Caller own = { 0 }, graph = { 0 }, other = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        ASK(&graph, &s, 20, .resource = GRAPH);
        assert(streq(fake_fetch_request(fake_fetch())->resource, GRAPH));
        assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-1"));
        /* One refresh token, and never two exchanges of it at a time. */
        fake_time_pass(SEC(60) - 1);
        caller_leave(&graph);
        ASK(&own, &s, 20, .force = true);
        ASK(&graph, &s, 20, .resource = GRAPH);
        assert(fake_fetches_running() == 1);
        answer_token("secret-graph-1", "secret-rt-2");
        assert(fake_fetches_running() == 1);
        assert(streq(fake_fetch_request(fake_fetch())->resource, RESOURCE));
        assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-2"));
        answer_token("secret-at-2", "secret-rt-3");
        expect_token(&own, "secret-at-2");
        expect_token(&graph, "secret-graph-1");
        ASK(&own, &s, 20, .resource = RESOURCE);
        expect_token(&own, "secret-at-2");

        ASK(&other, &s, 20, .resource = "https://vault.azure.net");
        expect_failure(&other, OUTCOME_DENIED, "resources=https://vault.azure.net");
        ASK(&other, &s, 20, .resource = "https://evil\n.example\x1b[2J");
        expect_failure(&other, OUTCOME_INVALID_ARGS, "resource");
        stage_deinit(&s);
}

int main(void) {
        test_warm_is_at_once();
        test_the_old_token_serves_while_a_refresh_fails();
        test_timeout_zero_is_what_is_in_memory();
        test_min_valid_is_a_promise();
        test_force_is_never_the_token_held();
        test_force_asks_az_again();
        test_a_failed_challenge_is_its_callers_own();
        test_challenges_are_limited();
        test_other_resources();
        return 0;
}
