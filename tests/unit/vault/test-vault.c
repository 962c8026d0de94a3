/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

/* The vault, through the keeper that it serves: what the keyring's moods mean to callers. */

static void test_a_stored_token_is_served_at_once(void) {
        Caller c = { 0 };
        KeeperView view;
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 600, 3600);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        assert(keeper_is_settled(s.keeper) && fake_fetches() == 0);
        ASK(&c, &s, 0);
        expect_token(&c, "secret-at-1");
        keeper_view(s.keeper, &view);
        assert(view.expires_at == WALL + 3000 && view.refresh_at == WALL + 2280);
        fake_time_pass(SEC(2280) - 1);
        assert(fake_fetches() == 0);
        fake_time_pass(1);
        answer_token("secret-at-2", "secret-rt-2");
        stage_deinit(&s);
}

/* Half a minute after the machine has booted, as at most logins. */
static void test_a_stored_token_older_than_the_boot(void) {
        Caller c = { 0 };
        KeeperView view;
        Stage s;

        stage_init(&s);
        fake_time_init(SEC(30), WALL);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 1200, 3600);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        keeper_view(s.keeper, &view);
        assert(view.refresh_at >= WALL + 1200 && view.refresh_at <= WALL + 2400 - 300);
        fake_time_sleep(SEC(2400 - 100));
        ASK(&c, &s, 20); /* 120 s are preferred */
        expect_waiting(&c);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

static void test_a_stored_token_that_is_over(void) {
        static const struct {
                uint64_t age, life;
        } rows[] = { { 3600, 3600 }, { 90000, 3600 }, { (uint64_t)-400, 3600 } /* from ahead */ };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1",
                                 rows[i].age, rows[i].life);
                stage_start(&s, ACCOUNT_SOURCE_ENTRA);
                assert(fake_fetches_running() == 1); /* the start counts as a use */
                ASK(&c, &s, 20);
                answer_token("secret-at-2", NULL);
                expect_token(&c, "secret-at-2");
                stage_deinit(&s);
        }
}

static void test_numbers_of_a_record_gone_wrong(void) {
        static const char *const tokens[] = {
                "\"issued_at\":1699999000,\"expires_at\":18446744073709551615,\"refresh_at\":0",
                "\"issued_at\":1699999000,\"expires_at\":9223372036854775807,\"refresh_at\":0",
                "\"issued_at\":1700000200,\"expires_at\":1700000100,\"refresh_at\":0",
                "\"issued_at\":0,\"expires_at\":1700003600,\"refresh_at\":18446744073709551615",
        };

        for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
                char text[512];
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                snprintf(text, sizeof(text),
                         "{\"generation\":1,\"source\":\"azure-cli\",\"tokens\":[{\"resource\":"
                         "\"" RESOURCE "\",\"access_token\":\"secret-at-1\",%s}]}",
                         tokens[i]);
                fake_keyring_put(s.keyring, "work", text);
                stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
                ASK(&c, &s, 1);
                fake_time_pass(SEC(1));
                assert(c.answers == 1);
                /* Whatever it says, it ends one day. */
                fake_time_sleep(SEC(LIMIT_LIFETIME_SECONDS));
                ASK(&c, &s, 0);
                assert(!*c.token);
                stage_deinit(&s);
        }
}

static void test_what_is_no_record_is_not_used(void) {
        static const char *const texts[] = { "", "secret-garbage", "{}",
                                             "{\"generation\":9,\"source\":\"entra\"}" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                fake_keyring_put(s.keyring, "work", texts[i]);
                stage_start(&s, ACCOUNT_SOURCE_ENTRA);
                ASK(&c, &s, 20);
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
                /* It is overwritten when there is something to write, and not before. */
                fake_time_pass(SEC(600));
                assert(streq(fake_keyring_get(s.keyring, "work"), texts[i]));
                stage_deinit(&s);
        }
}

static void test_a_record_of_other_settings_is_not_used(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_AZURE_CLI, "secret-rt-1", "secret-at-1", 1, 3600);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        stage_deinit(&s);
}

static void test_a_keyring_that_is_locked_at_start(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        fake_keyring_set_state(s.keyring, KEYRING_STATE_LOCKED);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        assert(stage_state(&s) == KEEPER_STATE_LOCKED);
        assert(stage_changed(&s) & ACCOUNT_CHANGED_STATE);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_KEYRING_LOCKED, "iotc-token unlock");
        assert(fake_timer_next() == USEC_INFINITY); /* it is told, it does not poll */
        fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
        fake_time_pass(0);
        answer_token("secret-at-1", NULL);
        assert(stage_state(&s) == KEEPER_STATE_READY);
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");

        /* Locked later, it takes nothing away. */
        fake_keyring_set_state(s.keyring, KEYRING_STATE_LOCKED);
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");
        assert(stage_state(&s) == KEEPER_STATE_READY);
        stage_deinit(&s);
}

