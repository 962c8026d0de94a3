/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

static void sign_out(Stage *s, Changer *c) {
        Problem problem = { 0 };
        int r;

        *c = (Changer){ 0 };
        r = keeper_sign_out(s->keeper, &c->op, changer_on_done, c, &problem);
        assert(r >= 0 && c->answers == 0);
        if (r > 0)
                *c = (Changer){ .answers = 1, .outcome = problem.outcome };
        problem_clear(&problem);
        fake_time_pass(0);
}

static void test_sign_out_forgets(void) {
        Caller c = { 0 };
        Changer changer;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        sign_out(&s, &changer);
        expect_done(&changer, OUTCOME_OK);
        assert(!fake_keyring_get(s.keyring, "work"));
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "iotc-token login work");
        assert(fake_timer_next() == USEC_INFINITY);
        /* Signed out twice is signed out. */
        sign_out(&s, &changer);
        expect_done(&changer, OUTCOME_OK);
        stage_deinit(&s);
}

static void test_sign_out_outruns_a_refresh(void) {
        Caller c = { 0 };
        Changer changer;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 20);
        sign_out(&s, &changer);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        assert(fake_fetches_running() == 0);

        /* Also when its new refresh token is on the way to the keyring. */
        stage_deinit(&s);
        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 20);
        fake_keyring_hold(s.keyring, true);
        answer_token("secret-at-2", "secret-rt-2");
        sign_out(&s, &changer);
        fake_keyring_hold(s.keyring, false);
        fake_time_pass(SEC(20));
        expect_done(&changer, OUTCOME_OK);
        expect_token(&c, "secret-at-2"); /* it was still signed in */
        assert(stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        ASK(&c, &s, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        assert(!fake_keyring_get(s.keyring, "work"));
        stage_deinit(&s);
}

static void test_sign_out_needs_the_keyring(void) {
        Caller c = { 0 };
        Changer changer;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_keyring_set_state(s.keyring, KEYRING_STATE_LOCKED);
        sign_out(&s, &changer);
        expect_done(&changer, OUTCOME_KEYRING_LOCKED);
        ASK(&c, &s, 20); /* nothing was changed */
        expect_token(&c, "secret-at-1");
        fake_keyring_set_state(s.keyring, KEYRING_STATE_OK);
        fake_time_pass(SEC(600));
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));
        stage_deinit(&s);

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
        sign_out(&s, &changer);
        expect_done(&changer, OUTCOME_MISCONFIGURED);
        stage_deinit(&s);
}

/* Nothing is lost by a sign-out that fails, not even the token that was on its way. */
static void test_sign_out_of_a_keyring_that_hangs(void) {
        static const bool late[] = { false, true };

        for (size_t i = 0; i < ARRAY_SIZE(late); i++) {
                Caller c = { 0 };
                Changer changer;
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s);
                fake_time_sleep(SEC(3600));
                ASK(&c, &s, 20);
                if (late[i])
                        fake_keyring_hold_late(s.keyring);
                else
                        fake_keyring_hold(s.keyring, true);
                sign_out(&s, &changer);
                answer_token("secret-at-2", "secret-rt-2");
                fake_time_pass(SEC(10));
                expect_done(&changer, OUTCOME_UNAVAILABLE);
                expect_token(&c, "secret-at-2");
                sign_out(&s, &changer); /* at once: it is known to hang */
                expect_done(&changer, OUTCOME_UNAVAILABLE);
                ASK(&c, &s, 20);
                expect_token(&c, "secret-at-2");
                /* Also when the service has deleted the item after all. */
                fake_keyring_hold(s.keyring, false);
                fake_time_pass(SEC(20));
                assert(streq(stage_stored_secret(&s), "secret-rt-2"));
                stage_deinit(&s);
        }
}

static void configure(Stage *s, AccountSource source, const char *key, const char *value) {
        const char *const values[] = { value, NULL };
        Account *a = stage_account(source);
        char *problem = NULL;

        if (key)
                assert(account_set(a, key, values, ACCOUNT_ORIGIN_FILE, &problem) == 0);
        assert(keeper_configure(s->keeper, a) == 0);
        fake_time_pass(0);
        fake_time_pass(0);
}

static void test_the_same_identity_keeps_its_tokens(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        (void)stage_changed(&s);
        configure(&s, ACCOUNT_SOURCE_ENTRA, "apps", "contoso.azureiotcentral.com");
        assert(stage_changed(&s) & ACCOUNT_CHANGED_SETTINGS);
        ASK(&c, &s, 20);
        expect_token(&c, "secret-at-1");
        /* Also in the middle of a fetch. */
        fake_time_sleep(SEC(3600));
        ASK(&c, &s, 20);
        configure(&s, ACCOUNT_SOURCE_ENTRA, NULL, NULL);
        expect_waiting(&c);
        answer_token("secret-at-2", "secret-rt-2");
        expect_token(&c, "secret-at-2");
        assert(streq(stage_stored_secret(&s), "secret-rt-2") && fake_fetches() == 2);
        stage_deinit(&s);
}

