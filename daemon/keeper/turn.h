/* SPDX-License-Identifier: MIT */
/*
 * What the files of one keeper share: struct Keeper.
 * Nobody else includes this.
 */
#pragma once

#include "io/notify.h"
#include "io/timer.h"
#include "keeper/exchange.h"
#include "keeper/keeper.h"
#include "keeper/ledger.h"
#include "keeper/signin.h"
#include "keeper/slot.h"
#include "keeper/source.h"
#include "vault/vault.h"

struct Waiter {
        Waiter *next;
        Keeper *keeper;
        Slot *slot;    /* NULL once it has been answered */
        KeeperAsk ask; /* its strings are not used any more */
        uint64_t asked_usec;
        Token *held; /* with force: the token that won't do */
        Timer *deadline;
        KeeperFn fn;
        void *userdata;
};

struct Keeper {
        Env *env;
        Account *account;
        Vault *vault;
        Slot *slots;
        Timer *timer;
        SignIn *signins; /* newest first */
        bool settling;   /* waiters are being answered: their slots stay */
        bool closed;     /* the account is gone, or is another one */

        /* The exchange under way, at most one. */
        Exchange *exchange;
        Slot *exchanging; /* whose it is; NULL: none */
        bool counts;      /* no token's end demands it: it is of the budget */
        bool counted;     /* its request is in the ledger */
        Ledger ledger;
        VaultOp *check;    /* is its item still there, and what it was? */
        Token *fetched;    /* a sign-in's, which waits for the keyring */
        SignIn *finishing; /* the sign-in */
        VaultOp *finish;

        char *looked_at;      /* the secret when that was asked */
        bool was_stored;      /* its item then */
        uint64_t looked_usec; /* and when that was; 0: never */

        uint64_t rejected_usec; /* when a rejected token last started a fetch; 0: never */

        /* The Azure CLI's own sign-in: azure-cli only. */
        Notify *az_profile; /* NULL: none, or not to be watched */
        bool az_changing;   /* nothing is asked until it is at rest */
        bool repeated; /* the exchange under way is the second one for that reason: it counts */

        uint64_t last_refresh_usec, last_used_usec; /* 0: not since the start */
        uint64_t former_used_at; /* before it, as it was remembered; s since 1970, 0: never */
        uint64_t
                keep_alive_usec; /* when the refresh token wants to be used; USEC_INFINITY: never */
        Problem last_error;
        bool unsaved; /* it says that the keyring has not its sign-in yet */
        char *claims; /* what the next sign-in is to prove, or NULL */

        unsigned warned;         /* of the end of the token that ends then, so many days before */
        uint64_t warned_ends_at; /* Token.ends_at */

        /* What was told last, to tell changes apart. */
        KeeperState told_state;
        uint64_t told_expires_at, told_refresh_at, told_last_refresh_at;
        char *told_user, *told_tenant;
};

/* Of name, text, name: many tenants block device codes, and the refresh tokens that came by one. */
#define BLOCKED_FORMAT                                                                             \
        "%s: %s If it is device codes that are blocked, sign in by the browser: iotc-token login " \
        "%s --browser"

/* keeper.c */
/* One that wants to be used now and then. */
bool keeper_has_refresh_token(const Keeper *k);
/* Is there something to ask the source with? */
bool keeper_can_fetch(const Keeper *k);
/* Let an event do to what the keeper holds what the table says; what is new is put in by the
 * caller. */
void keeper_happened(Keeper *k, KeeperEvent event);
SignIn *keeper_pending_signin(const Keeper *k);
/* Does a bad line of the settings stand in the way? OUTCOME_MISCONFIGURED and why, else 0. */
int keeper_misconfigured(const Keeper *k, Problem *problem);
/* Free the slots of claims that have had their answer. */
void keeper_prune(Keeper *k);
/* Set the timer to whatever is due next; off when nothing is. */
void keeper_arm(Keeper *k);
/* Its access tokens in the vault are somebody else's, or from somewhere else. */
void keeper_drop_stored_tokens(Keeper *k);
/* Fetch a first token when a refresh token is there: the start of the daemon counts as a use. */
void keeper_wake(Keeper *k);

/* change.c */
/* The outcome of a save: if tokens are kept in memory, LastError says why, until they are not. */
void keeper_tell_unsaved(Keeper *k, int outcome);
void keeper_tell_saved(Keeper *k);

