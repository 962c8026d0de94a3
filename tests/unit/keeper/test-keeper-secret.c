/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

/* Secrets that a person hands in. */

static void set_secret(Stage *s, Changer *c, const char *secret) {
        Problem problem = { 0 };
        int r;

        *c = (Changer){ 0 };
        r = keeper_set_secret(s->keeper, secret, &c->op, changer_on_done, c, &problem);
        assert(r >= 0 && c->answers == 0);
        assert(!strstr(problem_text(&problem), "secret-"));
        if (r > 0)
                *c = (Changer){ .answers = 1, .outcome = problem.outcome };
        problem_clear(&problem);
        fake_time_pass(0);
}

#define API_TOKEN "SharedAccessSignature sr=1&sig=secret-"

static void test_api_tokens(void) {
        Caller c = { 0 };
        Changer changer;
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "api-token add work --replace");
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        set_secret(&s, &changer, "secret-garbage");
        expect_done(&changer, OUTCOME_INVALID_ARGS);
        set_secret(&s, &changer, API_TOKEN "a&se=1600000000000");
        expect_done(&changer, OUTCOME_INVALID_ARGS);

        set_secret(&s, &changer, API_TOKEN "a&se=1700003600000");
        expect_done(&changer, OUTCOME_OK);
        assert(strstr(stage_stored_secret(&s), API_TOKEN "a"));
        assert(stage_view(&s).last_refresh_at == clock_wall()); /* it was stored then */
        fake_time_pass(SEC(60));
        set_secret(&s, &changer, API_TOKEN "b&se=1600000000000");
        expect_done(&changer, OUTCOME_INVALID_ARGS);
        assert(stage_view(&s).last_refresh_at == clock_wall() - 60);
        ASK(&c, &s, 20, .force = true); /* does nothing */
        expect_token(&c, API_TOKEN "a&se=1700003600000");
        ASK(&c, &s, 20, .wish = { .strict = true, .min_valid = 3601 });
        expect_failure(&c, OUTCOME_UNAVAILABLE, "3601 s");
        (void)stage_changed(&s);
        fake_time_pass(SEC(3600));
        assert(stage_changed(&s) == ACCOUNT_CHANGED_STATE);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "expired");

        /* One without an end is never due. */
        set_secret(&s, &changer, API_TOKEN "b");
        expect_done(&changer, OUTCOME_OK);
        fake_time_pass(SEC(5));
        assert(fake_timer_next() == USEC_INFINITY && fake_fetches() == 0);
        stage_deinit(&s);
}

static void expect_api_token(Stage *s, const char *token) {
        Caller c = { 0 };

        ASK(&c, s, 20);
        expect_token(&c, token);
        assert(streq(stage_stored_secret(s), token));
}

/* An error means that nothing has changed, now or later. */
static void test_an_api_token_that_can_not_be_stored(void) {
        static const struct {
                KeyringState state;
                Outcome outcome;
        } rows[] = {
                { KEYRING_STATE_LOCKED, OUTCOME_KEYRING_LOCKED },
                { KEYRING_STATE_PROMPTING, OUTCOME_KEYRING_LOCKED },
                { KEYRING_STATE_ABSENT, OUTCOME_KEYRING_ABSENT },
                { KEYRING_STATE_OK, OUTCOME_UNAVAILABLE }, /* stuck */
                { KEYRING_STATE_OK, OUTCOME_UNAVAILABLE }, /* stuck, and stored after all */
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Changer changer;
                Stage s;

                stage_init(&s);
                stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
                for (size_t n = 0; n < 2; n++) {
                        if (i == 4)
                                fake_keyring_hold_late(s.keyring);
                        else
                                fake_keyring_hold(s.keyring, i == 3);
                        fake_keyring_set_state(s.keyring, rows[i].state);
                        set_secret(&s, &changer, API_TOKEN "b");
                        fake_time_pass(SEC(10));
                        expect_done(&changer, rows[i].outcome);
                        fake_keyring_hold(s.keyring, false);
                        fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
                        fake_time_pass(SEC(600));
                        /* None was there, and then another. */
                        if (n == 1) {
                                expect_api_token(&s, API_TOKEN "a");
                                break;
                        }
                        assert(!fake_keyring_get(s.keyring, "work"));
                        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
                        set_secret(&s, &changer, API_TOKEN "a");
                        expect_done(&changer, OUTCOME_OK);
                }
                stage_deinit(&s);
        }
}

