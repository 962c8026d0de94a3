/* SPDX-License-Identifier: MIT */
/*
 * One exchange at a time for an account, and what its end leaves.
 */
#include "keeper/turn.h"
#include "io/log.h"

void keeper_abort_exchange(Keeper *k, bool again) {
        Slot *s = k->exchanging;

        if (!s)
                return;
        k->exchange = exchange_free(k->exchange);
        k->exchanging = NULL;
        s->wished = again && (s->wished || k->counts);
        s->wanted = again;
}

/* The slot has had its answer: tell who waits, see what is next. */
static void exchange_ended(Keeper *k, Slot *s) {
        keeper_abort_exchange(k, false);
        k->repeated = false;
        slot_settle(k, s, true);
        s->forced = slot_is_forced(s);
        /* What it brought, or found gone, is news for the others as well. */
        for (Slot *other = k->slots; other; other = other->next)
                if (other != s)
                        slot_settle(k, other, false);
        keeper_pump(k);
        keeper_publish(k);
}

void keeper_put_token(Keeper *k, Slot *s, Token *token) {
        /* By whichever daemon. */
        slot_set_token(s, k->account->source, token, MIN(clock_boottime(), token->issued_usec));
        if (keeper_has_refresh_token(k))
                k->keep_alive_usec = policy_keep_alive_at(s->fetched_usec);
}

static void exchange_failed(Keeper *k, const Problem *cause, uint64_t retry_after) {
        Slot *s = k->exchanging;
        uint64_t now = clock_boottime();
        Problem problem = { 0 };
        /* Nobody was asked, so nobody declined: it is the source that denies it. */
        const Problem denied = { .outcome = OUTCOME_SIGN_IN_NEEDED, .text = cause->text };

        if (cause->outcome == OUTCOME_CANCELLED)
                cause = &denied;
        k->env->stats.fetch_failures++;
        keeper_explain(k, cause, &problem);
        log_write(s->claims ? LOG_DEBUG : LOG_INFO, "%s", problem_text(&problem));
        if (!s->claims) {
                slot_fail(s, &problem, slot_retry_at(s, k->account->source, retry_after, now),
                          retry_after ? now + retry_after * USEC_PER_SEC : 0);
                keeper_set_last_error(k, &problem);
        } else
                slot_fail(s, &problem, now, 0);
        problem_clear(&problem);
        exchange_ended(k, s);
}

/* Whoever answered may have been somebody else: nobody is told, and it is asked again. Once: an az
 * that writes its profile whenever it runs would have us go round for ever. */
static void turn_on_outdated(void *userdata) {
        Keeper *k = userdata;

        k->repeated = true;
        keeper_abort_exchange(k, true);
        keeper_pump(k);
        keeper_publish(k);
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

static bool turn_may_send(int lock, void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->exchanging;
        uint64_t at;

        if (ledger_spend(&k->ledger, lock, s, k->counts, exchange_reason(s))) {
                k->counted = true;
                log_debug("%s: asks for %s%s", k->account->name, s->resource,
                          s->claims ? ", for claims" : "");
                return true;
        }
        at = slot_wait_for_budget(s);
        if (s == k->slots)
                k->keep_alive_usec = MAX(k->keep_alive_usec, at);
        return false;
}

/* A server refused this very token, and the source has no other. */
static bool is_rejected_one(const Slot *s, const Token *fetched) {
        return s->reporter && s->token && streq(s->token->value, fetched->value);
}

/* The token may be handed out now. That of a claims challenge satisfies the plain requests, too. */
static void turn_on_token(Token *token, int saved, void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->exchanging;
        Problem problem = { 0 };

        keeper_tell_unsaved(k, saved);
        if (is_rejected_one(s->plain, token))
                (void)problem_set(&problem, OUTCOME_SIGN_IN_NEEDED,
                                  "a server rejects its token and the source gives no other.%s",
                                  k->account->source == ACCOUNT_SOURCE_AZURE_CLI
                                          ? " Run: az logout; az login --allow-no-subscriptions"
                                          : "");
        if (problem.outcome || keeper_az_check(k, s->plain, token, &problem) != 0) {
                exchange_failed(k, &problem, 0);
                problem_clear(&problem);
                return;
        }
        keeper_put_token(k, s, token);
        if (s->plain != s) {
                keeper_put_token(k, s->plain, token);
                s->plain->wanted = false;
        }
        ledger_cover(exchange_lock(k->exchange), s, k->account->source);
        if (s->plain == k->slots)
                k->last_refresh_usec = clock_boottime();
        keeper_note_use(k);
        log_debug("%s: has a token for %s", k->account->name, s->resource);
        exchange_ended(k, s);
}

static void turn_on_failed(const FetchError *error, void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->exchanging;

        if (error->unsent)
                ledger_unspend(&k->ledger, exchange_lock(k->exchange), s);
        /* Whoever may not change the account has no say in what its next sign-in proves. */
        if (error->problem.outcome == OUTCOME_SIGN_IN_NEEDED && (!s->claims || s->trusted))
                keeper_want_claims(k, error->claims ?: s->claims);
        exchange_failed(k, &error->problem, error->retry_after);
}

/* Somebody deleted the item from an unlocked keyring: that is a sign-out. */
static void turn_on_gone(void *userdata) {
        Keeper *k = userdata;
        Problem problem = { 0 };

        (void)problem_set(&problem, OUTCOME_SIGN_IN_NEEDED,
                          "nobody is signed in: its item is gone from the keyring.");
        record_drop_tokens(vault_record(k->vault));
        for (Slot *s = k->slots; s; s = s->next)
                slot_happened(s, KEEPER_EVENT_ITEM_GONE);
        exchange_failed(k, &problem, 0);
        problem_clear(&problem);
}

/* Who waits gets the old token, or is told that it is too often. */
static void turn_on_denied(void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->exchanging;

        keeper_abort_exchange(k, false);
        s->forced = false;
        slot_settle(k, s, false);
        keeper_pump(k);
        keeper_publish(k);
}

/* Whoever waits goes on waiting for the next try. */
static void turn_on_postponed(void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->exchanging;
        Problem problem = { 0 };

        if (k->counted)
                ledger_unspend(&k->ledger, exchange_lock(k->exchange), s);
        (void)problem_set(&problem, OUTCOME_UNAVAILABLE, "%s: the fetcher could not be started.",
                          k->account->name);
        slot_fail(s, &problem, slot_retry_at(s, k->account->source, 0, clock_boottime()), 0);
        problem_clear(&problem);
        keeper_abort_exchange(k, false);
        keeper_publish(k);
}

static const ExchangeHandler exchange_handler = {
        .may_send = turn_may_send,
        .token = turn_on_token,
        .failed = turn_on_failed,
        .gone = turn_on_gone,
        .outdated = turn_on_outdated,
        .denied = turn_on_denied,
        .postponed = turn_on_postponed,
};

static void exchange_start(Keeper *k, Slot *s) {
        const ExchangeTask task = {
                .resource = s->resource, .claims = s->claims, .held = s->token, .forced = s->forced
        };

        k->exchanging = s;
        k->counts = s->wished;
        k->counted = false;
        s->wanted = s->wished = false;
        if (exchange_new(&k->exchange, k->env, k->account, k->vault, &task, &exchange_handler, k) <
            0)
                turn_on_postponed(k);
}

void keeper_pump(Keeper *k) {
        if (k->exchanging || k->finish || k->env->asleep || k->az_changing || !keeper_can_fetch(k))
                return;
        for (Slot *s = k->slots; s; s = s->next)
                if (s->wanted) {
                        exchange_start(k, s);
                        return;
                }
}
