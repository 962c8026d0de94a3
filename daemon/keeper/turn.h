/* SPDX-License-Identifier: MIT */
/*
 * One turn: whatever happens to an account changes a fact of one small object and marks the keeper
 * due. What follows from the facts happens in keeper_turn() alone, from the loop, once after each
 * event. This page is for the files beside keeper.c; what is above them sees keeper.h alone.
 */
#pragma once

#include "io/timer.h"
#include "keeper/az-watch.h"
#include "keeper/exchange.h"
#include "keeper/keeper.h"
#include "keeper/ledger.h"
#include "keeper/signins.h"
#include "keeper/slot.h"
#include "keeper/source.h"
#include "keeper/view.h"
#include "keeper/waiter.h"
#include "vault/vault.h"

/* The exchange under way, at most one. */
typedef struct Running {
        Exchange *exchange;
        Slot *slot;    /* whose it is; NULL: none */
        bool counts;   /* no token's end demands it: it is of the budget */
        bool spent;    /* its request is in the ledger */
        bool repeated; /* az was asked a second time, as its sign-in had changed: this one counts */
} Running;

/* When what has happened, on CLOCK_BOOTTIME; 0: not since the start. */
typedef struct Times {
        uint64_t refreshed_usec; /* a token came */
        uint64_t used_usec;      /* somebody asked */
        uint64_t
                former_used_at; /* before the start, as it was remembered; s since 1970, 0: never */
        uint64_t
                keep_alive_usec; /* when the refresh token wants to be used; USEC_INFINITY: never */
        uint64_t rejected_usec;  /* a rejected token last started a fetch */
} Times;

struct Keeper {
        Env *env;
        Account *account;
        Vault *vault;
        Slot *slots;     /* the first is of the account's own resource */
        Waiter *waiters; /* Waiter.next, in the order in which they came */
        KeeperOp *ops;   /* KeeperOp.next, likewise */
        Running running;
        Ledger ledger;
        Signins signins;
        AzWatch *az;   /* NULL: nothing to watch */
        VaultOp *look; /* is its item still there? */
        bool looked;   /* it was, before the exchange that is to come */
        View view;
        Times times;
        Defer *turn;
        Timer *timer; /* for whatever is due next */
        bool due;     /* a turn is to come: there is no warm path */
        bool closed;  /* the account is gone, or is another one */
};

/* turn.c */
void keeper_turn(void *userdata); /* Keeper */

/* facts.c */
/* Something has changed: a turn will come. */
void keeper_due(Keeper *k);
/* What the table says of this slot now. */
const KeeperRule *keeper_rule_of(const Keeper *k, const Slot *s, uint64_t now);
KeeperState keeper_state(const Keeper *k);
/* One that wants to be used now and then. */
bool keeper_has_refresh_token(const Keeper *k);
/* Is there something to ask the source with? */
bool keeper_can_fetch(const Keeper *k);
/* When it was last asked for, in this life or before, in true time as far as known; 0: never. */
uint64_t keeper_used_at(const Keeper *k);
/* Remember that beyond this life. */
void keeper_note_use(const Keeper *k);
/* When something is due for this slot: a background refresh, a retry, the end of its token. */
uint64_t keeper_next_time(const Keeper *k, const Slot *s, uint64_t now);
/* Let an event do to what the keeper holds what the table says; what is new is put in by the
 * caller. */
void keeper_apply_event(Keeper *k, KeeperEvent event);
/* Drop the exchange under way; what it was for is due again when again is set. */
void keeper_abort_exchange(Keeper *k, bool again);
/* Hand out this token from now on. */
void keeper_put_token(Keeper *k, Slot *s, Token *token);
/* Fetch a first token when a refresh token is there: the start of the daemon counts as a use. */
void keeper_wake(Keeper *k);
/* The outcome of a save: if tokens are kept in memory, LastError says why, until they are not. */
void keeper_note_saved(Keeper *k, int outcome);
/* Its access tokens in the vault are somebody else's, or from somewhere else. */
void keeper_drop_stored_tokens(Keeper *k);

/* adopt.c */
/* Make tokens of what the vault holds. */
void keeper_adopt_record(Keeper *k);
/* The clock was set: tokens whose end only the calendar tells, and those that were over by a clock
 * that was wrong. */
void keeper_adopt_again(Keeper *k);

/* fetching.c */
/* Start the next exchange that is due, if none is under way. */
void keeper_fetch(Keeper *k);

/* look.c */
/* The vault has found its item gone, and wiped what it had: that is a sign-out. */
void keeper_on_item_gone(Keeper *k);
/* True while it is looked whether the item is there, where that has to be known before an exchange:
 * a turn will come. */
bool keeper_looks_first(Keeper *k);

/* sign-in.c */
extern const SigninsHandler keeper_signins_handler; /* of Keeper */

/* az.c */
/* Watch who is signed in to az, where that matters; again after the settings have changed. */
void keeper_watch_az(Keeper *k);

/* change.c */
/* Those that the keyring has answered: their effects, and what each is to be told. */
void keeper_apply_ops(Keeper *k);
/* Tell those, out of *ended. Each may free the keeper. */
void keeper_answer_ops(KeeperOp **ended);
/* All that are to be told now go into *ended; closed: the others as well. */
void keeper_end_ops(Keeper *k, KeeperOp **ended);
