/* SPDX-License-Identifier: MIT */
/*
 * What the daemon remembers from one life to the next that is no secret: when each account was last
 * used, when its person was last told on the desktop that they are needed, and which were removed
 * while their item could not be deleted. A file of one JSON object, written at once for a removal
 * and for what was told, an hour after a use at the latest, and at the end. The daemons of one user
 * share it: each takes in what the others have written before it writes.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct State State;

/* Read path (NULL: nothing is kept). A file that can't be read counts as an empty one. 0, -errno.
 */
int state_new(State **ret, sd_event *event, const char *path);
/* Writes what is new. NULL is fine. Returns NULL. */
State *state_free(State *s);

/* Wall clock, s; 0: never, or not known. s may be NULL. */
uint64_t state_last_used(const State *s, const char *account);
/* Remember a use; older than what is known is ignored. s may be NULL. */
void state_note_use(State *s, const char *account, uint64_t last_used_at);

/* When the account's person was told something, and until when they want to hear no more; wall
 * clock, s, 0: never. */
typedef struct StateTold {
        uint64_t at, quiet_until;
} StateTold;

/* s may be NULL. */
StateTold state_told(const State *s, const char *account);
/* Failing to write is logged and tried again. s may be NULL. */
void state_set_told(State *s, const char *account, StateTold told);

/* The i-th account that was removed and whose item is not known to be gone, at most REMOVED_MAX;
 * NULL past the end. Borrowed. s may be NULL. */
const char *state_removed(const State *s, size_t i);
/* Is this one of them, by the file as it is now? Another daemon may have struck it out. 1, 0 or
 * -ENOMEM. s may be NULL. */
int state_is_removed(State *s, const char *account);
/* Set it down, or strike it out. 0: the disk has it; -errno: it was logged, and is tried again. s
 * may be NULL. */
int state_set_removed(State *s, const char *account, bool removed);

CLEANUP_FUNC(State, state_free)
