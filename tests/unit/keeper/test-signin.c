/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

static SignIn *sign_in(Stage *s) {
        Problem problem = { 0 };
        SignIn *signin = NULL;

        assert(keeper_sign_in(s->keeper, NULL, &signin, &problem) == 0 && signin);
        fake_time_pass(0);
        return signin;
}

static SignInState state_of(const SignIn *signin) {
        SignInView view;

        signin_view(signin, &view);
        return view.state;
}

static Fetch *prompting(void) {
        Fetch *f = fake_fetch_of("device-code");

        assert(f);
        return f;
}

/* The person has entered the code. */
static void person_signs_in(const char *token, const char *refresh_token, const char *user) {
        fake_fetch_token(prompting(), &(FakeToken){ .access_token = token,
                                                    .refresh_token = refresh_token,
                                                    .user = user,
                                                    .tenant = "contoso" });
        fake_time_pass(0);
}

static void test_a_person_signs_in(void) {
        Caller before = { 0 }, interactive = { 0 }, after = { 0 };
        SignIn *signin;
        SignInView view;
        KeeperView account;
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED && fake_fetches() == 0);
        signin = sign_in(&s);
        assert(s.signins_added == 1 && stage_state(&s) == KEEPER_STATE_SIGNING_IN);
        assert(stage_changed(&s) & ACCOUNT_CHANGED_STATE);
        assert(fake_fetch_request(prompting())->deadline == LIMIT_SIGNIN_SECONDS);
        assert(!fake_fetch_request(prompting())->refresh_token);
        fake_fetch_prompt(prompting(), "ABCD-EFGH");
        signin_view(signin, &view);
        assert(s.signins_changed == 1 && view.state == SIGNIN_STATE_PENDING);
        assert(streq(view.user_code, "ABCD-EFGH") && view.expires_at == clock_wall() + 900);
        assert(streq(view.method, "device-code") && streq(view.error->text, NULL));
        assert(sign_in(&s) == signin && s.signins_added == 1); /* a second one joins */

        /* Nobody waits for a person but who said so. */
        ASK(&before, &s, 20);
        expect_failure(&before, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        ASK(&interactive, &s, 300, .interactive = true);
        fake_time_pass(SEC(200));
        expect_waiting(&interactive);

        fake_keyring_hold(s.keyring, true);
        person_signs_in("secret-at-1", "secret-rt-1", "ann@contoso.com");
        expect_waiting(&interactive); /* not before it is stored */
        assert(state_of(signin) == SIGNIN_STATE_PENDING);
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(0);
        expect_token(&interactive, "secret-at-1");
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));
        assert(state_of(signin) == SIGNIN_STATE_DONE && stage_state(&s) == KEEPER_STATE_READY);
        keeper_view(s.keeper, &account);
        assert(streq(account.user, "ann@contoso.com") && streq(account.tenant, "contoso"));
        assert(stage_changed(&s) & ACCOUNT_CHANGED_USER);
        ASK(&after, &s, 20);
        expect_token(&after, "secret-at-1");

        /* It shows its end for a minute. */
        fake_time_pass(SEC(60) - 1);
        assert(s.signins_removed == 0 && keeper_signins(s.keeper) == signin);
        fake_time_pass(1);
        assert(s.signins_removed == 1 && !keeper_signins(s.keeper));
        assert(fake_fetches() == 1);
        stage_deinit(&s);
}

