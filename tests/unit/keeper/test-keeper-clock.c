/* SPDX-License-Identifier: MIT */
#include "io/state.h"
#include "util-keeper.h"

/* Clocks that are wrong, and clocks that are set: deadlines stay, what people read follows. */

#define HOUR     UINT64_C(3600)
#define SAS(end) "SharedAccessSignature sr=secret&sig=secret&se=" end

static void test_what_people_read_follows(void) {
        static const int64_t by[] = { 5 * 3600, -5 * 3600, 3 };

        for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
                const uint64_t wall = WALL + 2 + (uint64_t)by[i]; /* wraps back for the negative */
                Caller c = { 0 };
                KeeperView view;
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s); /* 2 s ago */
                ASK(&c, &s, 20);
                expect_token(&c, "secret-at-1");
                (void)stage_changed(&s);
                stage_set_clock(&s, by[i]);
                assert(stage_changed(&s) ==
                       (ACCOUNT_CHANGED_EXPIRES_AT | ACCOUNT_CHANGED_REFRESH_AT |
                        ACCOUNT_CHANGED_LAST_REFRESH_AT));
                view = stage_view(&s);
                assert(view.expires_at == wall + 3598 && view.refresh_at == wall + 2878);
                assert(view.last_refresh_at == wall - 2 && view.last_used_at == wall);
                /* Neither too early nor too late. */
                fake_time_pass(SEC(2878) - 1);
                assert(fake_fetches() == 1);
                fake_time_pass(1);
                assert(fake_fetches_running() == 1);
                answer_token("secret-at-2", NULL);
                stage_deinit(&s);
        }
}

static void test_an_api_token_ends_by_the_calendar(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_API_TOKEN, SAS("1700003600000"), NULL, 0, 0);
        stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
        assert(stage_view(&s).expires_at == WALL + 3600);
        (void)stage_changed(&s);
        stage_set_clock(&s, 2 * 3600); /* the clock was slow */
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        assert(stage_changed(&s) & ACCOUNT_CHANGED_STATE);
        ASK(&c, &s, 0);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "expired");
        stage_set_clock(&s, -2 * 3600); /* it was not */
        assert(stage_changed(&s) & ACCOUNT_CHANGED_STATE);
        ASK(&c, &s, 0);
        assert(c.answers == 1 && str_starts(c.token, "SharedAccessSignature "));
        assert(stage_view(&s).expires_at == WALL + 3600);
        /* The end comes when the calendar says so, whatever it said before. */
        fake_time_pass(SEC(3600) - 1);
        assert(stage_state(&s) == KEEPER_STATE_READY);
        fake_time_pass(1);
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        stage_deinit(&s);
}

static void test_an_api_token_by_the_servers_clock(void) {
        Stage s;

        stage_init(&s);
        fake_time_set_wall(WALL - 2 * HOUR);
        stage_put_record(&s, ACCOUNT_SOURCE_API_TOKEN, SAS("1700003600000"), NULL, 0, 0);
        stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
        assert(stage_view(&s).expires_at == WALL + 3600);
        env_learn_date(&s.env, WALL); /* another account has met its server */
        keeper_on_clock(s.keeper, 0);
        /* An hour is left, and that is what the difference to this clock says. */
        assert(stage_view(&s).expires_at == clock_wall() + 3600);
        fake_time_pass(SEC(3600));
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        stage_deinit(&s);
}

static void test_a_new_api_token_by_the_servers_clock(void) {
        Problem problem = { 0 };
        KeeperOp *op = NULL;
        Stage s;

        stage_init(&s);
        fake_time_set_wall(WALL + 400 * 86400);
        stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
        assert(keeper_set_secret(s.keeper, SAS("1700003600000"), &op, NULL, NULL, &problem) ==
               OUTCOME_INVALID_ARGS);
        assert(strstr(problem.text, "clock"));
        problem_clear(&problem);
        stage_deinit(&s);
}

