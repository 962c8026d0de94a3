/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

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

static void expect_default(const House *h, const char *name) {
        const Keeper *k = manager_default(h->m);

        assert(streq(k ? keeper_account(k)->name : NULL, name));
}

static Outcome add_person(House *h, const char *name) {
        Adder adder;
        Outcome r = add(h, &adder, account_of(name, ACCOUNT_SOURCE_ENTRA), NULL);

        fake_time_pass(0);
        return r;
}

#define ONLY_WORK "# mine\n" WORK

/* Adding a second account leaves the default with the first, on the disk as well, and giving it up
 * leaves no trace. */
static void test_a_second_account_takes_no_default(void) {
        House h;

        house_init(&h, ONLY_WORK);
        expect_default(&h, "work");
        assert(add_person(&h, "second") == OUTCOME_OK);
        expect_default(&h, "work");
        expect_text(h.folder.user, ONLY_WORK "\n[iotc-token]\ndefault=work\n\n"
                                             "[account second]\nsource=entra\n");
        assert(manager_reload(h.m) == 0);
        expect_default(&h, "work");
        assert(take_out(&h, "second") == 0);
        expect_default(&h, "work");
        expect_text(h.folder.user, ONLY_WORK);

        /* A third one that is kept needs the setting. */
        assert(add_person(&h, "second") == OUTCOME_OK && add_person(&h, "third") == OUTCOME_OK);
        assert(take_out(&h, "second") == 0);
        expect_default(&h, "work");
        expect_text(h.folder.user, ONLY_WORK "\n[iotc-token]\ndefault=work\n\n"
                                             "[account third]\nsource=entra\n");
        /* The default itself goes: to the only one that is left. */
        assert(take_out(&h, "work") == 0);
        expect_default(&h, "third");
        assert(manager_reload(h.m) == 0);
        expect_default(&h, "third");
        house_deinit(&h);
}

static void test_the_default_of_two_goes_to_nobody(void) {
        Problem problem = { 0 };
        Keeper *k;
        House h;

        house_init(&h,
                   "[iotc-token]\ndefault=gone\n\n" WORK OTHER "[account gone]\nsource=entra\n");
        assert(take_out(&h, "gone") == 0);
        expect_default(&h, NULL);
        assert(manager_resolve(h.m, "", &k, &problem) == OUTCOME_NO_SUCH_ACCOUNT);
        assert(strstr(problem_text(&problem), "iotc-token default NAME"));
        problem_clear(&problem);
        assert(add_person(&h, "more") == OUTCOME_OK); /* nobody had it to keep */
        expect_default(&h, NULL);
        house_deinit(&h);
}

static void test_the_default_of_the_system(void) {
        House h;

        house_init(&h, NULL);
        put(h.folder.system, "[iotc-token]\ndefault=mine\n[account corp]\nsource=entra\n");
        assert(manager_reload(h.m) >= 0);
        expect_default(&h, NULL);
        assert(add_person(&h, "mine") == OUTCOME_OK);
        expect_default(&h, "mine");
        /* Without it the only one that is left is the default, after a restart as well. */
        assert(take_out(&h, "mine") == 0 && manager_reload(h.m) >= 0);
        assert(add_person(&h, "mine") == OUTCOME_OK && add_person(&h, "more") == OUTCOME_OK);
        assert(take_out(&h, "mine") == 0 && take_out(&h, "more") == 0);
        expect_default(&h, "corp");
        assert(manager_reload(h.m) == 0);
        expect_default(&h, "corp");
        /* One of the system's keeps it as well. */
        assert(add_person(&h, "more") == OUTCOME_OK);
        expect_default(&h, "corp");
        house_deinit(&h);
}

static void expect_hint(House *h, const char *want) {
        Problem problem = { 0 };
        Keeper *k;

        assert(manager_resolve(h->m, "plant.example.com", &k, &problem) == OUTCOME_NO_SUCH_ACCOUNT);
        if (!strstr(problem_text(&problem), want)) {
                fprintf(stderr, "%s\n", problem_text(&problem));
                abort();
        }
        problem_clear(&problem);
}

/* The hint for a host that nobody lists names an account that it can be bound to. */
static void test_how_a_host_is_bound(void) {
        House h;

        house_init(&h, NULL);
        expect_hint(&h, "iotc-token login --app plant.example.com");
        put(h.folder.system, "[account corp]\nsource=entra\n");
        assert(manager_reload(h.m) >= 0);
        expect_hint(&h, "iotc-token login --app plant.example.com");
        assert(add_person(&h, "work") == OUTCOME_OK);
        expect_hint(&h, "iotc-token app add plant.example.com work");
        assert(add_person(&h, "more") == OUTCOME_OK);
        expect_hint(&h, "iotc-token app add plant.example.com NAME");
        assert(set_default(&h, "more") == 0);
        expect_hint(&h, "iotc-token app add plant.example.com more");
        house_deinit(&h);
}

