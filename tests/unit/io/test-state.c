/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <sys/stat.h>

#include "fake-time.h"
#include "io/state.h"

#define HOUR (3600 * USEC_PER_SEC)
#define WALL UINT64_C(1700000000)

static char top[] = "/tmp/test-state-XXXXXX";
static char path[64];

static void write_file(const char *text) {
        FILE *f = fopen(path, "we");

        assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static bool exists(void) {
        return access(path, F_OK) == 0;
}

static State *state_at(const char *where) {
        State *s;

        assert(state_new(&s, NULL, where) == 0);
        return s;
}

static void test_it_remembers(void) {
        State *s = state_at(path);
        struct stat st;

        assert(state_last_used(s, "work") == 0);
        state_note_use(s, "work", WALL);
        state_note_use(s, "work", WALL - 5); /* older than what is known */
        state_note_use(s, "zo\"e", WALL + 1);
        assert(state_last_used(s, "work") == WALL);
        assert(!state_free(s));
        assert(stat(path, &st) == 0 && (st.st_mode & 077) == 0);

        s = state_at(path);
        assert(state_last_used(s, "work") == WALL);
        assert(state_last_used(s, "zo\"e") == WALL + 1);
        state_free(s);
        assert(unlink(path) == 0);
}

static void test_what_was_told_is_kept_at_once(void) {
        State *s = state_at(path), *killed = s;

        state_set_told(s, "work", (StateTold){ WALL, WALL + 86400 });
        s = state_at(path);
        assert(state_told(s, "work").at == WALL);
        assert(state_told(s, "work").quiet_until == WALL + 86400);
        assert(state_told(s, "other").at == 0 && state_told(NULL, "work").at == 0);
        assert(state_last_used(s, "work") == 0);
        state_free(s);
        state_free(killed);
        assert(unlink(path) == 0);
}

static void test_it_is_written_at_most_hourly(void) {
        State *s = state_at(path);

        assert(fake_timer_next() == USEC_INFINITY);
        for (unsigned i = 0; i < 59; i++) {
                state_note_use(s, "work", WALL + i * 60);
                fake_time_pass(60 * USEC_PER_SEC);
                assert(!exists());
        }
        fake_time_pass(60 * USEC_PER_SEC);
        assert(exists() && fake_timer_next() == USEC_INFINITY);
        assert(unlink(path) == 0);
        /* Nothing new, nothing to write. */
        state_note_use(s, "work", WALL);
        assert(fake_timer_next() == USEC_INFINITY);
        state_free(s);
        assert(!exists());
}

static void test_a_write_that_fails_is_tried_again(void) {
        char folder[32];
        State *s;
        FILE *f;

        snprintf(folder, sizeof(folder), "%s/later", top);
        snprintf(path, sizeof(path), "%s/state", folder);
        f = fopen(folder, "we"); /* no folder */
        assert(f && fclose(f) == 0);
        s = state_at(path);
        state_note_use(s, "work", WALL);
        fake_time_pass(HOUR);
        assert(!exists());
        assert(unlink(folder) == 0 && mkdir(folder, 0700) == 0);
        fake_time_pass(HOUR);
        assert(exists());
        state_free(s);
        assert(unlink(path) == 0 && rmdir(folder) == 0);
        snprintf(path, sizeof(path), "%s/state", top);
}

static void test_what_is_no_state_counts_as_none(void) {
        static const char *const texts[] = {
                "",
                "garbage",
                "[]",
                "{\"accounts\":5}",
                "{\"accounts\":[1,null,{},{\"name\":5,\"last_used_at\":1},{\"name\":\"a\"}]}",
                "{\"accounts\":[{\"name\":\"work\",\"last_used_at\":-1}]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                State *s;

                write_file(texts[i]);
                s = state_at(path);
                assert(state_last_used(s, "work") == 0 && state_last_used(s, "a") == 0);
                state_note_use(s, "work", WALL);
                state_free(s);
                s = state_at(path);
                assert(state_last_used(s, "work") == WALL);
                state_free(s);
        }
        assert(unlink(path) == 0);
}

static void test_the_longest_unused_drop_out(void) {
        State *s = state_at(path);
        char name[16];

        for (unsigned i = 1; i <= 1000; i++) {
                snprintf(name, sizeof(name), "a%u", i);
                state_note_use(s, name, WALL + i);
                state_note_use(s, "work", WALL + i);
        }
        assert(state_last_used(s, "a1") == 0);
        assert(state_last_used(s, "a1000") == WALL + 1000);
        assert(state_last_used(s, "work") == WALL + 1000);
        state_free(s);
        assert(unlink(path) == 0);
}

/* A clock that was years ahead does not hold an account used for years. */
static void test_a_use_that_is_yet_to_come(void) {
        State *s = state_at(path);

        state_note_use(s, "work", WALL + 40 * 365 * UINT64_C(86400));
        state_note_use(s, "work", WALL + 100);
        assert(state_last_used(s, "work") == WALL + 100);
        state_note_use(s, "work", WALL + 50);
        assert(state_last_used(s, "work") == WALL + 100);
        state_free(s);
        assert(unlink(path) == 0);
}

/* What is about to be stored, or is left behind, is known to the next life; that there is nothing,
 * is known at the latest after a normal end. */
static void test_what_is_known_of_items(void) {
        State *s = state_at(path), *killed = s;

        assert(state_item(s, "work") == STATE_ITEM_UNKNOWN);
        assert(state_set_item(s, "work", STATE_ITEM_NONE) == 0 && !exists());
        assert(state_set_item(s, "home", STATE_ITEM_STORED) == 0);
        assert(state_set_item(s, "old", STATE_ITEM_LEFT) == 0);
        s = state_at(path);
        assert(state_item(s, "work") == STATE_ITEM_NONE);
        assert(state_item(s, "home") == STATE_ITEM_STORED);
        assert(state_item(s, "old") == STATE_ITEM_LEFT);
        assert(state_item(s, "other") == STATE_ITEM_UNKNOWN);
        state_free(s);
        state_free(killed);

        write_file("{\"accounts\":[{\"name\":\"work\",\"item\":\"gone\"},"
                   "{\"name\":\"home\",\"item\":1}]}");
        s = state_at(path);
        assert(state_item(s, "work") == STATE_ITEM_UNKNOWN);
        assert(state_item(s, "home") == STATE_ITEM_UNKNOWN);
        assert(state_set_item(s, "home", STATE_ITEM_NONE) == 0);
        state_free(s);
        s = state_at(path);
        assert(state_item(s, "home") == STATE_ITEM_NONE);
        state_free(s);
        assert(unlink(path) == 0);
}

/* What the disk does not have yet is said, and is written when that works again. */
static void test_an_item_that_can_not_be_noted(void) {
        State *s = state_at(path);

        assert(mkdir(path, 0700) == 0);
        assert(state_set_item(s, "work", STATE_ITEM_STORED) < 0);
        assert(state_item(s, "work") == STATE_ITEM_STORED);
        assert(rmdir(path) == 0);
        fake_time_pass(HOUR);
        state_free(state_at(path));
        assert(exists());
        state_free(s);
        s = state_at(path);
        assert(state_item(s, "work") == STATE_ITEM_STORED);
        state_free(s);
        assert(unlink(path) == 0);
}

static void test_without_a_place(void) {
        State *s = state_at(NULL);

        state_note_use(s, "work", WALL);
        assert(state_last_used(s, "work") == WALL);
        fake_time_pass(HOUR);
        state_free(s);
        state_note_use(NULL, "work", WALL);
        assert(state_last_used(NULL, "work") == 0);
        assert(state_item(NULL, "work") == STATE_ITEM_UNKNOWN);
        assert(state_set_item(NULL, "work", STATE_ITEM_LEFT) == 0);
        assert(!state_free(NULL));
}

int main(void) {
        assert(mkdtemp(top));
        snprintf(path, sizeof(path), "%s/state", top);
        fake_time_init(HOUR, WALL);
        test_it_remembers();
        test_what_was_told_is_kept_at_once();
        test_it_is_written_at_most_hourly();
        test_a_write_that_fails_is_tried_again();
        test_what_is_no_state_counts_as_none();
        test_the_longest_unused_drop_out();
        test_a_use_that_is_yet_to_come();
        test_what_is_known_of_items();
        test_an_item_that_can_not_be_noted();
        test_without_a_place();
        assert(fake_timers() == 0 && rmdir(top) == 0);
        return 0;
}
