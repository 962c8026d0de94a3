/* SPDX-License-Identifier: MIT */
/*
 * What the files of the keeper share: keeper.c (its life), keeper-record.c (what it takes over from
 * the keyring), keeper-look.c (what others do to its item there), keeper-view.c (what it shows),
 * keeper-get.c (who asks and waits), keeper-refuse.c (what they are told), keeper-refresh.c (asking
 * the source), keeper-budget.c (how often), keeper-signin.c (asking the person), keeper-az.c (who
 * is signed in to az), keeper-warn.c (an API token's end), keeper-account.c (what is done to it).
 * Nobody else includes this.
 */
#pragma once

#include "io/fetch/fetch.h"
#include "io/notify.h"
#include "io/timer.h"
#include "keeper/keeper.h"
#include "keeper/signin.h"
#include "keeper/source.h"
#include "policy/budget.h"
#include "vault.h"

/* The tokens of one (resource, claims) of the account; the first is the account's own resource. */
typedef struct Slot {
        struct Slot *next;
        char *resource;
        char *claims;    /* NULL but for a claims challenge, which lives for its request only */
        Token *token;    /* or NULL */
        Waiter *waiters; /* Waiter.next */
        bool wanted;     /* an exchange is to be made */
        bool wished;     /* because callers wish for it: it counts for the budget */
        bool forced;     /* its result may not be a token that another daemon fetched */
        bool trusted;    /* somebody asked for its claims who may change the account */
        uint64_t refresh_usec; /* when to refresh in the background; USEC_INFINITY: never */
        uint64_t used_usec;    /* when it was last asked for; 0: never */
        uint64_t fetched_usec; /* when the last good fetch ended; 0: never */
        unsigned failures;     /* in a row */
        PolicyBudget budget;   /* of equal requests */
        PolicyFailure failure; /* of the last attempt, OUTCOME_OK when it went well */
        Problem problem;       /* the same for a person */
        char *reporter;        /* whose next call waits for another token than this one */
} Slot;

/* Why a request was counted. */
typedef enum SpentFor {
        SPENT_FOR_PERSON,
        SPENT_FOR_FORCE,
        SPENT_FOR_MIN_VALID,
        SPENT_FOR_CLAIMS,
        SPENT_FOR_RETRY,
        _SPENT_FOR_MAX,
} SpentFor;

typedef struct Spent {
        uint64_t usec; /* 0: none */
        SpentFor why;
} Spent;

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

        /* The exchange under way: lock, read again, fetch, store. */
        Slot *exchanging;                     /* NULL: none */
        bool counts;                          /* no token's end demands it: it is of the budget */
        PolicyBudget before;                  /* that of the slot, were the request never sent */
        Spent spent[POLICY_BUDGET_SIZE];      /* what was counted in this life; oldest first */
        uint64_t sent_usec, sent_before_usec; /* when one left last, and the one before; 0: never */
        int lock_fd;
        SleepLock *sleep_lock;
        Timer *lock_timer;
        VaultOp *reload, *save;
        VaultOp *check; /* is its item still there, and what it was? */
        Fetch *fetch;
        Token *fetched;    /* waits for the keyring */
        SignIn *finishing; /* whose token waits for the keyring */
        VaultOp *finish;

        char *looked_at;      /* the secret when that was asked */
        char *asked_with;     /* the one that the source gave nothing for, or NULL */
        bool was_stored;      /* its item then */
        uint64_t looked_usec; /* and when that was; 0: never */

        uint64_t rejected_usec; /* when a rejected token last started a fetch; 0: never */

        /* The Azure CLI's own sign-in: azure-cli only. */
        Notify *az_profile; /* NULL: none, or not to be watched */
        bool az_changing;   /* nothing is asked until it is at rest */
        bool outdated;      /* the exchange under way asks who may be somebody else by now */
        bool repeated;      /* it is the second one for that reason: its answer counts */

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
/* Found or made; NULL when memory is short or there are LIMIT_CHALLENGES already. */
Slot *keeper_slot(Keeper *k, const char *resource, const char *claims);
void slot_free(Slot *s);
void slot_fail(Slot *s, const Problem *problem, uint64_t retry_at, uint64_t not_before);
/* The same for one slot alone. */
void slot_happened(Slot *s, KeeperEvent event);
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

/* keeper-account.c */
/* The outcome of a save: if tokens are kept in memory, LastError says why, until they are not. */
void keeper_tell_unsaved(Keeper *k, int outcome);
void keeper_tell_saved(Keeper *k);

/* keeper-look.c */
/* Is it being looked whether another daemon has stored a new sign-in? Begins that for a caller who
 * would be told to sign in, each 30 s at most; all who wait are judged again after it. */
