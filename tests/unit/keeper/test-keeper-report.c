/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

#define CLAIMS "{\"access_token\":{\"nbf\":{\"essential\":true}}}"

static void report(Stage *s, const char *token, const char *claims, const char *caller) {
        assert(keeper_report_rejected(s->keeper, token, claims, caller, NULL) == 0);
        fake_time_pass(0);
}

static void ask_as_other(Caller *c, Stage *s) {
        caller_ask(c, s->keeper, &(KeeperAsk){ .caller = ":1.2", .timeout_usec = SEC(20) });
        fake_time_pass(0);
}

static void test_only_a_token_that_we_hold(void) {
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        report(&s, "secret-of-somebody-else", NULL, ":1.1");
        report(&s, "", NULL, ":1.1");
        assert(fake_fetches_running() == 0);
        /* The one that was replaced is not held any more. */
        fake_time_pass(SEC(2878));
        answer_token("secret-at-2", NULL);
        report(&s, "secret-at-1", NULL, ":1.1");
        assert(fake_fetches_running() == 0);
        stage_deinit(&s);
}

static void test_the_reporter_waits_the_others_do_not(void) {
        Caller reporter = { 0 }, other = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        report(&s, "secret-at-1", NULL, ":1.1");
        assert(fake_fetches_running() == 1);
        ASK(&reporter, &s, 20);
        expect_waiting(&reporter);
        ask_as_other(&other, &s);
        expect_token(&other, "secret-at-1");
        answer_token("secret-at-2", "secret-rt-2");
        expect_token(&reporter, "secret-at-2");
        assert(fake_fetches() == 2);
        ASK(&reporter, &s, 20);
        expect_token(&reporter, "secret-at-2");
        stage_deinit(&s);
}

static void test_one_fetch_a_minute(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        ASK(&c, &s, 20, .resource = GRAPH);
        answer_token("secret-graph-1", NULL);
        expect_token(&c, "secret-graph-1");
        report(&s, "secret-at-1", NULL, ":1.1");
        report(&s, "secret-at-1", NULL, ":1.2");
        answer_token("secret-at-2", NULL);
        report(&s, "secret-at-2", NULL, ":1.1");
        report(&s, "secret-graph-1", NULL, ":1.1"); /* for an account, not for a resource */
        report(&s, "secret-at-2", CLAIMS, ":1.3");
        fake_time_pass(SEC(60) - 1);
        report(&s, "secret-at-2", NULL, ":1.1");
        assert(fake_fetches_running() == 0 && fake_fetches() == 3);
        fake_time_pass(1);
        report(&s, "secret-at-2", NULL, ":1.1");
        assert(fake_fetches_running() == 1);
        stage_deinit(&s);
}

/* Another daemon's token is as old as ours: only the source can tell. */
static void test_it_is_the_source_that_is_asked(void) {
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_pass(SEC(60));
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-2", "secret-at-2", 1, 3600);
        report(&s, "secret-at-1", NULL, ":1.1");
        assert(fake_fetches_running() == 1);
        stage_deinit(&s);
}

static void test_claims_go_into_the_fetch(void) {
        Caller reporter = { 0 }, other = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        report(&s, "secret-at-1", CLAIMS, ":1.1");
        assert(streq(fake_fetch_request(fake_fetch())->claims, CLAIMS));
        ASK(&reporter, &s, 20);
        expect_waiting(&reporter);
        ask_as_other(&other, &s);
        expect_token(&other, "secret-at-1");
        answer_token("secret-at-2", NULL);
        expect_token(&reporter, "secret-at-2");
        ask_as_other(&other, &s);
        expect_token(&other, "secret-at-2");
        assert(fake_fetches() == 2 && fake_fetches_running() == 0);
        stage_deinit(&s);
}

