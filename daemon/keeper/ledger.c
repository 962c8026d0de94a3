/* SPDX-License-Identifier: MIT */
/*
 * Never so many equal requests that the identity service takes us for a loop, whatever callers do
 * and however often the daemon dies: what is spent is counted in the account's lock file, which the
 * lock's holder reads before it decides to send, and writes before the request leaves. It goes with
 * the boot. Without such a file a keeper counts for itself.
 */
#include "io/lock.h"
#include "io/log.h"
#include "keeper/turn.h"

/* Claims are of the budget of their resource. */
static PolicyBudget *slot_budget(Keeper *k, Slot *s) {
        Slot *plain = s->claims ? keeper_slot(k, s->resource, NULL) : s;

        return plain ? &plain->budget : &s->budget;
}

bool slot_has_budget(Keeper *k, Slot *s, uint64_t now) {
        /* They may not have all of it: the account's own token is more. */
        return now >= policy_budget_at(slot_budget(k, s), s->claims != NULL);
}

bool slot_is_covered(Keeper *k, Slot *s, uint64_t now) {
        return now < slot_budget(k, s)->until;
}

uint64_t slot_may_ask_at(Keeper *k, Slot *s) {
        const PolicyBudget *b = slot_budget(k, s);

        return s->claims ? policy_budget_at(b, true) : policy_budget_due(b);
}

uint64_t slot_retry_at(Keeper *k, Slot *s, uint64_t retry_after, uint64_t now) {
        uint64_t delay =
                policy_retry_delay(k->account->source, ++s->failures, retry_after, random_number());

        uint64_t at = MAX(now + delay, slot_may_ask_at(k, s));

        log_debug("%s: failure %u for %s; again in %.3f s", k->account->name, s->failures,
                  s->resource, (double)(at - now) / (double)USEC_PER_SEC);
        return at;
}

static void ledger_read(const Keeper *k, PolicyLedger *l) {
        policy_ledger_check(l, lock_read(k->lock_fd, l, sizeof(*l)), clock_boot_id(),
                            clock_boottime());
}

/* What the other lives and daemons have spent is spent. */
static void budget_learn(const Keeper *k, const Slot *s, PolicyBudget *b) {
        const PolicyBudget *others;
        PolicyLedger l;

        if (k->lock_fd < 0)
                return;
        ledger_read(k, &l);
        others = policy_ledger_find(&l, s->resource);
        if (others)
                policy_budget_merge(b, others);
}

static void budget_tell(const Keeper *k, const Slot *s, const PolicyBudget *b) {
        PolicyLedger l;

        if (k->lock_fd < 0)
                return;
        ledger_read(k, &l);
        policy_ledger_put(&l, s->resource, b);
        lock_write(k->lock_fd, &l, sizeof(l));
}

static SpentFor exchange_reason(const Slot *s) {
        SpentFor why = s->claims ? SPENT_FOR_CLAIMS : SPENT_FOR_RETRY;

        for (const Waiter *w = s->waiters; w; w = w->next)
                if (w->ask.person)
                        return SPENT_FOR_PERSON;
                else if (w->ask.force)
                        why = MIN(why, SPENT_FOR_FORCE);
                else if (w->ask.wish.strict)
                        why = MIN(why, SPENT_FOR_MIN_VALID);
        return why;
}

static void spent_add(Keeper *k, uint64_t now) {
        size_t last = ARRAY_SIZE(k->spent) - 1;

        memmove(&k->spent[0], &k->spent[1], last * sizeof(k->spent[0]));
        k->spent[last] = (Spent){ .usec = now, .why = exchange_reason(k->exchanging) };
}

bool exchange_spend(Keeper *k) {
        Slot *s = k->exchanging;
        PolicyBudget *b = slot_budget(k, s);
        uint64_t now = clock_boottime();
        bool counted;

        budget_learn(k, s, b);
        counted = k->counts || now < b->until;
        if (counted && !slot_has_budget(k, s, now))
                return false;
        k->before = *b;
        policy_budget_leave(b, counted, now);
        k->sent_before_usec = k->sent_usec;
        k->sent_usec = now;
        if (counted)
                spent_add(k, now);
        budget_tell(k, s, b);
        log_debug("%s: asks for %s%s%s", k->account->name, s->resource,
                  s->claims ? ", for claims" : "", counted ? ", counted" : "");
        return true;
}

/* The lock is held since it was counted: nobody has counted anything else. */
void exchange_unspend(Keeper *k) {
        Slot *s = k->exchanging;
        PolicyBudget *b = slot_budget(k, s);

        *b = k->before;
        budget_tell(k, s, b);
        if (k->spent[POLICY_BUDGET_SIZE - 1].usec == k->sent_usec)
                k->spent[POLICY_BUDGET_SIZE - 1].usec = 0;
        k->sent_usec = k->sent_before_usec;
}

void slot_explain_spent(Keeper *k, Slot *s, uint64_t now, char *text, size_t size) {
        static const char *const words[_SPENT_FOR_MAX] = {
                [SPENT_FOR_PERSON] = "for login or refresh", [SPENT_FOR_FORCE] = "for force",
                [SPENT_FOR_MIN_VALID] = "for min-valid",     [SPENT_FOR_CLAIMS] = "for claims",
                [SPENT_FOR_RETRY] = "after one that failed",
        };
        unsigned n = policy_budget_spent(slot_budget(k, s), now), known = 0;
        unsigned of[_SPENT_FOR_MAX] = { 0 };
        size_t at;

        for (size_t i = 0; i < ARRAY_SIZE(k->spent); i++)
                if (k->spent[i].usec &&
                    now < k->spent[i].usec + POLICY_BUDGET_SECONDS * USEC_PER_SEC)
                        of[k->spent[i].why]++;
        at = (size_t)snprintf(text, size, "%u requests in 5 minutes", n);
        for (size_t i = 0; i < ARRAY_SIZE(of) && at < size; i++)
                if (of[i]) {
                        at += (size_t)snprintf(text + at, size - at, "%s%u %s", known ? ", " : " (",
                                               of[i], words[i]);
                        known += of[i];
                }
        if (known && at < size)
                (void)snprintf(text + at, size - at, ")");
}

void exchange_is_covered(Keeper *k) {
        Slot *s = k->exchanging;
        PolicyBudget *b = slot_budget(k, s);

        budget_learn(k, s, b);
        policy_budget_cover(b, s->token->issued_usec,
                            policy_covered_until(k->account->source, s->token, s->refresh_usec));
        budget_tell(k, s, b);
}

void exchange_wait_for_budget(Keeper *k) {
        Slot *s = k->exchanging;
        uint64_t at = slot_may_ask_at(k, s);

        if (s->failure.outcome != OUTCOME_OK)
                s->failure.retry_at = MAX(s->failure.retry_at, at);
        if (!s->token || s->refresh_usec < at)
                s->refresh_usec = at;
        if (s == k->slots)
                k->keep_alive_usec = MAX(k->keep_alive_usec, at);
}
