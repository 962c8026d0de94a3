/* SPDX-License-Identifier: MIT */
#include <sys/random.h>
#include <systemd/sd-id128.h>
#include <time.h>

#include "io/timer.h"

/* 0 would mean 250 ms to sd-event. */
enum {
        TIMER_ACCURACY_USEC = 1000
};

/* 34 years after the boot no machine is up. sd-event arms the kernel's timer with a time_t of its
 * own, which has 32 bits on some: one that is too far away ends the loop. */
#define TIMER_MAX_USEC ((UINT64_C(1) << 30) * USEC_PER_SEC)

/* The end of the year 9999: no calendar of a program that reads our times goes further. */
#define CLOCK_WALL_MAX UINT64_C(253402300799)

struct Timer {
        sd_event_source *source;
        TimerFn fn;
        void *userdata;
};

/* There is one wall clock: CLOCK_REALTIME minus CLOCK_BOOTTIME, µs, as clock_sync() saw it last. */
static struct {
        bool known;
        int64_t base_usec;
} wall;

static uint64_t clock_usec(clockid_t clock) {
        struct timespec ts;

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_boottime(void) {
        return clock_usec(CLOCK_BOOTTIME);
}

int64_t clock_sync(void) {
        int64_t base = (int64_t)(clock_usec(CLOCK_REALTIME) - clock_usec(CLOCK_BOOTTIME)), by;

        by = wall.known ? base - wall.base_usec : 0;
        /* Read one after the other, the two are never quite the same again. */
        if (wall.known && llabs(by) < (int64_t)USEC_PER_SEC / 2)
                return 0;
        wall.known = true;
        wall.base_usec = base;
        return (by + (by < 0 ? -1 : 1) * (int64_t)USEC_PER_SEC / 2) / (int64_t)USEC_PER_SEC;
}

uint64_t clock_wall_of(uint64_t boottime_usec) {
        int64_t usec;

        if (boottime_usec == USEC_INFINITY)
                return 0;
        if (!wall.known)
                (void)clock_sync();
        usec = wall.base_usec + (int64_t)boottime_usec;
        return usec < (int64_t)USEC_PER_SEC ? 1 : (uint64_t)usec / USEC_PER_SEC;
}

uint64_t clock_boottime_of(uint64_t at) {
        int64_t usec;

        if (!wall.known)
                (void)clock_sync();
        usec = (int64_t)(MIN(at, CLOCK_WALL_MAX) * USEC_PER_SEC) - wall.base_usec;
        return usec < 1 ? 1 : (uint64_t)usec;
}

uint64_t clock_wall(void) {
        return clock_wall_of(clock_boottime());
}

const char *clock_boot_id(void) {
        static char text[SD_ID128_STRING_MAX];
        sd_id128_t id;

        if (!*text && sd_id128_get_boot(&id) >= 0)
                (void)sd_id128_to_string(id, text);
        return text;
}

uint64_t random_number(void) {
        uint64_t n;

        if (getrandom(&n, sizeof(n), 0) != sizeof(n))
                n = clock_boottime();
        return n;
}

static int timer_on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        Timer *t = userdata;

        t->fn(t->userdata);
        return 0;
}

int timer_new(Timer **ret, sd_event *event, TimerFn fn, void *userdata) {
        CLEANUP(timer_freep) Timer *t = NULL;
        int r;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->fn = fn;
        t->userdata = userdata;
        r = sd_event_add_time(event, &t->source, CLOCK_BOOTTIME, 0, TIMER_ACCURACY_USEC,
                              timer_on_time, t);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = STEAL(t);
        return 0;
}

void timer_arm(Timer *t, uint64_t usec) {
        if (usec >= TIMER_MAX_USEC) {
                (void)sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(t->source, usec);
        (void)sd_event_source_set_enabled(t->source, SD_EVENT_ONESHOT);
}

Timer *timer_free(Timer *t) {
        if (t) {
                sd_event_source_disable_unref(t->source);
                free(t);
        }
        return NULL;
}

struct Defer {
        sd_event_source *source;
        TimerFn fn;
        void *userdata;
};

static int defer_on_turn(sd_event_source *source, void *userdata) {
        Defer *d = userdata;

        d->fn(d->userdata);
        return 0;
}

int defer_new(Defer **ret, sd_event *event, TimerFn fn, void *userdata) {
        CLEANUP(defer_freep) Defer *d = NULL;
        int r;

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->fn = fn;
        d->userdata = userdata;
        /* At the bus's priority: a flood of calls and this take turns. */
        r = sd_event_add_defer(event, &d->source, defer_on_turn, d);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(d->source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = STEAL(d);
        return 0;
}

void defer_schedule(Defer *d) {
        (void)sd_event_source_set_enabled(d->source, SD_EVENT_ONESHOT);
}

Defer *defer_free(Defer *d) {
        if (d) {
                sd_event_source_disable_unref(d->source);
                free(d);
        }
        return NULL;
}
