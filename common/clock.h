/* SPDX-License-Identifier: MIT */
/*
 * The two clocks of whoever waits by itself (the daemon has io/timer). What must end counts in
 * CLOCK_BOOTTIME, which goes on while the machine sleeps and is never set back; wall clock only
 * where the protocol or az speaks of it.
 */
#pragma once

#include <time.h>

#include <iotc-util.h>

/* Microseconds since boot (clock_gettime(2), CLOCK_BOOTTIME: can't fail on Linux). */
static inline uint64_t clock_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/* Sleep until that moment of CLOCK_BOOTTIME. */
static inline void clock_sleep_until(uint64_t usec) {
        struct timespec ts = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
                               .tv_nsec = (long)(usec % USEC_PER_SEC * 1000) };

        while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &ts, NULL) == EINTR)
                continue;
}

/* Whole seconds since 1970, UTC. */
static inline uint64_t clock_wall(void) {
        return (uint64_t)time(NULL);
}
