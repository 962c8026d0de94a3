/* SPDX-License-Identifier: MIT */
#include "io/state.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/secret.h"
#include "io/file.h"
#include "io/log.h"
#include "io/timer.h"
#include "model/limits.h"

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
        StateItem item;
} Entry;

/* In the file; UNKNOWN is not. */
static const char *const item_names[_STATE_ITEM_MAX] = {
        [STATE_ITEM_NONE] = "none",
        [STATE_ITEM_STORED] = "stored",
        [STATE_ITEM_LEFT] = "left",
};

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

/* A free place, or that of the longest unused. */
static Entry *entry_oldest(State *s) {
        Entry *oldest = NULL;

        for (size_t i = 0; i < STATE_ENTRIES; i++) {
                Entry *e = &s->entries[i];

                if (!e->account)
                        return e;
                if (!oldest || e->last_used_at < oldest->last_used_at)
                        oldest = e;
        }
        return oldest;
}

/* Found or made. */
static Entry *entry_make(State *s, const char *account) {
        Entry *e = entry_find(s, account);

        if (e)
                return e;
        e = entry_oldest(s);
        free(e->account);
        *e = (Entry){ .account = xstrdup(account) };
        return e;
}

static bool entry_set(State *s, const char *account, uint64_t last_used_at) {
        Entry *e = entry_make(s, account);

        /* One that is yet to come was noted by a clock that was ahead. */
        if (last_used_at <= e->last_used_at && e->last_used_at < clock_wall() + AHEAD_SECONDS)
                return false;
        e->last_used_at = last_used_at;
        return true;
}

static StateItem item_from_string(const char *name) {
        for (StateItem item = 0; item < _STATE_ITEM_MAX; item++)
                if (name && item_names[item] && streq(item_names[item], name))
                        return item;
        return STATE_ITEM_UNKNOWN;
}

/* What the file says of one account. */
static void entry_read(State *s, const char *name, const Json *from) {
        Entry *e = entry_make(s, name);

        (void)json_uint(from, "last_used_at", &e->last_used_at);
        (void)json_uint(from, "told_at", &e->told.at);
        (void)json_uint(from, "quiet_until", &e->told.quiet_until);
        e->item = item_from_string(json_string(from, "item"));
}

static int state_read(State *s) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        CLEANUP(freep) char *text = NULL, *why = NULL;
        CLEANUP(json_freep) Json *object = NULL;
        size_t n;
        int r;

        r = file_read_own(&text, &n, &distrust, s->path, STATE_FILE_MAX);
        if (r == TRUST_E_UNSAFE) {
                why = distrust_text(&distrust);
                log_warning("%s is not read: %s", s->path, why ? why : "");
                return -EPERM;
        }
        if (r < 0)
                return r;
        r = json_parse(&object, text, n);
        if (r < 0)
                return r;
        for (const Json *e = json_first(object, "accounts"); e; e = json_next(e)) {
                const char *name = json_string(e, "name");

                if (name)
                        entry_read(s, name, e);
        }
        return 0;
}

static int state_write(State *s) {
        CLEANUP(secret_freep) char *text = NULL;
        JsonWriter w = { 0 };
        size_t n;

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
                if (s->entries[i].item != STATE_ITEM_UNKNOWN)
                        json_writer_string(&w, "item", item_names[s->entries[i].item]);
                json_writer_close(&w, '}');
        }
        json_writer_close(&w, ']');
        json_writer_close(&w, '}');
        text = json_writer_finish(&w, &n);
        return file_replace(s->path, text, n);
}

/* Failing is said, and tried again an hour later. */
static int state_save(State *s) {
        int r;

        if (!s->dirty || !s->path)
                return 0;
        r = state_write(s);
        if (r < 0)
                log_warning("Can't write %s: %s", s->path, strerror(-r));
        s->dirty = r < 0;
        if (s->dirty)
                timer_arm(s->timer, clock_boottime() + STATE_WRITE_USEC);
        return r;
}

static void state_on_time(void *userdata) {
        (void)state_save(userdata);
}

int state_new(State **ret, sd_event *event, const char *path) {
        CLEANUP(state_freep) State *s = NULL;
        int r;

        s = xcalloc(1, sizeof(*s));
        r = timer_new(&s->timer, event, state_on_time, s);
        if (r < 0)
                return r;
        if (path) {
                s->path = xstrdup(path);
                r = state_read(s);
                if (r < 0 && r != -ENOENT && r != -EPERM)
                        log_info("%s can't be read and is made anew", path);
        }
        *ret = STEAL(s);
        return 0;
}

State *state_free(State *s) {
        if (s) {
                (void)state_save(s);
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

static void state_write_later(State *s) {
        if (s->dirty)
                return;
        s->dirty = true;
        timer_arm(s->timer, clock_boottime() + STATE_WRITE_USEC);
}

void state_note_use(State *s, const char *account, uint64_t last_used_at) {
        if (s && entry_set(s, account, last_used_at))
                state_write_later(s);
}

StateTold state_told(const State *s, const char *account) {
        const Entry *e = s ? entry_find(s, account) : NULL;

        return e ? e->told : (StateTold){ 0 };
}

void state_set_told(State *s, const char *account, StateTold told) {
        if (!s)
                return;
        entry_make(s, account)->told = told;
        s->dirty = true;
        (void)state_save(s);
}

StateItem state_item(const State *s, const char *account) {
        const Entry *e = s ? entry_find(s, account) : NULL;

        return e ? e->item : STATE_ITEM_UNKNOWN;
}

int state_set_item(State *s, const char *account, StateItem item) {
        if (!s || state_item(s, account) == item)
                return 0;
        entry_make(s, account)->item = item;
        if (item == STATE_ITEM_NONE) {
                state_write_later(s);
                return 0;
        }
        s->dirty = true;
        return state_save(s);
}