static void test_az_that_knows_no_other(void) {
        static const char *const claims[] = { NULL, CLAIMS };

        for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
                Caller reporter = { 0 }, other = { 0 };
                Stage s;

                stage_init(&s);
                stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
                ASK(&reporter, &s, 20);
                answer_token("secret-at-1", NULL);
                expect_token(&reporter, "secret-at-1");
                report(&s, "secret-at-1", claims[i], ":1.1");
                ASK(&reporter, &s, 20);
                expect_waiting(&reporter);
                answer_token("secret-at-1", NULL);
                if (claims[i]) /* the challenge has failed; what of a plain one? */
                        answer_token("secret-at-1", NULL);
                expect_failure(&reporter, OUTCOME_SIGN_IN_NEEDED, "az logout");
                assert(strstr(reporter.text, "az login"));
                assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
                ask_as_other(&other, &s);
                expect_token(&other, "secret-at-1");

                /* The person has followed the advice. */
                fake_time_pass(SEC(30));
                ASK(&reporter, &s, 20);
                expect_waiting(&reporter);
                answer_token("secret-at-2", NULL);
                expect_token(&reporter, "secret-at-2");
                assert(stage_state(&s) == KEEPER_STATE_READY);
                stage_deinit(&s);
        }
}

static void test_a_fetch_that_fails(void) {
        Caller reporter = { 0 }, other = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        report(&s, "secret-at-1", NULL, ":1.1");
        ASK(&reporter, &s, 20);
        answer_error(OUTCOME_UNAVAILABLE, 11);
        expect_failure(&reporter, OUTCOME_UNAVAILABLE, "Next try");
        ask_as_other(&other, &s);
        expect_token(&other, "secret-at-1");
        ASK(&reporter, &s, 20); /* still not the token that it has seen rejected */
        expect_waiting(&reporter);
        fake_time_pass(SEC(11));
        answer_token("secret-at-2", NULL);
        expect_token(&reporter, "secret-at-2");
        stage_deinit(&s);
}

static void test_an_api_token_stays(void) {
        Caller c = { 0 };
        KeeperView view;
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_API_TOKEN, "SharedAccessSignature sr=1&sig=secret-",
                         NULL, 0, 0);
        stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
        report(&s, "SharedAccessSignature sr=1&sig=secret-", NULL, ":1.1");
        keeper_view(s.keeper, &view);
        assert(view.last_error->outcome == OUTCOME_SIGN_IN_NEEDED);
        assert(view.state == KEEPER_STATE_READY);
        assert(!strstr(view.last_error->text, "secret-"));
        ASK(&c, &s, 20);
        expect_token(&c, "SharedAccessSignature sr=1&sig=secret-");
        assert(streq(stage_stored_secret(&s), "SharedAccessSignature sr=1&sig=secret-"));
        assert(fake_fetches() == 0);
        stage_deinit(&s);
}

/* What a program asks for that may not change the account leaves no trace in the next sign-in. */
static void test_whose_claims_are_kept(void) {
        for (unsigned may_manage = 0; may_manage < 2; may_manage++) {
                Caller c = { 0 };
                SignIn *signin;
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s);
                fake_time_pass(SEC(61));
                ASK(&c, &s, 20, .claims = CLAIMS, .may_manage = may_manage);
                answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "");
                assert(stage_state(&s) == KEEPER_STATE_READY &&
                       !stage_view(&s).last_error->outcome);
                assert(keeper_sign_in(s.keeper, NULL, &signin, NULL) == 0);
                fake_time_pass(0);
                assert(streq(fake_fetch_request(fake_fetch_of("device-code"))->claims,
                             may_manage ? CLAIMS : NULL));
                stage_deinit(&s);
        }
}

int main(void) {
        test_only_a_token_that_we_hold();
        test_the_reporter_waits_the_others_do_not();
        test_one_fetch_a_minute();
        test_it_is_the_source_that_is_asked();
        test_claims_go_into_the_fetch();
        test_whose_claims_are_kept();
        test_az_that_knows_no_other();
        test_a_fetch_that_fails();
        test_an_api_token_stays();
        return 0;
}
