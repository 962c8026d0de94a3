/* SPDX-License-Identifier: MIT */
/*
 * A person signs in at one daemon: the other daemons of this user find that in the keyring when
 * somebody asks them, and look no more often than each 30 s.
 */
#include "util-keeper.h"

/* The account's refresh token was refused. */
static void start_refused(Stage *s) {
        Caller c = { 0 };

        stage_init(s);
        stage_start_signed_in(s);
        fake_time_sleep(SEC(3600));
        ASK(&c, s, 20);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        fake_time_pass(SEC(31));
}

static void test_nobody_was_signed_in(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "nobody is signed in");
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-2", "secret-at-2", 1, 3600);
        fake_time_pass(SEC(31));
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-2");
        assert(stage_state(&s) == KEEPER_STATE_READY && fake_fetches() == 0);
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
        /* Another daemon, which can read it, has it mended. */
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-2", "secret-at-2", 1, 3600);
        fake_time_pass(SEC(31));
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

static void test_it_was_refused(void) {
        Caller c = { 0 };
        Stage s;

        start_refused(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-2", NULL, 0, 0);
        ASK(&c, &s, 20);
        assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-2"));
        expect_waiting(&c);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        assert(stage_view(&s).last_error->outcome == OUTCOME_OK);
        stage_deinit(&s);
}

/* The keyring has what is known: nobody is asked, and it is looked at each 30 s at most. */
static void test_nothing_is_new(void) {
        Stage s;
        uint64_t reads;

        start_refused(&s);
        reads = s.env.stats.keyring_reads;
        for (unsigned second = 0; second < 300; second++) {
                Caller c = { 0 };

                ASK(&c, &s, 20);
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
                fake_time_pass(SEC(1));
        }
        assert(s.env.stats.keyring_reads == reads + 10);
        assert(fake_fetches() == 2 && stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        stage_deinit(&s);
}

/* Who does not wait hears the truth, and the next one is served. */
static void test_who_does_not_wait(void) {
        Caller c = { 0 };
        Stage s;

        start_refused(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-2", "secret-at-2", 1, 3600);
        ASK(&c, &s, 0);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        assert(stage_state(&s) == KEEPER_STATE_READY);
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

/* A keyring that hangs does not keep it from being said. */
static void test_the_keyring_hangs(void) {
        Caller c = { 0 };
        Stage s;

        start_refused(&s);
        fake_keyring_hold(s.keyring, true);
        ASK(&c, &s, 20);
        expect_waiting(&c);
        fake_time_pass(SEC(10));
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(SEC(1));
        stage_deinit(&s);
}

/* What this daemon has stored last, or is about to, is not taken for another's. */
static void test_our_own_sign_in(void) {
        Problem problem = { 0 };
        Caller c = { 0 };
        SignIn *signin;
        Stage s;

        start_refused(&s);
        assert(keeper_sign_in(s.keeper, NULL, &signin, &problem) == 0);
        ASK(&c, &s, 20);
        fake_fetch_token(
                fake_fetch_of("device-code"),
                &(FakeToken){ .access_token = "secret-at-2", .refresh_token = "secret-rt-2" });
        fake_time_pass(SEC(100));
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-2");
        assert(streq(stage_stored_secret(&s), "secret-rt-2"));
        stage_deinit(&s);
}

/* The other has refreshed it, and somebody deletes another item: that is no new sign-in, and takes
 * no exchange away. */
static void test_it_was_only_refreshed(void) {
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

int main(void) {
        test_nobody_was_signed_in();
        test_an_item_that_cannot_be_read();
        test_it_was_refused();
        test_nothing_is_new();
        test_who_does_not_wait();
        test_the_keyring_hangs();
        test_our_own_sign_in();
        test_it_was_only_refreshed();
        return 0;
}