static void test_another_identity_drops_them(void) {
        static const char *const settings[][2] = {
                { "tenant", "other.example.com" },
                { "client-id", "11111111-2222-3333-4444-555555555555" },
                { "authority", "https://login.microsoftonline.us" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
                Caller c = { 0 };
                Stage s;

                stage_init(&s);
                stage_start_signed_in(&s);
                configure(&s, ACCOUNT_SOURCE_ENTRA, settings[i][0], settings[i][1]);
                ASK(&c, &s, 20);
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
                assert(!fake_keyring_get(s.keyring, "work"));
                stage_deinit(&s);
        }
}

/* What az gave for one subscription is not for the other, also not after a restart. */
static void test_another_subscription_drops_them(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI);
        ASK(&c, &s, 20);
        answer_token("secret-at-1", NULL);
        expect_token(&c, "secret-at-1");
        fake_time_pass(SEC(2));
        assert(strstr(fake_keyring_get(s.keyring, "work"), "secret-at-1"));
        configure(&s, ACCOUNT_SOURCE_AZURE_CLI, "subscription", "Another One");
        ASK(&c, &s, 20);
        expect_waiting(&c);
        assert(streq(fake_fetch_request(fake_fetch())->subscription, "Another One"));
        fake_time_pass(SEC(2));
        assert(!fake_keyring_get(s.keyring, "work") ||
               !strstr(fake_keyring_get(s.keyring, "work"), "secret-at-1"));
        caller_leave(&c);
        stage_deinit(&s);
}

static void test_another_resource(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        configure(&s, ACCOUNT_SOURCE_ENTRA, "resource", "https://other.example.com");
        ASK(&c, &s, 20);
        expect_waiting(&c);
        assert(streq(fake_fetch_request(fake_fetch())->resource, "https://other.example.com"));
        answer_token("secret-other-1", NULL);
        expect_token(&c, "secret-other-1");
        ASK(&c, &s, 20, .resource = RESOURCE);
        expect_failure(&c, OUTCOME_DENIED, "resources=" RESOURCE);
        stage_deinit(&s);
}

/* What was never read may be in the keyring all the same: it is no sign-out before it is gone. */
static void test_no_sign_out_without_a_keyring_that_was_not_read(void) {
        Changer changer;
        Stage s;

        stage_init(&s);
        stage_put_record(&s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        fake_keyring_set_state(s.keyring, KEYRING_STATE_ABSENT);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        sign_out(&s, &changer);
        fake_time_pass(SEC(11));
        expect_done(&changer, OUTCOME_KEYRING_ABSENT);
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));
        stage_deinit(&s);
}

/* A strict server has ended the former refresh token when it sent this one. */
static void test_a_resource_less_loses_no_refresh_token(void) {
        Caller c = { 0 };
        Account *narrow;
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        ASK(&c, &s, 20, .resource = GRAPH);
        assert(account_new(&narrow, "work", ACCOUNT_SOURCE_ENTRA) == 0);
        assert(keeper_configure(s.keeper, narrow) == 0);
        fake_time_pass(0);
        expect_failure(&c, OUTCOME_CANCELLED, "settings have changed");
        answer_token("secret-at-2", "secret-rt-2");
        fake_time_pass(SEC(3));
        assert(streq(stage_stored_secret(&s), "secret-rt-2"));
        ASK(&c, &s, 20, .resource = GRAPH);
        expect_failure(&c, OUTCOME_DENIED, "resources");
        /* Nothing keeps it fresh: only the account's own is due. */
        fake_time_pass(SEC(2885));
        assert(streq(fake_fetch_request(fake_fetch())->resource, RESOURCE));
        answer_token("secret-at-3", NULL);
        fake_time_pass(SEC(5));
        assert(fake_fetches_running() == 0);
        stage_deinit(&s);
}

static Account *account_for(const char *resource, const char *other) {
        const char *const others[] = { other, NULL };
        char *problem = NULL;
        Account *a;

        assert(account_new(&a, "work", ACCOUNT_SOURCE_ENTRA) == 0);
        free(a->resource);
        a->resource = strdup(resource);
        if (other)
                assert(account_set(a, "resources", others, ACCOUNT_ORIGIN_FILE, &problem) == 0);
        return a;
}

