/* SPDX-License-Identifier: MIT */
/*
 * The keyring on a bad day: a real gnome-keyring-daemon that is killed, started again, stopped, or
 * not there.
 */
#undef NDEBUG
#include <assert.h>

#include "util-keyring-story.h"

static void test_a_killed_keyring_is_absent_and_used_again_when_it_is_back(Test *t) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "one") == 0);
        for (int i = 0; i < 3; i++) {
                util_keyring_kill(&t->u);
                wait_state(t, KEYRING_STATE_ABSENT);
                expect_load(t, "work", KEYRING_E_ABSENT, NULL);
                assert(store(t, "work", "two") == KEYRING_E_ABSENT);
                assert(erase(t, "work") == KEYRING_E_ABSENT);

                util_keyring_start(&t->u, false);
                wait_state(t, KEYRING_STATE_OK);
                expect_load(t, "work", 0, "one");
        }
}

static void test_a_keyring_restarted_unseen_loses_no_call(Test *t) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "one") == 0);
        /* the loop does not turn: the daemon learns of it all together with the call's answer */
        util_keyring_kill(&t->u);
        util_keyring_start(&t->u, false);
        expect_load(t, "work", 0, "one");
        util_keyring_kill(&t->u);
        util_keyring_start(&t->u, false);
        assert(store(t, "work", "two") == 0);
        expect_load(t, "work", 0, "two");
}

static void test_a_call_that_meets_the_death_is_answered(Test *t) {
        Answer a = {}, b = {};

        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "one") == 0);
        util_keyring_stop(&t->u);
        assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
        assert(keyring_store(t->k, &b.op, no_ask, "work", "x", "two", on_answer, &b) == 0);
        util_keyring_kill(&t->u);
        assert(wait_answer(t, &a) == KEYRING_E_ABSENT);
        assert(wait_answer(t, &b) == KEYRING_E_ABSENT);
        wait_state(t, KEYRING_STATE_ABSENT);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        unsigned *n = userdata;

        (*n)++;
        assert(sd_event_source_set_time_relative(source, 10000) >= 0);
        assert(sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) >= 0);
        return 0;
}

static void test_a_hung_keyring_costs_one_wait_and_never_the_loop(Test *t) {
        Answer a = {}, b = {}, c = {}, d = {};
        sd_event_source *tick = NULL;
        uint64_t before;
        unsigned n = 0;

        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "one") == 0);
        wait_state(t, KEYRING_STATE_OK);
        util_keyring_stop(&t->u);

        keyring_set_time_limit(t->k, USEC_PER_SEC);
        assert(sd_event_add_time_relative(t->event, &tick, CLOCK_MONOTONIC, 10000, 1, on_tick,
                                          &n) >= 0);
        before = now_usec();
        assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
        keyring_set_time_limit(t->k, 600 * USEC_PER_SEC);
        assert(keyring_store(t->k, &b.op, no_ask, "home", "x", "two", on_answer, &b) == 0);
        assert(keyring_load(t->k, &c.op, "home", on_answer, &c) == 0);
        assert(keyring_state(t->k) == KEYRING_STATE_OK);
        assert(wait_answer(t, &a) == KEYRING_E_SILENT);
        /* nobody waits for an hour for what has just failed another */
        assert(wait_answer(t, &b) == KEYRING_E_SILENT);
        assert(wait_answer(t, &c) == KEYRING_E_SILENT);
        wait_state(t, KEYRING_STATE_ABSENT);
        for (int i = 0; i < 100; i++) {
                expect_load(t, "work", KEYRING_E_SILENT, NULL);
                assert(store(t, "home", "three") == KEYRING_E_SILENT);
                assert(erase(t, "home") == KEYRING_E_SILENT);
        }
        assert(unlock(t) == KEYRING_E_SILENT);
        assert(now_usec() - before >= USEC_PER_SEC);
        assert(now_usec() - before < 300 * USEC_PER_SEC);
        assert(n >= 10);
        sd_event_source_disable_unref(tick);

        /* it is used when it goes on, and who was refused hears of it */
        n = t->n_oks;
        util_keyring_continue(&t->u);
        wait_state(t, KEYRING_STATE_OK);
        assert(t->n_oks == n + 1);
        expect_load(t, "work", 0, "one");
        assert(store(t, "home", "three") == 0);
        expect_load(t, "home", 0, "three");

        /* and again */
        util_keyring_stop(&t->u);
        keyring_set_time_limit(t->k, 200000);
        assert(keyring_load(t->k, &d.op, "work", on_answer, &d) == 0);
        assert(wait_answer(t, &d) == KEYRING_E_SILENT);
        wait_state(t, KEYRING_STATE_ABSENT);
        util_keyring_continue(&t->u);
        wait_state(t, KEYRING_STATE_OK);
}

