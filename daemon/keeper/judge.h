/* SPDX-License-Identifier: MIT */
/*
 * What a caller can have now. It looks and says; nothing is done here.
 */
#pragma once

#include "keeper/slot.h"
#include "keeper/words.h"

/* What a caller asks of a slot. */
typedef struct Ask {
        PolicyWish wish;
        bool force;       /* not the token held now */
        bool person;      /* with force, a person's own wish: tried at once, or told that not */
        bool interactive; /* wait for a sign-in that is pending */
        uint64_t asked_usec, timeout_usec; /* when, and how long it waits; 0: not at all */
        Token *held;                       /* the token that won't do, or NULL */
} Ask;

/* What the account is, as far as it matters to a slot. */
typedef struct JudgeFacts {
        AccountSource source;
        const KeeperRule *rule; /* of the slot */
        uint64_t now;
        uint64_t sent_usec; /* when a request left last; 0: never */
        bool misconfigured;
        bool allowed;    /* tokens of the slot's resource are, by the settings */
        bool signing_in; /* a person's sign-in is pending */
        bool asleep;     /* nothing is asked before the machine is back */
        bool due;        /* an exchange of the slot is to be made */
        bool running;    /* one is under way */
        bool ended;      /* one has just ended: no other is started for who waited for it */
} JudgeFacts;

typedef enum Verdict {
        VERDICT_SERVE, /* with the slot's token */
        VERDICT_WAIT,
        VERDICT_START, /* and wait: an exchange is to be made */
        VERDICT_FAIL,
} Verdict;

typedef struct Judgement {
        Verdict verdict;
        bool counts;         /* of START: it is of the budget */
        uint64_t again_usec; /* of WAIT: when an exchange may be made; 0: that is known */
        Refusal why;         /* of FAIL */
} Judgement;

Judgement judge(const JudgeFacts *f, const Slot *s, const Ask *a);
/* Its time is over: the token that is there, or why not. */
Judgement judge_late(const JudgeFacts *f, const Slot *s, const Ask *a);
/* Should this caller be told of no token that the slot has now? */
bool judge_wants_another(const Slot *s, bool force, bool is_reporter, uint64_t now);
