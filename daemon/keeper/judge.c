/* SPDX-License-Identifier: MIT */
#include "keeper/judge.h"

/* A fetch that ended under a minute ago counts as the fetch that `force` and min-valid ask for. */
#define JUST_FETCHED_USEC (60 * USEC_PER_SEC)

/* Who waits learns of a failure at once when the next try is later than this after the call: a
 * moment without network is none of its business, an outage is. */
#define PATIENCE_USEC (10 * USEC_PER_SEC)

static const Judgement serve = { .verdict = VERDICT_SERVE };
static const Judgement wait_on = { .verdict = VERDICT_WAIT };

static Judgement fail(Refusal why) {
        return (Judgement){ .verdict = VERDICT_FAIL, .why = why };
}

static bool just_fetched(const Slot *s, uint64_t now) {
        return s->fetched_usec && now - s->fetched_usec < JUST_FETCHED_USEC;
}

bool judge_wants_another(const Slot *s, bool force, bool is_reporter, uint64_t now) {
        return is_reporter || (force && !just_fetched(s, now));
}

/* With force, one that came from the keyring after the call is no other than that of before. */
static bool token_will_do(const Slot *s, const Ask *a, uint64_t now) {
        return s->token && s->token != a->held && (!a->force || s->fetched_usec) &&
               policy_is_usable(s->token, a->wish, now);
}

/* Is the next try soon enough to be waited for? min-valid and claims are promised one fetch;
 * a keyring is not unlocked by waiting. */
static bool worth_waiting(const Slot *s, const Ask *a, bool ended, uint64_t now) {
        if (!ended)
                return s->failure.retry_at < now + a->timeout_usec;
        return !s->claims && !a->wish.strict && s->failure.outcome != OUTCOME_KEYRING_LOCKED &&
               s->failure.retry_at < a->asked_usec + MIN(a->timeout_usec, PATIENCE_USEC);
}

/* An exchange may be made by the rules of back-off; may it by the budget? */
static Judgement judge_start(const JudgeFacts *f, const Slot *s, const Ask *a, bool must) {
        bool demanded = !s->claims && !policy_is_fresh(s->token, (PolicyWish){ 0 }, f->now);
        uint64_t at = slot_may_ask_at(s);

        /*
         * Nobody counts what the end of a token demands, or would soon; what callers only wish for,
         * and what follows a request that failed, has a budget, or the identity service takes us
         * for a loop. az asks nobody while its token is good.
         */
        if (!slot_is_covered(s, f->now) && (demanded || f->source == ACCOUNT_SOURCE_AZURE_CLI))
                return (Judgement){ .verdict = VERDICT_START };
        if (slot_has_budget(s, f->now))
                return (Judgement){ .verdict = VERDICT_START, .counts = true };
        if (token_will_do(s, a, f->now))
                return serve;
        if (!must)
                return fail(REFUSAL_FAILURE);
        /* It was asked for too often, or a daemon died that had asked: soon it may be again? */
        if (s->claims || at >= a->asked_usec + MIN(a->timeout_usec, PATIENCE_USEC))
                return fail(REFUSAL_TOO_OFTEN);
        return (Judgement){ .verdict = VERDICT_WAIT, .again_usec = at };
}

Judgement judge(const JudgeFacts *f, const Slot *s, const Ask *a) {
        bool good = token_will_do(s, a, f->now), ended = f->ended;
        KeeperTry asked = f->rule->asked;
        bool untried; /* for this person */

        if (!f->allowed)
                return fail(REFUSAL_CHANGED);
        /* It ended while the keyring hung or the machine slept: it counts as none, not as short. */
        if (!a->wish.strict && s->failure.outcome == OUTCOME_OK &&
            token_left_usec(s->token, f->now) == 0)
                ended = false;
        if (f->source == ACCOUNT_SOURCE_API_TOKEN) {
                if (asked == KEEPER_TRY_WAIT)
                        return wait_on;
                return policy_is_usable(s->token, a->wish, f->now) ? serve
                                                                   : fail(REFUSAL_API_TOKEN);
        }
        /* A good token, or the best one that this request can get. */
        if (good && (policy_is_fresh(s->token, a->wish, f->now) || ended))
                return serve;
        if (ended && s->failure.outcome == OUTCOME_OK && s->token)
                return fail(REFUSAL_TOO_SHORT);
        /* Another fetch would only bring another token that is too short. */
        if (just_fetched(s, f->now) && !a->held && policy_is_beyond(s->token, a->wish))
                return fail(REFUSAL_TOO_SHORT);
        if (asked == KEEPER_TRY_WAIT || (a->interactive && f->signing_in))
                return wait_on;
        /* A line went bad while it waited. */
        if (f->misconfigured)
                return fail(REFUSAL_MISCONFIGURED);
        if (asked == KEEPER_TRY_NEVER)
                return good ? serve : fail(REFUSAL_SIGN_IN);
        if (f->asleep && !f->running && good)
                return serve;
        if (f->due || f->running)
                return wait_on;
        untried = a->person && s->failure.tried < a->asked_usec;
        if (!ended &&
            (policy_may_try(asked, &s->failure, a->force, f->now) ||
             (untried && policy_person_may_try_at(&s->failure, f->sent_usec) <= f->now))) {
                Judgement start = judge_start(f, s, a, asked == KEEPER_TRY_NOW || untried);

                if (start.verdict != VERDICT_FAIL || start.why != REFUSAL_FAILURE)
                        return start;
        }
        if (good)
                return serve;
        if (untried && s->failure.outcome != OUTCOME_OK)
                return fail(REFUSAL_UNTRIED);
        if (f->rule->timer == KEEPER_TIMER_BACK_OFF && worth_waiting(s, a, ended, f->now))
                return wait_on;
        return fail(REFUSAL_FAILURE);
}

Judgement judge_late(const JudgeFacts *f, const Slot *s, const Ask *a) {
        if (token_will_do(s, a, f->now))
                return serve;
        return fail(a->timeout_usec ? REFUSAL_TIMED_OUT : REFUSAL_NOT_YET);
}