static void test_a_hung_keyring_that_is_killed_is_forgotten(Test *t) {
        Answer a = {};

        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "one") == 0);
        util_keyring_stop(&t->u);
        keyring_set_time_limit(t->k, 200000);
        assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
        assert(wait_answer(t, &a) == KEYRING_E_SILENT);
        wait_state(t, KEYRING_STATE_ABSENT);
        keyring_set_time_limit(t->k, 10 * USEC_PER_SEC);
        util_keyring_kill(&t->u);
        util_keyring_start(&t->u, false);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "one");
}

static void test_a_keyring_that_hangs_at_the_start_is_used_when_it_goes_on(Test *t) {
        Answer a = {};

        util_keyring_start(&t->u, false);
        util_keyring_stop(&t->u);
        start(t);
        keyring_set_time_limit(t->k, 200000);
        assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
        assert(wait_answer(t, &a) == KEYRING_E_SILENT);
        assert(keyring_state(t->k) == KEYRING_STATE_ABSENT);
        util_keyring_continue(&t->u);
        wait_state(t, KEYRING_STATE_OK);
}

static void test_the_end_waits_for_no_hung_keyring(Test *t) {
        Answer a = {}, b = {}, c = {};
        uint64_t before;

        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "one") == 0);
        util_keyring_stop(&t->u);
        keyring_set_time_limit(t->k, USEC_PER_SEC / 5);
        assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
        keyring_set_time_limit(t->k, 10 * USEC_PER_SEC);
        assert(keyring_store(t->k, &b.op, no_ask, "work", "x", "two", on_answer, &b) == 0);
        assert(keyring_unlock(t->k, &c.op, on_answer, &c) == 0);
        assert(wait_answer(t, &a) == KEYRING_E_SILENT);

        before = now_usec();
        t->k = keyring_free(t->k);
        /* 1.5 s is when the thread would be left behind: the cancel must do it before */
        assert(now_usec() - before < 14 * USEC_PER_SEC / 10);
        while (sd_event_run(t->event, 0) > 0)
                ;
        assert(b.n + c.n == 0);
        b.op = keyring_op_free(b.op);
        c.op = keyring_op_free(c.op);
}

static void test_without_a_bus_all_is_absent_at_once(Test *t) {
        uint64_t before = now_usec();

        setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
        start(t);
        expect_load(t, "work", KEYRING_E_ABSENT, NULL);
        assert(store(t, "work", "one") == KEYRING_E_ABSENT);
        wait_state(t, KEYRING_STATE_ABSENT);
        assert(unlock(t) == KEYRING_E_ABSENT);
        assert(now_usec() - before < USEC_PER_SEC);

        stop(t);
        unsetenv("DBUS_SESSION_BUS_ADDRESS");
        setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
        setenv("DISPLAY", ":1", 1); /* what GLib would start a bus for */
        start(t);
        expect_load(t, "work", KEYRING_E_ABSENT, NULL);
        wait_state(t, KEYRING_STATE_ABSENT);
}

