/* SPDX-License-Identifier: MIT */
/*
 * One exchange at a time for an account, so that no refresh token is spent twice, and what its end
 * leaves: a token or a failure in its slot.
 */
#include <assert.h>

#include "io/log.h"
#include "keeper/turn.h"

static void fetching_ended(Keeper *k) {
        Slot *s = k->running.slot;

        assert(s && k->running.exchange);
        keeper_abort_exchange(k, false);
        k->running.repeated = false;
        s->ended = true;
        keeper_due(k);
}

static void fetching_failed(Keeper *k, const Problem *cause, uint64_t retry_after) {
        Slot *s = k->running.slot;
        uint64_t now = clock_boottime();
        Problem problem = { 0 };
        /* Nobody was asked, so nobody declined: it is the source that denies it. */
        const Problem denied = { .outcome = OUTCOME_SIGN_IN_NEEDED, .text = cause->text };

        if (cause->outcome == OUTCOME_CANCELLED)
                cause = &denied;
        k->env->stats.fetch_failures++;
        words_explain(k->account, k->vault, cause, &problem);
        log_write(s->claims ? LOG_DEBUG : LOG_INFO, "%s", problem_text(&problem));
        if (!s->claims) {
                slot_fail(s, &problem, slot_retry_at(s, k->account->source, retry_after, now),
                          retry_after ? now + retry_after * USEC_PER_SEC : 0);
                view_set_error(&k->view, &problem);
        } else
                slot_fail(s, &problem, now, 0);
        problem_clear(&problem);
        fetching_ended(k);
}

static bool fetching_may_send(void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->running.slot;
        bool counts = k->running.counts;
        uint64_t at;

        if (ledger_spend(&k->ledger, s, &counts, waiters_reason(k->waiters, s))) {
                k->running.spent = true;
                log_debug("%s: asks for %s%s%s", k->account->name, s->resource,
                          s->claims ? ", for claims" : "", counts ? ", counted" : "");
                return true;
        }
        at = slot_wait_for_budget(s);
        if (s == k->slots)
                k->times.keep_alive_usec = MAX(k->times.keep_alive_usec, at);
        return false;
}

/* A server refused this very token, and the source has no other. */
static bool is_rejected_one(const Slot *s, const Token *fetched) {
        return s->reporter && s->token && streq(s->token->value, fetched->value);
}

/* az counts by the wall clock. When that is set back, it takes a token of its cache for younger
 * than it is, and goes on giving it out when it has ended. */
static bool is_ended_one(const Keeper *k, const Slot *s, Token *fetched) {
        if (k->account->source != ACCOUNT_SOURCE_AZURE_CLI || !s->token ||
            !streq(s->token->value, fetched->value))
                return false;
        fetched->expires_usec = MIN(fetched->expires_usec, s->token->expires_usec);
        return token_left_usec(fetched, clock_boottime()) == 0;
}

/* The token may be handed out now. That of a claims challenge satisfies the plain requests, too. */
static void fetching_on_token(Token *token, int saved, void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->running.slot;
        Problem problem = { 0 };

        keeper_note_saved(k, saved);
        if (is_rejected_one(s->plain, token))
                (void)problem_set(&problem, OUTCOME_SIGN_IN_NEEDED,
                                  "a server rejects its token and the source gives no other.%s",
                                  k->account->source == ACCOUNT_SOURCE_AZURE_CLI
                                          ? " Run: az logout; az login --allow-no-subscriptions"
                                          : "");
        else if (is_ended_one(k, s->plain, token))
                (void)problem_set(
                        &problem, OUTCOME_UNAVAILABLE,
                        "the Azure CLI gives out a token that has ended: this machine's clock "
                        "was set back since it got it. It will renew it late, or at once after: "
                        "az logout; az login --allow-no-subscriptions");
        if (problem.outcome) {
                fetching_failed(k, &problem, 0);
                problem_clear(&problem);
                return;
        }
        keeper_put_token(k, s, token);
        if (s->plain != s) {
                keeper_put_token(k, s->plain, token);
                s->plain->due = false;
        }
        ledger_cover(&k->ledger, s, k->account->source);
        if (s->plain == k->slots)
                k->times.refreshed_usec = clock_boottime();
        keeper_note_use(k);
        log_debug("%s: has a token for %s", k->account->name, s->resource);
        fetching_ended(k);
}

static void fetching_on_failed(const FetchError *error, void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->running.slot;

        if (error->unsent)
                ledger_unspend(&k->ledger, s);
        /* Whoever may not change the account has no say in what its next sign-in proves. */
        if (error->problem.outcome == OUTCOME_SIGN_IN_NEEDED && (!s->claims || s->trusted))
                signins_want_claims(&k->signins, error->claims ?: s->claims);
        fetching_failed(k, &error->problem, error->retry_after);
}

/* Whoever answered may have been somebody else: nobody is told, and it is asked again. Once: an az
 * that writes its profile whenever it runs would have us go round for ever. */
static void fetching_on_outdated(void *userdata) {
        Keeper *k = userdata;

        keeper_abort_exchange(k, true);
        k->running.repeated = true;
        keeper_due(k);
}

static const ExchangeHandler handler = {
        .may_send = fetching_may_send,
        .token = fetching_on_token,
        .failed = fetching_on_failed,
        .outdated = fetching_on_outdated,
};

/* Whoever waits goes on waiting for the next try. */
static void fetching_postpone(Keeper *k, Slot *s) {
        Problem problem = { 0 };

        if (k->running.spent)
                ledger_unspend(&k->ledger, s);
        (void)problem_set(&problem, OUTCOME_UNAVAILABLE, "%s: the fetcher could not be started.",
                          k->account->name);
        slot_fail(s, &problem, slot_retry_at(s, k->account->source, 0, clock_boottime()), 0);
        problem_clear(&problem);
}

void keeper_fetch(Keeper *k) {
        Slot *s = k->slots;
        int r;

        if (k->running.slot || signins_is_saving(&k->signins) || k->env->asleep ||
            az_watch_is_changing(k->az) || !keeper_can_fetch(k))
                return;
        while (s && !s->due)
                s = s->next;
        if (!s || keeper_looks_first(k))
                return;
        k->looked = false;
        assert(!k->running.exchange);
        k->running.slot = s;
        k->running.counts = s->counts;
        k->running.spent = false;
        s->due = s->counts = false;
        r = exchange_new(&k->running.exchange, k->env, k->account, k->vault, s->resource, s->claims,
                         &handler, k);
        if (r == 0)
                return;
        if (r < 0)
                fetching_postpone(k, s);
        /* Else who waits gets the old token, or is told that it is too often. */
        keeper_abort_exchange(k, false);
        keeper_due(k);
}
