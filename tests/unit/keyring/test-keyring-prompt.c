/* SPDX-License-Identifier: MIT */
/*
 * The one call that asks a person: who is not there, who never answers, whose keyring dies under
 * the question; and, with a stand-in for the dialog, who unlocks, dismisses, or makes a keyring.
 */
#undef NDEBUG
#include <assert.h>
#include <signal.h>

#include "util-keyring-story.h"
#include "util-secrets.h"

static int on_question(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        bool *asked = userdata;

        if (!sd_bus_message_is_method_call(m, "org.gnome.keyring.internal.Prompter", NULL))
                return 0;
        *asked = true;
        return 1; /* and never answer */
}

/* Own the prompter's name and answer nothing: a dialog that everybody overlooks. */
static void hang_prompter(Test *t, bool *asked) {
        *asked = false;
        assert(sd_bus_add_filter(t->u.control, NULL, on_question, asked) >= 0);
        assert(sd_bus_request_name(t->u.control, "org.gnome.keyring.SystemPrompter", 0) >= 0);
}

static void wait_asked(Test *t, bool *asked) {
        while (!*asked) {
                assert(sd_bus_wait(t->u.control, UINT64_MAX) >= 0);
                assert(sd_bus_process(t->u.control, NULL) >= 0);
        }
        *asked = false;
}

static void start_locked(Test *t, const char *secret) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", secret) == 0);
        util_keyring_lock(&t->u);
        wait_state(t, KEYRING_STATE_LOCKED);
}

static void test_unlocking_an_unlocked_keyring_asks_nobody(Test *t) {
        bool asked;

        hang_prompter(t, &asked);
        util_keyring_start(&t->u, false);
        start(t);
        assert(unlock(t) == 0);
        wait_state(t, KEYRING_STATE_OK);
        assert(unlock(t) == 0);
        assert(!asked);
}

static void test_without_a_prompter_it_stays_locked(Test *t) {
        start_locked(t, "kept");
        assert(unlock(t) == KEYRING_E_LOCKED);
        wait_state(t, KEYRING_STATE_LOCKED);
        assert(t->n_states <= 4);
        /* and may be tried again */
        assert(unlock(t) == KEYRING_E_LOCKED);
}

static void test_an_open_prompt_holds_up_nothing(Test *t) {
        Answer a = {}, b = {}, c = {};
        bool asked;

        hang_prompter(t, &asked);
        start_locked(t, "kept");
        assert(keyring_unlock(t->k, &a.op, on_answer, &a) == 0);
        wait_state(t, KEYRING_STATE_PROMPTING);
        wait_asked(t, &asked);
        expect_load(t, "work", KEYRING_E_LOCKED, NULL);
        assert(store(t, "work", "new") == KEYRING_E_LOCKED);
        /* a second joins, a third goes away again */
        assert(keyring_unlock(t->k, &b.op, on_answer, &b) == 0);
        assert(keyring_unlock(t->k, &c.op, on_answer, &c) == 0);
        c.op = keyring_op_free(c.op);
        assert(keyring_state(t->k) == KEYRING_STATE_PROMPTING);

        /* unlocked elsewhere while the dialog is still there */
        util_keyring_unlock(&t->u);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "kept");
        util_keyring_lock(&t->u);
        wait_state(t, KEYRING_STATE_PROMPTING);
        assert(!asked);
        assert(a.n + b.n == 0);

        util_keyring_kill(&t->u);
        assert(wait_answer(t, &a) == KEYRING_E_ABSENT);
        assert(wait_answer(t, &b) == KEYRING_E_ABSENT);
        wait_state(t, KEYRING_STATE_ABSENT);

        /* the next keyring is asked anew */
        util_keyring_start(&t->u, true);
        wait_state(t, KEYRING_STATE_LOCKED);
        a.n = 0;
        assert(keyring_unlock(t->k, &a.op, on_answer, &a) == 0);
        wait_asked(t, &asked);
        a.op = keyring_op_free(a.op);
        util_keyring_unlock(&t->u);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "kept");
        assert(c.n == 0);
}

