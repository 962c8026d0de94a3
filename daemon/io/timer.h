/* SPDX-License-Identifier: MIT */
/*
 * Time and chance for the floors above: the clocks, one-shot timers on CLOCK_BOOTTIME (which counts
 * sleep), random numbers for jitter. One narrow page, so that a test can put another behind it.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Timer Timer;
typedef void (*TimerFn)(void *userdata);

/* CLOCK_BOOTTIME in µs. */
uint64_t clock_boottime(void);
/* CLOCK_REALTIME in whole seconds since 1970. */
uint64_t clock_wall(void);
/* Not for secrets: any 64 bits. */
uint64_t random_number(void);

/* A timer that is not armed. fn is called from the loop; it may free the timer. 0, -errno. */
int timer_new(Timer **ret, sd_event *event, TimerFn fn, void *userdata);
/* Call fn once, at or soon after usec on CLOCK_BOOTTIME (1 ms at most, the machine allowing);
 * replaces an earlier time. USEC_INFINITY disarms. */
void timer_arm(Timer *t, uint64_t usec);
/* NULL is fine. Returns NULL. */
Timer *timer_free(Timer *t);

CLEANUP_FUNC(Timer, timer_free)