static void test_when_the_bus_goes_all_is_absent(Test *t) {
        util_keyring_start(&t->u, false);
        start(t);
        assert(store(t, "work", "one") == 0);
        wait_state(t, KEYRING_STATE_OK);
        util_bus_kill(&t->u);
        wait_state(t, KEYRING_STATE_ABSENT);
        expect_load(t, "work", KEYRING_E_ABSENT, NULL);
        assert(unlock(t) == KEYRING_E_ABSENT);
}

static void test_without_a_service_all_is_absent_until_one_comes(Test *t) {
        uint64_t before;

        start(t);
        wait_state(t, KEYRING_STATE_ABSENT);
        before = now_usec();
        for (int i = 0; i < 100; i++)
                expect_load(t, "work", KEYRING_E_ABSENT, NULL);
        assert(now_usec() - before < USEC_PER_SEC);
        assert(unlock(t) == KEYRING_E_ABSENT);
        wait_state(t, KEYRING_STATE_ABSENT);

        util_keyring_start(&t->u, false);
        wait_state(t, KEYRING_STATE_OK);
        assert(store(t, "work", "one") == 0);
}

static void test_the_keyring_is_started_once_and_by_unlock_never_by_a_call(Test *t) {
        util_keyring_start(&t->u, false);
        util_keyring_kill(&t->u);

        start(t);
        expect_load(t, "work", KEYRING_E_LOCKED, NULL); /* it waited for the start */
        wait_state(t, KEYRING_STATE_LOCKED);
        util_keyring_kill_activated(&t->u);
        wait_state(t, KEYRING_STATE_ABSENT);
        for (int i = 0; i < 20; i++) {
                expect_load(t, "work", KEYRING_E_ABSENT, NULL);
                assert(store(t, "work", "one") == KEYRING_E_ABSENT);
        }
        assert(!util_keyring_owned(&t->u));

        assert(unlock(t) == KEYRING_E_LOCKED); /* no prompter here */
        wait_state(t, KEYRING_STATE_LOCKED);
        util_keyring_kill_activated(&t->u);
}

static unsigned n_starts(Test *t) {
        CLEANUP(freep) char *path = NULL;
        CLEANUP(file_closep) FILE *f = NULL;
        unsigned n = 0;

        assert(asprintf(&path, "%s/starts", t->u.folder) > 0);
        f = fopen(path, "re");
        assert(f);
        while (fgetc(f) == '.')
                n++;
        return n;
}

static void test_a_service_that_can_not_start_is_not_tried_over_and_over(Test *t) {
        start(t);
        for (int i = 0; i < 20; i++)
                expect_load(t, "work", KEYRING_E_ABSENT, NULL);
        wait_state(t, KEYRING_STATE_ABSENT);
        assert(n_starts(t) == 1);
        assert(unlock(t) == KEYRING_E_ABSENT);
        assert(n_starts(t) == 2);
        wait_state(t, KEYRING_STATE_ABSENT);
}

static const Story stories[] = {
        STORY(a_killed_keyring_is_absent_and_used_again_when_it_is_back),
        STORY(a_keyring_restarted_unseen_loses_no_call),
        STORY(a_call_that_meets_the_death_is_answered),
        STORY(a_hung_keyring_costs_one_wait_and_never_the_loop),
        STORY(a_hung_keyring_that_is_killed_is_forgotten),
        STORY(a_keyring_that_hangs_at_the_start_is_used_when_it_goes_on),
        STORY(the_end_waits_for_no_hung_keyring),
        STORY_NO_BUS(without_a_bus_all_is_absent_at_once),
        STORY(when_the_bus_goes_all_is_absent),
        STORY(without_a_service_all_is_absent_until_one_comes),
        STORY_SERVICE(the_keyring_is_started_once_and_by_unlock_never_by_a_call,
                      "/usr/bin/env gnome-keyring-daemon --foreground --components=secrets"),
        STORY_SERVICE(a_service_that_can_not_start_is_not_tried_over_and_over,
                      "/bin/sh -c 'printf . >>$HOME/starts; exit 1'"),
};

int main(int argc, char **argv) {
        return util_stories_run(stories, ARRAY_SIZE(stories), argv + 1);
}
