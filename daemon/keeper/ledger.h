/* SPDX-License-Identifier: MIT */
/*
 * Never so many equal requests that the identity service takes us for a loop, whatever callers do
 * and however often the daemon dies: what is spent is counted in the account's lock file, which the
 * lock's holder reads before it decides to send, and writes before the request leaves. It goes with
 * the boot. Without such a file a keeper counts for itself.
 */
#pragma once

#include "keeper/slot.h"

typedef struct Ledger {
        PolicyBudget before;                  /* that of the last request, were it never sent */
        uint64_t sent_usec, sent_before_usec; /* when one left last, and the one before; 0: never */
} Ledger;

/* Under the lock (fd, -1: there is none): a request of s is about to leave, and is counted, with
 * the reason why. *counts: no token's end demands it, so it is of the budget; set as well when a
 * token covers still. False: it may not. */
bool ledger_spend(Ledger *l, int fd, Slot *s, bool *counts, SpentFor why);
/* Under the same lock: that request did not leave after all, and counts for nothing. */
void ledger_unspend(Ledger *l, int fd, Slot *s);
/* Under the same lock: its token is in the slot, and leaves no need for another one. */
void ledger_cover(int fd, Slot *s, AccountSource source);