bool keeper_looks_again(Keeper *k, uint64_t now);
/* The vault has found its item gone, and wiped what it had: that is a sign-out. */
void keeper_on_item_gone(Keeper *k);
/* The source is asked with what the record has now. */
void keeper_note_asked(Keeper *k);

/* keeper-record.c */
/* Make tokens of what the vault holds. */
void keeper_adopt_record(Keeper *k);
/* One of them. -ESTALE when it is over. */
int keeper_token_from_record(const Keeper *k, Token **ret, const RecordToken *t);
/* Put a new refresh token (NULL: none came) into the record. 1 when it is one, 0, or -ENOMEM. */
int keeper_record_rotated(Keeper *k, const char *refresh_token);
/* Put one into the record, with its times for this boot and for the next ones: those by the
 * server's clock where that is known, so that a clock which is set right in between makes no token
 * live longer. 0 or -ENOMEM. */
int keeper_record_token(Keeper *k, const char *resource, const FetchToken *fetched);

/* keeper-view.c */
/* When it was last asked for, in this life or before, in true time as far as known; 0: never. */
uint64_t keeper_used_at(const Keeper *k);
/* Remember that beyond this life. */
void keeper_note_use(const Keeper *k);
/* What the table says of this slot now. */
const KeeperRule *slot_rule(const Keeper *k, const Slot *s, uint64_t now);
void keeper_set_last_error(Keeper *k, const Problem *problem);
/* Tell the listener what changed, prune, arm the timer: after every turn of events. */
void keeper_publish(Keeper *k);

/* keeper-warn.c */
/* Tell that the API token ends soon, when that has not been told. */
void keeper_warn(Keeper *k);

/* keeper-az.c */
/* Watch who is signed in to az, where that matters; again after the settings have changed. */
void keeper_watch_az(Keeper *k);
/* az has answered with what s holds already: it lives no longer for that. An Outcome and *problem
 * when it is over, else 0. */
int keeper_az_check(const Keeper *k, const Slot *s, Token *fetched, Problem *problem);
/* Was t given out before somebody signed in to az, or out? */
bool keeper_az_is_newer(const Keeper *k, const RecordToken *t);

/* keeper-get.c */
/* Answer whom can be answered. result: an exchange of this slot just ended. */
void slot_settle(Keeper *k, Slot *s, bool result);
/* Does somebody wait for no token of before, be it another daemon's? */
bool slot_is_forced(const Slot *s);
/* Everybody of this slot, or of the keeper, with this problem. */
void slot_fail_waiters(Slot *s, const Problem *problem);
/* Those who have named its resource, when it gets another one. */
void slot_fail_named(Slot *s, const Problem *problem);

/* keeper-refuse.c */
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

/* keeper-budget.c */
/* May it be asked for now, beyond what its tokens' ends demand? */
bool slot_has_budget(Keeper *k, Slot *s, uint64_t now);
/* Has a token come that still lives, or a request gone for one that would, be it another daemon's?
 * Then nothing demands another one. */
bool slot_is_covered(Keeper *k, Slot *s, uint64_t now);
/* When one may leave that its token's end demands, or for its claims. */
uint64_t slot_may_ask_at(Keeper *k, Slot *s);
/* When the back-off is over, which never lets through more than the budget. */
uint64_t slot_retry_at(Keeper *k, Slot *s, uint64_t retry_after, uint64_t now);
/* Under the lock: the exchange's request is about to leave, and is counted. False: it may not. */
bool exchange_spend(Keeper *k);
/* Under the lock: that request did not leave after all, and counts for nothing. */
void exchange_unspend(Keeper *k);
/* How many were counted in the last 5 minutes, and for what: "12 requests ... (...)". Into text. */
void slot_explain_spent(Keeper *k, Slot *s, uint64_t now, char *text, size_t size);
/* Under the lock: its token is in the slot. */
void exchange_is_covered(Keeper *k);
/* It may not leave: nothing tries it before it may. */
void exchange_wait_for_budget(Keeper *k);

/* keeper-refresh.c */
/* Start the next exchange that is wanted, if none is under way. */
void keeper_pump(Keeper *k);
/* Drop the exchange under way; what it was for is wanted again when again is set. */
void keeper_abort_exchange(Keeper *k, bool again);
/* Put what a fetch brought into the record and into k->fetched. 1 when the refresh token is a new
 * one, 0, -ENOMEM. */
int keeper_take_fetched(Keeper *k, const char *resource, const FetchToken *fetched);
/* Hand out this token from now on. */
void slot_take_token(Keeper *k, Slot *s, Token *token);

/* keeper-signin.c */
/* A person is needed, and has to prove this (copied; NULL says nothing new). */
void keeper_want_claims(Keeper *k, const char *claims);
void keeper_drop_claims(Keeper *k);
/* End the sign-in under way, also when its token is on its way to the keyring. */
void keeper_drop_signin(Keeper *k);
