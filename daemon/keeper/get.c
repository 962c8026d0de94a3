/* SPDX-License-Identifier: MIT */
/*
 * Who asks: the warm path, and whoever has to wait for the keeper's turn.
 */
#include "keeper/turn.h"
#include "model/limits.h"

static int get_cold(Keeper *k, Slot *s, const KeeperAsk *ask, uint64_t now, Waiter **ret,
                    KeeperFn fn, void *userdata, Problem *problem) {
        bool reported = s->reporter && streq(s->reporter, ask->caller);
        const Ask wish = {
                .wish = ask->wish,
                .force = ask->force,
                .person = ask->person,
                .interactive = ask->interactive,
                .asked_usec = now,
                .timeout_usec = ask->timeout_usec,
                .held = judge_wants_another(
                                s, ask->force && k->account->source != ACCOUNT_SOURCE_API_TOKEN,
                                reported, now)
                                ? s->token
                                : NULL,
        };

        if (waiters_count(k->waiters) >= LIMIT_WAITERS_PER_ACCOUNT)
                return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                   "%s: too many callers wait for its token already. Try again "
                                   "later.",
                                   k->account->name);
        *ret = waiter_new(&k->waiters, s, &wish, fn, userdata);
        (*ret)->named = ask->resource != NULL;
        keeper_due(k);
        return 0;
}

int keeper_get(Keeper *k, const KeeperAsk *ask, Token **ret_token, Waiter **ret_waiter, KeeperFn fn,
               void *userdata, Problem *problem) {
        const char *resource = k->account->resource;
        uint64_t now = clock_boottime();
        bool was_idle;
        Slot *s;
        int r;

        *ret_token = NULL;
        *ret_waiter = NULL;
        k->env->stats.requests++;
        k->times.used_usec = now;
        r = words_misconfigured(k->account, problem);
        if (r != 0)
                return r;
        if (ask->resource)
                resource = account_find_resource(k->account, ask->resource);
        if (!resource)
                return words_resource(k->account, ask->resource, problem);
        s = ledger_slot(&k->ledger, &k->slots, resource, ask->claims);
        if (!s)
                return words_challenges(k->account, problem);
        s->trusted = s->trusted || ask->may_manage;
        was_idle = policy_is_idle(s->used_usec, s->refresh_usec);
        s->used_usec = now;
        if (k->due || !s->token || ask->force || s->reporter ||
            !policy_is_fresh(s->token, ask->wish, now))
                return get_cold(k, s, ask, now, ret_waiter, fn, userdata, problem);
        k->env->stats.cache_hits++;
        *ret_token = s->token;
        /* It is refreshed in the background from now on. */
        if (was_idle && !policy_is_idle(now, s->refresh_usec))
                keeper_due(k);
        return 0;
}
