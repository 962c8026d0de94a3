/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

static void falls_asleep(Stage *s) {
        s->env.asleep = true;
        keeper_on_sleep(s->keeper);
        fake_time_pass(0);
}

static void wakes(Stage *s) {
        s->env.asleep = false;
        keeper_on_online(s->keeper);
        fake_time_pass(0);
        fake_time_pass(0);
}

static void test_nothing_is_started_while_asleep(void) {
        Caller good = { 0 }, strict = { 0 }, late = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_pass(SEC(60));
        falls_asleep(&s);
        ASK(&good, &s, 20);
        expect_token(&good, "secret-at-1");
        ASK(&strict, &s, 20, .wish = { .strict = true, .min_valid = 3590 });
        fake_time_pass(SEC(20));
        expect_failure(&strict, OUTCOME_TIMED_OUT, "");
        /* Due, and then over: still nothing, and nothing that keeps the loop turning. */
        fake_time_sleep(SEC(7200));
        assert(fake_fetches() == 1);
        ASK(&late, &s, 60);
        expect_waiting(&late);
        wakes(&s);
        assert(fake_fetches() == 2);
        answer_token("secret-at-2", NULL);
        expect_token(&late, "secret-at-2");
        fake_time_pass(SEC(60));
        assert(fake_fetches() == 2);
        stage_deinit(&s);
}

static void test_due_while_asleep_is_done_afterwards(void) {
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        falls_asleep(&s);
        fake_time_sleep(SEC(3500));
        assert(fake_fetches() == 1);
        wakes(&s);
        assert(fake_fetches() == 2);
        answer_token("secret-at-2", NULL);
        stage_deinit(&s);
}

static void test_a_token_near_its_end_is_served(void) {
        Caller asks = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 3560, 3600);
        s.env.asleep = true;
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&asks, &s, 20);
        expect_token(&asks, "secret-at-1");
        fake_time_pass(SEC(5));
        assert(fake_fetches() == 0);
        wakes(&s);
        assert(fake_fetches() == 1);
        answer_token("secret-at-2", NULL);
        stage_deinit(&s);
}

static void test_what_was_sent_is_stored_first(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        assert(fake_sleep_locks() == 0);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 60);
        assert(fake_sleep_locks() == 1);
        falls_asleep(&s);
        expect_waiting(&c);
        fake_keyring_hold(s.keyring, true);
        answer_token("secret-at-2", "secret-rt-2");
        assert(fake_sleep_locks() == 1);
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(0);
        assert(fake_sleep_locks() == 0);
        assert(streq(stage_stored_secret(&s), "secret-rt-2"));
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

static void test_a_failure_lets_the_machine_sleep(void) {
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3500));
        assert(fake_sleep_locks() == 1);
        answer_error(OUTCOME_UNAVAILABLE, 0);
        assert(fake_sleep_locks() == 0);
        falls_asleep(&s);
        fake_time_sleep(SEC(7200));
        assert(fake_fetches() == 2);
        wakes(&s);
        assert(fake_fetches() == 3);
        answer_token("secret-at-2", NULL);
        stage_deinit(&s);
}

int main(void) {
        test_nothing_is_started_while_asleep();
        test_due_while_asleep_is_done_afterwards();
        test_a_token_near_its_end_is_served();
        test_what_was_sent_is_stored_first();
        test_a_failure_lets_the_machine_sleep();
        return 0;
}
