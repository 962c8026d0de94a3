/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "io/state.h"
#include "util-house.h"

/*
 * Accounts that are removed: their item goes before their group does, or nothing changes. One that
 * was never begun to be stored goes at once, and one can be left behind on purpose.
 */

#define WORK "[iotc-token]\ndefault=work\n\n[account work]\nsource=entra\n"

static const char *stored(House *h) {
        return fake_keyring_get(h->stage.keyring, "work");
}

static void state_open(House *h) {
        char path[192];

        snprintf(path, sizeof(path), "%s/state", h->folder.path);
        assert(state_new(&h->stage.env.state, NULL, path) == 0);
}

/* A daemon, and a file that it remembers in. */
static void house_open(House *h, const char *settings, KeyringState state) {
        house_init(h, NULL);
        manager_free(h->m);
        state_open(h);
        fake_keyring_set_state(h->stage.keyring, state);
        put(h->folder.user, settings);
        assert(manager_new(&h->m, &h->stage.env, h->folder.system, h->folder.user) == 0);
        fake_time_pass(0);
}

/* The same with somebody signed in to the account work. */
static void house_signed_in(House *h) {
        house_open(h, "", KEYRING_STATE_OK);
        stage_put_record(&h->stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 1, 3600);
        put(h->folder.user, WORK);
        assert(manager_reload(h->m) == 1);
        fake_time_pass(0);
}

/* The daemon ends, or is killed, and is started again. */
static void house_restart(House *h) {
        manager_free(h->m);
        state_free(h->stage.env.state);
        state_open(h);
        assert(manager_new(&h->m, &h->stage.env, h->folder.system, h->folder.user) == 0);
        fake_time_pass(0);
}

static void house_leave(House *h) {
        h->m = manager_free(h->m);
        h->stage.env.state = state_free(h->stage.env.state);
        house_deinit(h);
}

static void expect_signed_in(House *h, const char *token) {
        Caller c = { 0 };

        caller_ask(&c, manager_find(h->m, "work"), &(KeeperAsk){ .timeout_usec = SEC(20) });
        expect_token(&c, token);
}

static void expect_nobody(House *h) {
        Caller c = { 0 };

        caller_ask(&c, manager_find(h->m, "work"), &(KeeperAsk){ .timeout_usec = SEC(20) });
        fake_time_pass(0);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
}

static void add_work(House *h) {
        Adder adder;

        assert(add(h, &adder, account_of("work", ACCOUNT_SOURCE_ENTRA), NULL) == OUTCOME_OK);
        fake_time_pass(0);
}

static void sign_in_work(House *h) {
        Problem problem = { 0 };
        SignIn *signin;

        assert(keeper_sign_in(manager_find(h->m, "work"), NULL, &signin, &problem) == 0);
        answer_token("secret-at-2", "secret-rt-2");
}

static void forget_work(House *h) {
        Problem problem = { 0 };

        assert(manager_forget(h->m, manager_find(h->m, "work"), &problem) == 0);
        assert(!manager_find(h->m, "work"));
        fake_time_pass(0);
}

static void test_its_item_goes_first(void) {
        House h;

        house_signed_in(&h);
        assert(take_out(&h, "work") == OUTCOME_OK && !stored(&h) && !manager_default(h.m));
        assert(!manager_find(h.m, "work"));
        add_work(&h);
        expect_nobody(&h);
        house_leave(&h);
}

static void test_a_keyring_that_can_not_do_it(void) {
        static const KeyringState states[] = { KEYRING_STATE_LOCKED, KEYRING_STATE_ABSENT };
        static const Outcome outcomes[] = { OUTCOME_KEYRING_LOCKED, OUTCOME_KEYRING_ABSENT };

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                House h;

                house_signed_in(&h);
                house_keyring(&h, states[i]);
                assert(take_out(&h, "work") == outcomes[i]);
                expect_text(h.folder.user, WORK);
                expect_signed_in(&h, "secret-at-1");
                house_restart(&h); /* where it can't even be read */
                assert(take_out(&h, "work") == outcomes[i]);
                house_keyring(&h, KEYRING_STATE_OK);
                fake_time_pass(SEC(600));
                expect_signed_in(&h, "secret-at-1");
                assert(take_out(&h, "work") == OUTCOME_OK && !stored(&h));
                house_leave(&h);
        }
}

