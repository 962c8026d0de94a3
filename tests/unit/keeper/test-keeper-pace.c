/* SPDX-License-Identifier: MIT */
/*
 * What the tokens' own life demands is asked for, in an outage and after a kill as well: one
 * request in the time that a token covers, beside the 12 in 5 minutes (test-keeper-budget.c). So
 * whoever waits for a token has one soon after whatever was in the way is over.
 */
#include "util-service.h"

/* Signed in, and its first token has come. */
static void start(Stage *s, Service *service, uint64_t life) {
        *service = (Service){ .life = life };
        stage_init(s);
        stage_put_record(s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        fake_fetch_answer_by(service_answer, 0, service);
        stage_start(s, ACCOUNT_SOURCE_ENTRA);
        fake_time_pass(SEC(1));
        assert(service->n == 1);
}

/* The network comes and goes for an hour, every time with a word of it: callers have a token each
 * time that it is there, however often it was not. */
static void test_short_lives_in_a_network_that_flaps(void) {
        Service service;
        Stage s;

        start(&s, &service, 10);
        for (unsigned i = 0; i < 3600 / 20; i++) {
                Caller c = { 0 };

                service.outcome = OUTCOME_UNAVAILABLE;
                fake_time_pass(SEC(12));
                service.outcome = OUTCOME_OK;
                keeper_on_online(s.keeper);
                ASK(&c, &s, 20);
                fake_time_pass(SEC(8));
                assert(c.answers == 1 && *c.token);
        }
        /* A token of 10 s covers 5 (policy_covered_until()), and 12 may follow what failed. */
        assert(service_most(&service) <= 300 / 5 + 1 + 12);
        stage_deinit(&s);
}

/* A token of an hour demands nothing for 48 minutes, failed or not. */
static void test_long_lives_in_an_outage(void) {
        Service service;
        Stage s;

        start(&s, &service, 3600);
        fake_time_pass(SEC(2800));
        service.outcome = OUTCOME_UNAVAILABLE;
        for (unsigned i = 0; i < 4 * 3600 / 3; i++) {
                Caller c = { 0 };

                keeper_on_online(s.keeper);
                ASK(&c, &s, 2);
                fake_time_pass(SEC(3));
                caller_leave(&c);
        }
        assert(service_most(&service) <= 1 + 12);
        stage_deinit(&s);
}

/* Killed in each exchange, so that nothing of it is stored: the last life has a token as soon as
 * the next one is due. */
static void test_killed_in_exchanges(void) {
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, 10);
        for (unsigned i = 0; i < 60; i++) {
                fake_time_pass(SEC(1));
                s.keeper = keeper_free(s.keeper);
                stage_start(&s, ACCOUNT_SOURCE_ENTRA);
                ASK(&c, &s, 20, .force = true);
                fake_time_pass(SEC(1) / 20);
                caller_leave(&c);
        }
        fake_time_pass(SEC(10)); /* what the last life still had is over */
        s.keeper = keeper_free(s.keeper);
        service.delay = USEC_INFINITY;
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_time_pass(0);
        s.keeper = keeper_free(s.keeper);
        service.delay = 0;
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 20);
        fake_time_pass(SEC(6));
        assert(c.answers == 1 && *c.token);
        stage_deinit(&s);
}

/* Nobody can ask now, but will before the caller loses patience. What is said to others names the
 * time. */
static void test_soon_is_waited_for(void) {
        Caller patient = { 0 }, hasty = { 0 }, c = { 0 };
        Service service;
        Stage s;

        start(&s, &service, 3600);
        for (unsigned i = 0; i < 12; i++) {
                ASK(&c, &s, 20, .wish = { .strict = true, .min_valid = 3600 });
                fake_time_pass(SEC(1));
                caller_leave(&c);
        }
        assert(service.n == 1 + 12);
        ASK(&hasty, &s, 20, .force = true, .wish = { .strict = true, .min_valid = 3600 });
        expect_failure(&hasty, OUTCOME_UNAVAILABLE, "Try again in 288 s.");
        fake_time_pass(SEC(280));
        ASK(&hasty, &s, 5, .force = true);
        expect_failure(&hasty, OUTCOME_UNAVAILABLE, "Try again in 8 s.");
        ASK(&patient, &s, 20, .force = true);
        expect_waiting(&patient);
        fake_time_pass(SEC(9));
        expect_token(&patient, "secret-at-14");
        stage_deinit(&s);
}

/* The network's return when no request may leave: it is made when one may, not when the back-off
 * would have been over. */
static void test_the_networks_return_is_not_forgotten(void) {
        Service service;
        Stage s;

        start(&s, &service, 3600);
        service.outcome = OUTCOME_UNAVAILABLE;
        fake_time_sleep(SEC(3700));
        service.n = 0; /* but the first, which its end demanded */
        while (service.n < 12) {
                Caller c = { 0 };

                ASK(&c, &s, 1); /* each 30 s one may have it tried */
                fake_time_pass(SEC(1));
                caller_leave(&c);
        }
        fake_time_pass(SEC(1));
        service.outcome = OUTCOME_OK;
        keeper_on_online(s.keeper);
        fake_time_pass(service.sent[0] + SERVICE_WINDOW - SEC(1) - clock_boottime());
        assert(service.n == 12 && stage_state(&s) == KEEPER_STATE_UNAVAILABLE);
        fake_time_pass(SEC(2));
        assert(service.n == 12 + 1 && stage_state(&s) == KEEPER_STATE_READY);
        stage_deinit(&s);
}

/* The keyring hangs longer than the token lives that waits for it: that one counts as none. */
static void test_a_token_that_ends_before_it_is_handed_out(void) {
        Caller plain = { 0 }, strict = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&plain, &s, 60);
        ASK(&strict, &s, 60, .wish = { .strict = true, .min_valid = 2 });
        fake_keyring_hold(s.keyring, true);
        fake_fetch_token(fake_fetch(), &(FakeToken){ .access_token = "secret-at-1",
                                                     .refresh_token = "secret-rt-2",
                                                     .expires_in = 8 });
        fake_time_pass(SEC(11));
        expect_failure(&strict, OUTCOME_UNAVAILABLE, "a token just fetched is valid for 0 s");
        expect_waiting(&plain);
        answer_token("secret-at-2", NULL);
        expect_token(&plain, "secret-at-2");
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(SEC(60));
        stage_deinit(&s);
}

int main(void) {
        test_short_lives_in_a_network_that_flaps();
        test_long_lives_in_an_outage();
        test_killed_in_exchanges();
        test_soon_is_waited_for();
        test_the_networks_return_is_not_forgotten();
        test_a_token_that_ends_before_it_is_handed_out();
        return 0;
}
