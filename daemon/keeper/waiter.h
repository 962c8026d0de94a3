/* SPDX-License-Identifier: MIT */
/*
 * Callers that wait for a token, in the order in which they came. Whoever owns the list decides
 * what each is told, and tells it from the loop.
 */
#pragma once

#include "keeper/judge.h"
#include "keeper/keeper.h"

struct Waiter {
        Waiter *next;
        Waiter **list; /* the list that it is in; NULL once it was answered */
        Slot *slot;
        Ask ask;
        bool named; /* it named the resource; else it wants the account's own */
        bool met;   /* it was judged before */
        KeeperFn fn;
        void *userdata;
        Token *token;    /* its answer, or NULL ... */
        Problem problem; /* ... and why */
};

/* At the end of the list. */
Waiter *waiter_new(Waiter **list, Slot *slot, const Ask *ask, KeeperFn fn, void *userdata);
size_t waiters_count(const Waiter *list);
/* Does anybody wait for this slot? */
bool waiters_any(const Waiter *list, const Slot *slot);
/* For what an exchange that they wait for counts. */
SpentFor waiters_reason(const Waiter *list, const Slot *slot);
/* The earliest end of their time; USEC_INFINITY: none. */
uint64_t waiters_next_time(const Waiter *list);

/* To be answered so: it goes to the end of another list. token NULL: problem (copied) says why. */
void waiter_end(Waiter *w, Waiter **ended, Token *token, const Problem *problem);
/* Tell them. Each may free others, and whoever owned the list. */
void waiters_answer(Waiter **ended);
