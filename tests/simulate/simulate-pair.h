/* SPDX-License-Identifier: MIT */
/*
 * Two daemons of one user: what the two files of that simulation share.
 */
#pragma once

#include "simulate.h"

typedef struct Side {
        Env env;
        Manager *manager; /* NULL: it does not run */
        bool ending;
        uint64_t start_at;
        char state[128]; /* the file: one of both */
        unsigned number;
} Side;

typedef struct Pair {
        Machine machine; /* what both share */
        Side sides[2];
        bool signing_in[N_ACCOUNTS];
} Pair;

/* The one that lives. */
extern Pair *pair;

/* simulate-pair-callers.c */
/* Its callers and its person do what is due. */
void pair_act(Client *c);
/* Does anybody wait for an answer? */
bool pair_is_visited(void);
