/* SPDX-License-Identifier: MIT */
/*
 * The person's browser, opened by the desktop's own xdg-open: the command does it, because a daemon
 * that can't be looked into is refused by portals.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-event.h>

/* Is there a display that the person sits at: one, and no ssh in between? */
bool browser_is_here(void);
/* Is there one at all, or $BROWSER? */
bool browser_can_open(void);
/*
 * Run xdg-open, without a terminal and without a shell; fn is called from the loop when it has
 * ended, opened being false if it could not be run or says that it failed. The browser outlives
 * this process. *ret, if ret is not NULL, is the waiting for that end: disabled, fn is not called
 * any more. 0 or -errno.
 */
int browser_open(sd_event_source **ret, sd_event *event, const char *url,
                 void (*fn)(bool opened, void *userdata), void *userdata);
