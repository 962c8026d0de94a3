/* SPDX-License-Identifier: MIT */
/*
 * PURE: when to refresh, when to try again, when a token is good enough. Every time is an argument,
 * µs of CLOCK_BOOTTIME unless said; chance is an argument too.
 */
#pragma once

#include "model/account.h"
#include "model/problem.h"
#include "model/token.h"
#include "policy/rules.h"

/* What a caller wants of a token (contract, section 3). */
typedef struct PolicyWish {
        bool strict;        /* min-valid was given: a promise */
        uint32_t min_valid; /* s */
} PolicyWish;

/* Is t good enough to be handed out without asking the source? Without a promise 120 s are
 * preferred, at most half the token's life. */
bool policy_is_fresh(const Token *t, PolicyWish wish, uint64_t now);
/* May t be handed out when nothing better can be had? */
bool policy_is_usable(const Token *t, PolicyWish wish, uint64_t now);

/* Is the promise longer than t's whole life? t may be NULL. */
bool policy_is_beyond(const Token *t, PolicyWish wish);

/*
 * When to refresh t in the background: at the server's advice or at 80 % of its life, up to 5 % of
 * it earlier, and at the latest 5 min before its end when it lives over 15 min. azure-cli: 4.5 min
 * before its end, because az gives out the same token while 5 min are left. Never within 5 s of its
 * issue: a source whose tokens end at once, or that advises so, is not asked without a pause.
 * USEC_INFINITY: never.
 */
uint64_t policy_refresh_at(AccountSource source, const Token *t, uint64_t random);

/*
 * How long to wait after the n-th failure in a row (n from 1): 1, 2, 4 ... 300 s, up to a quarter
 * longer by chance, never under retry_after (s, capped at 1 h). azure-cli: at least 61 s, because
 * az repeats a server's refusal for a minute without asking.
 */
uint64_t policy_retry_delay(AccountSource source, unsigned n, uint64_t retry_after,
                            uint64_t random);

/* Was an account that was last used then not asked for so long (24 h) that its access token is let
 * go? used 0: never. */
bool policy_is_idle(uint64_t used, uint64_t now);
/*
 * When to use the source in the background: at refresh_at while the token is asked for, else only
 * so often (keep_alive_at, see below) that a refresh token does not end for want of use.
 */
uint64_t policy_background_at(uint64_t refresh_at, uint64_t used, uint64_t keep_alive_at);
/* A refresh token ends after 90 days without use: use it a week after the last time. */
uint64_t policy_keep_alive_at(uint64_t spent);
/* Does the start of the daemon count as a use? Of accounts used in the last 14 days, and where that
 * is not known (0). Wall clock, s. */
bool policy_start_is_use(uint64_t last_used_at, uint64_t wall);

/*
 * Until when t, which is to be refreshed at refresh_at, leaves no need for another, whatever
 * callers wish for. azure-cli: 0, because its program asks nobody while its token is good.
 */
uint64_t policy_covered_until(AccountSource source, const Token *t, uint64_t refresh_at);

/* The failures of one token, as far as they decide about the next attempt. */
typedef struct PolicyFailure {
        Outcome outcome;     /* OUTCOME_OK: none */
        uint64_t tried;      /* when the last attempt ended */
        uint64_t retry_at;   /* when the back-off is over */
        uint64_t not_before; /* the server's own Retry-After; 0: none */
} PolicyFailure;

/*
 * May a caller's wish start an attempt now? Never before the server's Retry-After is over; else as
 * `when` says: after the back-off, or a while after the last attempt. What needs a person is tried
 * again on demand (forced) at a low rate, and at once where that person acts out of our sight (az
 * login, after which a forced attempt must not repeat the answer of before).
 */
bool policy_may_try(KeeperTry when, const PolicyFailure *f, bool forced, uint64_t now);
/* When a person's own wish may start one, whatever the back-off says: when the server's Retry-After
 * is over and nothing was sent for 10 s. sent 0: never. */
uint64_t policy_person_may_try_at(const PolicyFailure *f, uint64_t sent);