/* What fails half-way is not in the file, and neither is a default. */
static void test_an_account_that_is_not_added(void) {
        Adder first, second;
        Problem problem = { 0 };
        House h;

        house_init(&h, WORK);
        fake_keyring_set_state(h.stage.keyring, KEYRING_STATE_LOCKED);
        first = (Adder){ 0 };
        (void)manager_add(h.m, account_of("robot", ACCOUNT_SOURCE_CLIENT_CREDENTIALS), "secret-b",
                          &first.op, on_added, &first, &problem);
        problem_clear(&problem);
        fake_time_pass(SEC(20));
        first.op = manager_op_free(first.op);
        assert(!manager_find(h.m, "robot"));
        expect_text(h.folder.user, WORK);
        expect_default(&h, "work");
        house_keyring(&h, KEYRING_STATE_OK);

        /* Two at once: whoever had the default keeps it. */
        fake_keyring_hold(h.stage.keyring, true);
        assert(add(&h, &first, account_of("b", ACCOUNT_SOURCE_CLIENT_CREDENTIALS), "secret-b") ==
               OUTCOME_OK);
        assert(add(&h, &second, account_of("c", ACCOUNT_SOURCE_CLIENT_CREDENTIALS), "secret-c") ==
               OUTCOME_OK);
        fake_keyring_hold(h.stage.keyring, false);
        fake_time_pass(0);
        assert(first.outcome == OUTCOME_OK && second.outcome == OUTCOME_OK);
        expect_default(&h, "work");
        house_deinit(&h);
}

/* One file or nothing: a folder in which nothing can be written. */
static void test_settings_that_cannot_be_written(void) {
        Problem problem = { 0 };
        Adder adder = { 0 };
        House h;

        house_init(&h, WORK);
        assert(remove(h.folder.user) == 0 && mkdir(h.folder.user, 0700) == 0);
        assert(manager_add(h.m, account_of("second", ACCOUNT_SOURCE_ENTRA), NULL, &adder.op,
                           on_added, &adder, &problem) == OUTCOME_MISCONFIGURED);
        assert(strstr(problem_text(&problem), "it is a folder"));
        problem_clear(&problem);
        expect_default(&h, "work");
        assert(!manager_find(h.m, "second"));
        assert(rmdir(h.folder.user) == 0);
        put(h.folder.user, WORK);
        house_deinit(&h);
}

static void install_az(House *h) {
        CLEANUP(freep) char *az = NULL;

        assert(asprintf(&az, "%s/az", h->folder.path) > 0);
        put(az, "#!/bin/sh\n");
        assert(chmod(az, 0755) == 0);
        assert(manager_reload(h->m) >= 0);
}

static void test_the_builtin_account_gives_way(void) {
        CLEANUP(freep) char *az = NULL;
        Adder adder;
        House h;

        house_init(&h, NULL);
        install_az(&h);
        expect_default(&h, "azure-cli");
        assert(add_person(&h, "work") == OUTCOME_OK);
        expect_default(&h, "work");
        expect_text(h.folder.user, "[account work]\nsource=entra\n");
        /* Unless a person has chosen it; then the account that it becomes has it. */
        assert(set_default(&h, "azure-cli") == 0 && add_person(&h, "more") == OUTCOME_OK);
        expect_default(&h, "azure-cli");
        assert(add(&h, &adder, account_of("az", ACCOUNT_SOURCE_AZURE_CLI), NULL) == OUTCOME_OK);
        expect_default(&h, "az");
        assert(manager_reload(h.m) == 0);
        expect_default(&h, "az");
        assert(take_out(&h, "az") == 0);
        expect_default(&h, "azure-cli");
        assert(asprintf(&az, "%s/az", h.folder.path) > 0 && remove(az) == 0);
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
        /* It is nobody's, and whoever tries again has it overwritten. */
        fake_keyring_hold(h.stage.keyring, false);
        house_keyring(&h, KEYRING_STATE_OK);
        assert(add(&h, &adder, account_of("factory", ACCOUNT_SOURCE_API_TOKEN),
                   "SharedAccessSignature sr=1&sig=secret-b") == OUTCOME_OK);
        fake_time_pass(0);
        assert(adder.answers == 1 && adder.outcome == OUTCOME_OK);
        assert(strstr(fake_keyring_get(h.stage.keyring, "factory"), "secret-b"));
        house_deinit(&h);
}

int main(void) {
        test_what_changes_is_in_the_file();
        test_the_default();
        test_a_second_account_takes_no_default();
        test_the_default_of_two_goes_to_nobody();
        test_the_default_of_the_system();
        test_how_a_host_is_bound();
        test_an_account_that_is_not_added();
        test_settings_that_cannot_be_written();
        test_the_builtin_account_gives_way();
        test_what_may_not_be_changed();
        test_two_that_add_the_same();
        test_a_caller_that_leaves_while_it_is_stored();
        test_settings_that_are_read_while_it_is_stored();
        test_a_keyring_that_hangs_and_stores_it_after_all();
        return 0;
}