static void test_an_api_token_that_waits_for_the_keyring(void) {
        Changer first, second;
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        fake_keyring_hold(s.keyring, true);
        stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
        ASK(&c, &s, 20);
        expect_waiting(&c);
        set_secret(&s, &first, API_TOKEN "a");
        set_secret(&s, &second, API_TOKEN "b");
        expect_done(&second, OUTCOME_UNAVAILABLE);
        assert(first.answers == 0);
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(0);
        expect_done(&first, OUTCOME_OK);
        expect_api_token(&s, API_TOKEN "a");

        /* Who hands it in and leaves has handed it in. */
        fake_keyring_hold(s.keyring, true);
        set_secret(&s, &first, API_TOKEN "b");
        first.op = keeper_op_free(first.op);
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(0);
        expect_api_token(&s, API_TOKEN "b");

        /* The account goes while it is on its way. */
        fake_keyring_hold(s.keyring, true);
        set_secret(&s, &first, API_TOKEN "c");
        s.keeper = keeper_free(s.keeper);
        expect_done(&first, OUTCOME_CANCELLED);
        stage_deinit(&s);
}

static void test_an_item_that_somebody_deletes(void) {
        static const AccountSource sources[] = { ACCOUNT_SOURCE_API_TOKEN, ACCOUNT_SOURCE_ENTRA };

        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_put_record(&s, sources[i], API_TOKEN "a", "secret-at-1", 600, 3600);
                stage_start(&s, sources[i]);
                /* another's */
                keeper_on_deletion(s.keeper);
                fake_time_pass(0);
                assert(stage_state(&s) == KEEPER_STATE_READY);
                /* of a keyring that goes at the same time nothing is known */
                fake_keyring_put(s.keyring, "work", NULL);
                fake_keyring_set_state(s.keyring, KEYRING_STATE_ABSENT);
                keeper_on_deletion(s.keeper);
                fake_time_pass(0);
                assert(stage_state(&s) == KEEPER_STATE_READY);
                fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);

                (void)stage_changed(&s);
                keeper_on_deletion(s.keeper);
                fake_time_pass(0);
                assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
                assert(stage_changed(&s) & ACCOUNT_CHANGED_STATE);
                ASK(&c, &s, 20);
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "work");
                fake_time_pass(SEC(7200));
                assert(!fake_keyring_get(s.keyring, "work") && fake_fetches() == 0);
                stage_deinit(&s);
        }
}

/* Nor may what is on its way bring it back. */
static void test_an_item_that_is_deleted_during_an_exchange(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 20);
        assert(fake_fetches_running() == 1);
        fake_keyring_put(s.keyring, "work", NULL);
        keeper_on_deletion(s.keeper);
        fake_time_pass(0);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        assert(fake_fetches_running() == 0);
        stage_deinit(&s);
}

/* Nobody has signed out, so nobody is told that; the item stays until somebody signs in. */
static void test_an_item_that_cannot_be_read(void) {
        static const char unknown[] = "{\"generation\":2,\"source\":\"entra\"}";
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        fake_keyring_put(s.keyring, "work", unknown);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        assert(strstr(stage_view(&s).last_error->text, "none that this version"));
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        assert(strstr(c.text, "none that this version") &&
               streq(fake_keyring_get(s.keyring, "work"), unknown));
        stage_deinit(&s);
}

/* Somebody deletes another item while this one is another than it was: that is no sign-out, and
 * takes no exchange away. */
static void test_another_item_is_deleted(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 20);
        answer_error(OUTCOME_UNAVAILABLE, 0);
        fake_time_pass(SEC(2));
        assert(fake_fetches_running() == 1);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-2", NULL, 0, 0);
        keeper_on_deletion(s.keeper);
        fake_time_pass(SEC(1));
        assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-1"));
        answer_token("secret-at-3", "secret-rt-3");
        expect_token(&c, "secret-at-3");
        assert(streq(stage_stored_secret(&s), "secret-rt-3"));
        stage_deinit(&s);
}

/* Whoever added the account drops it when its secret can't be stored. */
static void free_on_done(const Problem *problem, void *userdata) {
        Stage *s = userdata;

        assert(problem->outcome == OUTCOME_KEYRING_LOCKED);
        s->keeper = keeper_free(s->keeper);
}

static void test_a_keeper_freed_by_its_own_answer(void) {
        KeeperOp *op = NULL;
        Problem problem = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_API_TOKEN);
        fake_keyring_set_state(s.keyring, KEYRING_STATE_LOCKED);
        assert(keeper_set_secret(s.keeper, API_TOKEN "a", &op, free_on_done, &s, &problem) == 0);
        fake_time_pass(0);
        assert(!s.keeper);
        keeper_op_free(op);
        stage_deinit(&s);
}

int main(void) {
        test_api_tokens();
        test_an_api_token_that_can_not_be_stored();
        test_an_api_token_that_waits_for_the_keyring();
        test_an_item_that_somebody_deletes();
        test_an_item_that_is_deleted_during_an_exchange();
        test_an_item_that_cannot_be_read();
        test_another_item_is_deleted();
        test_a_keeper_freed_by_its_own_answer();
        return 0;
}
