/* SPDX-License-Identifier: MIT */
#include "io/state.h"
#include "io/file.h"
#include "io/log.h"
#include "io/timer.h"
#include "model/json.h"
#include "model/limits.h"
#include "model/secret.h"

#define STATE_WRITE_USEC (3600 * USEC_PER_SEC)
#define STATE_FILE_MAX   (64 * 1024)
#define AHEAD_SECONDS    86400

/* Twice as many as there are accounts: those that were removed drop out by age. */
enum {
        STATE_ENTRIES = 2 * (ACCOUNTS_MAX + 1)
};

typedef struct Entry {
        char *account;
        uint64_t last_used_at;
        StateTold told;
        bool removed; /* its item in the keyring is to go */
} Entry;

struct State {
        char *path;
        Timer *timer;
        bool dirty;
        Entry entries[STATE_ENTRIES];
};

static Entry *entry_find(const State *s, const char *account) {
        for (size_t i = 0; i < STATE_ENTRIES; i++)
                if (streq(s->entries[i].account, account))
                        return (Entry *)&s->entries[i];
        return NULL;
}

/* A free place, or that of the longest unused; not one that is needed. */
static Entry *entry_oldest(State *s) {
        Entry *oldest = NULL;

        for (size_t i = 0; i < STATE_ENTRIES; i++) {
                Entry *e = &s->entries[i];

                if (!e->account)
                        return e;
                if (!e->removed && (!oldest || e->last_used_at < oldest->last_used_at))
                        oldest = e;
        }
        return oldest;
}

/* Found or made; NULL when memory is short. */
static Entry *entry_make(State *s, const char *account) {
        Entry *e = entry_find(s, account);
        char *name;

        if (e)
                return e;
        name = strdup(account);
        if (!name)
                return NULL;
        e = entry_oldest(s);
        free(e->account);
        *e = (Entry){ .account = name };
        return e;
}

static bool entry_set(State *s, const char *account, uint64_t last_used_at) {
        Entry *e = entry_make(s, account);

        if (!e)
                return false;
        /* One that is yet to come was noted by a clock that was ahead. */
        if (last_used_at <= e->last_used_at && e->last_used_at < clock_wall() + AHEAD_SECONDS)
                return false;
        e->last_used_at = last_used_at;
        return true;
}

static bool entry_mark(State *s, const char *account, bool removed) {
        Entry *e = removed ? entry_make(s, account) : entry_find(s, account);

        if (!e || e->removed == removed)
                return false;
        e->removed = removed;
        return true;
}

static int state_write(State *s) {
        CLEANUP(secret_freep) char *text = NULL;
        JsonWriter w = { 0 };
        size_t n;
        int r;

        json_writer_open(&w, NULL, '{');
        json_writer_open(&w, "accounts", '[');
        for (size_t i = 0; i < STATE_ENTRIES; i++) {
                if (!s->entries[i].account)
                        continue;
                json_writer_open(&w, NULL, '{');
                json_writer_string(&w, "name", s->entries[i].account);
                json_writer_uint(&w, "last_used_at", s->entries[i].last_used_at);
                if (s->entries[i].told.at)
                        json_writer_uint(&w, "told_at", s->entries[i].told.at);
                if (s->entries[i].told.quiet_until)
                        json_writer_uint(&w, "quiet_until", s->entries[i].told.quiet_until);
                if (s->entries[i].removed)
                        json_writer_uint(&w, "removed", 1);
                json_writer_close(&w, '}');
        }
        json_writer_close(&w, ']');
        json_writer_close(&w, '}');
        r = json_writer_finish(&w, &text, &n);
        if (r < 0)
                return r;
        return file_replace(s->path, text, n);
}

/* Failing is said, and tried again an hour later. */
static void state_save(State *s) {
        int r;

        if (!s->dirty || !s->path)
                return;
        r = state_write(s);
        if (r < 0)
                log_warning("Can't write %s: %s", s->path, strerror(-r));
        s->dirty = r < 0;
        if (s->dirty)
                timer_arm(s->timer, clock_boottime() + STATE_WRITE_USEC);
}

static void state_on_time(void *userdata) {
        state_save(userdata);
}

static void entry_read(State *s, const char *name, Json *from) {
        uint64_t last_used_at, removed;
        StateTold told = { 0 };
        Entry *e;

        if (json_uint(from, "last_used_at", &last_used_at) == 0)
                (void)entry_set(s, name, last_used_at);
        (void)json_uint(from, "told_at", &told.at);
        (void)json_uint(from, "quiet_until", &told.quiet_until);
        e = told.at || told.quiet_until ? entry_make(s, name) : NULL;
        if (e)
                e->told = told;
        if (json_uint(from, "removed", &removed) == 0 && removed &&
            !state_removed(s, REMOVED_MAX - 1))
                (void)entry_mark(s, name, true);
}

static int state_read(State *s) {
        CLEANUP(freep) char *text = NULL;
        CLEANUP(json_freep) Json *object = NULL;
        size_t n;
        int r;

        r = file_read(&text, &n, s->path, STATE_FILE_MAX);
        if (r < 0)
                return r;
        r = json_parse(&object, text, n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_array_length(object, "accounts"); i++) {
                Json *entry = json_array_object(object, "accounts", i);
                const char *name = entry ? json_string(entry, "name") : NULL;

                if (name)
                        entry_read(s, name, entry);
        }
        return 0;
}

int state_new(State **ret, sd_event *event, const char *path) {
        CLEANUP(state_freep) State *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        r = timer_new(&s->timer, event, state_on_time, s);
        if (r < 0)
                return r;
        if (path) {
                s->path = strdup(path);
                if (!s->path)
                        return -ENOMEM;
                r = state_read(s);
                if (r < 0 && r != -ENOENT)
                        log_info("%s can't be read and is made anew", path);
        }
        *ret = STEAL(s);
        return 0;
}

State *state_free(State *s) {
        if (s) {
                state_save(s);
                timer_free(s->timer);
                for (size_t i = 0; i < STATE_ENTRIES; i++)
                        free(s->entries[i].account);
                free(s->path);
                free(s);
        }
        return NULL;
}

uint64_t state_last_used(const State *s, const char *account) {
        const Entry *e = s ? entry_find(s, account) : NULL;

        return e ? e->last_used_at : 0;
}

void state_note_use(State *s, const char *account, uint64_t last_used_at) {
        if (!s || !entry_set(s, account, last_used_at) || s->dirty)
                return;
        s->dirty = true;
        timer_arm(s->timer, clock_boottime() + STATE_WRITE_USEC);
}

StateTold state_told(const State *s, const char *account) {
        const Entry *e = s ? entry_find(s, account) : NULL;

        return e ? e->told : (StateTold){ 0 };
}

void state_set_told(State *s, const char *account, StateTold told) {
        Entry *e = s ? entry_make(s, account) : NULL;

        if (!e)
                return;
        e->told = told;
        s->dirty = true;
        state_save(s);
}

const char *state_removed(const State *s, size_t i) {
        for (size_t k = 0; s && k < STATE_ENTRIES; k++)
                if (s->entries[k].removed && i-- == 0)
                        return s->entries[k].account;
        return NULL;
}

void state_set_removed(State *s, const char *account, bool removed) {
        if (!s || !entry_mark(s, account, removed))
                return;
        s->dirty = true;
        state_save(s);
}