static void test_a_keyring_that_hangs(void) {
        House h;

        house_signed_in(&h);
        fake_keyring_hold(h.stage.keyring, true);
        assert(take_out(&h, "work") == OUTCOME_UNAVAILABLE && stored(&h));
        expect_text(h.folder.user, WORK);
        fake_keyring_hold(h.stage.keyring, false);
        house_keyring(&h, KEYRING_STATE_OK);
        expect_signed_in(&h, "secret-at-1");
        assert(stored(&h));
        assert(take_out(&h, "work") == OUTCOME_OK && !stored(&h));
        house_leave(&h);
}

static void test_settings_that_can_not_be_written(void) {
        House h;

        house_signed_in(&h);
        put(h.folder.user, WORK "a bad line\n");
        assert(take_out(&h, "work") == OUTCOME_MISCONFIGURED);
        put(h.folder.user, WORK);
        house_restart(&h);
        expect_signed_in(&h, "secret-at-1");
        house_leave(&h);
}

/* Nothing of it was ever begun to be stored, as of one whose login was cancelled. */
static void test_one_that_was_never_stored(void) {
        static const KeyringState states[] = { KEYRING_STATE_LOCKED, KEYRING_STATE_ABSENT };

        for (size_t i = 0; i < 2 * ARRAY_SIZE(states); i++) {
                House h;

                house_open(&h, "", states[i / 2]);
                add_work(&h);
                if (i % 2)
                        house_restart(&h);
                assert(take_out(&h, "work") == OUTCOME_OK);
                house_leave(&h);
        }
}

/* One of the settings that the keyring had nothing of when it could be read. */
static void test_one_that_the_keyring_has_nothing_of(void) {
        House h;

        house_open(&h, WORK, KEYRING_STATE_OK);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        assert(take_out(&h, "work") == OUTCOME_OK);
        house_leave(&h);

        /* Signed in and out again. */
        house_signed_in(&h);
        assert(take_out(&h, "work") == OUTCOME_OK);
        put(h.folder.user, WORK);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        house_restart(&h);
        assert(take_out(&h, "work") == OUTCOME_OK);
        house_leave(&h);
}

/* The daemon was killed between the note and the answer of the keyring: it may be stored. */
static void test_one_that_was_begun_to_be_stored(void) {
        House h;

        house_open(&h, "", KEYRING_STATE_OK);
        add_work(&h);
        fake_keyring_answer(h.stage.keyring, 0);
        sign_in_work(&h);
        fake_keyring_do(h.stage.keyring, 1);
        fake_keyring_answer(h.stage.keyring, 100);
        fake_keyring_set_state(h.stage.keyring, KEYRING_STATE_LOCKED);
        house_restart(&h);
        assert(stored(&h) && take_out(&h, "work") == OUTCOME_KEYRING_LOCKED);
        house_leave(&h);
}

static void test_a_state_that_was_lost(void) {
        char path[192];
        House h;

        house_open(&h, "", KEYRING_STATE_LOCKED);
        add_work(&h);
        manager_free(h.m);
        state_free(h.stage.env.state);
        snprintf(path, sizeof(path), "%s/state", h.folder.path);
        assert(unlink(path) == 0);
        state_open(&h);
        assert(manager_new(&h.m, &h.stage.env, h.folder.system, h.folder.user) == 0);
        fake_time_pass(0);
        assert(take_out(&h, "work") == OUTCOME_KEYRING_LOCKED);
        house_leave(&h);
}

/* The group alone goes. Who signs in to the next account of that name overwrites the item, and
 * until then nobody is signed in, in no life of the daemon. */
