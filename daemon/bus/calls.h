/* SPDX-License-Identifier: MIT */
/*
 * Calls that are answered later, the Get calls, and settings as arguments.
 */
#pragma once

#include "bus/link.h"

/* A method call that is answered later. It goes when it is answered or its caller leaves. */
typedef struct Call {
        Link *link;
        Client *client;
        struct Call *next; /* Client.calls */
        sd_bus_message *message;
        bool authorization; /* of a Get call: the reply is GetAuthorization's */
        Waiter *waiter;     /* one of these */
        KeeperOp *keeper_op;
        ManagerOp *manager_op;
        KeyringOp *keyring_op;
} Call;

/* Park a call; the handler returns 1 after it. 0; an Outcome with *problem when its caller has too
 * many parked already; -errno. */
int call_new(Call **ret, Link *l, sd_bus_message *message, Problem *problem);
/* Drop it without an answer: what it waited for is left. Returns NULL. */
Call *call_drop(Call *c);
/* Answer with an error, or with nothing but success, and free it. */
void call_fail(Call *c, const Problem *problem);
void call_done(Call *c);
/* Answer all that wait with an error; with NULL drop them. */
void calls_end(Link *l, const Problem *problem);

/* get.c: GetToken, GetAuthorization, Refresh */
int get_start(Link *l, sd_bus_message *m, Keeper *k, bool authorization, sd_bus_error *error);
int refresh_start(Link *l, sd_bus_message *m, Keeper *k, sd_bus_error *error);

/*
 * settings.c: read a{sv} into an account. secret may be NULL (then the key is unknown); *secret is
 * freed by secret_free(). 0 or what a handler returns, with error set.
 */
int settings_read(sd_bus_message *m, Account *a, char **secret, sd_bus_error *error);
