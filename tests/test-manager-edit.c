/* SPDX-License-Identifier: MIT */
#include "util-house.h"

#define WORK  "[account work]\nsource=entra\napps=work.example.com\n"
#define OTHER "[account other]\nsource=entra\n"

static int configure(House *h, const char *name, const char *key, const char *value) {
        const char *const values[] = { value, NULL };
        Problem problem = { 0 };
        char *text = NULL;
        Keeper *k = manager_find(h->m, name);
        Account *a;
        int r;

        assert(account_copy(&a, keeper_account(k)) == 0);
        assert(account_set(a, key, values, ACCOUNT_ORIGIN_BUS, &text) == 0);
        r = manager_configure(h->m, k, a, &problem);
        assert(r == 0 || (problem.outcome == (Outcome)r && problem.text));
        problem_clear(&problem);
        fake_time_pass(0);
        return r;
}

static int set_default(House *h, const char *name) {
        Problem problem = { 0 };
        int r;

        r = manager_set_default(h->m, name, &problem);
        problem_clear(&problem);
        return r;
}

static int take_out(House *h, const char *name) {
        Problem problem = { 0 };
        int r;

        r = manager_remove(h->m, manager_find(h->m, name), &problem);
        problem_clear(&problem);
        fake_time_pass(0);
        return r;
}

static void test_what_changes_is_in_the_file(void) {
        House h;

        house_init(&h, "# mine\n" WORK OTHER);
        assert(configure(&h, "other", "tenant", "contoso.com") == 0);
        expect_text(h.folder.user, "# mine\n" WORK OTHER "tenant=contoso.com\n");
        assert(streq(keeper_account(manager_find(h.m, "other"))->tenant, "contoso.com"));
        assert(configure(&h, "other", "apps", "work.example.com") == OUTCOME_INVALID_ARGS);
        assert(configure(&h, "work", "apps", "work.example.com") == 0); /* its own already */
        expect_text(h.folder.user, "# mine\n" WORK OTHER "tenant=contoso.com\n");
        house_deinit(&h);
}

static void test_the_default(void) {
        House h;

        house_init(&h, WORK OTHER);
        assert(!manager_default(h.m));
        assert(set_default(&h, "nobody") == OUTCOME_NO_SUCH_ACCOUNT);
        assert(set_default(&h, "other") == 0);
        assert(manager_default(h.m) == manager_find(h.m, "other"));
        assert(manager_reload(h.m) >= 0); /* from the file */
        assert(manager_default(h.m) == manager_find(h.m, "other"));
        assert(set_default(&h, "") == 0 && !manager_default(h.m));
        /* What is left is the default. */
        assert(set_default(&h, "other") == 0 && take_out(&h, "other") == 0);
        assert(manager_default(h.m) == manager_find(h.m, "work"));
        assert(manager_reload(h.m) >= 0);
        assert(manager_default(h.m) == manager_find(h.m, "work"));
        house_deinit(&h);
}

static void test_what_may_not_be_changed(void) {
        Adder adder;
        House h;

        house_init(&h, WORK);
        put(h.folder.system, "[account theirs]\nsource=entra\n");
        assert(manager_reload(h.m) >= 0);
        assert(take_out(&h, "theirs") == OUTCOME_DENIED);
        assert(manager_find(h.m, "theirs"));
        assert(add(&h, &adder, account_of("theirs", ACCOUNT_SOURCE_ENTRA), NULL) ==
               OUTCOME_ACCOUNT_EXISTS);

        /* While a line is bad the file is not rewritten: it may hold what somebody meant. */
        put(h.folder.user, WORK "tenant=not a tenant\n");
        assert(manager_reload(h.m) >= 0);
        assert(take_out(&h, "work") == OUTCOME_MISCONFIGURED && manager_find(h.m, "work"));
        assert(add(&h, &adder, account_of("more", ACCOUNT_SOURCE_ENTRA), NULL) ==
               OUTCOME_MISCONFIGURED);
        assert(!manager_find(h.m, "more"));
        expect_text(h.folder.user, WORK "tenant=not a tenant\n");
        house_deinit(&h);
}

#define API_TOKEN "SharedAccessSignature sr=1&sig=secret-a"

static Outcome add_factory(House *h, Adder *adder) {
        return add(h, adder, account_of("factory", ACCOUNT_SOURCE_API_TOKEN), API_TOKEN);
}

static void test_two_that_add_the_same(void) {
        Adder first, second;
        House h;

        house_init(&h, NULL);
        fake_keyring_hold(h.stage.keyring, true);
        assert(add_factory(&h, &first) == OUTCOME_OK);
        assert(add_factory(&h, &second) == OUTCOME_ACCOUNT_EXISTS);
        fake_keyring_hold(h.stage.keyring, false);
        fake_time_pass(0);
        assert(first.answers == 1 && first.outcome == OUTCOME_OK);
        assert(manager_find(h.m, "factory"));
        house_deinit(&h);
}

static void test_a_caller_that_leaves_while_it_is_stored(void) {
        Adder adder;
        House h;

        house_init(&h, NULL);
        fake_keyring_hold(h.stage.keyring, true);
        assert(add_factory(&h, &adder) == OUTCOME_OK);
        adder.op = manager_op_free(adder.op);
        fake_keyring_hold(h.stage.keyring, false);
        fake_time_pass(SEC(60));
        /* Neither an account nor its secret is left. */
        assert(adder.answers == 0 && !manager_find(h.m, "factory"));
        assert(!fake_keyring_get(h.stage.keyring, "factory") && !manager_op_free(NULL));
        assert(manager_flush(h.m));
        house_deinit(&h);
}

static void test_settings_that_are_read_while_it_is_stored(void) {
        Adder adder;
        House h;

        house_init(&h, NULL);
        fake_keyring_hold(h.stage.keyring, true);
        assert(add_factory(&h, &adder) == OUTCOME_OK);
        put(h.folder.user, "[account factory]\nsource=entra\n");
        assert(manager_reload(h.m) >= 0);
        fake_keyring_hold(h.stage.keyring, false);
        fake_time_pass(0);
        assert(adder.answers == 1 && adder.outcome == OUTCOME_ACCOUNT_EXISTS);
        assert(keeper_account(manager_find(h.m, "factory"))->source == ACCOUNT_SOURCE_ENTRA);
        house_deinit(&h);
}

static void test_a_keyring_that_hangs_and_stores_it_after_all(void) {
        Adder adder;
        House h;

        house_init(&h, NULL);
        fake_keyring_hold_late(h.stage.keyring);
        assert(add_factory(&h, &adder) == OUTCOME_OK);
        fake_time_pass(SEC(10));
        assert(adder.answers == 1 && adder.outcome == OUTCOME_UNAVAILABLE);
        assert(!manager_find(h.m, "factory"));
        assert(fake_keyring_get(h.stage.keyring, "factory"));
        fake_keyring_hold(h.stage.keyring, false);
        house_keyring(&h, KEYRING_STATE_OK);
        fake_time_pass(SEC(20));
        assert(!fake_keyring_get(h.stage.keyring, "factory"));
        house_deinit(&h);
}

int main(void) {
        test_what_changes_is_in_the_file();
        test_the_default();
        test_what_may_not_be_changed();
        test_two_that_add_the_same();
        test_a_caller_that_leaves_while_it_is_stored();
        test_settings_that_are_read_while_it_is_stored();
        test_a_keyring_that_hangs_and_stores_it_after_all();
        return 0;
}
