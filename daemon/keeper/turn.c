/* SPDX-License-Identifier: MIT */
/*
 * What follows from the facts: who waits is judged, what is due is started, what differs is told,
 * the one timer is armed; and at last the answers go out, after which nothing of the keeper is
 * touched: whoever is answered may do what he likes, and free it.
 */
#include <assert.h>

#include "io/log.h"
#include "keeper/turn.h"
#include "policy/reminders.h"

static JudgeFacts turn_facts(const Keeper *k, const Slot *s, uint64_t now) {
        return (JudgeFacts){
                .source = k->account->source,
                .rule = keeper_rule_of(k, s, now),
                .now = now,
                .sent_usec = k->ledger.sent_usec,
                .misconfigured = k->account->problem != NULL,
                .allowed = s == k->slots || account_allows_resource(k->account, s->resource),
                .signing_in = signins_pending(&k->signins) != NULL,
                .asleep = k->env->asleep,
                .due = s->due,
                .running = k->running.slot == s,
                .ended = s->ended,
        };
}

static void turn_refuse(Keeper *k, Waiter *w, Refusal why, uint64_t now, Waiter **ended) {
        const RefusalFacts facts = {
                .account = k->account,
                .vault = k->vault,
                .slot = w->slot,
                .wish = w->ask.wish,
                .timeout_usec = w->ask.timeout_usec,
                .again = keeper_rule_of(k, w->slot, now)->timer == KEEPER_TIMER_BACK_OFF,
                .now = now,
                .sent_usec = k->ledger.sent_usec,
        };
        Problem problem = { 0 };

        words_refuse(why, &facts, &problem);
        /* A program has met it, so its person may hear of it. */
        if (problem.outcome == OUTCOME_SIGN_IN_NEEDED && k->env->listener->account_refused)
                k->env->listener->account_refused(k, k->env->listener_userdata);
        waiter_end(w, ended, NULL, &problem);
        problem_clear(&problem);
}

static void turn_end(Keeper *k, Waiter *w, Judgement j, uint64_t now, Waiter **ended) {
        if (j.verdict == VERDICT_SERVE)
                waiter_end(w, ended, w->slot->token, NULL);
        else
                turn_refuse(k, w, j.why, now, ended);
}

/* In the order in which they came, so that nobody is overtaken. */
static void turn_judge(Keeper *k, uint64_t now, Waiter **ended) {
        Waiter *next;

        for (Waiter *w = k->waiters; w; w = next) {
                Slot *s = w->slot;
                JudgeFacts facts = turn_facts(k, s, now);
                Judgement j = judge(&facts, s, &w->ask);

                next = w->next;
                if (j.verdict == VERDICT_SERVE || j.verdict == VERDICT_FAIL) {
                        turn_end(k, w, j, now, ended);
                        continue;
                }
                if (!w->met && (facts.due || facts.running))
                        k->env->stats.coalesced++;
                w->met = true;
                if (j.verdict == VERDICT_START) {
                        s->due = true;
                        s->counts = s->counts || j.counts;
                } else if (j.again_usec)
                        s->refresh_usec = MIN(s->refresh_usec, j.again_usec);
        }
        for (Slot *s = k->slots; s; s = s->next)
                s->ended = false;
}

/* After what is due was started: who does not wait, or not any more. */
static void turn_end_late(Keeper *k, uint64_t now, Waiter **ended) {
        Waiter *next;

        for (Waiter *w = k->waiters; w; w = next) {
                next = w->next;
                if (now >= w->ask.asked_usec + w->ask.timeout_usec) {
                        JudgeFacts facts = turn_facts(k, w->slot, now);

                        turn_end(k, w, judge_late(&facts, w->slot, &w->ask), now, ended);
                }
        }
}

static bool slot_is_needed(const Keeper *k, const Slot *slot) {
        if (slot == k->slots || slot->due || k->running.slot == slot ||
            waiters_any(k->waiters, slot) ||
            (!slot->claims && account_allows_resource(k->account, slot->resource)))
                return true;
        for (const Slot *s = k->slots; s; s = s->next)
                if (s != slot && s->plain == slot)
                        return true;
        return false;
}

/* Slots of claims live for their request only, those that the settings dropped for the exchange
 * that was under way. */
static void turn_prune(Keeper *k) {
        for (Slot **p = &k->slots; *p;)
                if (slot_is_needed(k, *p))
                        p = &(*p)->next;
                else {
                        Slot *s = *p;

                        *p = s->next;
                        slot_free(s);
                        p = &k->slots; /* its plain one may be over now */
                }
}

/* The end of an API token, which nobody but a person can see to, told in time. The token itself is
 * good until then, and so is the account. */
static void turn_warn(Keeper *k, uint64_t now) {
        const Token *token = k->slots->token;
        uint64_t seconds = token_left_usec(token, now) / USEC_PER_SEC;
        unsigned days = reminder_days(token, now);
        View *v = &k->view;
        Problem problem = { 0 };

        if (v->warned && (!token || token->ends_at != v->warned_ends_at))
                v->warned = 0; /* another token */
        if (!days || (v->warned && v->warned <= days))
                return;
        v->warned = days;
        v->warned_ends_at = token->ends_at;
        words_ends_soon(k->account, token->ends_at, &problem);
        log_warning("%s", problem_text(&problem));
        view_set_error(v, &problem);
        problem_clear(&problem);
        if (k->env->listener->account_ends_soon)
                k->env->listener->account_ends_soon(k, seconds, k->env->listener_userdata);
}

static void turn_arm(Keeper *k, uint64_t now) {
        uint64_t next = reminder_next_at(k->slots->token, now);

        for (const Slot *s = k->slots; s; s = s->next)
                next = MIN(next, keeper_next_time(k, s, now));
        timer_arm(k->timer, MIN(next, waiters_next_time(k->waiters)));
}

static void turn_publish(Keeper *k) {
        const Slot *own = k->slots;
        KeeperView view;
        unsigned what;

        keeper_view(k, &view);
        what = view_update(&k->view, &view, own->token ? clock_wall_of(own->refresh_usec) : 0);
        if (what)
                k->env->listener->account_changed(k, what, k->env->listener_userdata);
}

void keeper_turn(void *userdata) {
        Waiter *answers = NULL;
        KeeperOp *ops = NULL;
        Keeper *k = userdata;
        uint64_t now;

        assert(k->slots && !k->slots->claims && (!k->running.slot || k->running.exchange));
        k->due = false;
        keeper_apply_ops(k);
        now = clock_boottime();
        turn_judge(k, now, &answers);
        keeper_fetch(k);
        turn_end_late(k, now, &answers);
        turn_prune(k);
        turn_warn(k, now);
        turn_arm(k, now);
        turn_publish(k);
        keeper_end_ops(k, &ops);
        keeper_answer_ops(&ops);
        waiters_answer(&answers);
}