/* What the clock has broken (certificates that are not valid yet) is tried when it is set. */
static void test_what_failed_is_tried_again(void) {
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        fake_time_set_wall(1000);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        for (size_t i = 0; i < 9; i++) {
                answer_error(OUTCOME_UNAVAILABLE, 0);
                while (fake_fetches_running() == 0)
                        fake_time_pass(SEC(1));
        }
        answer_error(OUTCOME_UNAVAILABLE, 0);
        fake_time_pass(SEC(10));
        assert(fake_fetches_running() == 0);
        stage_set_clock(&s, WALL);
        answer_token("secret-at-1", NULL);
        assert(stage_view(&s).expires_at == clock_wall() + 3600);
        assert(stage_state(&s) == KEEPER_STATE_READY);
        stage_deinit(&s);
}

static void test_the_week_of_a_refresh_token(void) {
        Stage s;

        stage_init(&s);
        assert(state_new(&s.env.state, NULL, NULL) == 0);
        state_note_use(s.env.state, "work", WALL - 30 * 86400); /* nobody asks for it any more */
        /* By the clock of before it is used next in ten years: so it is when NTP had its time. */
        fake_time_set_wall(WALL + UINT64_C(10) * 365 * 86400);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 0, 3600);
        fake_time_set_wall(WALL);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_time_pass(SEC(3600) - 1);
        assert(fake_fetches() == 0);
        fake_time_pass(1);
        answer_token("secret-at-2", "secret-rt-2");
        fake_time_pass(SEC(7 * 86400) - 1);
        assert(fake_fetches() == 1);
        fake_time_pass(1);
        answer_token("secret-at-3", NULL);
        s.keeper = keeper_free(s.keeper);
        s.env.state = state_free(s.env.state);
        stage_deinit(&s);
}

static void test_az_is_asked_after_a_leap(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
        ASK(&c, &s, 60);
        answer_token("secret-at-1", NULL);
        expect_token(&c, "secret-at-1");
        stage_set_clock(&s, 8 * 3600);
        ASK(&c, &s, 60); /* what there is is served meanwhile */
        expect_token(&c, "secret-at-1");
        answer_token("secret-at-2", NULL);
        ASK(&c, &s, 60);
        expect_token(&c, "secret-at-2");
        stage_set_clock(&s, -8 * 3600);
        stage_set_clock(&s, 30);
        assert(fake_fetches() == 2 && fake_fetches_running() == 0);
        stage_deinit(&s);
}

/* az takes the token of its cache for an hour younger than it is. */
static void test_az_gives_out_what_has_ended(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
        ASK(&c, &s, 60);
        answer_token("secret-at-1", NULL);
        expect_token(&c, "secret-at-1");
        fake_time_pass(SEC(600));
        stage_set_clock(&s, -3 * 3600);
        ASK(&c, &s, 60, .force = true);
        fake_fetch_token(fake_fetch(), &(FakeToken){ .access_token = "secret-at-1",
                                                     .expires_in = 3000 + 3 * 3600 });
        fake_time_pass(0);
        caller_leave(&c);
        assert(stage_view(&s).expires_at == clock_wall() + 3000); /* lives no longer for that */
        fake_time_pass(SEC(3000) - SEC(270));
        fake_fetch_token(fake_fetch(), &(FakeToken){ .access_token = "secret-at-1",
                                                     .expires_in = 270 + 3 * 3600 });
        fake_time_pass(SEC(270));
        ASK(&c, &s, 60);
        if (fake_fetches_running())
                fake_fetch_token(fake_fetch(), &(FakeToken){ .access_token = "secret-at-1",
                                                             .expires_in = 3 * 3600 });
        fake_time_pass(SEC(1));
        expect_failure(&c, OUTCOME_UNAVAILABLE, "az logout");
        fake_time_pass(SEC(100)); /* az has noticed */
        fake_fetch_token(fake_fetch(), &(FakeToken){ .access_token = "secret-at-2" });
        fake_time_pass(0);
        assert(stage_state(&s) == KEEPER_STATE_READY);
        stage_deinit(&s);
}

int main(void) {
        test_what_people_read_follows();
        test_an_api_token_ends_by_the_calendar();
        test_an_api_token_by_the_servers_clock();
        test_a_new_api_token_by_the_servers_clock();
        test_what_failed_is_tried_again();
        test_the_week_of_a_refresh_token();
        test_az_is_asked_after_a_leap();
        test_az_gives_out_what_has_ended();
        return 0;
}
