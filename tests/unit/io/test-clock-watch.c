/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "io/clock-watch.h"
#include "io/timer.h"

/*
 * Only root can set a clock, and a test must not; test_daemon_clock.py has a daemon for whom it is
 * set. Here: nothing happens while nobody does.
 */

static void on_set(int64_t by, void *userdata) {
        assert(false);
}

int main(void) {
        CLEANUP(clock_watch_freep) ClockWatch *w = NULL;
        sd_event *event;

        assert(sd_event_new(&event) == 0);
        assert(clock_watch_new(&w, event, on_set, NULL) == 0);
        assert(sd_event_run(event, 20000) == 0);
        w = clock_watch_free(w);
        assert(!clock_watch_free(NULL));
        assert(sd_event_run(event, 0) == 0);
        sd_event_unref(event);
        return 0;
}
