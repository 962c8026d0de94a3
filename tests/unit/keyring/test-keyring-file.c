/* SPDX-License-Identifier: MIT */
/*
 * io/keyring.h with encrypted files behind it, or with nothing: the same promises as of the Secret
 * Service, without a bus and without a person.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util-keyring-story.h"

typedef struct Place {
        char path[64], secrets[96], key[96], other[96];
} Place;

static void put(const char *path, const char *text) {
        CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void place_init(Place *p) {
        snprintf(p->path, sizeof(p->path), "/tmp/test-store-XXXXXX");
        assert(mkdtemp(p->path));
        snprintf(p->secrets, sizeof(p->secrets), "%s/secrets", p->path);
        snprintf(p->key, sizeof(p->key), "%s/key", p->path);
        snprintf(p->other, sizeof(p->other), "%s/other", p->path);
        put(p->key, "0123456789abcdef0123456789abcdef");
        put(p->other, "another key, of thirty-six characters");
}

static void start_file(Test *t, const Place *p, const char *key) {
        t->n_states = 0;
        assert(sd_event_new(&t->event) >= 0);
        assert(keyring_new_file(&t->k, t->event, p->secrets, key, on_state, t) == 0);
        assert(t->n_states == 0 && streq(keyring_kind(t->k), "file"));
}

static void end_file(Test *t, const Place *p) {
        char command[96];

        stop(t);
        snprintf(command, sizeof(command), "rm -r %s", p->path);
        assert(system(command) == 0);
}

static void test_kept(Test *t) {
        Place p;

        place_init(&p);
        start_file(t, &p, p.key);
        expect_load(t, "work", KEYRING_E_NOT_FOUND, NULL); /* it waits for the key */
        wait_state(t, KEYRING_STATE_OK);
        assert(!keyring_complaint(t->k));
        assert(store(t, "work", "one") == 0 && store(t, "work", "two") == 0);
        expect_load(t, "work", 0, "two");
        stop(t);

        start_file(t, &p, p.key);
        expect_load(t, "work", 0, "two");
        assert(erase(t, "work") == 0 && erase(t, "work") == 0);
        expect_load(t, "work", KEYRING_E_NOT_FOUND, NULL);
        end_file(t, &p);
}

static void test_in_the_order_of_the_calls(Test *t) {
        Answer a = {}, b = {}, c = {}, dropped = {};
        Place p;

        place_init(&p);
        start_file(t, &p, p.key);
        assert(keyring_store(t->k, &a.op, no_ask, "work", "label", "one", on_answer, &a) == 0);
        assert(keyring_load(t->k, &dropped.op, "work", on_answer, &dropped) == 0);
        dropped.op = keyring_op_free(dropped.op);
        assert(keyring_delete(t->k, &b.op, no_ask, "work", on_answer, &b) == 0);
        assert(keyring_load(t->k, &c.op, "work", on_answer, &c) == 0);
        assert(wait_answer(t, &c) == KEYRING_E_NOT_FOUND);
        assert(a.n == 1 && a.outcome == 0 && b.n == 1 && b.outcome == 0 && dropped.n == 0);
        end_file(t, &p);
}

/* Nobody is asked: an unlock reads the key again and says what became of it. */
static void test_unlocked_by_the_key(Test *t) {
        Place p;

        place_init(&p);
        assert(chmod(p.key, 0644) == 0);
        start_file(t, &p, p.key);
        wait_state(t, KEYRING_STATE_LOCKED);
        assert(strstr(keyring_complaint(t->k), "mode 644"));
        assert(unlock(t) == KEYRING_E_LOCKED);
        assert(store(t, "work", "one") == KEYRING_E_LOCKED);
        assert(keyring_state(t->k) == KEYRING_STATE_LOCKED && t->n_states == 1);

        assert(chmod(p.key, 0600) == 0);
        assert(unlock(t) == 0);
        wait_state(t, KEYRING_STATE_OK);
        assert(store(t, "work", "one") == 0 && !keyring_complaint(t->k));

        /* Another one does not open what is there; the right one does. */
        assert(keyring_set_key_file(t->k, p.other) == 0);
        wait_state(t, KEYRING_STATE_LOCKED);
        assert(strstr(keyring_complaint(t->k), "is not the one"));
        expect_load(t, "work", KEYRING_E_LOCKED, NULL);
        assert(keyring_set_key_file(t->k, p.key) == 0);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "one");
        end_file(t, &p);
}

