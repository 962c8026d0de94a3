/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "common/memory.h"
#include "io/log.h"
#include "io/timer.h"
#include "keeper/slot.h"
#include "model/limits.h"

static Slot *slot_new(const char *resource, const char *claims) {
        Slot *s = xcalloc(1, sizeof(*s));

        s->plain = s;
        s->refresh_usec = USEC_INFINITY;
        s->resource = xstrdup(resource);
        s->claims = xstrdup(claims);
        return s;
}

Slot *slot_free(Slot *s) {
        if (s) {
                free(s->resource);
                free(s->claims);
                free(s->reporter);
                token_unref(s->token);
                problem_clear(&s->problem);
                free(s);
        }
        return NULL;
}

Slot *slot_get(Slot **list, const char *resource, const char *claims) {
        size_t n_challenges = 0;
        Slot **p, *plain = NULL;

        for (p = list; *p; p = &(*p)->next) {
                if (streq((*p)->resource, resource) && streq((*p)->claims, claims))
                        return *p;
                n_challenges += (*p)->claims != NULL;
        }
        if (claims && n_challenges >= LIMIT_CHALLENGES)
                return NULL;
        if (claims) {
                plain = slot_get(list, resource, NULL);
                while (*p)
                        p = &(*p)->next;
        }
        *p = slot_new(resource, claims);
        if (plain)
                (*p)->plain = plain;
        return *p;
}

void slot_fail(Slot *s, const Problem *problem, uint64_t retry_at, uint64_t not_before) {
        s->failure = (PolicyFailure){ .outcome = problem->outcome,
                                      .tried = clock_boottime(),
                                      .retry_at = retry_at,
                                      .not_before = not_before };
        problem_copy(&s->problem, problem);
}

void slot_apply_event(Slot *s, KeeperEvent event) {
        const KeeperEffect *effect = keeper_effect(event);

        if (effect->tokens == KEEPER_GONE) {
                s->token = token_unref(s->token);
                s->refresh_usec = USEC_INFINITY;
                s->fetched_usec = 0;
                s->due = false;
        }
        if (effect->failure == KEEPER_GONE) {
                s->failures = 0;
                s->failure = (PolicyFailure){ 0 };
                problem_clear(&s->problem);
        }
}

void slot_set_token(Slot *s, AccountSource source, Token *token, uint64_t fetched_usec) {
        assert(token);
        token_unref(s->token);
        s->token = token_ref(token);
        s->fetched_usec = fetched_usec;
        s->refresh_usec = policy_refresh_at(source, token, random_number());
        free(s->reporter);
        s->reporter = NULL;
        slot_apply_event(s, KEEPER_EVENT_FETCHED);
}

bool slot_has_budget(const Slot *s, uint64_t now) {
        /* Claims may not have all of it: the account's own token is more. */
        return now >= policy_budget_at(&s->plain->budget, s->claims != NULL);
}

bool slot_is_covered(const Slot *s, uint64_t now) {
        return now < s->plain->budget.until;
}

uint64_t slot_may_ask_at(const Slot *s) {
        const PolicyBudget *b = &s->plain->budget;

        return s->claims ? policy_budget_at(b, true) : policy_budget_due(b);
}

uint64_t slot_retry_at(Slot *s, AccountSource source, uint64_t retry_after, uint64_t now) {
        uint64_t delay = policy_retry_delay(source, ++s->failures, retry_after, random_number());
        uint64_t at = MAX(now + delay, slot_may_ask_at(s));

        log_debug("failure %u for %s; again in %.3f s", s->failures, s->resource,
                  (double)(at - now) / (double)USEC_PER_SEC);
        return at;
}

uint64_t slot_wait_for_budget(Slot *s) {
        uint64_t at = slot_may_ask_at(s);

        if (s->failure.outcome != OUTCOME_OK)
                s->failure.retry_at = MAX(s->failure.retry_at, at);
        if (!s->token || s->refresh_usec < at)
                s->refresh_usec = at;
        return at;
}

void slot_add_spent(Slot *s, uint64_t now, SpentFor why) {
        Spent *spent = s->plain->spent;

        memmove(&spent[0], &spent[1], (POLICY_BUDGET_SIZE - 1) * sizeof(spent[0]));
        spent[POLICY_BUDGET_SIZE - 1] = (Spent){ .usec = now, .why = why };
}

void slot_drop_spent(Slot *s, uint64_t when) {
        Spent *last = &s->plain->spent[POLICY_BUDGET_SIZE - 1];

        if (last->usec == when)
                last->usec = 0;
}

void slot_explain_spent(const Slot *s, uint64_t now, char *text, size_t size) {
        static const char *const words[_SPENT_FOR_MAX] = {
                [SPENT_FOR_PERSON] = "for login or refresh", [SPENT_FOR_FORCE] = "for force",
                [SPENT_FOR_MIN_VALID] = "for min-valid",     [SPENT_FOR_CLAIMS] = "for claims",
                [SPENT_FOR_RETRY] = "after one that failed",
        };
        const Spent *spent = s->plain->spent;
        unsigned of[_SPENT_FOR_MAX] = { 0 }, known = 0;
        size_t at;

        for (size_t i = 0; i < POLICY_BUDGET_SIZE; i++)
                if (spent[i].usec && now < spent[i].usec + POLICY_BUDGET_SECONDS * USEC_PER_SEC)
                        of[spent[i].why]++;
        at = (size_t)snprintf(text, size, "%u requests in 5 minutes",
                              policy_budget_spent(&s->plain->budget, now));
        for (size_t i = 0; i < ARRAY_SIZE(of) && at < size; i++)
                if (of[i]) {
                        at += (size_t)snprintf(text + at, size - at, "%s%u %s", known ? ", " : " (",
                                               of[i], words[i]);
                        known += of[i];
                }
        if (known && at < size)
                (void)snprintf(text + at, size - at, ")");
}
