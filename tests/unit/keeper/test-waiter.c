/* SPDX-License-Identifier: MIT */
/*
 * Callers in their order, without a keeper: whoever is answered may free whom he likes.
 */
#undef NDEBUG
#include <assert.h>

#include "fake-time.h"
#include "keeper/waiter.h"

#define SEC(n) ((uint64_t)(n)*USEC_PER_SEC)

typedef struct Told {
        Waiter *waiter, *frees;
        unsigned order;
        Outcome outcome;
        bool token;
} Told;

static unsigned n_told;

static void on_token(Token *token, const Problem *problem, void *userdata) {
        Told *t = userdata;

        t->order = ++n_told;
        t->token = token != NULL;
        t->outcome = problem->outcome;
        t->waiter = waiter_free(t->waiter);
        if (t->frees)
                waiter_free(t->frees);
}

static void told_wait(Told *t, Waiter **list, Slot *s, Ask ask) {
        *t = (Told){ 0 };
        t->waiter = waiter_new(list, s, &ask, on_token, t);
}

static void test_in_their_order(void) {
        const Problem problem = { .outcome = OUTCOME_TIMED_OUT };
        Slot *slots = NULL, *s = slot_get(&slots, "https://example.net", NULL);
        Waiter *list = NULL, *ended = NULL;
        Told told[4];
        Token *t;

        assert(token_new(&t, TOKEN_TYPE_BEARER, "secret-at-1") == 0);
        for (size_t i = 0; i < ARRAY_SIZE(told); i++)
                told_wait(&told[i], &list, s, (Ask){ 0 });
        assert(waiters_count(list) == 4 && waiters_any(list, s));
        waiter_end(told[2].waiter, &ended, t, NULL);
        waiter_end(told[0].waiter, &ended, NULL, &problem);
        waiter_end(told[3].waiter, &ended, t, NULL);
        /* The first that is told leaves with the last; the second still waits. */
        told[2].frees = told[3].waiter;
        token_unref(t); /* each answer has its own */
        waiters_answer(&ended);
        assert(told[2].order == 1 && told[2].token && told[0].order == 2);
        assert(!told[0].token && told[0].outcome == OUTCOME_TIMED_OUT);
        assert(told[3].order == 0 && told[1].order == 0 && waiters_count(list) == 1);
        waiter_free(told[1].waiter);
        assert(!list && !waiters_any(list, s));
        slot_free(s);
}

static void test_their_time_and_their_reasons(void) {
        Slot *slots = NULL, *s = slot_get(&slots, "https://example.net", NULL);
        Slot *other = slot_get(&slots, "https://other.example", NULL);
        Waiter *list = NULL;
        Told told[3];

        assert(waiters_next_time(list) == USEC_INFINITY);
        told_wait(&told[0], &list, s, (Ask){ .asked_usec = SEC(5), .timeout_usec = SEC(20) });
        assert(waiters_reason(list, s) == SPENT_FOR_RETRY);
        told_wait(&told[1], &list, s,
                  (Ask){ .asked_usec = SEC(6), .timeout_usec = SEC(9), .force = true });
        assert(waiters_next_time(list) == SEC(15) && waiters_reason(list, s) == SPENT_FOR_FORCE);
        told_wait(&told[2], &list, s,
                  (Ask){ .asked_usec = SEC(6),
                         .timeout_usec = SEC(90),
                         .force = true,
                         .person = true });
        assert(waiters_reason(list, s) == SPENT_FOR_PERSON);
        assert(waiters_reason(list, other) == SPENT_FOR_RETRY && !waiters_any(list, other));
        for (size_t i = 0; i < ARRAY_SIZE(told); i++)
                waiter_free(told[i].waiter);
        slot_free(other);
        slot_free(s);
}

int main(void) {
        fake_time_init(SEC(86400), 1700000000);
        test_in_their_order();
        test_their_time_and_their_reasons();
        return 0;
}