/* The settings change while the key is being read: what counts is the last of them. */
static void test_another_key_meanwhile(Test *t) {
        Answer a = {}, b = {};
        Place p;

        place_init(&p);
        start_file(t, &p, NULL);
        assert(keyring_set_key_file(t->k, p.other) == 0);
        assert(keyring_unlock(t->k, &a.op, on_answer, &a) == 0);
        assert(keyring_set_key_file(t->k, p.path) == 0);
        assert(keyring_set_key_file(t->k, p.key) == 0);
        assert(keyring_unlock(t->k, &b.op, on_answer, &b) == 0);
        assert(wait_answer(t, &a) == 0 && wait_answer(t, &b) == 0);
        assert(store(t, "work", "one") == 0);
        stop(t);
        start_file(t, &p, p.key);
        expect_load(t, "work", 0, "one");
        end_file(t, &p);
}

/* Whoever could not read its item tries again when it is told of OK: told it must be. */
static void test_one_that_can_t_be_read(Test *t) {
        unsigned n_oks;
        char path[128];
        Place p;

        place_init(&p);
        start_file(t, &p, p.key);
        snprintf(path, sizeof(path), "%s/work", p.secrets);
        assert(store(t, "home", "one") == 0);
        put(path, "garbage");
        expect_load(t, "work", KEYRING_E_UNREADABLE, NULL);
        assert(store(t, "work", "two") == KEYRING_E_UNREADABLE);
        assert(keyring_state(t->k) == KEYRING_STATE_OK && t->n_states == 1);
        n_oks = t->n_oks;
        assert(unlink(path) == 0);
        assert(unlock(t) == 0);
        while (t->n_oks == n_oks)
                turn(t);
        assert(store(t, "work", "two") == 0);
        end_file(t, &p);
}

/* A disk that does not answer, as a network's may not: nobody waits for it but the thread. */
static void test_a_silent_disk(Test *t) {
        Place p;

        place_init(&p);
        start_file(t, &p, p.key);
        assert(store(t, "work", "one") == 0);
        keyring_set_time_limit(t->k, 0); /* what it answers comes too late, or just in time */
        for (int outcome = 0; outcome != KEYRING_E_SILENT;) {
                Answer a = {};

                assert(keyring_load(t->k, &a.op, "work", on_answer, &a) == 0);
                outcome = wait_answer(t, &a);
                assert(outcome == 0 || outcome == KEYRING_E_SILENT);
                free(a.secret);
        }
        keyring_set_time_limit(t->k, 10 * USEC_PER_SEC);
        assert(keyring_state(t->k) == KEYRING_STATE_ABSENT);
        assert(strstr(keyring_complaint(t->k), "does not answer"));
        wait_state(t, KEYRING_STATE_ABSENT);
        wait_state(t, KEYRING_STATE_OK);
        expect_load(t, "work", 0, "one");
        end_file(t, &p);
}

static void test_freed_in_the_midst(Test *t) {
        uint64_t start = now_usec();
        Answer a = {}, b = {};
        Place p;

        place_init(&p);
        start_file(t, &p, p.key);
        assert(keyring_unlock(t->k, &a.op, on_answer, &a) == 0);
        assert(keyring_store(t->k, &b.op, no_ask, "work", "label", "one", on_answer, &b) == 0);
        end_file(t, &p);
        assert(a.n == 0 && b.n == 0);
        keyring_op_free(a.op);
        keyring_op_free(b.op);
        assert(now_usec() - start < 10 * USEC_PER_SEC);
}

static void test_nothing_behind_it(Test *t) {
        assert(sd_event_new(&t->event) >= 0);
        assert(keyring_new_none(&t->k, t->event, "line 3 is bad", on_state, t) == 0);
        wait_state(t, KEYRING_STATE_ABSENT);
        assert(streq(keyring_kind(t->k), "none"));
        assert(streq(keyring_complaint(t->k), "line 3 is bad"));
        expect_load(t, "work", KEYRING_E_ABSENT, NULL);
        assert(store(t, "work", "one") == KEYRING_E_ABSENT && erase(t, "work") == KEYRING_E_ABSENT);
        assert(unlock(t) == KEYRING_E_ABSENT);
        assert(keyring_set_key_file(t->k, "/dev/null") == 0);
        assert(streq(keyring_complaint(t->k), "line 3 is bad") && t->n_states == 1);
        stop(t);
}

static const Story stories[] = {
        STORY_NO_BUS(kept),
        STORY_NO_BUS(in_the_order_of_the_calls),
        STORY_NO_BUS(unlocked_by_the_key),
        STORY_NO_BUS(another_key_meanwhile),
        STORY_NO_BUS(one_that_can_t_be_read),
        STORY_NO_BUS(a_silent_disk),
        STORY_NO_BUS(freed_in_the_midst),
        STORY_NO_BUS(nothing_behind_it),
};

int main(int argc, char **argv) {
        return util_stories_run(stories, ARRAY_SIZE(stories), argv + 1);
}
