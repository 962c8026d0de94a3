/* SPDX-License-Identifier: MIT */
/*
 * The keyring as the daemon meets it on a good day: a real gnome-keyring-daemon that keeps secrets,
 * is locked and is unlocked.
 */
#undef NDEBUG
#include <assert.h>

#include "util-keyring-story.h"

static void test_a_secret_is_kept_replaced_and_deleted(Test *t) {
        CLEANUP(freep) char *label = NULL;

        util_keyring_start(&t->u, false);
        start(t);
        expect_load(t, "work", KEYRING_E_NOT_FOUND, NULL);
        assert(store_as(t, "work", "IoT Central: work (entra) \xc3\xbc", "first") == 0);
        assert(store_as(t, "home", "IoT Central: home (entra)", "other") == 0);
        assert(keyring_state(t->k) == KEYRING_STATE_OK);
        expect_load(t, "work", 0, "first");
        assert(store_as(t, "work", "IoT Central: work (entra) \xc3\xbc", "second") == 0);
        expect_load(t, "work", 0, "second");
        expect_load(t, "home", 0, "other");
        assert(util_keyring_items(&t->u, NULL) == 2);

        assert(erase(t, "home") == 0);
        expect_load(t, "home", KEYRING_E_NOT_FOUND, NULL);
        assert(erase(t, "home") == 0);
        assert(util_keyring_items(&t->u, &label) == 1);
        assert(streq(label, "IoT Central: work (entra) \xc3\xbc"));
}

static void test_a_long_secret_comes_back_whole(Test *t) {
        CLEANUP(freep) char *secret = malloc(65537);

        for (size_t i = 0; i < 65536; i++)
                secret[i] = "0123456789abcdef\xc3\xbc{}\"\\\n"[i % 23];
        secret[65536] = '\0';
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", secret) == 0);
        expect_load(t, "work", 0, secret);
        secret[8192] = '\0';
        assert(store(t, "work", secret) == 0);
        expect_load(t, "work", 0, secret);
        assert(store(t, "work", "") == 0);
        expect_load(t, "work", 0, "");
}

static void test_bytes_that_are_no_text_are_no_fault(Test *t) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store_as(t, "work", "bad \xff label", "bad \xff secret") == 0);
        expect_load(t, "work", 0, "bad \xff secret");
}

static void test_a_locked_keyring_says_locked_and_keeps_its_item(Test *t) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "kept") == 0);
        wait_state(t, KEYRING_STATE_OK);
        stop(t);
        util_keyring_kill(&t->u);

        util_keyring_start(&t->u, true);
        start(t);
        wait_state(t, KEYRING_STATE_LOCKED);
        expect_load(t, "work", KEYRING_E_LOCKED, NULL);
        expect_load(t, "never", KEYRING_E_LOCKED, NULL);
        assert(store(t, "work", "new") == KEYRING_E_LOCKED);
        assert(erase(t, "work") == KEYRING_E_LOCKED);
        assert(keyring_state(t->k) == KEYRING_STATE_LOCKED);

        /* unlocked by somebody else: no call of ours is needed to know */
        util_keyring_unlock(&t->u);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "kept");
        expect_load(t, "never", KEYRING_E_NOT_FOUND, NULL);
        assert(store(t, "work", "new") == 0);

        util_keyring_lock(&t->u);
        wait_state(t, KEYRING_STATE_LOCKED);
        expect_load(t, "work", KEYRING_E_LOCKED, NULL);
        assert(store(t, "work", "newer") == KEYRING_E_LOCKED);
        assert(t->n_states == 3);
}

static void test_who_was_told_locked_hears_of_the_unlocking(Test *t) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "kept") == 0);
        wait_state(t, KEYRING_STATE_OK);
        for (int i = 0; i < 50; i++) {
                Answer a = {};
                unsigned before;

                /* the signals and the answer come in any order, or all in one turn of the loop */
                util_keyring_lock(&t->u);
                assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
                for (int k = 0; k < i % 10; k++)
                        (void)util_keyring_items(&t->u, NULL);
                util_keyring_unlock(&t->u);
                (void)wait_answer(t, &a);
                before = t->n_oks;
                while (a.outcome == KEYRING_E_LOCKED && t->n_oks == before)
                        turn(t);
                free(a.secret);
                expect_load(t, "work", 0, "kept");
        }
}

