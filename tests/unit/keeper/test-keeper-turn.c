/* SPDX-License-Identifier: MIT */
/*
 * One turn after each event: nobody is answered inside a call, and nobody is overtaken.
 */
#include "util-keeper.h"

static void ask(Caller *c, Stage *s, unsigned seconds) {
        caller_ask(c, s->keeper, &(KeeperAsk){ .caller = ":1.1", .timeout_usec = SEC(seconds) });
}

static void leave_other(Caller *c) {
        caller_leave(c->other);
}

/* What has happened may have changed what a caller is told: who asks meanwhile is not served before
 * that is known, and not before those who asked earlier. */
static void test_a_keeper_that_is_due_has_no_warm_path(void) {
        Caller first = { 0 }, second = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        keeper_on_online(s.keeper);
        ask(&first, &s, 20);
        ask(&second, &s, 20);
        assert(first.waiter && second.waiter);
        first.then = leave_other;
        first.other = &second;
        fake_time_pass(0);
        expect_token(&first, "secret-at-1");
        assert(second.answers == 0); /* it came behind, and has left */
        ask(&second, &s, 20);
        expect_token(&second, "secret-at-1");
        stage_deinit(&s);
}

/* A token that a server has refused is not handed out to who asks right behind. */
static void test_nobody_overtakes_a_report(void) {
        Caller c = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        assert(keeper_report_rejected(s.keeper, "secret-at-1", NULL, ":1.1", NULL) == 0);
        ask(&c, &s, 20);
        assert(c.waiter && fake_fetches() == 1); /* nothing is started inside a call */
        fake_time_pass(0);
        answer_token("secret-at-2", NULL);
        expect_token(&c, "secret-at-2");
        stage_deinit(&s);
}

/* What is due is started before those are told who don't wait. */
static void test_who_does_not_wait_has_it_started(void) {
        Caller none = { 0 }, late = { 0 };
        Stage s;

        stage_init(&s);
        stage_start(&s, ACCOUNT_SOURCE_AZURE_CLI); /* which is not run before somebody asks */
        ask(&none, &s, 0);
        assert(none.waiter && none.answers == 0);
        fake_time_pass(0);
        expect_failure(&none, OUTCOME_UNAVAILABLE, "being fetched");
        assert(fake_fetches_running() == 1);
        ask(&late, &s, 20);
        fake_time_pass(0);
        expect_waiting(&late);
        answer_token("secret-at-2", NULL);
        expect_token(&late, "secret-at-2");
        stage_deinit(&s);
}

static void free_keeper(Caller *c) {
        Stage *s = c->then_userdata;

        s->keeper = keeper_free(s->keeper);
}

/* Whoever is answered may free the keeper: the others have their answers all the same. */
static void test_a_caller_frees_the_keeper(void) {
        Caller first = { .then = free_keeper }, second = { 0 }, third = { 0 };
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        first.then_userdata = &s;
        fake_time_sleep(SEC(3600));
        ASK(&first, &s, 20);
        ASK(&second, &s, 20);
        ASK(&third, &s, 20, .resource = GRAPH);
        answer_token("secret-at-2", NULL);
        expect_token(&first, "secret-at-2");
        expect_token(&second, "secret-at-2");
        expect_failure(&third, OUTCOME_CANCELLED, "removed");
        stage_deinit(&s);
}

/* However many events there are, what has changed is told once. */
static void test_it_is_told_once(void) {
        Stage s;

        stage_init(&s);
        stage_start_signed_in(&s);
        s.n_changed = 0;
        for (unsigned i = 0; i < 3; i++) {
                keeper_on_online(s.keeper);
                fake_keyring_put(s.keyring, "work", NULL);
                keeper_on_deletion(s.keeper);
        }
        fake_time_pass(0);
        assert(s.n_changed == 1 && stage_state(&s) == KEEPER_STATE_SIGN_IN_NEEDED);
        stage_deinit(&s);
}

int main(void) {
        test_a_keeper_that_is_due_has_no_warm_path();
        test_nobody_overtakes_a_report();
        test_who_does_not_wait_has_it_started();
        test_a_caller_frees_the_keeper();
        test_it_is_told_once();
        return 0;
}
