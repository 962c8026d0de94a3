/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

static void test_the_refresh_token_is_stored_first(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 60);
        fake_keyring_hold(s.keyring, true);
        answer_token("secret-at-2", "secret-rt-2");
        fake_time_pass(SEC(5));
        expect_waiting(&c);
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(0);
        assert(streq(stage_stored_secret(&s), "secret-rt-2"));
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

static void test_without_a_keyring_the_token_is_handed_out(void) {
        static const KeyringState states[] = { KEYRING_STATE_LOCKED, KEYRING_STATE_ABSENT,
                                               KEYRING_STATE_OK };
        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s);
                fake_time_sleep(SEC(3600));
                ASK(&c, &s, 60);
                fake_keyring_set_state(s.keyring, states[i]);
                fake_keyring_hold(s.keyring, states[i] == KEYRING_STATE_OK); /* stuck */
                answer_token("secret-at-2", "secret-rt-2");
                fake_time_pass(SEC(10));
                expect_token(&c, "secret-at-2");
                assert(streq(stage_stored_secret(&s), "secret-rt-1"));
                assert(stage_state(&s) == KEEPER_STATE_READY);
                /* The next exchange uses what is in memory, and not what the keyring has. */
                fake_time_pass(SEC(60));
                ASK(&c, &s, 60, .force = true);
                fake_time_pass(SEC(10));
                assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-2"));
                answer_token("secret-at-3", "secret-rt-3");
                fake_time_pass(SEC(10));
                expect_token(&c, "secret-at-3");
                /* It is written as soon as it can be. */
                fake_keyring_hold(s.keyring, false);
                fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
                fake_time_pass(SEC(300));
                assert(streq(stage_stored_secret(&s), "secret-rt-3"));
                stage_deinit(&s);
        }
}

static void test_the_background_is_a_caller_too(void) {
        Caller c = { 0 };
        KeeperView view;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        keeper_view(s.keeper, &view);
        assert(view.expires_at == WALL + 3600 && view.refresh_at == WALL + 2880);
        assert(view.last_refresh_at == WALL);
        fake_time_pass(SEC(2878) - 1); /* 2 s have passed at the start */
        assert(fake_fetches_running() == 0);
        fake_time_pass(1);
        assert(fake_fetches_running() == 1);
        ASK(&c, &s, 20); /* nobody waits for it */
        expect_token(&c, "secret-at-1");
        (void)stage_changed(&s);
        fake_time_pass(SEC(1));
        answer_token("secret-at-2", "secret-rt-2");
        assert(stage_changed(&s) == (ACCOUNT_CHANGED_EXPIRES_AT | ACCOUNT_CHANGED_REFRESH_AT |
                                     ACCOUNT_CHANGED_LAST_REFRESH_AT));
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-2");
        keeper_view(s.keeper, &view);
        assert(view.expires_at == WALL + 2881 + 3600);
        stage_deinit(&s);
}

static void answer_all(Fetch *f, void *userdata) {
        unsigned *n = userdata;
        char token[32], refresh_token[32];

        snprintf(token, sizeof(token), "secret-at-%u", ++*n);
        snprintf(refresh_token, sizeof(refresh_token), "secret-rt-%u", *n);
        fake_fetch_token(f, &(FakeToken){ .access_token = token, .refresh_token = refresh_token });
}

static void test_a_day_of_callers(void) {
        unsigned n = 0;
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-0", NULL, 0, 0);
        fake_fetch_answer_by(answer_all, SEC(1), &n);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_time_pass(SEC(1));
        for (unsigned i = 0; i < 86400 / 60; i++) {
                fake_random_set(i * 7919);
                ASK(&c, &s, 20);
                assert(c.answers == 1 && *c.token);
                fake_time_pass(SEC(60));
        }
        assert(s.env.stats.cache_hits == s.env.stats.requests);
        assert(n >= 30 && n <= 32);
        stage_deinit(&s);
}

/* 24 h after its last use an account is not refreshed any more, but for once a week. */
static void test_an_idle_account_costs_one_fetch_a_week(void) {
        unsigned n = 0, day;
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-0", NULL, 0, 0);
        fake_fetch_answer_by(answer_all, SEC(1), &n);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_time_pass(SEC(86400));
        assert(n >= 30);
        for (day = n = 0; day < 70; day++)
                fake_time_pass(SEC(86400));
        assert(n >= 9 && n <= 11);
        assert(stage_state(&s) == KEEPER_STATE_READY);
        /* Asked for again, it is fresh at once and kept so. */
        ASK(&c, &s, 20);
        fake_time_pass(SEC(2));
        assert(c.answers == 1 && *c.token);
        n = 0;
        fake_time_pass(SEC(20 * 3600));
        assert(n >= 24);
        stage_deinit(&s);
}

/* A use just before an account would have been let go keeps it, too. */
static void test_a_late_use_keeps_an_account_fresh(void) {
        unsigned n = 0;
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-0", NULL, 0, 0);
        fake_fetch_answer_by(answer_all, SEC(1), &n);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_time_pass(SEC(86400 - 60)); /* the next refresh would be too late for it */
        ASK(&c, &s, 20);
        expect_token(&c, c.token);
        n = 0;
        fake_time_pass(SEC(12 * 3600));
        assert(n >= 14);
        stage_deinit(&s);
}

static void test_after_a_long_sleep_there_is_one_fetch(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(8 * 3600));
        assert(fake_fetches_running() == 1);
        ASK(&c, &s, 20);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        assert(fake_fetches() == 2);
        stage_deinit(&s);
}

