/* SPDX-License-Identifier: MIT */
/*
 * PURE: how many equal requests may leave for the identity service beyond what its tokens' own
 * lives demand, and how the lives of the daemon, one after the other, count them together. Times:
 * µs of CLOCK_BOOTTIME.
 */
#pragma once

#include <iotc-util.h>

enum {
        POLICY_BUDGET_SIZE = 12,
        POLICY_BUDGET_SECONDS = 300,
        POLICY_LEDGER_ENTRIES = 16, /* resources of an account that are remembered */
        POLICY_BOOT_ID_SIZE = 40,   /* of an id as text, NUL included */
};

/*
 * Requests of one resource that callers wish for, but no token's end demands, and those that follow
 * one that brought no token: 12 in 5 minutes at most, because Entra takes 15 in that time for a
 * loop and signs the account out (AADSTS50196). Demanded is one in the time that a token covers,
 * whether the last one brought a token or not.
 */
typedef struct PolicyBudget {
        uint64_t spent[POLICY_BUDGET_SIZE]; /* oldest first; 0: none */
        /* No token's end demands a request before: the last token lives, or would, had the request
         * for it brought one. USEC_INFINITY: it has left, and how long one lives is not known. */
        uint64_t until;
        uint64_t pace; /* so long the last token covered; 0: not known, or not by its time */
} PolicyBudget;

/* When the next one may be spent; 0: at once. half: so that half of them are left for others. */
uint64_t policy_budget_at(const PolicyBudget *b, bool half);
/* When one may leave that a token's end demands: counted, or because it is due. */
uint64_t policy_budget_due(const PolicyBudget *b);
void policy_budget_spend(PolicyBudget *b, uint64_t now);
/* How many of it were spent lately, and still count. */
unsigned policy_budget_spent(const PolicyBudget *b, uint64_t now);
/* A request is about to leave: one that is counted is spent, after another none is due for the time
 * that a token covers. */
void policy_budget_leave(PolicyBudget *b, bool counted, uint64_t now);
/* A token has come, issued then, which covers until then; until 0: that can't be told. */
void policy_budget_cover(PolicyBudget *b, uint64_t issued, uint64_t until);
/* The budgets of an account as the bytes of a file, for daemons of one boot of one machine: its
 * form is this struct. No secret is in it. */
typedef struct PolicyLedger {
        char magic[8];
        char boot[POLICY_BOOT_ID_SIZE];
        struct {
                uint64_t resource; /* hashed; 0: the place is free */
                PolicyBudget budget;
        } entries[POLICY_LEDGER_ENTRIES];
        uint64_t sum;
} PolicyLedger;

/* The n bytes that were read into it are believed, or it is an empty one: when they are too few,
 * garbage, or of another boot. Times that are yet to come are dropped. */
void policy_ledger_check(PolicyLedger *l, size_t n, const char *boot, uint64_t now);
/* Borrowed; NULL: nothing is known. */
const PolicyBudget *policy_ledger_find(const PolicyLedger *l, const char *resource);
/* Set it down, where no place is free over the one that was spent of longest ago. */
void policy_ledger_put(PolicyLedger *l, const char *resource, const PolicyBudget *b);
