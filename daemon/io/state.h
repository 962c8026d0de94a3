/* SPDX-License-Identifier: MIT */
/*
 * What the daemon remembers from one life to the next that is no secret: when each account was last
 * used, when its person was last told on the desktop that they are needed, and whether the keyring
 * may have an item of it. A file of one JSON object, written at once for what was told and for what
 * is about to be stored, an hour after a use at the latest, and at the end.
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

/* What is known of an account's item in the keyring, also while the keyring can't be read. */
typedef enum StateItem {
        STATE_ITEM_UNKNOWN, /* nothing was noted, or it was lost: there may be one */
        STATE_ITEM_NONE,    /* none was ever begun to be stored, or it was deleted */
        STATE_ITEM_STORED,  /* one was begun to be stored */
        STATE_ITEM_LEFT,    /* there is one of a former account of that name, which is not used */
        _STATE_ITEM_MAX,
} StateItem;

/* s may be NULL. */
StateItem state_item(const State *s, const char *account);
/* NONE is written with whatever is written next; the others at once: 0 when the disk has it;
 * -errno: it was logged, and is tried again. s may be NULL. */
int state_set_item(State *s, const char *account, StateItem item);

CLEANUP_FUNC(State, state_free)
