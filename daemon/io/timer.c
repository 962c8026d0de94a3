/* SPDX-License-Identifier: MIT */
#include <sys/random.h>
#include <time.h>

#include "io/timer.h"

/* 0 would mean 250 ms to sd-event. */
enum {
        TIMER_ACCURACY_USEC = 1000
};

struct Timer {
        sd_event_source *source;
        TimerFn fn;
        void *userdata;
};

uint64_t clock_boottime(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_wall(void) {
        return (uint64_t)time(NULL);
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
        if (usec == USEC_INFINITY) {
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
