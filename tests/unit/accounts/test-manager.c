/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "common/secret.h"
#include "fake-notify.h"
#include "util-house.h"

/* What a selector means: an account's name, or an outcome and a part of its text. */
static void expect_account(House *h, const char *selector, const char *name) {
        Problem problem = { 0 };
        Keeper *k = NULL;
        int r;

        r = manager_resolve(h->m, selector, &k, &problem);
        if (r != 0 || !streq(keeper_account(k)->name, name))
                fprintf(stderr, "%s: %d %s\n", selector, r, problem_text(&problem));
        assert(r == 0 && streq(keeper_account(k)->name, name));
}

static void expect_problem(House *h, const char *selector, Outcome outcome, const char *hint) {
        Problem problem = { 0 };
        Keeper *k = NULL;
        int r;

        r = manager_resolve(h->m, selector, &k, &problem);
        if (r != (int)outcome || !strstr(problem_text(&problem), hint))
                fprintf(stderr, "%s: %d %s\n", selector, r, problem_text(&problem));
        assert(r == (int)outcome && strstr(problem_text(&problem), hint));
        problem_clear(&problem);
}

#define CONTOSO               \
        "[account contoso]\n" \
        "source=entra\n"      \
        "apps=contoso.example.com;10.0.0.5:8443\n"
#define FACTORY               \
        "[account factory]\n" \
        "source=api-token\n"  \
        "apps=factory.azureiotcentral.com\n"
#define OTHER               \
        "[account other]\n" \
        "source=entra\n"

static void test_selectors(void) {
        House h;

        house_init(&h, CONTOSO FACTORY);
        expect_account(&h, "", "contoso");
        expect_account(&h, "contoso", "contoso");
        expect_account(&h, "factory", "factory");
        expect_account(&h, "contoso.example.com", "contoso");
        expect_account(&h, "CONTOSO.Example.com.", "contoso");
        expect_account(&h, "https://contoso.example.com:443/api/devices?x=1", "contoso");
        expect_account(&h, "https://10.0.0.5:8443/", "contoso");
        expect_account(&h, "factory.azureiotcentral.com", "factory");
        /* Under the suffix, listed by nobody: the default. */
        expect_account(&h, "new.azureiotcentral.com", "contoso");
        expect_account(&h, "https://new.azureiotcentral.com/api", "contoso");
        expect_account(&h, "localhost:3000", "contoso");
        expect_account(&h, "http://127.0.0.1:3000/", "contoso");

        expect_problem(&h, "nobody", OUTCOME_NO_SUCH_ACCOUNT, "'nobody'");
        expect_problem(&h, "bad name", OUTCOME_NO_SUCH_ACCOUNT, "neither");
        /* A token never goes to a mistyped host. */
        expect_problem(&h, "new.azureiotcentrall.com", OUTCOME_NO_SUCH_ACCOUNT, "app-suffixes");
        expect_problem(&h, "azureiotcentral.com.evil.example", OUTCOME_NO_SUCH_ACCOUNT,
                       "app-suffixes");
        expect_problem(&h, "evilazureiotcentral.com", OUTCOME_NO_SUCH_ACCOUNT, "app-suffixes");
        expect_problem(&h, "contoso.example.com:8443", OUTCOME_NO_SUCH_ACCOUNT, "app-suffixes");
        expect_problem(&h, "https://new.azureiotcentral.com@evil.example/", OUTCOME_INVALID_ARGS,
                       "user names");
        expect_problem(&h, "http://new.azureiotcentral.com/", OUTCOME_INVALID_ARGS, "https");
        expect_problem(&h, "ftp://new.azureiotcentral.com/", OUTCOME_INVALID_ARGS, "https");
        house_deinit(&h);
}

static void test_the_default_account(void) {
        House h;

        house_init(&h, NULL);
        expect_problem(&h, "", OUTCOME_NO_SUCH_ACCOUNT, "iotc-token login");
        house_deinit(&h);

        house_init(&h, FACTORY); /* an API token is never default by itself */
        expect_problem(&h, "", OUTCOME_NO_SUCH_ACCOUNT, "iotc-token default");
        expect_problem(&h, "new.azureiotcentral.com", OUTCOME_NO_SUCH_ACCOUNT, "default");
        house_deinit(&h);

        house_init(&h, "[iotc-token]\ndefault=factory\n" FACTORY CONTOSO);
        expect_account(&h, "", "factory");
        expect_problem(&h, "new.azureiotcentral.com", OUTCOME_NO_SUCH_ACCOUNT, "API token");
        house_deinit(&h);

        house_init(&h, CONTOSO OTHER);
        expect_problem(&h, "", OUTCOME_NO_SUCH_ACCOUNT, "iotc-token default");
        house_deinit(&h);

        house_init(&h, "[iotc-token]\ndefault=gone\n" CONTOSO);
        expect_problem(&h, "", OUTCOME_NO_SUCH_ACCOUNT, "'gone' does not exist");
        house_deinit(&h);
}

