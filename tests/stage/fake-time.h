/* SPDX-License-Identifier: MIT */
/*
 * io/timer.h without a clock: time passes when a test says so, timers run in their order while it
 * does, and chance is a number that the test has chosen. A fake of another part that answers later
 * does so by a timer of this page.
 */
#pragma once

#include "io/timer.h"

/* Start of a test: no timer may be left from the last one. boottime in µs, wall in s. */
void fake_time_init(uint64_t boottime, uint64_t wall);
/* Another boot: CLOCK_BOOTTIME begins anew. No timer may be left. */
void fake_time_reboot(uint64_t boottime);
/* Let time pass, in µs, and run whatever is due meanwhile; 0: what is due now. */
void fake_time_pass(uint64_t usec);
/* The machine sleeps: both clocks go on, timers run when it wakes. */
void fake_time_sleep(uint64_t usec);
/* Somebody sets the wall clock. Nobody is told: that is the test's part. */
void fake_time_set_wall(uint64_t wall);
/* The machine has booted again, in no time: clock_boot_id() and CLOCK_BOOTTIME are new. */
void fake_time_boot(const char *id, uint64_t boottime);
/* What random_number() gives; 0 at first. */
void fake_random_set(uint64_t number);
/* It asks this function from now on; NULL: the number that was set. */
void fake_random_by(uint64_t (*fn)(void));

/* When the next armed timer is due; USEC_INFINITY: nothing is armed. */
uint64_t fake_timer_next(void);
/* Timers that exist, armed or not. */
size_t fake_timers(void);
