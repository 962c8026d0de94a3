/* SPDX-License-Identifier: MIT */
/*
 * Never so many equal requests that the identity service takes us for a loop, whatever callers do
 * and however often the daemon dies: what is spent is counted in a file of the account's, written
 * before the request leaves. It goes with the boot.
 */
#pragma once

#include "keeper/slot.h"

typedef struct Ledger {
        int fd; /* -1: no file */
        PolicyLedger file;
        PolicyBudget before;                  /* that of the last request, were it never sent */
        uint64_t sent_usec, sent_before_usec; /* when one left last, and the one before; 0: never */
} Ledger;

/* runtime_dir may be NULL. */
void ledger_open(Ledger *l, const char *runtime_dir, const char *account);
void ledger_close(Ledger *l);

/* What former lives of the daemon have spent is spent: found or made as by slot_get(). */
Slot *ledger_slot(const Ledger *l, Slot **list, const char *resource, const char *claims);
/* A request of s is about to leave, and is counted, with the reason why. *counts: no token's end
 * demands it, so it is of the budget; set as well when a token covers still. False: it may not. */
bool ledger_spend(Ledger *l, Slot *s, bool *counts, SpentFor why);
/* That request did not leave after all, and counts for nothing. */
void ledger_unspend(Ledger *l, Slot *s);
/* Its token is in the slot, and leaves no need for another one. */
void ledger_cover(Ledger *l, Slot *s, AccountSource source);
