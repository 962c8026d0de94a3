/* SPDX-License-Identifier: MIT */
/*
 * Entra takes 15 equal requests in 5 minutes for a loop and signs the account out (AADSTS50196).
 * Whatever callers and the network do, there are never so many.
 */
#include "util-service.h"

static void start(Stage *s, Service *service, AccountSource source, Outcome outcome) {
        *service = (Service){ .outcome = outcome };
        stage_init(s);
        stage_put_record(s, source, "secret-rt-1", NULL, 0, 0);
        fake_fetch_answer_by(service_answer, 0, service);
        stage_start(s, source);
        fake_time_pass(SEC(1));
}

/* One caller a second, who forces, in an outage of whatever kind. */
static void test_callers_who_insist(void) {
        static const Outcome outcomes[] = { OUTCOME_UNAVAILABLE, OUTCOME_SIGN_IN_NEEDED,
                                            OUTCOME_BLOCKED, OUTCOME_MISCONFIGURED };
        static const AccountSource sources[] = { ACCOUNT_SOURCE_ENTRA, ACCOUNT_SOURCE_AZURE_CLI };

        for (size_t i = 0; i < ARRAY_SIZE(outcomes) * ARRAY_SIZE(sources); i++) {
                Service service;
                Stage s;

                start(&s, &service, sources[i % 2], outcomes[i / 2]);
                for (unsigned second = 0; second < 3600; second++) {
                        Caller c = { 0 };

                        ASK(&c, &s, 1, .force = second % 2);
                        fake_time_pass(SEC(1));
                        caller_leave(&c);
                }
                assert(service.n > 0 && service_most(&service) < 15);
                stage_deinit(&s);
        }
}

/* Each return of the network begins the back-off anew, but not the count. */
static void test_a_network_that_flaps(void) {
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_ENTRA, OUTCOME_UNAVAILABLE);
        for (unsigned i = 0; i < 3600 / 3; i++) {
                keeper_on_online(s.keeper);
                fake_time_pass(SEC(3));
        }
        assert(service_most(&service) < 15);
        /* It is tried all the time, and when it can be had, it is. */
        assert(service.n > 120);
        service.outcome = OUTCOME_OK;
        ASK(&c, &s, 900);
        fake_time_pass(SEC(301));
        assert(c.answers == 1 && *c.token);
        stage_deinit(&s);
}

/* The timer of an outage that nobody disturbs is not slowed by the count. */
static void test_an_outage_alone_is_within(void) {
        Service service;
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_ENTRA, OUTCOME_UNAVAILABLE);
        fake_time_pass(SEC(298));
        assert(service.n == 9); /* 0, 1, 3, 7, 15, 31, 63, 127, 255 */
        stage_deinit(&s);
}

/* Tokens that live for 10 s demand more than 15 exchanges in 5 min, and get them. */
static void answer_short(Fetch *f, void *userdata) {
        ((Service *)userdata)->n++;
        fake_fetch_token(f, &(FakeToken){ .access_token = "secret-at-1", .expires_in = 10 });
}

static void test_what_a_short_life_demands_is_not_counted(void) {
        Service service = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        fake_fetch_answer_by(answer_short, SEC(1) / 10, &service);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_time_pass(SEC(300));
        assert(service.n >= 30);
        stage_deinit(&s);
}

/* Who asks for no more than a good token spends nothing of what others may wish for. */
static void test_plain_callers_spend_nothing(void) {
        Service service = { 0 };
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        fake_fetch_answer_by(answer_short, SEC(1) / 10, &service);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        for (unsigned i = 0; i < 250; i++) {
                fake_time_pass(SEC(1));
                ASK(&c, &s, 20);
                fake_time_pass(SEC(1));
                expect_token(&c, "secret-at-1");
        }
        for (unsigned i = 0; i < 6; i++) {
                ASK(&c, &s, 20, .claims = "{}");
                fake_time_pass(SEC(1));
                expect_token(&c, "secret-at-1");
        }
        stage_deinit(&s);
}

/* Whatever callers wish for, the identity service does not take us for a loop. */
static void test_wishes_are_few(void) {
        Service service;
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_ENTRA, OUTCOME_OK);
        fake_time_pass(SEC(60));
        service.n = 0;
        for (unsigned i = 0; i < 100; i++) {
                Caller strict = { 0 }, forced = { 0 }, challenged = { 0 };

                ASK(&strict, &s, 2, .wish = { .strict = true, .min_valid = 3599 });
                ASK(&forced, &s, 2, .force = true);
                ASK(&challenged, &s, 2, .claims = "{}");
                fake_time_pass(SEC(3));
                assert(strict.answers == 1 && forced.answers == 1 && challenged.answers == 1);
        }
        assert(service.n > 5 && service.n < 15);
        stage_deinit(&s);
}

/* Claims of callers leave half of it for the account's own token. */
static void test_claims_are_of_the_same_budget(void) {
        static const char *const claims[] = { "{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}" };
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_ENTRA, OUTCOME_OK);
        for (unsigned i = 0; i < 100; i++) {
                ASK(&c, &s, 1, .claims = claims[i % ARRAY_SIZE(claims)]);
                fake_time_pass(SEC(1));
                assert(c.answers == 1);
                caller_leave(&c);
        }
        assert(service.n == 1 + 6);
        fake_time_pass(SEC(30));
        ASK(&c, &s, 1, .force = true);
        fake_time_pass(SEC(1));
        expect_token(&c, "secret-at-8");
        stage_deinit(&s);
}

