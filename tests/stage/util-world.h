/* SPDX-License-Identifier: MIT */
/*
 * An account as the tables of policy/rules.c know it, everything that can happen to it, and all the
 * situations that can come to be that way: what the tables promise, without a keeper.
 */
#pragma once

#undef NDEBUG
#include <assert.h>

#include "model/account.h"
#include "policy/rules.h"

typedef enum WorldEvent {
        WORLD_FETCHED,
        WORLD_FAILED_FOR_NOW,
        WORLD_WANTS_A_PERSON,
        WORLD_BLOCKED,
        WORLD_SETTINGS_REFUSED,
        WORLD_ITEM_DELETED,
        WORLD_TOKEN_ENDS,
        WORLD_SIGNIN_BEGINS,
        WORLD_SIGNED_IN,
        WORLD_SIGNIN_FAILED,
        WORLD_SIGNED_OUT,
        WORLD_SECRET_SET,
        WORLD_AZ_CHANGED,
        WORLD_OTHER_IDENTITY,
        WORLD_OTHER_RESOURCE,
        WORLD_CONFIGURED,
        WORLD_BAD_LINE,
        WORLD_LINE_MENDED,
        WORLD_KEYRING_READ,
        WORLD_KEYRING_READ_OLD_TOKEN,
        WORLD_KEYRING_HAS_NOTHING,
        WORLD_KEYRING_LOCKED,
        WORLD_KEYRING_ABSENT,
        _WORLD_EVENT_MAX,
} WorldEvent;

typedef struct World {
        AccountSource source;
        KeeperFacts facts;
        bool signing_in;
        /* How it came to be: by this event from that world, or by nothing. */
        const struct World *before;
        WorldEvent by;
} World;

typedef struct WorldEventInfo {
        const char *name;
        bool (*happens)(World *w);
        bool passing;  /* nobody did anything, and nothing was refused for good */
        bool anywhere; /* drawn once, with "any" */
} WorldEventInfo;

extern const WorldEventInfo world_events[_WORLD_EVENT_MAX];

/* What w is after the event; false where that can't happen. */
bool world_step(const World *w, WorldEvent event, World *ret);
KeeperState world_state(const World *w);
/* All that can come to be; borrowed. */
unsigned worlds_all(const World **ret);
/* For who debugs a test: how it came to be, on standard error. */
void world_tell(const World *w);
