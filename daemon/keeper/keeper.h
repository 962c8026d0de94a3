/* SPDX-License-Identifier: MIT */
/*
 * THE HEART. A keeper keeps one account's tokens fresh, and a background refresh is a request with
 * no waiter: one road, walked all the time. Single flight for each (resource, claims); exchanges of
 * one account follow one another, so that no refresh token is spent twice; each waiter has a
 * deadline of its own; the old token is served while it is valid and a refresh fails.
 */
#pragma once

#include "env.h"
#include "model/account.h"
#include "model/problem.h"
#include "model/token.h"
#include "policy/refresh.h"
#include "policy/rules.h"

typedef struct Waiter Waiter;

/* What a caller asks for. resource and claims are borrowed; resource NULL: the account's own. */
typedef struct KeeperAsk {
        PolicyWish wish;
        bool force;       /* not the token held now */
        bool person;      /* with force, a person's own wish: tried at once, or told that not */
        bool may_manage;  /* the caller may change the account */
        bool interactive; /* wait for a sign-in that is pending */
        const char *resource;
        const char *claims;
        const char *caller;    /* unique name on the bus, or NULL */
        uint64_t timeout_usec; /* 0: what is in memory now */
} KeeperAsk;

/* token is borrowed; NULL: problem says why. Called once, later; the handle is freed by its owner.
 */
typedef void (*KeeperFn)(Token *token, const Problem *problem, void *userdata);

/* What the account shows; borrowed strings. Times: wall clock, s; 0 = unknown or never. */
typedef struct KeeperView {
        KeeperState state;
        const char *user, *tenant;
        uint64_t expires_at, refresh_at, last_refresh_at, last_used_at;
        bool ends_soon; /* its API token, and that was told */
        bool lapsed; /* SIGN_IN_NEEDED, and not because nobody has signed in, or has signed out */
        const Problem *last_error;
} KeeperView;

/* Takes over account. 0 or -errno. */
int keeper_new(Keeper **ret, Env *env, Account *account);
/* Completes every waiter with an error: nobody is left without an answer. NULL is fine. */
Keeper *keeper_free(Keeper *k);

/* The account is about to go, while it still shows: its sign-ins end, and every waiter is answered.
 */
void keeper_close(Keeper *k);

const Account *keeper_account(const Keeper *k);
/* When a token ends, as this machine's clock will show it then, s since 1970; 0: never. */
uint64_t token_expires_at(const Token *t);
void keeper_view(const Keeper *k, KeeperView *ret);

/*
 * Ask for a token. 0 and *ret_token (borrowed, valid until the loop turns): here it is, nothing
 * else happens. 0 and *ret_token NULL: *ret_waiter is parked, and fn will be called from the loop,
 * also with a refusal. Positive: an Outcome, told in *problem, of what can't be asked for.
 * Negative: errno. The warm path allocates nothing.
 */
int keeper_get(Keeper *k, const KeeperAsk *ask, Token **ret_token, Waiter **ret_waiter, KeeperFn fn,
               void *userdata, Problem *problem);
/* What fn is given, when it was not known before: at once after keeper_get(). */
void waiter_set_userdata(Waiter *w, void *userdata);
/* Leave without an answer. The fetch goes on. NULL is fine. Returns NULL. */
Waiter *waiter_free(Waiter *w);

/*
 * A server answered 401 to this token. Nothing happens unless it is one that we hold; starts at
 * most one fetch a minute, with claims if there are any. caller's next call waits for the new
 * token. 0, or an Outcome with *problem (too many claims wait).
 */
int keeper_report_rejected(Keeper *k, const char *token, const char *claims, const char *caller,
                           Problem *problem);

/* Is a refresh token on its way that may be the only one that is good? A service with strict
 * rotation has spent the one that it was got with. */
bool keeper_expects_secret(const Keeper *k);
/* Other settings for the same account; takes over account. Tokens stay unless the identity changed.
 * An exchange whose refresh token is on its way ends by itself, unless the identity changed. */
int keeper_configure(Keeper *k, Account *account);
/* Store an API token or a client secret; fn is called when the keyring has answered. Memory has it
 * only once the keyring has it: an error has changed nothing. *ret is freed by the caller, and the
 * change goes on. 0, an Outcome with *problem, or -errno. */
typedef struct KeeperOp KeeperOp;
typedef void (*KeeperOpFn)(const Problem *problem, void *userdata);
int keeper_set_secret(Keeper *k, const char *secret, KeeperOp **ret, KeeperOpFn fn, void *userdata,
                      Problem *problem);
/* Forget secrets and tokens, in the keyring and in memory. As above. */
int keeper_sign_out(Keeper *k, KeeperOp **ret, KeeperOpFn fn, void *userdata, Problem *problem);
/* Delete what the keyring has of it, whatever its source, because it is about to be removed. */
int keeper_clear(Keeper *k, KeeperOp **ret, KeeperOpFn fn, void *userdata, Problem *problem);
/* The keyring may have something of it, by what is known of it even while it can't be read. */
bool keeper_may_be_stored(const Keeper *k);
KeeperOp *keeper_op_free(KeeperOp *op);
/* If a person is being asked for it, it ends soon: declined. */
void keeper_op_give_up(KeeperOp *op);

/* How the caller would sign in. Borrowed. */
typedef struct SignInWish {
        const char *method; /* NULL or "auto": the account's setting, else what browser says */
        bool browser;       /* the caller can open one on this machine */
} SignInWish;

/* Join the pending sign-in, whatever its method, or start one. wish may be NULL. *ret is borrowed.
 */
int keeper_sign_in(Keeper *k, const SignInWish *wish, SignIn **ret, Problem *problem);
/* The sign-ins that still show, newest first; borrowed. */
SignIn *keeper_signins(const Keeper *k);

void keeper_on_keyring(Keeper *k, KeyringState state);
/* Somebody has deleted an item from the keyring: look whether it was this account's. */
void keeper_on_deletion(Keeper *k);
/* The wall clock was set by so many seconds, or (0) what is known of its error has changed. */
void keeper_on_clock(Keeper *k, int64_t by);
/* There is a network again: try now what waits for it. */
void keeper_on_online(Keeper *k);
/* Env.asleep is true now: nothing is sent, and who can be served is. */
void keeper_on_sleep(Keeper *k);
/* Does a caller wait for a token of it? */
bool keeper_is_awaited(const Keeper *k);
/* Has the keyring been asked, with whatever result? */
bool keeper_is_settled(const Keeper *k);
/* True when nothing waits to be written that could be, nor is on its way from the source. */
bool keeper_flush(Keeper *k);

CLEANUP_FUNC(Keeper, keeper_free)
CLEANUP_FUNC(Waiter, waiter_free)
CLEANUP_FUNC(KeeperOp, keeper_op_free)
