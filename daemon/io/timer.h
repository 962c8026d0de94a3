/* SPDX-License-Identifier: MIT */
/*
 * Time and chance for the floors above: the clocks, one-shot timers on CLOCK_BOOTTIME (which counts
 * sleep), random numbers for jitter. One narrow page, so that a test can put another behind it.
 *
 * The wall clock is CLOCK_BOOTTIME and a number, which changes when somebody sets it and at no
 * other time (both clocks are slewed alike, clock_adjtime(2)). So whatever must end or is to be
 * shown is kept in CLOCK_BOOTTIME, and read in the wall clock of the moment.
 * - a token of this boot: CLOCK_BOOTTIME: it ends in time whatever the wall clock is set to
 * - a token of a former boot: seconds since 1970, by the server's clock if that was known; one from
 * the future is not used
 * - an API token (se=): seconds since 1970, judged by the server's clock where one is known
 * - the last use: the same in the state file; a use that is yet to come is unknown
 * After the wall clock was set, keeper_on_clock() judges the rows two and three again.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Timer Timer;
typedef void (*TimerFn)(void *userdata);

/* CLOCK_BOOTTIME in µs. */
uint64_t clock_boottime(void);
/* The wall clock now, and at that moment of CLOCK_BOOTTIME unless it is set before: whole seconds
 * since 1970, never 0. USEC_INFINITY gives 0, as "never" is written on the bus. */
uint64_t clock_wall(void);
uint64_t clock_wall_of(uint64_t boottime_usec);
/* The moment at which the wall clock, if it is not set before, shows this; never 0. clock_wall_of()
 * takes it back. */
uint64_t clock_boottime_of(uint64_t wall);
/* Take over what the wall clock has been set to; by how many seconds, 0 for less than one half. */
int64_t clock_sync(void);
/* Which boot CLOCK_BOOTTIME counts from (boot_id, random(4)), as text; "" when it is not known. */
const char *clock_boot_id(void);
/* Not for secrets: any 64 bits. */
uint64_t random_number(void);

/* A timer that is not armed. fn is called from the loop; it may free the timer. 0, -errno. */
int timer_new(Timer **ret, sd_event *event, TimerFn fn, void *userdata);
/* Call fn once, at or soon after usec on CLOCK_BOOTTIME (1 ms at most, the machine allowing);
 * replaces an earlier time. USEC_INFINITY, or 34 years after the boot and more, disarms. */
void timer_arm(Timer *t, uint64_t usec);
/* NULL is fine. Returns NULL. */
Timer *timer_free(Timer *t);

/* Something that is done from the loop, before it waits again. fn may free it. 0, -errno. */
typedef struct Defer Defer;
int defer_new(Defer **ret, sd_event *event, TimerFn fn, void *userdata);
/* Call fn once, soon; more than once before that counts as once. */
void defer_schedule(Defer *d);
/* NULL is fine. Returns NULL. */
Defer *defer_free(Defer *d);

CLEANUP_FUNC(Timer, timer_free)
CLEANUP_FUNC(Defer, defer_free)