static void test_a_call_taken_back_never_answers(Test *t) {
        Answer a = {}, b = {}, c = {}, d = {};

        util_keyring_start(&t->u, false);
        start(t);
        /* before the service is known */
        assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
        a.op = keyring_op_free(a.op);
        assert(store(t, "work", "one") == 0);

        /* running, queued, and done but not yet told */
        assert(keyring_load(t->k, &b.op, "work", on_answer, &b) == 0);
        assert(keyring_store(t->k, &c.op, no_ask, "home", "x", "two", on_answer, &c) == 0);
        b.op = keyring_op_free(b.op);
        c.op = keyring_op_free(c.op);
        expect_load(t, "work", 0, "one");
        util_keyring_stop(&t->u);
        assert(keyring_load(t->k, &d.op, "work", on_answer, &d) == 0);
        d.op = keyring_op_free(d.op);
        util_keyring_continue(&t->u);
        expect_load(t, "work", 0, "one");
        assert(a.n + b.n + c.n + d.n == 0);
}

static void test_without_a_default_collection_all_is_absent(Test *t) {
        util_keyring_start(&t->u, true); /* the first start, without a password: no login.keyring */
        start(t);
        wait_state(t, KEYRING_STATE_ABSENT);
        expect_load(t, "work", KEYRING_E_ABSENT, NULL);
        assert(store(t, "work", "one") == KEYRING_E_ABSENT);
        assert(erase(t, "work") == KEYRING_E_ABSENT);
        assert(keyring_state(t->k) == KEYRING_STATE_ABSENT);
}

static void test_a_default_keyring_made_elsewhere_is_used(Test *t) {
        util_keyring_start(&t->u, true);
        start(t);
        wait_state(t, KEYRING_STATE_ABSENT);
        util_keyring_add_default(&t->u);
        assert(store(t, "work", "one") == 0);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "one");
}

static void test_another_default_keyring_loses_no_secret(Test *t) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "old") == 0);
        util_keyring_add_default(&t->u);
        expect_load(t, "work", 0, "old");
        assert(store(t, "work", "new") == 0);
        assert(util_keyring_items(&t->u, NULL) == 2);
        expect_load(t, "work", 0, "new");
        util_keyring_set_default(&t->u);
        expect_load(t, "work", 0, "old");
        util_keyring_add_default(&t->u);
        assert(store(t, "work", "newer") == 0);
        expect_load(t, "work", 0, "newer");
        util_keyring_lock(&t->u); /* the one before: no matter */
        expect_load(t, "work", 0, "newer");
        assert(erase(t, "work") == KEYRING_E_LOCKED);
        util_keyring_unlock(&t->u);
        assert(erase(t, "work") == 0);
        assert(util_keyring_items(&t->u, NULL) == 0);
        expect_load(t, "work", KEYRING_E_NOT_FOUND, NULL);
}

static void on_deletion(void *userdata) {
        (*(unsigned *)userdata)++;
}

static void test_deletions_are_told_once_for_many(Test *t) {
        unsigned n = 0;

        util_keyring_start(&t->u, false);
        start(t);
        keyring_set_deletion_fn(t->k, on_deletion, &n);
        for (const char *name = "fedcba"; *name; name++)
                assert(store(t, name, "one") == 0);
        assert(store(t, "a", "two") == 0); /* no deletion */
        util_keyring_lock(&t->u);          /* neither */
        util_keyring_unlock(&t->u);
        wait_state(t, KEYRING_STATE_OK);
        assert(n == 0);
        for (const char *name = "fedcba"; *name; name++)
                assert(erase(t, name) == 0);
        while (n == 0)
                turn(t);
        assert(n < 6);
}

static const Story stories[] = {
        STORY(a_secret_is_kept_replaced_and_deleted),
        STORY(a_long_secret_comes_back_whole),
        STORY(bytes_that_are_no_text_are_no_fault),
        STORY(a_locked_keyring_says_locked_and_keeps_its_item),
        STORY(who_was_told_locked_hears_of_the_unlocking),
        STORY(a_call_taken_back_never_answers),
        STORY(a_default_keyring_made_elsewhere_is_used),
        STORY(another_default_keyring_loses_no_secret),
        STORY(without_a_default_collection_all_is_absent),
        STORY(deletions_are_told_once_for_many),
};

int main(int argc, char **argv) {
        return util_stories_run(stories, ARRAY_SIZE(stories), argv + 1);
}