static void test_a_sign_in_that_fails(void) {
        Caller interactive = { 0 };
        SignIn *signin;
        SignInView view;
        KeeperView account;
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        signin = sign_in(&s);
        ASK(&interactive, &s, 300, .interactive = true);
        answer_error(OUTCOME_BLOCKED, 0);
        signin_view(signin, &view);
        assert(view.state == SIGNIN_STATE_FAILED && view.error->outcome == OUTCOME_BLOCKED);
        keeper_view(s.keeper, &account);
        assert(account.last_error->outcome == OUTCOME_BLOCKED);
        assert(account.state == KEEPER_STATE_SIGN_IN_NEEDED);
        expect_failure(&interactive, OUTCOME_SIGN_IN_NEEDED, "login work");
        signin_cancel(signin); /* it has ended already */
        assert(state_of(signin) == SIGNIN_STATE_FAILED);
        assert(s.env.stats.sign_ins == 1 && s.env.stats.sign_in_failures == 1);

        /* The next one is another. */
        assert(sign_in(&s) != signin && s.signins_added == 2);
        person_signs_in("secret-at-1", "secret-rt-1", NULL);
        keeper_view(s.keeper, &account);
        assert(account.last_error->outcome == OUTCOME_OK);
        assert(stage_changed(&s) & ACCOUNT_CHANGED_LAST_ERROR);
        stage_deinit(&s);
}

static void test_a_sign_in_that_is_given_up(void) {
        KeeperView account;
        SignIn *signin;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        signin = sign_in(&s);
        fake_fetch_prompt(prompting(), "ABCD-EFGH");
        signin_cancel(signin);
        assert(fake_fetches_running() == 0);
        assert(state_of(signin) == SIGNIN_STATE_CANCELLED);
        /* What was there before still is. */
        keeper_view(s.keeper, &account);
        assert(account.state == KEEPER_STATE_READY && account.last_error->outcome == OUTCOME_OK);
        fake_time_pass(SEC(60));
        assert(s.signins_removed == 1);
        stage_deinit(&s);
}

static void test_sign_ins_are_limited(void) {
        Problem problem = { 0 };
        SignIn *signin;
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        for (unsigned i = 0; i < LIMIT_SIGNINS_PER_ACCOUNT; i++)
                signin_cancel(sign_in(&s));
        assert(keeper_sign_in(s.keeper, NULL, &signin, &problem) == OUTCOME_LIMITS_EXCEEDED);
        fake_time_pass(SEC(60));
        assert(s.signins_removed == LIMIT_SIGNINS_PER_ACCOUNT);
        assert(keeper_sign_in(s.keeper, NULL, &signin, &problem) == 0);
        assert(keeper_sign_in(s.keeper, &(SignInWish){ .method = "by-mail" }, &signin, &problem) ==
               OUTCOME_INVALID_ARGS);
        problem_clear(&problem);
        stage_deinit(&s);
}

static void test_what_has_no_sign_in(void) {
        static const AccountSource sources[] = { ACCOUNT_SOURCE_AZURE_CLI,
                                                 ACCOUNT_SOURCE_API_TOKEN };

        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
                Problem problem = { 0 };
                SignIn *signin;
                Stage s;

                stage_init(&s);
                stage_start(&s, sources[i]);
                assert(keeper_sign_in(s.keeper, NULL, &signin, &problem) == OUTCOME_MISCONFIGURED);
                assert(i == 1 || strstr(problem.text, "az login"));
                problem_clear(&problem);
                assert(fake_fetches() == 0);
                stage_deinit(&s);
        }
}

/* The old refresh token's exchange ends after the new sign-in has begun to be stored. */
static void test_a_sign_in_outruns_a_refresh(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 60);
        (void)sign_in(&s);
        assert(fake_fetches_running() == 2);
        person_signs_in("secret-at-new", "secret-rt-new", NULL);
        expect_token(&c, "secret-at-new");
        assert(fake_fetches_running() == 0);
        assert(streq(stage_stored_secret(&s), "secret-rt-new"));
        stage_deinit(&s);
}

/* Somebody else signs in: nothing of the former person is left. */
static void test_another_person_signs_in(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        ASK(&c, &s, 20, .resource = GRAPH);
        answer_token("secret-graph-ann", NULL);
        expect_token(&c, "secret-graph-ann");
        (void)sign_in(&s);
        person_signs_in("secret-at-bob", "secret-rt-bob", "bob@contoso.com");
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-bob");
        ASK(&c, &s, 20, .resource = GRAPH);
        expect_waiting(&c);
        assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-bob"));
        answer_token("secret-graph-bob", NULL);
        expect_token(&c, "secret-graph-bob");
        stage_deinit(&s);
}

