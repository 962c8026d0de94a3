/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <sys/stat.h>

#include "io/state.h"
#include "util-house.h"

/* Accounts that are removed, in every mood of the keyring: their secrets go, sooner or later. */

#define WORK "[iotc-token]\ndefault=work\n\n[account work]\nsource=entra\n"

static const char *stored(House *h) {
        return fake_keyring_get(h->stage.keyring, "work");
}

/* A daemon with somebody signed in to the account work, and a file that it remembers in. */
static void house_signed_in(House *h) {
        char path[192];

        house_init(h, NULL);
        manager_free(h->m);
        snprintf(path, sizeof(path), "%s/state", h->folder.path);
        assert(state_new(&h->stage.env.state, NULL, path) == 0);
        stage_put_record(&h->stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 1, 3600);
        put(h->folder.user, WORK);
        assert(manager_new(&h->m, &h->stage.env, h->folder.system, h->folder.user) == 0);
        fake_time_pass(0);
}

/* The daemon ends, or is killed, and is started again. */
static void house_restart(House *h) {
        char path[192];

        snprintf(path, sizeof(path), "%s/state", h->folder.path);
        manager_free(h->m);
        state_free(h->stage.env.state);
        assert(state_new(&h->stage.env.state, NULL, path) == 0);
        assert(manager_new(&h->m, &h->stage.env, h->folder.system, h->folder.user) == 0);
        fake_time_pass(0);
}

static void house_leave(House *h) {
        h->m = manager_free(h->m);
        h->stage.env.state = state_free(h->stage.env.state);
        house_deinit(h);
}

static void remove_work(House *h) {
        Problem problem = { 0 };

        assert(manager_remove(h->m, manager_find(h->m, "work"), &problem) == 0);
        assert(!manager_find(h->m, "work"));
        fake_time_pass(0);
}

static void test_its_item_goes(void) {
        House h;

        house_signed_in(&h);
        remove_work(&h);
        assert(!stored(&h) && !state_removed(h.stage.env.state, 0));
        assert(!manager_default(h.m));
        house_leave(&h);
}

static void test_its_item_waits_for_the_keyring(void) {
        static const KeyringState states[] = { KEYRING_STATE_LOCKED, KEYRING_STATE_ABSENT };

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                House h;

                house_signed_in(&h);
                house_keyring(&h, states[i]);
                remove_work(&h);
                assert(stored(&h) && manager_flush(h.m));
                house_keyring(&h, KEYRING_STATE_OK);
                assert(!stored(&h) && !state_removed(h.stage.env.state, 0));
                house_leave(&h);
        }
}

static void test_its_item_waits_for_the_next_life(void) {
        House h;

        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        house_restart(&h);
        assert(stored(&h));
        house_restart(&h);
        house_keyring(&h, KEYRING_STATE_OK);
        assert(!stored(&h));
        house_restart(&h);
        assert(!state_removed(h.stage.env.state, 0));

        /* Also unlocked at once. */
        house_leave(&h);
        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        fake_keyring_set_state(h.stage.keyring, KEYRING_STATE_OK);
        house_restart(&h);
        assert(!stored(&h));
        house_leave(&h);
}

static void test_a_hung_keyring_that_answers_again(void) {
        House h;

        house_signed_in(&h);
        fake_keyring_hold(h.stage.keyring, true);
        remove_work(&h);
        assert(!manager_flush(h.m));
        fake_time_pass(SEC(10));
        assert(stored(&h) && manager_flush(h.m));
        fake_keyring_hold(h.stage.keyring, false);
        house_keyring(&h, KEYRING_STATE_OK);
        assert(!stored(&h));
        house_leave(&h);
}

/* One of the same name: nobody is signed in to that one, whenever it comes. */
static void test_another_of_that_name(void) {
        for (int restart = 0; restart < 2; restart++) {
                Adder adder;
                House h;

                house_signed_in(&h);
                house_keyring(&h, KEYRING_STATE_LOCKED);
                remove_work(&h);
                if (restart)
                        house_restart(&h);
                assert(add(&h, &adder, account_of("work", ACCOUNT_SOURCE_ENTRA), NULL) ==
                       OUTCOME_OK);
                fake_time_pass(0);
                if (restart)
                        house_restart(&h);
                assert(stored(&h));
                house_keyring(&h, KEYRING_STATE_OK);
                fake_time_pass(SEC(60));
                assert(fake_fetches() == 0 && !stored(&h));
                assert(!state_removed(h.stage.env.state, 0));
                house_leave(&h);
        }
}

