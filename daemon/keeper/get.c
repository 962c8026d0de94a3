/* SPDX-License-Identifier: MIT */
/*
 * Who asks and waits: the warm path, the decision what a request can have, and the waiters.
 */
#include "io/timer.h"
#include "keeper/turn.h"
#include "model/limits.h"

/* A fetch that ended under a minute ago counts as the fetch that `force` and min-valid ask for. */
#define JUST_FETCHED_USEC (60 * USEC_PER_SEC)

/* Who waits learns of a failure at once when the next try is later than this after the call: a
 * moment without network is none of its business, an outage is. */
#define PATIENCE_USEC (10 * USEC_PER_SEC)

/* With force, one that came from the keyring after the call is no other than that of before. */
static bool token_will_do(const Waiter *w, const Slot *s, uint64_t now) {
        return s->token && s->token != w->held && (!w->ask.force || s->fetched_usec) &&
               policy_is_usable(s->token, w->ask.wish, now);
}

/*
 * Nobody counts what the end of a token demands, or would soon; what callers only wish for, and
 * what follows a request that failed, has a budget, or the identity service takes us for a loop. az
 * asks nobody while its token is good.
 */
static bool slot_want(Keeper *k, Slot *s, uint64_t now) {
        bool demanded = !s->claims && !policy_is_fresh(s->token, (PolicyWish){ 0 }, now);

        if (!slot_is_covered(s, now) &&
            (demanded || k->account->source == ACCOUNT_SOURCE_AZURE_CLI))
                s->wanted = true;
        else
                s->wanted = s->wished = slot_has_budget(s, now);
        return s->wanted;
}

/* Is the next try soon enough to be waited for? min-valid and claims are promised one fetch;
 * a keyring is not unlocked by waiting. */
static bool worth_waiting(const Slot *s, const Waiter *w, bool result, uint64_t now) {
        if (!result)
                return s->failure.retry_at < now + w->ask.timeout_usec;
        return !s->claims && !w->ask.wish.strict && s->failure.outcome != OUTCOME_KEYRING_LOCKED &&
               s->failure.retry_at < w->asked_usec + MIN(w->ask.timeout_usec, PATIENCE_USEC);
}

/* It was asked for too often, or a daemon died that had asked: soon it may be again? */
static bool waiter_wait_for_budget(Slot *s, const Waiter *w) {
        uint64_t at = slot_may_ask_at(s);

        if (s->claims || at >= w->asked_usec + MIN(w->ask.timeout_usec, PATIENCE_USEC))
                return false;
        s->refresh_usec = MIN(s->refresh_usec, at);
        return true;
}

/*
 * What w can have now. result: an exchange of the slot just ended, so that another one is not
 * started for w. VERDICT_WAIT has started what is needed, or it is under way.
 */
static Verdict waiter_judge(Keeper *k, Slot *s, Waiter *w, bool result, uint64_t now,
                            Problem *problem) {
        AccountSource source = k->account->source;
        bool just_fetched = s->fetched_usec && now - s->fetched_usec < JUST_FETCHED_USEC;
        const KeeperRule *rule = slot_rule(k, s, now);
        bool untried; /* for this person */

        /* It ended while the keyring hung or the machine slept: it counts as none, not as short. */
        if (!w->ask.wish.strict && s->failure.outcome == OUTCOME_OK &&
            token_left_usec(s->token, now) == 0)
                result = false;
        /* The person may have signed in at another daemon. */
        if (rule->state == KEEPER_STATE_SIGN_IN_NEEDED && !result && !token_will_do(w, s, now) &&
            keeper_looks_again(k, now) && w->ask.timeout_usec > 0)
                return VERDICT_WAIT;
        if (source == ACCOUNT_SOURCE_API_TOKEN) {
                if (rule->asked == KEEPER_TRY_WAIT)
                        return VERDICT_WAIT;
                return policy_is_usable(s->token, w->ask.wish, now)
                               ? VERDICT_SERVE
                               : refuse_api_token(k, s, w->ask.wish, now, problem);
        }
        /* A good token, or the best one that this request can get. */
        if (token_will_do(w, s, now) && (policy_is_fresh(s->token, w->ask.wish, now) || result))
                return VERDICT_SERVE;
        if (result && s->failure.outcome == OUTCOME_OK && s->token)
                return refuse_too_short(k, s, w->ask.wish, now, problem);
        /* Another fetch would only bring another token that is too short. */
        if (just_fetched && !w->held && policy_is_beyond(s->token, w->ask.wish))
                return refuse_too_short(k, s, w->ask.wish, now, problem);

        if (rule->asked == KEEPER_TRY_WAIT || (w->ask.interactive && keeper_pending_signin(k)))
                return VERDICT_WAIT;
        /* A line went bad while w waited. */
        if (keeper_misconfigured(k, problem) != 0)
                return VERDICT_FAIL;
        if (rule->asked == KEEPER_TRY_NEVER)
                return token_will_do(w, s, now) ? VERDICT_SERVE : refuse_sign_in(k, problem);
        /* Nothing is asked before the machine is back. */
        if (k->env->asleep && k->exchanging != s && token_will_do(w, s, now))
                return VERDICT_SERVE;
        if (s->wanted || k->exchanging == s)
                return VERDICT_WAIT;
        untried = w->ask.person && s->failure.tried < w->asked_usec;
        if (!result &&
            (policy_may_try(rule->asked, &s->failure, w->ask.force, now) ||
             (untried && policy_person_may_try_at(&s->failure, k->ledger.sent_usec) <= now))) {
                if (slot_want(k, s, now))
                        return VERDICT_WAIT;
                if ((rule->asked == KEEPER_TRY_NOW || untried) && !token_will_do(w, s, now))
                        return waiter_wait_for_budget(s, w) ? VERDICT_WAIT
                                                            : refuse_too_often(k, s, now, problem);
        }
        if (token_will_do(w, s, now))
                return VERDICT_SERVE;
        if (untried && s->failure.outcome != OUTCOME_OK)
                return refuse_untried(k, s, now, problem);
        if (rule->timer == KEEPER_TIMER_BACK_OFF && worth_waiting(s, w, result, now))
                return VERDICT_WAIT;
        return refuse_failure(k, s, now, problem);
}

