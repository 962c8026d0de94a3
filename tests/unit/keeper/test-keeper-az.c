/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

/* An account of az whose first token has been fetched and handed out. */
static void stage_start_az(Stage *s) {
        Caller c = { 0 };

        stage_init(s);
        stage_start(s, ACCOUNT_SOURCE_AZURE_CLI);
        ASK(&c, s, 60);
        answer_token("secret-ada-1", NULL);
        expect_token(&c, "secret-ada-1");
        fake_time_pass(SEC(10)); /* it is written */
        assert(fake_fetches() == 1);
}

static void test_the_former_users_token_is_not_served(void) {
        Caller c = { 0 }, none = { 0 };
        Stage s;

        stage_start_az(&s);
        fake_notify(true);
        fake_time_pass(0);
        ASK(&none, &s, 0);
        expect_failure(&none, OUTCOME_UNAVAILABLE, "");
        ASK(&c, &s, 60);
        /* az is not run while somebody writes its files. */
        fake_time_pass(SEC(3));
        assert(fake_fetches() == 1);
        expect_waiting(&c);
        fake_notify(false);
        fake_time_pass(0);
        answer_token("secret-bob-1", NULL);
        expect_token(&c, "secret-bob-1");
        fake_time_pass(SEC(60));
        assert(fake_fetches() == 2);
        stage_deinit(&s);
}

static void test_in_use_is_asked_for_in_the_background(void) {
        Stage s;

        stage_start_az(&s);
        fake_notify(true);
        fake_time_pass(0);
        fake_notify(false);
        fake_time_pass(0);
        assert(fake_fetches_running() == 1);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        fake_notify(true);
        fake_time_pass(0);
        fake_notify(false);
        fake_time_pass(0);
        answer_token("secret-bob-1", NULL);
        assert(stage_state(&s) == KEEPER_STATE_READY);
        fake_time_pass(SEC(60));
        assert(fake_fetches() == 3);
        stage_deinit(&s);
}

static void test_not_in_use_waits_for_a_caller(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
        fake_notify(true);
        fake_time_pass(0);
        fake_notify(false);
        fake_time_pass(0);
        fake_time_pass(SEC(7200));
        assert(fake_fetches() == 0);
        ASK(&c, &s, 60);
        answer_token("secret-bob-1", NULL);
        expect_token(&c, "secret-bob-1");
        stage_deinit(&s);
}

static void test_an_answer_of_before_is_asked_for_again(void) {
        static const bool fails[] = { false, true };

        for (size_t i = 0; i < ARRAY_SIZE(fails); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
                ASK(&c, &s, 60);
                fake_notify(true);
                fake_time_pass(0);
                if (fails[i])
                        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
                else
                        answer_token("secret-ada-1", NULL);
                fake_time_pass(SEC(1));
                expect_waiting(&c);
                assert(fake_fetches_running() == 0);
                fake_notify(false);
                fake_time_pass(0);
                assert(fake_fetches_running() == 1);
                answer_token("secret-bob-1", NULL);
                expect_token(&c, "secret-bob-1");
                assert(fake_fetches() == 2);
                stage_deinit(&s);
        }
}

static void test_signed_in_while_no_daemon_ran(void) {
        static const struct {
                uint64_t written_at;
                bool served;
        } rows[] = { { 0, true }, { WALL - 1001, true }, { WALL - 1000, false }, { WALL, false } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_put_record(&s, ACCOUNT_SOURCE_AZURE_CLI, NULL, "secret-ada-1", 1000, 3600);
                assert(keeper_new(&s.keeper, &s.env, stage_account(ACCOUNT_SOURCE_AZURE_CLI)) == 0);
                fake_notify_set_written_at(rows[i].written_at);
                fake_time_pass(0);
                ASK(&c, &s, 60);
                if (rows[i].served)
                        expect_token(&c, "secret-ada-1");
                else {
                        expect_waiting(&c);
                        answer_token("secret-bob-1", NULL);
                        expect_token(&c, "secret-bob-1");
                }
                stage_deinit(&s);
        }
}

/* The record names no subscription: what is in it was for the former one. */
static void test_another_subscription_starts_over(void) {
        Caller c = { 0 };
        Account *other;
        Stage s;

        stage_start_az(&s);
        other = stage_account(ACCOUNT_SOURCE_AZURE_CLI);
        other->subscription = strdup("other");
        assert(keeper_configure(s.keeper, other) == 0);
        fake_time_pass(SEC(3));
        s.keeper = keeper_free(s.keeper);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
        ASK(&c, &s, 60);
        expect_waiting(&c);
        caller_leave(&c);
        stage_deinit(&s);
}

static void test_others_do_not_mind(void) {
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        assert(!fake_notify_watched());
        stage_deinit(&s);
}

int main(void) {
        (void)setenv("HOME", "/nonexistent", 1);
        test_the_former_users_token_is_not_served();
        test_in_use_is_asked_for_in_the_background();
        test_not_in_use_waits_for_a_caller();
        test_an_answer_of_before_is_asked_for_again();
        test_signed_in_while_no_daemon_ran();
        test_another_subscription_starts_over();
        test_others_do_not_mind();
        return 0;
}