static void test_one_that_is_left(void) {
        for (int i = 0; i < 4; i++) {
                House h;

                house_signed_in(&h);
                house_keyring(&h, i & 1 ? KEYRING_STATE_LOCKED : KEYRING_STATE_OK);
                forget_work(&h);
                assert(!manager_find(h.m, "work"));
                house_keyring(&h, KEYRING_STATE_OK);
                if (i & 2)
                        house_restart(&h);
                fake_time_pass(SEC(600));
                assert(strstr(stored(&h), "secret-rt-1"));
                add_work(&h);
                expect_nobody(&h);
                house_restart(&h);
                expect_nobody(&h);
                assert(fake_fetches() == 0 && strstr(stored(&h), "secret-rt-1"));
                /* And it goes again with nothing of its own. */
                house_keyring(&h, KEYRING_STATE_LOCKED);
                assert(take_out(&h, "work") == OUTCOME_OK);
                house_keyring(&h, KEYRING_STATE_OK);
                add_work(&h);
                sign_in_work(&h);
                assert(strstr(stored(&h), "secret-rt-2"));
                house_restart(&h);
                expect_signed_in(&h, "secret-at-2");
                house_leave(&h);
        }
}

/* Without a disk that knows that the item is another account's now, the sign-in waits in memory. */
static void test_a_note_that_can_not_be_written(void) {
        char path[192];
        House h;

        house_signed_in(&h);
        snprintf(path, sizeof(path), "%s/state", h.folder.path);
        forget_work(&h);
        add_work(&h);
        assert(unlink(path) == 0 && mkdir(path, 0700) == 0);
        sign_in_work(&h);
        expect_signed_in(&h, "secret-at-2");
        assert(strstr(stored(&h), "secret-rt-1"));
        assert(rmdir(path) == 0);
        fake_time_pass(SEC(5));
        assert(strstr(stored(&h), "secret-rt-2"));
        house_restart(&h);
        expect_signed_in(&h, "secret-at-2");
        house_leave(&h);
}

/* Its secret is stored, and then its group can't be written: the secret goes again. */
static void test_one_that_is_not_added_after_all(void) {
        Adder adder;
        House h;

        house_open(&h, "", KEYRING_STATE_OK);
        assert(add(&h, &adder, account_of("work", ACCOUNT_SOURCE_API_TOKEN),
                   "SharedAccessSignature sr=1&sig=secret-a") == OUTCOME_OK);
        put(h.folder.user, "a bad line\n");
        fake_time_pass(0);
        assert(adder.answers == 1 && adder.outcome == OUTCOME_MISCONFIGURED);
        assert(fake_keyring_writes(h.stage.keyring) == 2 && !stored(&h));
        house_leave(&h);
}

/* Whoever asked for it does not wait for the answer. */
static void test_a_caller_that_leaves(void) {
        Problem problem = { 0 };
        Adder adder = { 0 };
        House h;

        house_signed_in(&h);
        assert(manager_remove(h.m, manager_find(h.m, "work"), &adder.op, on_removed, &adder,
                              &problem) == 0);
        adder.op = manager_op_free(adder.op);
        fake_time_pass(0);
        assert(adder.answers == 0 && !stored(&h) && !manager_find(h.m, "work"));
        house_leave(&h);

        /* Nor does the daemon's end. */
        house_signed_in(&h);
        assert(manager_remove(h.m, manager_find(h.m, "work"), &adder.op, on_removed, &adder,
                              &problem) == 0);
        adder.op = manager_op_free(adder.op);
        house_leave(&h);
}

int main(void) {
        test_its_item_goes_first();
        test_a_keyring_that_can_not_do_it();
        test_a_keyring_that_hangs();
        test_settings_that_can_not_be_written();
        test_one_that_was_never_stored();
        test_one_that_the_keyring_has_nothing_of();
        test_one_that_was_begun_to_be_stored();
        test_a_state_that_was_lost();
        test_one_that_is_left();
        test_a_note_that_can_not_be_written();
        test_one_that_is_not_added_after_all();
        test_a_caller_that_leaves();
        return 0;
}
