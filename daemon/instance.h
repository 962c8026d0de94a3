/* SPDX-License-Identifier: MIT */
/*
 * One daemon for a user, whatever sessions there are: who holds the lock in the runtime folder. The
 * kernel releases it when its holder ends, and says who holds it.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Instance Instance;

/*
 * Take the lock. Another daemon that holds it is an error, or with replace is ended first; waits
 * for that, 10 s at most. Without a runtime folder that is ours alone nothing is locked. 0 and
 * *ret, or -errno; what a person needs to know is logged.
 */
int instance_new(Instance **ret, bool replace);
/* Call lost, later and once, when the lock's path no longer leads to our lock: another daemon could
 * take the place. 0 or -errno. */
int instance_watch(Instance *i, sd_event *event, void (*lost)(void *userdata), void *userdata);
/* $XDG_RUNTIME_DIR/iotc-token; NULL: there is none. Borrowed. */
const char *instance_folder(const Instance *i);
/* NULL is fine. Returns NULL. */
Instance *instance_free(Instance *i);

/* End a daemon of the same user and program, and see it gone, 10 s at most. 0 (it may have been
 * gone before), or -errno, which is logged. */
int instance_end(pid_t pid);

CLEANUP_FUNC(Instance, instance_free)