static void install_az(House *h) {
        char path[192];

        snprintf(path, sizeof(path), "%s/az", h->folder.path);
        put(path, "#!/bin/sh\n");
        assert(chmod(path, 0700) == 0 && chmod(h->folder.path, 0700) == 0);
        assert(manager_reload(h->m) >= 0);
        fake_time_pass(0);
}

static void test_the_built_in_account(void) {
        Adder adder;
        House h;

        house_init(&h, NULL);
        install_az(&h);
        expect_account(&h, "", "azure-cli");
        assert(keeper_account(manager_find(h.m, "azure-cli"))->builtin);
        assert(add(&h, &adder, account_of("azure-cli", ACCOUNT_SOURCE_ENTRA), NULL) != OUTCOME_OK);
        /* A bearer account of a person's own comes before it. */
        assert(add(&h, &adder, account_of("mine", ACCOUNT_SOURCE_ENTRA), NULL) == OUTCOME_OK);
        expect_account(&h, "", "mine");
        expect_account(&h, "azure-cli", "azure-cli");
        /* It goes when somebody sets up one of its source. */
        assert(add(&h, &adder, account_of("az2", ACCOUNT_SOURCE_AZURE_CLI), NULL) == OUTCOME_OK);
        assert(!manager_find(h.m, "azure-cli"));
        house_deinit(&h);
}

#define API_TOKEN "SharedAccessSignature sr=1&sig=secret-a"

static void test_adding(void) {
        Account *twin;
        Adder adder;
        House h;

        house_init(&h, CONTOSO);
        assert(add(&h, &adder, account_of("contoso", ACCOUNT_SOURCE_ENTRA), NULL) ==
               OUTCOME_ACCOUNT_EXISTS);
        twin = account_of("twin", ACCOUNT_SOURCE_ENTRA);
        twin->apps = calloc(2, sizeof(char *));
        twin->apps[0] = strdup("contoso.example.com");
        assert(add(&h, &adder, twin, NULL) == OUTCOME_INVALID_ARGS);

        /* The secret is stored before the account is there. */
        assert(add(&h, &adder, account_of("factory", ACCOUNT_SOURCE_API_TOKEN), API_TOKEN) ==
               OUTCOME_OK);
        assert(!manager_find(h.m, "factory"));
        fake_time_pass(0);
        assert(adder.answers == 1 && adder.outcome == OUTCOME_OK);
        assert(manager_find(h.m, "factory"));
        assert(strstr(fake_keyring_get(h.stage.keyring, "factory"), API_TOKEN));
        expect_text(h.folder.user, CONTOSO "\n[account factory]\nsource=api-token\n");

        /* What can't be stored is not there. */
        house_keyring(&h, KEYRING_STATE_LOCKED);
        assert(add(&h, &adder, account_of("two", ACCOUNT_SOURCE_API_TOKEN), API_TOKEN) ==
               OUTCOME_OK);
        fake_time_pass(0);
        assert(adder.answers == 1 && adder.outcome == OUTCOME_KEYRING_LOCKED);
        assert(!manager_find(h.m, "two"));
        house_keyring(&h, KEYRING_STATE_OK);
        fake_time_pass(SEC(600));
        assert(!fake_keyring_get(h.stage.keyring, "two"));
        expect_text(h.folder.user, CONTOSO "\n[account factory]\nsource=api-token\n");
        house_deinit(&h);
}

static void test_reading_again(void) {
        Keeper *contoso;
        House h;

        house_init(&h, CONTOSO OTHER);
        contoso = manager_find(h.m, "contoso");
        put(h.folder.user, CONTOSO "[account new]\nsource=entra\ntenant=not a tenant\n");
        assert(manager_reload(h.m) >= 0);
        assert(manager_find(h.m, "contoso") == contoso); /* with its tokens and callers */
        assert(!manager_find(h.m, "other"));
        assert(strstr(keeper_account(manager_find(h.m, "new"))->problem, "line 6"));
        put(h.folder.user, "");
        assert(manager_reload(h.m) >= 0);
        assert(!manager_account(h.m, 0));
        house_deinit(&h);
}

/* A group that goes, or is another account now, in the midst of an exchange: the server may have
 * ended the former refresh token, so the new one is stored first, and is there when it is back. */