static void waiter_unlink(Waiter *w) {
        for (Waiter **p = &w->slot->waiters; *p; p = &(*p)->next)
                if (*p == w) {
                        *p = w->next;
                        break;
                }
        w->slot = NULL;
        w->next = NULL;
        w->deadline = timer_free(w->deadline);
}

/* A program has met it, so its person may hear of it. */
static void keeper_tell_refused(Keeper *k, const Problem *problem) {
        if (problem->outcome == OUTCOME_SIGN_IN_NEEDED && k->env->listener->account_refused)
                k->env->listener->account_refused(k, k->env->listener_userdata);
}

static void waiter_answer(Waiter *w, Token *token, const Problem *problem) {
        waiter_unlink(w);
        if (!token)
                keeper_tell_refused(w->keeper, problem);
        w->fn(token, problem, w->userdata);
}

static void waiter_on_deadline(void *userdata) {
        Waiter *w = userdata;
        Keeper *k = w->keeper;
        Problem problem = { 0 };
        Slot *s = w->slot;

        if (token_will_do(w, s, clock_boottime())) {
                waiter_answer(w, s->token, NULL);
                return;
        }
        if (s->failure.outcome != OUTCOME_OK)
                (void)problem_set(&problem, OUTCOME_TIMED_OUT, "%s It is still being tried.",
                                  problem_text(&s->problem));
        else
                (void)problem_set(&problem, OUTCOME_TIMED_OUT,
                                  "%s: no token within %llu s; it is still being tried. Ask again, "
                                  "or see: iotc-token status %s",
                                  k->account->name,
                                  (long long unsigned)(w->ask.timeout_usec / USEC_PER_SEC),
                                  k->account->name);
        waiter_answer(w, NULL, &problem);
        problem_clear(&problem);
}

void slot_settle(Keeper *k, Slot *s, bool result) {
        uint64_t now = clock_boottime();
        bool again = true, outer = k->settling;

        /* A callback may add or free waiters: begin anew after each answer. */
        k->settling = true;
        while (again) {
                again = false;
                for (Waiter *w = s->waiters; w; w = w->next) {
                        Problem problem = { 0 };
                        Verdict verdict = waiter_judge(k, s, w, result, now, &problem);

                        if (verdict == VERDICT_WAIT)
                                continue;
                        waiter_answer(w, verdict == VERDICT_SERVE ? s->token : NULL, &problem);
                        problem_clear(&problem);
                        again = true;
                        break;
                }
        }
        k->settling = outer;
}

bool slot_is_forced(const Slot *s) {
        const Waiter *w = s->waiters;

        while (w && !w->ask.force)
                w = w->next;
        return w != NULL;
}

void slot_fail_waiters(Slot *s, const Problem *problem) {
        while (s->waiters)
                waiter_answer(s->waiters, NULL, problem);
}