static void test_a_keyring_that_comes_late(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 1, 3600);
        fake_keyring_set_state(s.keyring, KEYRING_STATE_ABSENT);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_KEYRING_ABSENT, "login work");
        /* It appears locked, as after an automatic login. */
        fake_keyring_set_state(s.keyring, KEYRING_STATE_LOCKED);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_KEYRING_LOCKED, "iotc-token unlock");
        fake_keyring_set_state(s.keyring, KEYRING_STATE_PROMPTING);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_KEYRING_LOCKED, "iotc-token unlock");
        fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
        fake_time_pass(0);
        ASK(&c, &s, 0);
        expect_token(&c, "secret-at-1");
        stage_deinit(&s);
}

static void test_a_keyring_that_hangs_at_start(void) {
        Caller hurried = { 0 }, patient = { 0 };
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 1, 3600);
        fake_keyring_hold(s.keyring, true);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        assert(!keeper_is_settled(s.keeper));
        ASK(&hurried, &s, 5);
        fake_time_pass(SEC(5));
        expect_failure(&hurried, OUTCOME_TIMED_OUT, "status work");
        ASK(&patient, &s, 20);
        expect_waiting(&patient);
        fake_time_pass(SEC(5));
        assert(keeper_is_settled(s.keeper));
        expect_failure(&patient, OUTCOME_KEYRING_ABSENT, "no keyring answers");
        /* It is asked again by itself. */
        fake_time_pass(SEC(2));
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(SEC(5));
        ASK(&patient, &s, 0);
        expect_token(&patient, "secret-at-1");
        stage_deinit(&s);
}

/* az needs no secret of ours: no keyring, no reason to fail. */
static void test_az_without_a_keyring(void) {
        static const KeyringState states[] = { KEYRING_STATE_LOCKED, KEYRING_STATE_ABSENT };

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                fake_keyring_set_state(s.keyring, states[i]);
                stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
                assert(stage_state(&s) == KEEPER_STATE_READY);
                ASK(&c, &s, 20);
                answer_token("secret-at-1", NULL);
                expect_token(&c, "secret-at-1");
                stage_deinit(&s);
        }
}

static void test_access_tokens_are_written_behind(void) {
        Caller c = { 0 };
        unsigned before;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        before = fake_keyring_writes(s.keyring);
        ASK(&c, &s, 20, .resource = GRAPH);
        answer_token("secret-graph-1", NULL);
        expect_token(&c, "secret-graph-1"); /* not in the way of the reply */
        assert(fake_keyring_writes(s.keyring) == before);
        fake_time_pass(SEC(1));
        ASK(&c, &s, 20, .claims = "{}");
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        fake_time_pass(SEC(2));
        assert(fake_keyring_writes(s.keyring) == before + 1);
        assert(strstr(fake_keyring_get(s.keyring, "work"), "secret-graph-1"));
        assert(strstr(fake_keyring_get(s.keyring, "work"), "secret-at-2"));
        /* A daemon that ends does not wait for the two seconds. */
        ASK(&c, &s, 20, .claims = "{}");
        answer_token("secret-at-3", NULL);
        expect_token(&c, "secret-at-3");
        assert(!keeper_flush(s.keeper));
        fake_time_pass(0);
        assert(keeper_flush(s.keeper));
        assert(strstr(fake_keyring_get(s.keyring, "work"), "secret-at-3"));
        stage_deinit(&s);
}

static void test_a_flush_does_not_wait_for_what_can_not_be(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        ASK(&c, &s, 20, .resource = GRAPH);
        answer_token("secret-graph-1", NULL);
        expect_token(&c, "secret-graph-1");
        fake_keyring_set_state(s.keyring, KEYRING_STATE_LOCKED);
        fake_time_pass(SEC(3));
        assert(keeper_flush(s.keeper));
        assert(fake_timer_next() > clock_boottime() + SEC(300)); /* it is not tried in vain */
        stage_deinit(&s);
}

int main(void) {
        test_a_stored_token_is_served_at_once();
        test_a_stored_token_older_than_the_boot();
        test_a_stored_token_that_is_over();
        test_numbers_of_a_record_gone_wrong();
        test_what_is_no_record_is_not_used();
        test_a_record_of_other_settings_is_not_used();
        test_a_keyring_that_is_locked_at_start();
        test_a_keyring_that_comes_late();
        test_a_keyring_that_hangs_at_start();
        test_az_without_a_keyring();
        test_access_tokens_are_written_behind();
        test_a_flush_does_not_wait_for_what_can_not_be();
        return 0;
}