static void test_what_is_under_way_ends_first(void) {
        static const char *const changes[] = { "", OTHER, CONTOSO "tenant=contoso.com\n" };

        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                CLEANUP(record_freep) Record *r = NULL;
                CLEANUP(secret_freep) char *text = NULL;
                Keeper *before;
                KeeperView view;
                House h;

                house_init(&h, CONTOSO);
                before = manager_find(h.m, "contoso");
                assert(record_new(&r, keeper_account(before)) == 0);
                assert(record_set_secret(r, "secret-rt-1") == 0 && record_to_text(&text, r) == 0);
                put(h.folder.user, "");
                assert(manager_reload(h.m) == 1 && !manager_find(h.m, "contoso"));
                fake_keyring_put(h.stage.keyring, "contoso", text);
                put(h.folder.user, CONTOSO);
                assert(manager_reload(h.m) == 1);
                fake_time_pass(0);
                assert(fake_fetches_running() == 1);

                before = manager_find(h.m, "contoso");
                put(h.folder.user, changes[i]);
                assert(manager_reload(h.m) >= 0 && manager_find(h.m, "contoso") == before);
                assert(!manager_find(h.m, "other") == (i != 1)); /* nobody else waits for it */
                fake_time_pass(SEC(5));
                assert(manager_find(h.m, "contoso") == before);
                fake_keyring_hold(h.stage.keyring, true);
                answer_token("secret-at-1", "secret-rt-2");
                fake_time_pass(SEC(1));
                assert(manager_find(h.m, "contoso") == before);
                fake_keyring_hold(h.stage.keyring, false);
                fake_time_pass(SEC(1));
                before = manager_find(h.m, "contoso");
                assert(i < 2 ? !before : streq(keeper_account(before)->tenant, "contoso.com"));
                assert(strstr(fake_keyring_get(h.stage.keyring, "contoso"), "secret-rt-2"));

                /* It is put back: still signed in. */
                put(h.folder.user, CONTOSO);
                assert(manager_reload(h.m) == 1);
                fake_time_pass(SEC(1));
                keeper_view(manager_find(h.m, "contoso"), &view);
                assert(view.state == KEEPER_STATE_READY);
                house_deinit(&h);
        }
}

static void test_a_file_that_changes(void) {
        Keeper *contoso;
        House h;

        house_init(&h, CONTOSO);
        contoso = manager_find(h.m, "contoso");
        put(h.folder.system, OTHER);
        fake_notify_settings(true);
        assert(!manager_find(h.m, "other")); /* it may be half of it */
        fake_notify_settings(false);
        assert(keeper_account(manager_find(h.m, "other"))->system);
        assert(manager_find(h.m, "contoso") == contoso);
        assert(manager_reload(h.m) == 0); /* nothing is different */

        /* It stays who it was while a line is bad. */
        put(h.folder.user, CONTOSO "tenant=not a tenant\nclient-id=x\n");
        assert(manager_reload(h.m) == 1 && manager_find(h.m, "contoso") == contoso);
        assert(strstr(keeper_account(contoso)->problem, "line 4"));
        expect_account(&h, "contoso.example.com", "contoso");
        put(h.folder.user, CONTOSO);
        assert(manager_reload(h.m) == 1 && manager_find(h.m, "contoso") == contoso);
        assert(!keeper_account(contoso)->problem);

        /* Another tenant is another account, of which nothing is known. */
        put(h.folder.user, CONTOSO "tenant=contoso.com\n");
        assert(manager_reload(h.m) == 1 && manager_reload(h.m) == 0);
        assert(streq(keeper_account(manager_find(h.m, "contoso"))->tenant, "contoso.com"));
        house_deinit(&h);
}

static void test_no_more_than_the_limit(void) {
        Adder adder;
        House h;

        house_init(&h, NULL);
        for (unsigned i = 0; i < ACCOUNTS_MAX; i++) {
                char name[16];

                snprintf(name, sizeof(name), "a%u", i);
                assert(add(&h, &adder, account_of(name, ACCOUNT_SOURCE_ENTRA), NULL) == OUTCOME_OK);
        }
        assert(add(&h, &adder, account_of("more", ACCOUNT_SOURCE_ENTRA), NULL) ==
               OUTCOME_LIMITS_EXCEEDED);
        house_deinit(&h);
}

int main(void) {
        test_selectors();
        test_the_default_account();
        test_the_built_in_account();
        test_adding();
        test_reading_again();
        test_what_is_under_way_ends_first();
        test_a_file_that_changes();
        test_no_more_than_the_limit();
        return 0;
}
