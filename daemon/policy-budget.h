/* SPDX-License-Identifier: MIT */
/*
 * PURE: how many equal requests may leave for the identity service beyond what its tokens' own
 * lives demand, and how the daemons of one user, one after the other or side by side, count them
 * together. Times: µs of CLOCK_BOOTTIME.
 */
#pragma once

#include <iotc-util.h>

enum {
        POLICY_BUDGET_SIZE = 12,
        POLICY_LEDGER_ENTRIES = 16, /* resources of an account that are remembered */
        POLICY_BOOT_ID_SIZE = 40,   /* of an id as text, NUL included */
};

/*
 * Requests of one resource that callers wish for, but no token's end demands, and those that follow
 * one that brought no token: 12 in 5 minutes at most, because Entra takes 15 in that time for a
 * loop and signs the account out (AADSTS50196).
 */
typedef struct PolicyBudget {
        uint64_t spent[POLICY_BUDGET_SIZE]; /* oldest first; 0: none */
        /* No token's end demands a request before: the last token lives. USEC_INFINITY: a request
         * has left, and nothing good was heard of it. */
        uint64_t until;
} PolicyBudget;

/* When the next one may be spent; 0: at once. half: so that half of them are left for others. */
uint64_t policy_budget_at(const PolicyBudget *b, bool half);
void policy_budget_spend(PolicyBudget *b, uint64_t now);
/* Spend what others have spent, too, as far as that is not known yet. Their `until` counts. */
void policy_budget_merge(PolicyBudget *b, const PolicyBudget *other);

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
