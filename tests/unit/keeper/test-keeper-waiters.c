/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

static void test_fifty_callers_one_fetch(void) {
        Caller c[50] = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600)); /* the token is over; the refresh begins by itself */
        for (size_t i = 0; i < ARRAY_SIZE(c); i++)
                ASK(&c[i], &s, 20);
        fake_time_pass(SEC(1));
        for (size_t i = 0; i < ARRAY_SIZE(c); i++)
                expect_waiting(&c[i]);
        answer_token("secret-at-2", "secret-rt-2");
        for (size_t i = 0; i < ARRAY_SIZE(c); i++)
                expect_token(&c[i], "secret-at-2");
        assert(fake_fetches() == 2 && s.env.stats.coalesced == 50);
        stage_deinit(&s);
}

static void test_each_waits_as_long_as_it_wants(void) {
        Caller five = { 0 }, twenty = { 0 }, sixty = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&twenty, &s, 20);
        ASK(&five, &s, 5);
        ASK(&sixty, &s, 60);
        fake_time_pass(SEC(5) - 1);
        expect_waiting(&five);
        fake_time_pass(1);
        expect_failure(&five, OUTCOME_TIMED_OUT, "within 5 s");
        fake_time_pass(SEC(15));
        expect_failure(&twenty, OUTCOME_TIMED_OUT, "iotc-token status work");
        /* The fetch went on, and is of use to who still waits and who comes. */
        expect_waiting(&sixty);
        answer_token("secret-at-2", NULL);
        expect_token(&sixty, "secret-at-2");
        ASK(&five, &s, 0);
        expect_token(&five, "secret-at-2");
        stage_deinit(&s);
}

static void leave_other(Caller *c) {
        caller_leave(c->other);
}

static void ask_other(Caller *c) {
        caller_ask(c->other, c->keeper,
                   &(KeeperAsk){ .caller = ":1.2", .timeout_usec = SEC(20), .claims = "{}" });
}

static void test_what_callers_do_inside_their_answer(void) {
        Caller c[4] = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        c[0].then = leave_other;
        c[0].other = &c[1]; /* the next in line */
        c[2].then = leave_other;
        c[2].other = &c[0]; /* it has gone already */
        for (size_t i = 0; i < ARRAY_SIZE(c); i++)
                ASK(&c[i], &s, 20);
        answer_token("secret-at-2", NULL);
        assert(c[1].answers == 0);
        expect_token(&c[0], "secret-at-2");
        expect_token(&c[2], "secret-at-2");
        expect_token(&c[3], "secret-at-2");

        /* The last one of a challenge asks for another. */
        c[0].then = ask_other;
        c[0].other = &c[3];
        ASK(&c[0], &s, 20, .claims = "{\"a\":1}");
        answer_token("secret-at-3", NULL);
        expect_token(&c[0], "secret-at-3");
        expect_waiting(&c[3]);
        answer_token("secret-at-4", NULL);
        expect_token(&c[3], "secret-at-4");
        stage_deinit(&s);
}

static void test_no_more_waiters_than_the_limit(void) {
        Caller *c = calloc(LIMIT_WAITERS_PER_ACCOUNT + 1, sizeof(*c));
        Stage s;

        assert(c);
        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        for (size_t i = 0; i < LIMIT_WAITERS_PER_ACCOUNT; i++) {
                ASK(&c[i], &s, 20);
                expect_waiting(&c[i]);
        }
        ASK(&c[LIMIT_WAITERS_PER_ACCOUNT], &s, 20);
        expect_failure(&c[LIMIT_WAITERS_PER_ACCOUNT], OUTCOME_LIMITS_EXCEEDED, "too many callers");
        answer_token("secret-at-2", NULL);
        for (size_t i = 0; i < LIMIT_WAITERS_PER_ACCOUNT; i++)
                expect_token(&c[i], "secret-at-2");
        free(c);
        stage_deinit(&s);
}

static void test_a_caller_that_leaves_takes_nothing_along(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 20);
        caller_leave(&c);
        assert(fake_fetches_running() == 1);
        answer_token("secret-at-2", NULL);
        assert(c.answers == 0);
        ASK(&c, &s, 0);
        expect_token(&c, "secret-at-2");
        assert(!waiter_free(NULL));
        stage_deinit(&s);
}

static void test_nobody_is_left_without_an_answer(void) {
        Caller c[3] = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c[0], &s, 20);
        ASK(&c[1], &s, 20, .resource = GRAPH);
        ASK(&c[2], &s, 20, .claims = "{}");
        s.keeper = keeper_free(s.keeper);
        for (size_t i = 0; i < ARRAY_SIZE(c); i++)
                expect_failure(&c[i], OUTCOME_CANCELLED, "removed");
        stage_deinit(&s);
}

static void test_the_next_try_is_waited_for(void) {
        Caller patient = { 0 }, hurried = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        answer_error(OUTCOME_UNAVAILABLE, 10);
        ASK(&hurried, &s, 10);
        expect_failure(&hurried, OUTCOME_UNAVAILABLE, "Next try in 10 s");
        ASK(&patient, &s, 20);
        expect_waiting(&patient);
        fake_time_pass(SEC(10));
        answer_token("secret-at-2", NULL);
        expect_token(&patient, "secret-at-2");
        stage_deinit(&s);
}

static void test_a_moment_without_network_is_waited_out(void) {
        Caller plain = { 0 }, hurried = { 0 }, strict = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&plain, &s, 90);
        ASK(&hurried, &s, 2);
        ASK(&strict, &s, 90, .wish = { .strict = true, .min_valid = 60 });
        answer_error(OUTCOME_UNAVAILABLE, 0);
        expect_failure(&strict, OUTCOME_UNAVAILABLE,
                       "Next try in 1 s"); /* one fetch, as promised */
        expect_waiting(&plain);
        expect_waiting(&hurried);
        fake_time_pass(SEC(1));
        answer_error(OUTCOME_UNAVAILABLE, 0);
        expect_failure(&hurried, OUTCOME_UNAVAILABLE, "Next try in 2 s");
        expect_waiting(&plain);
        fake_time_pass(SEC(2));
        answer_token("secret-at-2", NULL);
        expect_token(&plain, "secret-at-2");
        stage_deinit(&s);
}

static void test_an_outage_is_told_soon(void) {
        Caller plain = { 0 }, short_of_time = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&plain, &s, 90);
        for (unsigned delay = 1; delay <= 4; delay *= 2) {
                answer_error(OUTCOME_UNAVAILABLE, 0);
                expect_waiting(&plain);
                fake_time_pass(SEC(delay));
        }
        /* It runs into its time: what is wrong is said as well. */
        ASK(&short_of_time, &s, 1);
        fake_time_pass(SEC(1));
        expect_failure(&short_of_time, OUTCOME_TIMED_OUT, "still being tried");
        answer_error(OUTCOME_UNAVAILABLE, 0);
        expect_failure(&plain, OUTCOME_UNAVAILABLE, "Next try in 8 s");
        stage_deinit(&s);
}

int main(void) {
        test_fifty_callers_one_fetch();
        test_each_waits_as_long_as_it_wants();
        test_what_callers_do_inside_their_answer();
        test_no_more_waiters_than_the_limit();
        test_a_caller_that_leaves_takes_nothing_along();
        test_nobody_is_left_without_an_answer();
        test_the_next_try_is_waited_for();
        test_a_moment_without_network_is_waited_out();
        test_an_outage_is_told_soon();
        return 0;
}