static void test_the_end_takes_an_open_prompt_along(Test *t) {
        Answer a = {};
        uint64_t before;
        bool asked;

        hang_prompter(t, &asked);
        start_locked(t, "kept");
        assert(keyring_unlock(t->k, &a.op, on_answer, &a) == 0);
        wait_asked(t, &asked);
        before = now_usec();
        stop(t);
        assert(now_usec() - before < USEC_PER_SEC);
        assert(a.n == 0);
        a.op = keyring_op_free(a.op);

        /* the keyring is none the worse for it */
        util_keyring_unlock(&t->u);
        start(t);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "kept");
        assert(kill(t->u.keyring_pid, 0) == 0);
}

static void test_a_person_unlocks_the_collection_and_our_item(Test *t) {
        UtilSecrets s = { .exists = true, .locked = true };

        start(t);
        util_secrets_start(&s, t->event);
        wait_state(t, KEYRING_STATE_LOCKED);
        assert(unlock(t) == 0);
        assert(s.n_prompts == 2); /* one after the other: before the first no item can be seen */
        assert(s.n_unlocked == 2);
        wait_state(t, KEYRING_STATE_OK);
        util_secrets_set_locked(&s, true);
        wait_state(t, KEYRING_STATE_LOCKED);
        util_secrets_set_locked(&s, false);
        wait_state(t, KEYRING_STATE_OK);
        util_secrets_stop(&s);
        wait_state(t, KEYRING_STATE_ABSENT);
}

static void test_a_person_dismisses_the_dialog(Test *t) {
        UtilSecrets s = { .exists = true, .locked = true, .dismiss = true };

        start(t);
        util_secrets_start(&s, t->event);
        wait_state(t, KEYRING_STATE_LOCKED);
        assert(unlock(t) == KEYRING_E_LOCKED);
        assert(s.n_prompts == 1);
        assert(keyring_state(t->k) == KEYRING_STATE_LOCKED);
        s.dismiss = false;
        assert(unlock(t) == 0);
        assert(s.n_prompts == 3);
        wait_state(t, KEYRING_STATE_OK);
        util_secrets_stop(&s);
}

static void test_a_service_that_needs_no_dialog_shows_none(Test *t) {
        UtilSecrets s = { .exists = true, .locked = true, .trusts = true };

        start(t);
        util_secrets_start(&s, t->event);
        wait_state(t, KEYRING_STATE_LOCKED);
        assert(unlock(t) == 0);
        wait_state(t, KEYRING_STATE_OK);
        assert(s.n_prompts == 0);
        util_secrets_stop(&s);
}

static void test_a_lock_that_no_signal_told_is_learnt_from_a_call(Test *t) {
        UtilSecrets s = { .exists = true, .trusts = true };

        start(t);
        util_secrets_start(&s, t->event);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", KEYRING_E_LOCKED, NULL);
        wait_state(t, KEYRING_STATE_LOCKED);
        assert(unlock(t) == 0);
        wait_state(t, KEYRING_STATE_OK);
        util_secrets_stop(&s);
}

static void test_a_person_makes_the_default_keyring(Test *t) {
        UtilSecrets s = { .dismiss = true };

        start(t);
        util_secrets_start(&s, t->event);
        wait_state(t, KEYRING_STATE_ABSENT);
        assert(unlock(t) == KEYRING_E_LOCKED);
        assert(keyring_state(t->k) == KEYRING_STATE_ABSENT);
        s.dismiss = false;
        assert(unlock(t) == 0);
        assert(s.n_prompts == 2);
        wait_state(t, KEYRING_STATE_OK);
        util_secrets_stop(&s);
}

static const Story stories[] = {
        STORY(unlocking_an_unlocked_keyring_asks_nobody),
        STORY(without_a_prompter_it_stays_locked),
        STORY(an_open_prompt_holds_up_nothing),
        STORY(the_end_takes_an_open_prompt_along),
        STORY(a_person_unlocks_the_collection_and_our_item),
        STORY(a_person_dismisses_the_dialog),
        STORY(a_service_that_needs_no_dialog_shows_none),
        STORY(a_lock_that_no_signal_told_is_learnt_from_a_call),
        STORY(a_person_makes_the_default_keyring),
};

int main(int argc, char **argv) {
        return util_stories_run(stories, ARRAY_SIZE(stories), argv + 1);
}
