/* SPDX-License-Identifier: MIT */
/*
 * The machine's sleep, as logind tells it: org.freedesktop.login1(5), signal PrepareForSleep and
 * delay locks. An answer that comes while the machine falls asleep is lost, and with it a refresh
 * token: a lock holds the machine awake for as long as one is on its way (5 s at most, unless
 * logind is told otherwise). Without a system bus or logind nothing is known, and nothing is
 * held.
 * When it sleeps, keepers start nothing (Env.asleep); an exchange that was not sent is put back.
 * When it is back and there is a route, or after 5 s, every keeper tries, those awaited first.
 * logind gives no lock once it has told of the sleep: an exchange that is sent before the daemon
 * has read that signal is not held.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Sleep Sleep;
typedef struct SleepLock SleepLock;

/*
 * fn is called from the loop when the machine is about to sleep (asleep) and when it is back; also
 * when logind or the bus goes away in between, because nobody would tell then. 0 or -ENOMEM; a
 * machine without a system bus is no error.
 */
int sleep_new(Sleep **ret, sd_event *event, void (*fn)(bool asleep, void *userdata),
              void *userdata);
/* After its locks. NULL is fine. Returns NULL. */
Sleep *sleep_free(Sleep *s);

/*
 * Ask for a delay lock; freeing it lets the machine sleep. logind is asked, not waited for, and
 * grants none once it has told of the sleep. s NULL: nothing to hold, *ret is NULL. 0 or -ENOMEM.
 */
int sleep_lock_new(SleepLock **ret, Sleep *s);
/* NULL is fine. Returns NULL. */
SleepLock *sleep_lock_free(SleepLock *lock);

CLEANUP_FUNC(Sleep, sleep_free)
