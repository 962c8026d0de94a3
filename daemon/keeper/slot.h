/* SPDX-License-Identifier: MIT */
/*
 * The token of one (resource, claims) of an account, and all that decides when to ask for the next
 * one. A slot knows the other slots of its account only as far as the budget goes: the requests
 * with claims count for the plain slot of their resource.
 */
#pragma once

#include "model/problem.h"
#include "model/token.h"
#include "policy/budget.h"
#include "policy/refresh.h"
#include "policy/rules.h"

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

typedef struct Slot {
        struct Slot *next;
        struct Slot *plain; /* the slot of this resource without claims; maybe itself */
        char *resource;
        char *claims; /* NULL but for a claims challenge, which lives for its request only */
        Token *token; /* or NULL */
        bool due;     /* an exchange is to be made */
        bool counts;  /* because callers wish for it: it counts for the budget */
        bool trusted; /* somebody asked for its claims who may change the account */
        bool ended;   /* an exchange of it has, since the last turn */
        uint64_t refresh_usec; /* when to refresh in the background; USEC_INFINITY: never */
        uint64_t used_usec;    /* when it was last asked for; 0: never */
        uint64_t fetched_usec; /* when the last good fetch ended; 0: never */
        unsigned failures;     /* in a row */
        bool known;            /* `budget` is known; of a plain slot only */
        PolicyBudget budget;   /* of equal requests; likewise */
        Spent spent[POLICY_BUDGET_SIZE]; /* what was counted in this life; oldest first; likewise */
        PolicyFailure failure;           /* of the last attempt, OUTCOME_OK when it went well */
        Problem problem;                 /* the same for a person */
        char *reporter;                  /* whose next call waits for another token than this one */
} Slot;

/* Found in the list, or made at its end, after its plain one; NULL when there are LIMIT_CHALLENGES
 * already. */
Slot *slot_get(Slot **list, const char *resource, const char *claims);
/* Only when nobody waits, and no slot of the list has it for its plain one. Returns NULL. */
Slot *slot_free(Slot *s);

/* The last attempt failed. retry_at: when the back-off is over; not_before: the server's own word,
 * 0: none. */
void slot_fail(Slot *s, const Problem *problem, uint64_t retry_at, uint64_t not_before);
/* Let an event do to the slot what the table says; what is new is put in by the caller. */
void slot_apply_event(Slot *s, KeeperEvent event);
/* Hand out this token from now on; it came at fetched_usec. */
void slot_set_token(Slot *s, AccountSource source, Token *token, uint64_t fetched_usec);

/* May it be asked for now, beyond what its tokens' ends demand? */
bool slot_has_budget(const Slot *s, uint64_t now);
/* True if a token was fetched, or a request was sent, so recently that no new one is needed. */
bool slot_is_covered(const Slot *s, uint64_t now);
/* When one may leave that its token's end demands, or for its claims. */
uint64_t slot_may_ask_at(const Slot *s);
/* One more failure: when the back-off is over, which never lets through more than the budget. */
uint64_t slot_retry_at(Slot *s, AccountSource source, uint64_t retry_after, uint64_t now);
/* Its request must wait for the budget: nothing tries it before. When that is. */
uint64_t slot_wait_for_budget(Slot *s);

/* A request of it is counted, for this. */
void slot_add_spent(Slot *s, uint64_t now, SpentFor why);
/* The one that was counted then did not leave. */
void slot_drop_spent(Slot *s, uint64_t when);
/* How many were counted in the last 5 minutes, and for what: "12 requests ... (...)". Into text. */
void slot_explain_spent(const Slot *s, uint64_t now, char *text, size_t size);
