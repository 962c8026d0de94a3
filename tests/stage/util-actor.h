/* SPDX-License-Identifier: MIT */
/*
 * A real keeper on its stage, led into any situation of util-world.h: each event is made to happen
 * to it as the world would. All of them abort.
 */
#pragma once

#include "util-keeper.h"
#include "util-world.h"

enum {
        LIFE_SECONDS = 86400, /* of its tokens */
};

typedef struct Actor {
        Stage stage;
        AccountSource source;
        unsigned n;                     /* of tokens given */
        unsigned tenant, resource, app; /* of the settings */
        bool bad;
        bool hangs; /* the keyring: it has not answered yet */
        KeeperOp *op;
} Actor;

/* From the start on, all that has happened in w. *a is fresh. */
void actor_lead_to(Actor *a, const World *w);
/* It is at w: if that is not as it should be, tell how it came to be, what is wrong, and abort. */
void actor_expect(bool good, const World *w, const char *what, const Actor *a);
/* The end. */
void actor_leave(Actor *a);