/* Whatever the account's own resource becomes in the midst of an exchange, and whichever that is
 * for: its refresh token is stored, and the next one is made with it. */
static void test_another_resource_loses_no_refresh_token(void) {
        static const struct {
                const char *asked, *own, *other;
        } rows[] = {
                { RESOURCE, GRAPH, NULL },
                { RESOURCE, GRAPH, RESOURCE },
                { RESOURCE, "https://vault.azure.net", GRAPH },
                { GRAPH, GRAPH, NULL }, /* which was one of the others */
                { GRAPH, GRAPH, RESOURCE },
                { GRAPH, "https://vault.azure.net", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (int saving = 0; saving < 2; saving++) {
                        Caller c = { 0 };
                        Stage s;

                        stage_init(&s);
                        stage_start_signed_in(&s);
                        fake_time_pass(SEC(61));
                        ASK(&c, &s, 20, .resource = rows[i].asked, .force = true);
                        assert(fake_fetches_running() == 1);
                        fake_keyring_hold(s.keyring, true);
                        if (saving)
                                answer_token("secret-at-2", "secret-rt-2");
                        assert(keeper_configure(s.keeper,
                                                account_for(rows[i].own, rows[i].other)) == 0);
                        fake_time_pass(0);
                        if (!saving)
                                answer_token("secret-at-2", "secret-rt-2");
                        fake_keyring_hold(s.keyring, false);
                        fake_time_pass(0);
                        assert(streq(stage_stored_secret(&s), "secret-rt-2"));
                        caller_leave(&c);

                        /* A caller has a token of the new resource, and of no other. */
                        ASK(&c, &s, 20);
                        if (streq(rows[i].asked, rows[i].own))
                                expect_token(&c, "secret-at-2");
                        else {
                                assert(streq(fake_fetch_request(fake_fetch())->resource,
                                             rows[i].own));
                                assert(streq(fake_fetch_request(fake_fetch())->refresh_token,
                                             "secret-rt-2"));
                                answer_token("secret-at-3", NULL);
                                expect_token(&c, "secret-at-3");
                        }
                        stage_deinit(&s);
                }
}

/* Who named a resource gets a token for that one, if it is still allowed, and for no other; who
 * asked for the account's own gets one for the new one. */
static void test_another_resource_while_callers_wait(void) {
        Caller named = { 0 }, gone = { 0 }, own = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        fake_time_sleep(SEC(3601));
        ASK(&named, &s, 20, .resource = RESOURCE);
        ASK(&gone, &s, 20, .resource = GRAPH);
        ASK(&own, &s, 20);
        assert(keeper_configure(s.keeper, account_for("https://vault.azure.net", RESOURCE)) == 0);
        fake_time_pass(0);
        expect_failure(&gone, OUTCOME_CANCELLED, "settings have changed");
        expect_waiting(&named);
        answer_token("secret-at-2", "secret-rt-2");
        expect_token(&named, "secret-at-2");
        expect_waiting(&own);
        assert(streq(fake_fetch_request(fake_fetch())->resource, "https://vault.azure.net"));
        answer_token("secret-at-3", NULL);
        expect_token(&own, "secret-at-3");
        stage_deinit(&s);
}

/* A sign-in was begun for the resource of before: who signed in is, its token is for nobody. */
static void test_another_resource_during_a_sign_in(void) {
        Problem problem = { 0 };
        Caller c = { 0 };
        SignIn *signin;
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_ENTRA);
        assert(keeper_sign_in(s.keeper, NULL, &signin, &problem) == 0);
        assert(keeper_configure(s.keeper, account_for(GRAPH, NULL)) == 0);
        fake_time_pass(0);
        answer_token("secret-at-1", "secret-rt-1");
        assert(streq(stage_stored_secret(&s), "secret-rt-1"));
        assert(stage_state(&s) == KEEPER_STATE_READY);
        ASK(&c, &s, 20);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        fake_time_pass(SEC(61));
        stage_deinit(&s);
}

int main(void) {
        test_sign_out_forgets();
        test_sign_out_outruns_a_refresh();
        test_sign_out_needs_the_keyring();
        test_sign_out_of_a_keyring_that_hangs();
        test_the_same_identity_keeps_its_tokens();
        test_another_identity_drops_them();
        test_another_subscription_drops_them();
        test_another_resource();
        test_no_sign_out_without_a_keyring_that_was_not_read();
        test_a_resource_less_loses_no_refresh_token();
        test_another_resource_loses_no_refresh_token();
        test_another_resource_while_callers_wait();
        test_another_resource_during_a_sign_in();
        return 0;
}
