/* SPDX-License-Identifier: MIT */
/*
 * Somebody sets the wall clock: NTP after the boot, a person, a resume from sleep. Told by the
 * kernel (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET), without a wake-up while nothing happens.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct ClockWatch ClockWatch;

/* fn is called from the loop after the wall clock was set by a second or more (by: s, forward is
 * positive), when clock_wall() shows it. 0 or -errno. */
int clock_watch_new(ClockWatch **ret, sd_event *event, void (*fn)(int64_t by, void *userdata),
                    void *userdata);
/* NULL is fine. Returns NULL. */
ClockWatch *clock_watch_free(ClockWatch *w);

CLEANUP_FUNC(ClockWatch, clock_watch_free)
