/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

/* Tokens that the keyring kept over a restart of the daemon, or of the machine, while the wall
 * clock was wrong or was set. */

#define HOUR UINT64_C(3600)

/* The daemon starts anew in the same boot, its token in the keyring. */
static void restart(Stage *s, AccountSource source) {
        s->keeper = keeper_free(s->keeper);
        stage_start(s, source);
}

static void test_a_restart_under_another_clock(void) {
        static const int64_t by[] = { 10 * 3600, -10 * 3600, -1699000000 /* 1970 */ };

        for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s);
                fake_time_pass(SEC(1000));
                fake_time_set_wall((uint64_t)((int64_t)clock_wall() + by[i]));
                restart(&s, ACCOUNT_SOURCE_ENTRA);
                assert(fake_fetches() == 1);
                ASK(&c, &s, 0);
                expect_token(&c, "secret-at-1");
                assert(stage_view(&s).expires_at == clock_wall() + 3600 - 1002);
                /* Not a second past its end, although nothing better is to be had. */
                fake_time_pass(SEC(3600 - 1002) - 1);
                ASK(&c, &s, 0);
                expect_token(&c, "secret-at-1");
                fake_time_pass(1);
                ASK(&c, &s, 0);
                expect_failure(&c, OUTCOME_UNAVAILABLE, "");
                stage_deinit(&s);
        }
}

/* Somebody has edited the item. */
static void test_what_is_no_token(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret\r\nX-Evil: 1", 0, 3600);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 20);
        expect_waiting(&c);
        answer_token("secret-at-1", NULL);
        expect_token(&c, "secret-at-1");
        stage_deinit(&s);
}

static void test_a_restart_after_its_end(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        s.keeper = keeper_free(s.keeper);
        fake_time_pass(SEC(4000));
        fake_time_set_wall(WALL + 10); /* as if it were young */
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 0);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "");
        stage_deinit(&s);
}

/* Another boot: only the calendar tells how old it is. */
static void boot(Stage *s, AccountSource source, uint64_t off, int64_t clock_error) {
        s->keeper = keeper_free(s->keeper);
        fake_time_pass(SEC(off));
        fake_time_boot("second-boot", SEC(40));
        fake_time_set_wall((uint64_t)((int64_t)clock_wall() + clock_error));
        stage_start(s, source);
}

static void test_another_boot(void) {
        static const struct {
                uint64_t off;
                int64_t clock_error;
                bool served;
        } rows[] = {
                { 600, 0, true },
                { 4000, 0, false },
                { 600, 7200, false },  /* over, as far as anybody knows */
                { 600, -7200, false }, /* it can't be of the future */
                { 600, -1600000000, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s);
                boot(&s, ACCOUNT_SOURCE_ENTRA, rows[i].off, rows[i].clock_error);
                ASK(&c, &s, 0);
                if (rows[i].served)
                        expect_token(&c, "secret-at-1");
                else
                        expect_failure(&c, OUTCOME_UNAVAILABLE, "");
                stage_deinit(&s);
        }
}

/* A machine without a battery comes up with the time at which it was shut down, hours ago. */
static void test_the_clock_is_set_after_the_boot(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        boot(&s, ACCOUNT_SOURCE_ENTRA, 8 * HOUR, -8 * 3600);
        ASK(&c, &s, 0);
        expect_token(&c, "secret-at-1"); /* nobody can know */
        assert(fake_fetches() == 1);
        stage_set_clock(&s, 8 * 3600);
        ASK(&c, &s, 20);
        expect_waiting(&c);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

/* The other way round: what was taken for over is good, and the network is not there yet. */
static void test_the_clock_is_set_back_after_the_boot(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        boot(&s, ACCOUNT_SOURCE_ENTRA, 600, 7200);
        answer_error(OUTCOME_UNAVAILABLE, 0);
        assert(stage_state(&s) == KEEPER_STATE_UNAVAILABLE);
        stage_set_clock(&s, -7200);
        ASK(&c, &s, 0);
        expect_token(&c, "secret-at-1");
        assert(stage_view(&s).expires_at == WALL + 3600);
        stage_deinit(&s);
}

/* The server says how late it is, so that the next boot isn't misled by the clock of this one. */
static void test_a_record_in_the_servers_time(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        fake_time_set_wall(WALL + 3 * HOUR); /* it is ahead */
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_fetch_token(fake_fetch(), &(FakeToken){ .access_token = "secret-at-1", .date = WALL });
        fake_time_pass(SEC(10));
        assert(env_clock_offset(&s.env) == -3 * 3600);
        /* What is shown goes by the clock that people have, to say truly how much is left. */
        assert(stage_view(&s).expires_at == clock_wall() + 3590);
        s.keeper = keeper_free(s.keeper);
        s.env.skew = (Skew){ 0 };
        fake_time_pass(SEC(7200)); /* it ended an hour ago, and the clock is still ahead */
        fake_time_boot("second-boot", SEC(40));
        fake_time_set_wall(WALL + 2 * HOUR + 10);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 0);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "");
        stage_deinit(&s);
}

/* Fast by more than it was off, and then right: by the clock's own times it would seem young. */
static void test_ahead_and_then_right(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        fake_time_set_wall(WALL + 3 * HOUR);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        fake_fetch_token(fake_fetch(), &(FakeToken){ .access_token = "secret-at-1", .date = WALL });
        fake_time_pass(SEC(10));
        s.keeper = keeper_free(s.keeper);
        s.env.skew = (Skew){ 0 };
        fake_time_boot("second-boot", SEC(40));
        fake_time_set_wall(WALL + 3 * HOUR + 1200); /* true: three hours later */
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 0);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "");
        stage_deinit(&s);
}

int main(void) {
        test_a_restart_under_another_clock();
        test_what_is_no_token();
        test_a_restart_after_its_end();
        test_another_boot();
        test_the_clock_is_set_after_the_boot();
        test_the_clock_is_set_back_after_the_boot();
        test_a_record_in_the_servers_time();
        test_ahead_and_then_right();
        return 0;
}
