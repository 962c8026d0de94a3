/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "fake-time.h"

struct Timer {
        Timer *next;
        uint64_t at, serial; /* USEC_INFINITY: not armed */
        TimerFn fn;
        void *userdata;
};

/* One that is scheduled is a timer for now, which runs before all others. */
struct Defer {
        Timer timer;
};

static Timer *timers;
static uint64_t now_usec, wall_base, serial, chance;
static const char *boot_id = "first-boot";
static uint64_t (*chance_fn)(void);

uint64_t clock_boottime(void) {
        return now_usec;
}

uint64_t clock_wall_of(uint64_t boottime_usec) {
        uint64_t wall = wall_base + boottime_usec / USEC_PER_SEC;

        if (boottime_usec == USEC_INFINITY)
                return 0;
        return (int64_t)wall < 1 ? 1 : wall;
}

uint64_t clock_boottime_of(uint64_t wall) {
        return wall > wall_base || (int64_t)wall_base < 0 ? (wall - wall_base) * USEC_PER_SEC : 1;
}

uint64_t clock_wall(void) {
        return clock_wall_of(now_usec);
}

const char *clock_boot_id(void) {
        return boot_id;
}

uint64_t random_number(void) {
        return chance_fn ? chance_fn() : chance;
}

int timer_new(Timer **ret, sd_event *event, TimerFn fn, void *userdata) {
        Timer *t = malloc(sizeof(*t));

        assert(t);
        *t = (Timer){ .next = timers, .at = USEC_INFINITY, .fn = fn, .userdata = userdata };
        *ret = timers = t;
        return 0;
}

void timer_arm(Timer *t, uint64_t usec) {
        t->at = usec;
        t->serial = ++serial;
}

Timer *timer_free(Timer *t) {
        if (t) {
                Timer **p = &timers;

                while (*p != t)
                        p = &(*p)->next;
                *p = t->next;
                free(t);
        }
        return NULL;
}

int defer_new(Defer **ret, sd_event *event, TimerFn fn, void *userdata) {
        Timer *t;

        (void)timer_new(&t, event, fn, userdata);
        *ret = (Defer *)t;
        return 0;
}

void defer_schedule(Defer *d) {
        if (d->timer.at == USEC_INFINITY)
                timer_arm(&d->timer, 0);
}

Defer *defer_free(Defer *d) {
        timer_free(d ? &d->timer : NULL);
        return NULL;
}

static Timer *timer_first(void) {
        Timer *first = NULL;

        for (Timer *t = timers; t; t = t->next)
                if (t->at != USEC_INFINITY && (!first || t->at < first->at ||
                                               (t->at == first->at && t->serial < first->serial)))
                        first = t;
        return first;
}

static void timers_run(uint64_t until) {
        uint64_t turns = 0, at = now_usec;
        Timer *t;

        while ((t = timer_first()) && t->at <= until) {
                if (t->at > now_usec)
                        now_usec = t->at;
                /* A timer that is armed for now, always, would keep the daemon busy for ever. */
                turns = now_usec == at ? turns + 1 : 0;
                at = now_usec;
                assert(turns < 20000);
                t->at = USEC_INFINITY;
                t->fn(t->userdata);
        }
        now_usec = until;
}

void fake_time_init(uint64_t boottime, uint64_t wall) {
        assert(!timers);
        now_usec = boottime;
        wall_base = wall - boottime / USEC_PER_SEC;
        chance = 0;
        chance_fn = NULL;
        boot_id = "first-boot";
}

void fake_time_reboot(uint64_t boottime) {
        assert(!timers);
        wall_base += (now_usec - boottime) / USEC_PER_SEC;
        now_usec = boottime;
}

void fake_time_pass(uint64_t usec) {
        timers_run(now_usec + usec);
}

void fake_time_sleep(uint64_t usec) {
        now_usec += usec;
        timers_run(now_usec);
}

void fake_time_set_wall(uint64_t wall) {
        wall_base = wall - now_usec / USEC_PER_SEC;
}

void fake_time_boot(const char *id, uint64_t boottime) {
        uint64_t wall = clock_wall();

        assert(!timers);
        boot_id = id;
        now_usec = boottime;
        fake_time_set_wall(wall);
}

void fake_random_set(uint64_t number) {
        chance = number;
}

void fake_random_by(uint64_t (*fn)(void)) {
        chance_fn = fn;
}

uint64_t fake_timer_next(void) {
        Timer *first = timer_first();

        return first ? first->at : USEC_INFINITY;
}

size_t fake_timers(void) {
        size_t n = 0;

        for (Timer *t = timers; t; t = t->next)
                n++;
        return n;
}