/* It has a secret of its own, which is not the former one's to delete. */
static void test_another_with_a_secret(void) {
        const char *secret = "SharedAccessSignature sr=1&sig=secret-a";
        Adder adder;
        House h;

        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        assert(add(&h, &adder, account_of("work", ACCOUNT_SOURCE_API_TOKEN), secret) == OUTCOME_OK);
        fake_time_pass(0);
        assert(adder.answers == 1 && adder.outcome == OUTCOME_KEYRING_LOCKED);
        house_keyring(&h, KEYRING_STATE_OK);
        assert(!stored(&h)); /* the former's, all the same */

        assert(add(&h, &adder, account_of("work", ACCOUNT_SOURCE_API_TOKEN), secret) == OUTCOME_OK);
        fake_time_pass(0);
        assert(adder.answers == 1 && adder.outcome == OUTCOME_OK);
        house_keyring(&h, KEYRING_STATE_OK);
        house_restart(&h);
        fake_time_pass(SEC(600));
        assert(strstr(stored(&h), secret));
        house_leave(&h);
}

static void test_a_removal_that_fails(void) {
        Problem problem = { 0 };
        House h;

        house_signed_in(&h);
        put(h.folder.user, WORK "a bad line\n");
        assert(manager_remove(h.m, manager_find(h.m, "work"), &problem) == OUTCOME_MISCONFIGURED);
        problem_clear(&problem);
        fake_time_pass(SEC(60));
        put(h.folder.user, WORK);
        house_restart(&h);
        assert(strstr(stored(&h), "secret-rt-1"));
        house_leave(&h);
}

static void test_no_more_than_there_is_room_for(void) {
        char name[16];
        Adder adder;
        House h;

        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        for (int i = 0; i < REMOVED_MAX + 3; i++) {
                Problem problem = { 0 };

                snprintf(name, sizeof(name), "n%d", i);
                assert(add(&h, &adder, account_of(name, ACCOUNT_SOURCE_ENTRA), NULL) == 0);
                assert(manager_remove(h.m, manager_find(h.m, name), &problem) == 0);
                fake_keyring_put(h.stage.keyring, name, "secret-garbage");
        }
        house_restart(&h);
        house_keyring(&h, KEYRING_STATE_OK);
        assert(fake_keyring_get(h.stage.keyring, "n2"));
        assert(!fake_keyring_get(h.stage.keyring, "n3"));
        assert(!fake_keyring_get(h.stage.keyring, name));
        house_leave(&h);
}

/* Removed, set up anew and signed in while the keyring is locked; then it is unlocked, so many
 * calls are answered, one more is done, and the daemon is killed. */
static void killed_at(unsigned answers, unsigned done) {
        Problem problem = { 0 };
        SignIn *signin;
        Adder adder;
        bool stored_it;
        House h;

        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        assert(add(&h, &adder, account_of("work", ACCOUNT_SOURCE_ENTRA), NULL) == OUTCOME_OK);
        assert(keeper_sign_in(manager_find(h.m, "work"), NULL, &signin, &problem) == 0);
        answer_token("secret-at-2", "secret-rt-2");
        assert(strstr(stored(&h), "secret-rt-1"));

        fake_keyring_answer(h.stage.keyring, answers);
        house_keyring(&h, KEYRING_STATE_OK);
        fake_keyring_do(h.stage.keyring, done);
        stored_it = stored(&h) && strstr(stored(&h), "secret-rt-2");
        fake_keyring_answer(h.stage.keyring, UINT_MAX);
        house_restart(&h);
        fake_time_pass(SEC(1));
        if (stored_it) { /* so it stays, and is used */
                assert(stored(&h) && strstr(stored(&h), "secret-rt-2"));
                assert(!state_removed(h.stage.env.state, 0));
        } else
                assert(!stored(&h) && fake_fetches() <= 1);
        house_restart(&h);
        fake_time_pass(SEC(1));
        assert(stored_it == (stored(&h) != NULL));
        house_leave(&h);
}

static void test_killed_at_any_moment(void) {
        for (unsigned answers = 0; answers < 5; answers++)
                for (unsigned done = 0; done < 3; done++)
                        killed_at(answers, done);
}

static void other_daemon_notes(House *h, bool removed) {
        char path[192];
        State *other;

        snprintf(path, sizeof(path), "%s/state", h->folder.path);
        assert(state_new(&other, NULL, path) == 0);
        assert(state_set_removed(other, "work", removed) == 0);
        state_free(other);
}

