/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "common/memory.h"
#include "keeper/waiter.h"

static void waiter_link(Waiter *w, Waiter **list) {
        Waiter **tail = list;

        while (*tail)
                tail = &(*tail)->next;
        *tail = w;
        w->next = NULL;
        w->list = list;
}

static void waiter_unlink(Waiter *w) {
        Waiter **p = w->list;

        while (*p != w)
                p = &(*p)->next;
        *p = w->next;
        w->next = NULL;
        w->list = NULL;
}

Waiter *waiter_new(Waiter **list, Slot *slot, const Ask *ask, KeeperFn fn, void *userdata) {
        Waiter *w = xmalloc(sizeof(*w));

        *w = (Waiter){ .slot = slot, .ask = *ask, .fn = fn, .userdata = userdata };
        if (ask->held)
                (void)token_ref(ask->held);
        waiter_link(w, list);
        return w;
}

Waiter *waiter_free(Waiter *w) {
        if (w) {
                if (w->list)
                        waiter_unlink(w);
                token_unref(w->ask.held);
                token_unref(w->token);
                problem_clear(&w->problem);
                free(w);
        }
        return NULL;
}

void waiter_set_userdata(Waiter *w, void *userdata) {
        w->userdata = userdata;
}

size_t waiters_count(const Waiter *list) {
        size_t n = 0;

        for (const Waiter *w = list; w; w = w->next)
                n++;
        return n;
}

bool waiters_any(const Waiter *list, const Slot *slot) {
        const Waiter *w = list;

        while (w && w->slot != slot)
                w = w->next;
        return w != NULL;
}

SpentFor waiters_reason(const Waiter *list, const Slot *slot) {
        SpentFor why = slot->claims ? SPENT_FOR_CLAIMS : SPENT_FOR_RETRY;

        for (const Waiter *w = list; w; w = w->next)
                if (w->slot != slot)
                        continue;
                else if (w->ask.person)
                        return SPENT_FOR_PERSON;
                else if (w->ask.force)
                        why = MIN(why, SPENT_FOR_FORCE);
                else if (w->ask.wish.strict)
                        why = MIN(why, SPENT_FOR_MIN_VALID);
        return why;
}

uint64_t waiters_next_time(const Waiter *list) {
        uint64_t next = USEC_INFINITY;

        for (const Waiter *w = list; w; w = w->next)
                next = MIN(next, w->ask.asked_usec + w->ask.timeout_usec);
        return next;
}

void waiter_end(Waiter *w, Waiter **ended, Token *token, const Problem *problem) {
        assert(w->slot && (token || problem->outcome != OUTCOME_OK));
        waiter_unlink(w);
        w->slot = NULL;
        w->token = token ? token_ref(token) : NULL;
        if (!token)
                problem_copy(&w->problem, problem);
        waiter_link(w, ended);
}

void waiters_answer(Waiter **ended) {
        while (*ended) {
                Waiter *w = *ended;
                Token *token = STEAL(w->token);
                Problem problem = w->problem;

                /* Its callback frees it. */
                w->problem = (Problem){ 0 };
                waiter_unlink(w);
                w->fn(token, &problem, w->userdata);
                token_unref(token);
                problem_clear(&problem);
        }
}
