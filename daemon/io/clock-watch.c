/* SPDX-License-Identifier: MIT */
#include <sys/timerfd.h>

#include "io/clock-watch.h"
#include "io/timer.h"

#define FAR_AWAY (UINT64_C(1) << 40) /* never due */

struct ClockWatch {
        sd_event_source *source;
        int fd;
        void (*fn)(int64_t by, void *userdata);
        void *userdata;
};

static int clock_watch_arm(ClockWatch *w) {
        const struct itimerspec never = { .it_value.tv_sec = (time_t)(FAR_AWAY - 1) };

        return timerfd_settime(w->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0
                       ? -errno
                       : 0;
}

static int clock_watch_on_set(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        ClockWatch *w = userdata;
        uint64_t expired;
        int64_t by;

        /* Armed again before the clock is read, so that no setting goes unseen. */
        (void)!read(fd, &expired, sizeof(expired));
        (void)clock_watch_arm(w);
        by = clock_sync();
        if (by != 0)
                w->fn(by, w->userdata);
        return 0;
}

int clock_watch_new(ClockWatch **ret, sd_event *event, void (*fn)(int64_t by, void *userdata),
                    void *userdata) {
        CLEANUP(clock_watch_freep) ClockWatch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->fn = fn;
        w->userdata = userdata;
        w->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        if (w->fd < 0)
                return -errno;
        r = clock_watch_arm(w);
        if (r < 0)
                return r;
        (void)clock_sync();
        r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, clock_watch_on_set, w);
        if (r < 0)
                return r;
        *ret = STEAL(w);
        return 0;
}

ClockWatch *clock_watch_free(ClockWatch *w) {
        if (w) {
                sd_event_source_disable_unref(w->source);
                (void)fd_close(w->fd);
                free(w);
        }
        return NULL;
}