/* The other daemon of this user has set up an account of that name, and signed in. */
static void test_what_another_daemon_has_seen_to(void) {
        House h;

        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        other_daemon_notes(&h, false);
        fake_keyring_put(h.stage.keyring, "work", "secret-of-another");
        house_keyring(&h, KEYRING_STATE_OK);
        assert(streq(stored(&h), "secret-of-another"));
        house_leave(&h);
}

/* The other daemon has removed it, and could not delete its item; it is set up anew with this one.
 */
static void test_what_another_daemon_has_removed(void) {
        Adder adder;
        House h;

        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        other_daemon_notes(&h, true);
        put(h.folder.user, "");
        assert(manager_reload(h.m) == 1 && stored(&h));
        assert(add(&h, &adder, account_of("work", ACCOUNT_SOURCE_ENTRA), NULL) == OUTCOME_OK);
        fake_time_pass(0);
        house_keyring(&h, KEYRING_STATE_OK);
        fake_time_pass(SEC(60));
        assert(!stored(&h) && fake_fetches() == 0);
        assert(!state_removed(h.stage.env.state, 0));
        house_leave(&h);
}

/* Removed here, set up anew with the other one, where somebody has signed in and this one finds the
 * account in the settings: so they are signed in here, too. */
static void test_what_another_daemon_has_set_up(void) {
        Caller c = { 0 };
        House h;

        house_signed_in(&h);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        put(h.folder.user, WORK);
        assert(manager_reload(h.m) == 1);
        other_daemon_notes(&h, false);
        stage_put_record(&h.stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-2", "secret-at-2", 1, 3600);
        house_keyring(&h, KEYRING_STATE_OK);
        fake_time_pass(SEC(60));
        assert(stored(&h) && strstr(stored(&h), "secret-rt-2"));
        caller_ask(&c, manager_find(h.m, "work"), &(KeeperAsk){ .timeout_usec = SEC(20) });
        expect_token(&c, "secret-at-2");
        house_leave(&h);
}

/* What is deleted, and the disk does not take it, is tried again in a while, and not over and over.
 */
static void test_a_deletion_that_fails(void) {
        char path[192];
        unsigned writes;
        House h;

        house_signed_in(&h);
        snprintf(path, sizeof(path), "%s/state", h.folder.path);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        assert(unlink(path) == 0 && mkdir(path, 0700) == 0);
        writes = fake_keyring_writes(h.stage.keyring);
        house_keyring(&h, KEYRING_STATE_OK);
        fake_time_pass(SEC(60));
        assert(!stored(&h) && fake_keyring_writes(h.stage.keyring) == writes + 1);
        assert(manager_flush(h.m));
        assert(rmdir(path) == 0);
        fake_time_pass(SEC(300));
        assert(fake_keyring_writes(h.stage.keyring) == writes + 2);
        fake_time_pass(SEC(900));
        assert(fake_keyring_writes(h.stage.keyring) == writes + 2);
        house_leave(&h);
}

/* Without a disk that takes it, the sign-in waits in memory. */
static void test_a_state_that_can_not_be_written(void) {
        Problem problem = { 0 };
        char path[192];
        SignIn *signin;
        Adder adder;
        House h;

        house_signed_in(&h);
        snprintf(path, sizeof(path), "%s/state", h.folder.path);
        house_keyring(&h, KEYRING_STATE_LOCKED);
        remove_work(&h);
        assert(add(&h, &adder, account_of("work", ACCOUNT_SOURCE_ENTRA), NULL) == OUTCOME_OK);
        assert(keeper_sign_in(manager_find(h.m, "work"), NULL, &signin, &problem) == 0);
        answer_token("secret-at-2", "secret-rt-2");
        assert(unlink(path) == 0 && mkdir(path, 0700) == 0);
        house_keyring(&h, KEYRING_STATE_OK);
        assert(!stored(&h));
        assert(rmdir(path) == 0);
        fake_time_pass(SEC(300));
        assert(strstr(stored(&h), "secret-rt-2"));
        assert(!state_removed(h.stage.env.state, 0));
        house_leave(&h);
}

int main(void) {
        test_its_item_goes();
        test_its_item_waits_for_the_keyring();
        test_its_item_waits_for_the_next_life();
        test_a_hung_keyring_that_answers_again();
        test_another_of_that_name();
        test_another_with_a_secret();
        test_a_removal_that_fails();
        test_no_more_than_there_is_room_for();
        test_killed_at_any_moment();
        test_what_another_daemon_has_seen_to();
        test_what_another_daemon_has_removed();
        test_what_another_daemon_has_set_up();
        test_a_deletion_that_fails();
        test_a_state_that_can_not_be_written();
        return 0;
}