void slot_move_unnamed(Slot *from, Slot *to) {
        for (Waiter **p = &from->waiters; *p;) {
                Waiter *w = *p, **tail = &to->waiters;

                if (w->ask.resource) {
                        p = &w->next;
                        continue;
                }
                *p = w->next;
                w->next = NULL;
                w->slot = to;
                while (*tail)
                        tail = &(*tail)->next;
                *tail = w;
        }
}

Waiter *waiter_free(Waiter *w) {
        if (w) {
                if (w->slot)
                        waiter_unlink(w);
                timer_free(w->deadline);
                token_unref(w->held);
                free(w);
        }
        return NULL;
}

void waiter_set_userdata(Waiter *w, void *userdata) {
        w->userdata = userdata;
}

static size_t waiters_count(const Keeper *k) {
        size_t n = 0;

        for (const Slot *s = k->slots; s; s = s->next)
                for (const Waiter *w = s->waiters; w; w = w->next)
                        n++;
        return n;
}

static int waiter_park(Keeper *k, Slot *s, const Waiter *from, Waiter **ret) {
        CLEANUP(waiter_freep) Waiter *w = NULL;
        Waiter **tail;
        int r;

        w = malloc(sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = *from;
        w->held = from->held ? token_ref(from->held) : NULL;
        r = timer_new(&w->deadline, k->env->event, waiter_on_deadline, w);
        if (r < 0)
                return r;
        timer_arm(w->deadline, clock_boottime() + w->ask.timeout_usec);
        for (tail = &s->waiters; *tail; tail = &(*tail)->next)
                ;
        w->slot = s;
        *ret = *tail = STEAL(w);
        return 0;
}

/* timeout 0: the fetch goes on without the caller. */
static int answer_now(Keeper *k, Slot *s, Waiter *w, uint64_t now, Token **ret, Problem *problem) {
        if (token_will_do(w, s, now)) {
                *ret = s->token;
                return 0;
        }
        return problem_set(problem, OUTCOME_UNAVAILABLE,
                           "%s: no token is in memory yet; one is being fetched. Ask again in a "
                           "moment.",
                           k->account->name);
}

static bool was_reported_by(const Slot *s, const char *caller) {
        return s->reporter && streq(s->reporter, caller);
}

static int get_cold(Keeper *k, Slot *s, const KeeperAsk *ask, Token **ret_token,
                    Waiter **ret_waiter, KeeperFn fn, void *userdata, Problem *problem) {
        uint64_t now = clock_boottime();
        Waiter w = { .keeper = k, .ask = *ask, .asked_usec = now, .fn = fn, .userdata = userdata };
        bool busy = s->wanted || k->exchanging == s;
        int r;

        if (was_reported_by(s, ask->caller))
                w.held = s->token;
        if (ask->force && k->account->source != ACCOUNT_SOURCE_API_TOKEN &&
            !(s->fetched_usec && now - s->fetched_usec < JUST_FETCHED_USEC)) {
                w.held = s->token;
                s->forced = true;
        }
        switch (waiter_judge(k, s, &w, false, now, problem)) {
        case VERDICT_SERVE:
                *ret_token = s->token;
                return 0;
        case VERDICT_FAIL:
                keeper_tell_refused(k, problem);
                return (int)problem->outcome;
        case VERDICT_WAIT:
                break;
        }
        if (busy)
                k->env->stats.coalesced++;
        if (ask->timeout_usec == 0)
                r = answer_now(k, s, &w, now, ret_token, problem);
        else if (waiters_count(k) >= LIMIT_WAITERS_PER_ACCOUNT)
                r = problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                "%s: too many callers wait for its token already. Try again later.",
                                k->account->name);
        else
                r = waiter_park(k, s, &w, ret_waiter);
        keeper_pump(k);
        return r;
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
        k->last_used_usec = now;
        r = keeper_misconfigured(k, problem);
        if (r != 0)
                return r;
        if (ask->resource)
                resource = account_find_resource(k->account, ask->resource);
        if (!resource)
                return refuse_resource(k, ask->resource, problem);
        s = slot_get(&k->slots, resource, ask->claims);
        if (!s)
                return refuse_challenge(k, problem);
        s->trusted = s->trusted || ask->may_manage;
        was_idle = policy_is_idle(s->used_usec, s->refresh_usec);
        s->used_usec = now;
        if (s->token && !ask->force && !s->reporter && policy_is_fresh(s->token, ask->wish, now)) {
                k->env->stats.cache_hits++;
                *ret_token = s->token;
                /* It is refreshed in the background from now on. */
                if (was_idle && !policy_is_idle(now, s->refresh_usec))
                        keeper_arm(k);
                return 0;
        }
        r = get_cold(k, s, ask, ret_token, ret_waiter, fn, userdata, problem);
        keeper_publish(k);
        return r;
}