static void expect_signed_out(Stage *s) {
        Caller c = { 0 };

        fake_keyring_hold(s->keyring, false);
        fake_time_pass(SEC(20));
        assert(stage_state(s) == KEEPER_STATE_SIGN_IN_NEEDED);
        assert(!fake_keyring_get(s->keyring, "work"));
        ASK(&c, s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
}

static void on_signed_out(const Problem *problem, void *userdata) {
        *(Outcome *)userdata = problem->outcome;
}

/* The sign-in's token is on its way to the keyring, when ... */
static SignIn *stage_storing(Stage *s) {
        SignIn *signin;

        stage_init(s);
        stage_start(s, ACCOUNT_SOURCE_ENTRA);
        signin = sign_in(s);
        fake_keyring_hold(s->keyring, true);
        person_signs_in("secret-at-1", "secret-rt-1", NULL);
        assert(state_of(signin) == SIGNIN_STATE_PENDING && fake_fetches_running() == 0);
        return signin;
}

static void test_what_comes_between_a_sign_in_and_its_store(void) {
        Outcome outcome = OUTCOME_FAILED;
        Problem problem = { 0 };
        Account *other;
        KeeperOp *op;
        SignIn *signin;
        Stage s;

        /* ... the person signs out: one after the other, */
        signin = stage_storing(&s);
        assert(keeper_sign_out(s.keeper, &op, on_signed_out, &outcome, &problem) == 0);
        expect_signed_out(&s);
        assert(outcome == OUTCOME_OK && state_of(signin) == SIGNIN_STATE_DONE);
        keeper_op_free(op);
        stage_deinit(&s);

        /* ... changes the tenant, */
        signin = stage_storing(&s);
        other = stage_account(ACCOUNT_SOURCE_ENTRA);
        free(other->tenant);
        other->tenant = strdup("other.example.com");
        assert(keeper_configure(s.keeper, other) == 0);
        expect_signed_out(&s);
        stage_deinit(&s);

        /* ... removes the account, */
        (void)stage_storing(&s);
        keeper_close(s.keeper);
        assert(s.signins_removed == 1);
        stage_deinit(&s);

        /* ... the daemon ends. */
        (void)stage_storing(&s);
        stage_deinit(&s);
}

/* The person has signed in already; who gives up now is too late. */
static void test_giving_up_too_late(void) {
        SignIn *signin;
        Caller c = { 0 };
        Stage s;

        signin = stage_storing(&s);
        signin_cancel(signin);
        assert(sign_in(&s) == signin);
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(0);
        assert(state_of(signin) == SIGNIN_STATE_DONE);
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");
        stage_deinit(&s);
}

static void test_a_sign_in_without_a_keyring(void) {
        static const KeyringState states[] = { KEYRING_STATE_LOCKED, KEYRING_STATE_ABSENT };

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                Caller c = { 0 };
                SignIn *signin;
                Stage s;

                stage_init(&s);
                fake_keyring_set_state(s.keyring, states[i]);
                stage_start(&s, ACCOUNT_SOURCE_ENTRA);
                signin = sign_in(&s);
                person_signs_in("secret-at-1", "secret-rt-1", NULL);
                assert(state_of(signin) == SIGNIN_STATE_DONE);
                assert(stage_state(&s) == KEEPER_STATE_READY);
                ASK(&c, &s, 20);
                expect_token(&c, "secret-at-1");
                /* Until restart; or until there is one. */
                assert(!fake_keyring_get(s.keyring, "work"));
                fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
                fake_time_pass(0);
                assert(streq(stage_stored_secret(&s), "secret-rt-1"));
                stage_deinit(&s);
        }
}

int main(void) {
        test_a_person_signs_in();
        test_a_sign_in_that_fails();
        test_a_sign_in_that_is_given_up();
        test_sign_ins_are_limited();
        test_what_has_no_sign_in();
        test_a_sign_in_outruns_a_refresh();
        test_another_person_signs_in();
        test_what_comes_between_a_sign_in_and_its_store();
        test_giving_up_too_late();
        test_a_sign_in_without_a_keyring();
        return 0;
}