/* When the wall clock is set, only what people read changes. */
static void test_a_wall_clock_that_jumps(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_set_wall(WALL + 10 * 86400);
        fake_time_pass(SEC(60));
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");
        fake_time_set_wall(WALL - 10 * 86400);
        fake_time_pass(SEC(60));
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");
        assert(fake_fetches() == 1);
        stage_deinit(&s);
}

static void test_back_off(void) {
        static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300 };
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
                answer_error(OUTCOME_UNAVAILABLE, 0);
                fake_time_pass(SEC(seconds[i]) - 1);
                assert(fake_fetches_running() == 0);
                fake_time_pass(1);
                assert(fake_fetches_running() == 1);
        }
        answer_error(OUTCOME_UNAVAILABLE, 0);
        /* A caller need not wait for 300 s, but 30 s after an attempt is soon enough. */
        fake_time_pass(SEC(30) - 1);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "Next try in 271 s");
        fake_time_pass(1);
        ASK(&c, &s, 20);
        expect_waiting(&c);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        assert(stage_state(&s) == KEEPER_STATE_READY);
        /* After a success the count begins anew. */
        fake_time_sleep(SEC(3600));
        answer_error(OUTCOME_UNAVAILABLE, 0);
        fake_time_pass(SEC(1));
        assert(fake_fetches_running() == 1);
        stage_deinit(&s);
}

static void test_retry_after_is_honoured(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        answer_error(OUTCOME_UNAVAILABLE, 600);
        fake_time_pass(SEC(599));
        for (unsigned i = 0; i < 10; i++) {
                ASK(&c, &s, 1);
                expect_failure(&c, OUTCOME_UNAVAILABLE, "Next try in 1 s");
                keeper_on_online(s.keeper); /* no reason to break one's word */
        }
        ASK(&c, &s, 20, .force = true);
        expect_waiting(&c);
        assert(fake_fetches() == 2);
        fake_time_pass(SEC(1));
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

static void test_a_network_that_is_back_is_tried_at_once(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        keeper_on_online(s.keeper); /* nothing waits for it */
        fake_time_pass(0);
        assert(fake_fetches() == 1);
        fake_time_sleep(SEC(3600));
        for (unsigned i = 0; i < 9; i++) {
                answer_error(OUTCOME_UNAVAILABLE, 0);
                fake_time_pass(i < 8 ? SEC(1 << i) : 0);
        }
        ASK(&c, &s, 300);
        expect_waiting(&c);
        keeper_on_online(s.keeper);
        fake_time_pass(0);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

static void test_what_needs_a_person_is_not_tried_again(void) {
        Caller c = { 0 };
        KeeperView view;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_pass(SEC(2878));
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        assert(stage_changed(&s) & ACCOUNT_CHANGED_LAST_ERROR);
        keeper_view(s.keeper, &view);
        assert(view.last_error->outcome == OUTCOME_SIGN_IN_NEEDED);
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");
        fake_time_pass(SEC(720));
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        fake_time_pass(SEC(86400));
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        assert(fake_fetches() == 2 && fake_timer_next() == USEC_INFINITY);
        stage_deinit(&s);
}

static void test_somebody_deletes_the_item(void) {
        Caller own = { 0 }, graph = { 0 };
        KeeperView view;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_pass(SEC(60));
        ASK(&own, &s, 20, .force = true);
        ASK(&graph, &s, 20, .resource = GRAPH);
        fake_keyring_put(s.keyring, "work", NULL);
        keeper_on_deletion(s.keeper);
        fake_time_pass(0);
        expect_failure(&own, OUTCOME_SIGN_IN_NEEDED, "nobody is signed in");
        expect_failure(&graph, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        assert(fake_fetches_running() == 0 && stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        keeper_view(s.keeper, &view);
        assert(streq(view.last_error->text,
                     "work: its item is gone from the keyring. Run: iotc-token login work"));
        ASK(&own, &s, 20); /* as after any sign-out */
        expect_failure(&own, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        fake_time_pass(SEC(86400));
        assert(!fake_keyring_get(s.keyring, "work")); /* it does not come back by itself */
        stage_deinit(&s);
}

static void test_a_fetcher_that_can_not_be_started(void) {
        static const char *const claims[] = { NULL, "{}" };

        for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s);
                fake_fetch_refuse(-EAGAIN);
                fake_time_sleep(SEC(claims[i] ? 61 : 3600));
                ASK(&c, &s, 20, .claims = claims[i]);
                fake_time_pass(SEC(1));
                expect_waiting(&c);
                fake_fetch_refuse(0);
                fake_time_pass(SEC(8));
                answer_token("secret-at-2", NULL);
                expect_token(&c, "secret-at-2");
                stage_deinit(&s);
        }
}

int main(void) {
        test_the_refresh_token_is_stored_first();
        test_without_a_keyring_the_token_is_handed_out();
        test_the_background_is_a_caller_too();
        test_a_day_of_callers();
        test_an_idle_account_costs_one_fetch_a_week();
        test_a_late_use_keeps_an_account_fresh();
        test_after_a_long_sleep_there_is_one_fetch();
        test_a_wall_clock_that_jumps();
        test_back_off();
        test_retry_after_is_honoured();
        test_a_network_that_is_back_is_tried_at_once();
        test_what_needs_a_person_is_not_tried_again();
        test_somebody_deletes_the_item();
        test_a_fetcher_that_can_not_be_started();
        return 0;
}