/* Entra has taken us for a loop: whoever asks, and however, it gets its silence (AADSTS50196). */
static void test_the_loop_detectors_silence(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_pass(SEC(61));
        ASK(&c, &s, 20, .force = true);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 300);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        for (unsigned second = 0; second < 299; second++) {
                ASK(&c, &s, 1, .force = true);
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "");
                assert(keeper_report_rejected(s.keeper, "secret-at-1", NULL, ":1.9", NULL) == 0);
                keeper_on_online(s.keeper);
                fake_time_pass(SEC(1));
                assert(fake_fetches_running() == 0);
        }
        fake_time_pass(SEC(1));
        ASK(&c, &s, 20, .force = true);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

/* access_denied to a refresh is no person's "no". */
static void test_a_denied_refresh_wants_a_person(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 20);
        answer_error(OUTCOME_CANCELLED, 0);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));
        fake_time_pass(SEC(86400));
        assert(fake_fetches_running() == 0);
        stage_deinit(&s);
}

/* Lives of a daemon that somebody kills and starts, and in each of which a caller forces: killed
 * before the answer, before it is stored, after. The last life of all has its token. */
static void killed_in_a_loop(AccountSource source, Outcome outcome, uint64_t life) {
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, source, outcome);
        for (unsigned i = 0; i < 1000; i++) {
                s.keeper = keeper_free(s.keeper);
                stage_start(&s, source);
                ASK(&c, &s, 20, .force = true);
                fake_time_pass(life);
                caller_leave(&c);
        }
        assert(service.n > 12 && service_most(&service) < 15);
        /* Nobody who needs one is kept from it when that is over. */
        fake_time_pass(SEC(3700));
        s.keeper = keeper_free(s.keeper);
        service.outcome = OUTCOME_OK;
        stage_start(&s, source);
        ASK(&c, &s, 20);
        fake_time_pass(SEC(1));
        assert(c.answers == 1 && *c.token);
        stage_deinit(&s);
}

static void test_killed_in_a_loop(void) {
        static const uint64_t lives[] = { SEC(1) / 10 - 1, SEC(1) / 10, SEC(1), SEC(3) };

        for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
                killed_in_a_loop(ACCOUNT_SOURCE_ENTRA, OUTCOME_OK, lives[i]);
                killed_in_a_loop(ACCOUNT_SOURCE_CLIENT_CREDENTIALS, OUTCOME_OK, lives[i]);
                killed_in_a_loop(ACCOUNT_SOURCE_ENTRA, OUTCOME_UNAVAILABLE, lives[i]);
                killed_in_a_loop(ACCOUNT_SOURCE_AZURE_CLI, OUTCOME_UNAVAILABLE, lives[i]);
        }
}

/* One restart, and be it in the midst of a request, takes nothing from anybody. */
static void test_killed_once(void) {
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_ENTRA, OUTCOME_OK);
        fake_time_pass(SEC(2880)); /* it is being refreshed */
        s.keeper = keeper_free(s.keeper);
        fake_time_pass(SEC(720));
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 20);
        fake_time_pass(SEC(1));
        assert(c.answers == 1 && *c.token);
        stage_deinit(&s);
}

/* A group that is taken out and put back, over and over: as two lives. What is told is the same
 * text; nothing turns round and round meanwhile. */
static void test_what_a_caller_is_told_then(void) {
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_CLIENT_CREDENTIALS, OUTCOME_OK);
        for (unsigned i = 0; i < 20; i++) {
                s.keeper = keeper_free(s.keeper);
                stage_start(&s, ACCOUNT_SOURCE_CLIENT_CREDENTIALS);
                fake_time_pass(SEC(1) / 20);
        }
        ASK(&c, &s, 20);
        fake_time_pass(SEC(1));
        expect_failure(&c, OUTCOME_UNAVAILABLE, "12 requests in 5 minutes");
        assert(service.n == 1 + 12);
        fake_time_pass(SEC(301));
        assert(service.n == 1 + 12 + 1); /* by itself */
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-14");
        stage_deinit(&s);
}

/* A machine that was switched off has asked nobody. */
static void test_another_boot_begins_anew(void) {
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_ENTRA, OUTCOME_OK);
        for (unsigned i = 0; i < 20; i++) {
                ASK(&c, &s, 20, .wish = { .strict = true, .min_valid = 3600 });
                fake_time_pass(SEC(1));
                caller_leave(&c);
        }
        assert(service.n == 1 + 12);
        s.keeper = keeper_free(s.keeper);
        fake_time_boot("second-boot", SEC(86400 + 30));
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 20, .force = true);
        fake_time_pass(SEC(1));
        expect_token(&c, "secret-at-14");
        stage_deinit(&s);
}

int main(void) {
        test_callers_who_insist();
        test_a_network_that_flaps();
        test_an_outage_alone_is_within();
        test_what_a_short_life_demands_is_not_counted();
        test_plain_callers_spend_nothing();
        test_wishes_are_few();
        test_claims_are_of_the_same_budget();
        test_the_loop_detectors_silence();
        test_a_denied_refresh_wants_a_person();
        test_killed_in_a_loop();
        test_killed_once();
        test_what_a_caller_is_told_then();
        test_another_boot_begins_anew();
        return 0;
}