/* look.c */
/* Is it being looked whether another daemon has stored a new sign-in? Begins that for a caller who
 * would be told to sign in, each 30 s at most; all who wait are judged again after it. */
bool keeper_looks_again(Keeper *k, uint64_t now);
/* The vault has found its item gone, and wiped what it had: that is a sign-out. */
void keeper_on_item_gone(Keeper *k);
/* adopt.c */
/* Make tokens of what the vault holds. */
void keeper_adopt_record(Keeper *k);
/* The clock was set: tokens whose end only the calendar tells, and those that were over by a clock
 * that was wrong. */
void keeper_adopt_again(Keeper *k);

/* view.c */
/* When it was last asked for, in this life or before, in true time as far as known; 0: never. */
uint64_t keeper_used_at(const Keeper *k);
/* Remember that beyond this life. */
void keeper_note_use(const Keeper *k);
/* What the table says of this slot now. */
const KeeperRule *slot_rule(const Keeper *k, const Slot *s, uint64_t now);
void keeper_set_last_error(Keeper *k, const Problem *problem);
/* Tell the listener what changed, prune, arm the timer: after every turn of events. */
void keeper_publish(Keeper *k);

/* warn.c */
/* Tell that the API token ends soon, when that has not been told. */
void keeper_warn(Keeper *k);

/* az-watch.c */
/* Watch who is signed in to az, where that matters; again after the settings have changed. */
void keeper_watch_az(Keeper *k);
/* az has answered with what s holds already: it lives no longer for that. An Outcome and *problem
 * when it is over, else 0. */
int keeper_az_check(const Keeper *k, const Slot *s, Token *fetched, Problem *problem);
/* Was t given out before somebody signed in to az, or out? */
bool keeper_az_is_newer(const Keeper *k, const RecordToken *t);

/* get.c */
/* Answer whom can be answered. result: an exchange of this slot just ended. */
void slot_settle(Keeper *k, Slot *s, bool result);
/* Does somebody wait for no token of before, be it another daemon's? */
bool slot_is_forced(const Slot *s);
/* Everybody of this slot, or of the keeper, with this problem. */
void slot_fail_waiters(Slot *s, const Problem *problem);
/* Who named no resource waits for that of another slot from now on. */
void slot_move_unnamed(Slot *from, Slot *to);

/* words.c */
typedef enum Verdict {
        VERDICT_SERVE,
        VERDICT_WAIT,
        VERDICT_FAIL,
} Verdict;

/* Each gives VERDICT_FAIL, and *problem says why. */
Verdict refuse_sign_in(const Keeper *k, Problem *problem);
Verdict refuse_api_token(const Keeper *k, const Slot *s, PolicyWish wish, uint64_t now,
                         Problem *problem);
Verdict refuse_too_short(const Keeper *k, const Slot *s, PolicyWish wish, uint64_t now,
                         Problem *problem);
Verdict refuse_too_often(Keeper *k, Slot *s, uint64_t now, Problem *problem);
/* A person's wish for a new token, too soon after the last try. */
Verdict refuse_untried(const Keeper *k, const Slot *s, uint64_t now, Problem *problem);
int refuse_closed(const Keeper *k, Problem *problem);
int refuse_challenge(const Keeper *k, Problem *problem);
Verdict refuse_failure(const Keeper *k, const Slot *s, uint64_t now, Problem *problem);
/* What the fetcher said of a failure, with the account before it and the command after that helps.
 */
void keeper_explain(const Keeper *k, const Problem *cause, Problem *ret);
/* Returns the outcome. */
int refuse_resource(const Keeper *k, const char *resource, Problem *problem);

/* turn.c */
/* Start the next exchange that is wanted, if none is under way. */
void keeper_pump(Keeper *k);
/* Drop the exchange under way; what it was for is wanted again when again is set. */
void keeper_abort_exchange(Keeper *k, bool again);
/* Hand out this token from now on. */
void keeper_put_token(Keeper *k, Slot *s, Token *token);

/* sign-in.c */
/* A person is needed, and has to prove this (copied; NULL says nothing new). */
void keeper_want_claims(Keeper *k, const char *claims);
void keeper_drop_claims(Keeper *k);
/* End the sign-in under way, also when its token is on its way to the keyring. */
void keeper_drop_signin(Keeper *k);
