/* SPDX-License-Identifier: MIT */
/*
 * A program of the user's as a source: it may have a refresh token and may not, and a keyring that
 * has not been read is no reason to ask it nothing.
 */
#include "util-keeper.h"

static void start(Stage *s, const char *refresh_token, KeyringState state) {
        stage_init(s);
        if (refresh_token)
                stage_put_record(s, ACCOUNT_SOURCE_COMMAND, refresh_token, NULL, 0, 0);
        fake_keyring_set_state(s->keyring, state);
        stage_start(s, ACCOUNT_SOURCE_COMMAND);
}

static void expect_asked(const char *refresh_token) {
        const FetchRequest *request;

        assert(fake_fetches_running() == 1);
        request = fake_fetch_request(fake_fetch());
        assert(streq(request->source, "command") && !request->method && !request->client_id);
        assert(streq(request->refresh_token, refresh_token));
}

static void test_a_refresh_token_of_its_own(void) {
        Caller first = { 0 }, second = { 0 };
        Stage s;

        start(&s, NULL, KEYRING_STATE_OK);
        assert(stage_state(&s) == KEEPER_STATE_READY && fake_fetches() == 0);
        ASK(&first, &s, 20);
        expect_asked(NULL);
        answer_token("secret-at-1", "secret-rt-1");
        expect_token(&first, "secret-at-1");
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));

        fake_time_pass(SEC(61));
        ASK(&second, &s, 20, .force = true);
        expect_asked("secret-rt-1");
        answer_token("secret-at-2", "secret-rt-2");
        expect_token(&second, "secret-at-2");
        assert(streq(stage_stored_secret(&s), "secret-rt-2"));
        stage_deinit(&s);
}

/* Without what is stored it can't do better; with it, it is asked again at once. */
static void test_a_keyring_that_opens_later(void) {
        Caller before = { 0 }, after = { 0 };
        Stage s;

        start(&s, "secret-rt-1", KEYRING_STATE_LOCKED);
        ASK(&before, &s, 20);
        expect_asked(NULL);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        expect_failure(&before, OUTCOME_KEYRING_LOCKED, "iotc-token unlock");
        for (unsigned i = 0; i < 8; i++) {
                while (fake_fetches_running() == 0)
                        fake_time_pass(SEC(1));
                answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        }
        fake_time_pass(SEC(1));
        assert(fake_fetches_running() == 0);

        fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
        fake_time_pass(0);
        expect_asked("secret-rt-1");
        answer_token("secret-at-1", NULL);
        assert(stage_state(&s) == KEEPER_STATE_READY);
        ASK(&after, &s, 20);
        expect_token(&after, "secret-at-1");
        stage_deinit(&s);
}

static void test_nothing_is_written_over_what_is_unread(void) {
        Caller c = { 0 };
        Stage s;

        start(&s, "secret-rt-1", KEYRING_STATE_LOCKED);
        ASK(&c, &s, 20);
        expect_asked(NULL);
        answer_token("secret-at-1", NULL);
        expect_token(&c, "secret-at-1");
        fake_time_pass(SEC(5));
        fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
        fake_time_pass(SEC(5));
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));
        stage_deinit(&s);
}

/* The former person's is not kept beside the token of another. */
static void test_a_sign_in_without_a_refresh_token(void) {
        Problem problem = { 0 };
        SignIn *signin;
        SignInView view;
        Caller c = { 0 };
        Stage s;

        start(&s, "secret-rt-1", KEYRING_STATE_OK);
        assert(keeper_sign_in(s.keeper, NULL, &signin, &problem) == 0);
        fake_time_pass(0);
        assert(!fake_fetch_request(fake_fetch_of("auto"))->refresh_token);
        signin_view(signin, &view);
        assert(streq(view.method, "device-code"));
        fake_fetch_token(fake_fetch_of("auto"), &(FakeToken){ .access_token = "secret-at-2" });
        fake_time_pass(0);
        assert(streq(stage_stored_secret(&s), ""));
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

int main(void) {
        test_a_refresh_token_of_its_own();
        test_a_keyring_that_opens_later();
        test_nothing_is_written_over_what_is_unread();
        test_a_sign_in_without_a_refresh_token();
        return 0;
}
