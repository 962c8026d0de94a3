/* SPDX-License-Identifier: MIT */
/*
 * What a keeper's facts are, read from its objects, and the steps that change several of them.
 */
#include "io/log.h"
#include "io/state.h"
#include "keeper/turn.h"

void keeper_due(Keeper *k) {
        k->due = true;
        defer_schedule(k->turn);
}

static KeeperSecret keeper_secret(const Keeper *k) {
        AccountSource source = k->account->source;

        if (vault_state(k->vault) == VAULT_STATE_LOADING)
                return KEEPER_SECRET_LOADING;
        if (!source_needs_secret(source))
                return source == ACCOUNT_SOURCE_AZURE_CLI ? KEEPER_SECRET_AZ : KEEPER_SECRET_FREE;
        if (vault_record(k->vault)->secret)
                return source == ACCOUNT_SOURCE_API_TOKEN ? KEEPER_SECRET_TOKEN
                                                          : KEEPER_SECRET_HELD;
        switch (vault_state(k->vault)) {
        case VAULT_STATE_LOCKED:
                return KEEPER_SECRET_LOCKED;
        case VAULT_STATE_ABSENT:
                return KEEPER_SECRET_ABSENT;
        default:
                return KEEPER_SECRET_NONE;
        }
}

static KeeperFacts keeper_facts(const Keeper *k, const Slot *s, uint64_t now) {
        return (KeeperFacts){
                .settings = k->account->problem ? KEEPER_SETTINGS_BAD : KEEPER_SETTINGS_GOOD,
                .secret = keeper_secret(k),
                .failure = keeper_failure_of(s->failure.outcome),
                .token = !s->token                            ? KEEPER_TOKEN_NONE
                         : token_left_usec(s->token, now) > 0 ? KEEPER_TOKEN_VALID
                                                              : KEEPER_TOKEN_ENDED,
        };
}

const KeeperRule *keeper_rule_of(const Keeper *k, const Slot *s, uint64_t now) {
        KeeperFacts facts = keeper_facts(k, s, now);

        return keeper_rule(&facts);
}

KeeperState keeper_state(const Keeper *k) {
        KeeperFacts facts = keeper_facts(k, k->slots, clock_boottime());

        return keeper_state_of(&facts, signins_pending(&k->signins) != NULL);
}

bool keeper_has_refresh_token(const Keeper *k) {
        return source_secret(k->account->source) == SOURCE_SECRET_REFRESH_TOKEN &&
               vault_record(k->vault)->secret;
}

bool keeper_can_fetch(const Keeper *k) {
        return keeper_rule_of(k, k->slots, clock_boottime())->asked >= KEEPER_TRY_NOW;
}

uint64_t keeper_used_at(const Keeper *k) {
        return k->times.used_usec ? env_true_of(k->env, k->times.used_usec)
                                  : k->times.former_used_at;
}

void keeper_note_use(const Keeper *k) {
        if (k->times.used_usec)
                state_note_use(k->env->state, k->account->name, keeper_used_at(k));
}

uint64_t keeper_next_time(const Keeper *k, const Slot *s, uint64_t now) {
        uint64_t end = token_left_usec(s->token, now) > 0 ? s->token->expires_usec : USEC_INFINITY;
        bool busy = s->due || k->running.slot == s;

        switch (keeper_rule_of(k, s, now)->timer) {
        case KEEPER_TIMER_OFF:
                break;
        case KEEPER_TIMER_REFRESH:
                return busy || s->claims
                               ? USEC_INFINITY
                               : policy_background_at(s->refresh_usec, s->used_usec,
                                                      s == k->slots ? k->times.keep_alive_usec
                                                                    : USEC_INFINITY);
        case KEEPER_TIMER_BACK_OFF:
                /* Of claims: for those who wait since it could not even be started. */
                return busy || (s->claims && !waiters_any(k->waiters, s))
                               ? end
                               : MIN(end, s->failure.retry_at);
        case KEEPER_TIMER_END:
                return end;
        }
        return USEC_INFINITY;
}

void keeper_abort_exchange(Keeper *k, bool again) {
        Slot *s = k->running.slot;

        if (!s)
                return;
        s->counts = again && (s->counts || k->running.counts);
        s->due = again;
        k->running.exchange = exchange_free(k->running.exchange);
        k->running.slot = NULL;
}

void keeper_apply_event(Keeper *k, KeeperEvent event) {
        const KeeperEffect *effect = keeper_effect(event);

        if (effect->exchange == KEEPER_GONE)
                keeper_abort_exchange(k, false);
        if (effect->signin == KEEPER_GONE)
                signins_cancel(&k->signins, k->account->name);
        if (effect->secret == KEEPER_GONE)
                signins_drop_claims(&k->signins);
        /* It was whose tokens these were. */
        if (effect->secret == KEEPER_GONE || event == KEEPER_EVENT_AZ_CHANGED)
                (void)record_set_seen_tenant(vault_record(k->vault), NULL);
        for (Slot *s = k->slots; s; s = s->next)
                slot_apply_event(s, event);
}

void keeper_put_token(Keeper *k, Slot *s, Token *token) {
        slot_set_token(s, k->account->source, token, MIN(clock_boottime(), token->issued_usec));
        if (keeper_has_refresh_token(k))
                k->times.keep_alive_usec = policy_keep_alive_at(s->fetched_usec);
}

void keeper_wake(Keeper *k) {
        Slot *own = k->slots;
        uint64_t now = clock_boottime();

        if (!source_needs_secret(k->account->source) || !keeper_can_fetch(k) ||
            !policy_start_is_use(keeper_used_at(k), env_true_of(k->env, now)))
                return;
        own->used_usec = now;
        if (k->running.slot != own && own->failure.outcome == OUTCOME_OK &&
            token_left_usec(own->token, now) == 0)
                own->due = true;
}

void keeper_note_saved(Keeper *k, int outcome) {
        Problem problem = { 0 };

        if (!words_unsaved(k->account, k->env->keyring, outcome, &problem))
                return;
        k->view.unsaved = true;
        view_set_error(&k->view, &problem);
        problem_clear(&problem);
}

void keeper_drop_stored_tokens(Keeper *k) {
        if (vault_state(k->vault) != VAULT_STATE_LOADED || vault_record(k->vault)->n_tokens == 0)
                return;
        record_drop_tokens(vault_record(k->vault));
        vault_save_later(k->vault);
}

uint64_t token_expires_at(const Token *t) {
        return clock_wall_of(t->expires_usec);
}

/* There is a secret or a token of somebody who was signed in, but it serves no more. */
static bool keeper_is_lapsed(const Keeper *k) {
        const Record *record = vault_record(k->vault);

        if (keeper_state(k) != KEEPER_STATE_SIGN_IN_NEEDED)
                return false;
        return source_needs_secret(k->account->source) ? record->secret != NULL
                                                       : k->slots->token || record->n_tokens;
}

/* When a token last came; an API token, when it was stored. */
static uint64_t keeper_last_refresh_at(const Keeper *k) {
        uint64_t secret_at = vault_record(k->vault)->secret_at;

        if (k->times.refreshed_usec)
                return clock_wall_of(k->times.refreshed_usec);
        return k->account->source == ACCOUNT_SOURCE_API_TOKEN && secret_at
                       ? clock_wall_of(env_boottime_of(k->env, secret_at))
                       : 0;
}

void keeper_view(const Keeper *k, KeeperView *ret) {
        const Slot *own = k->slots;

        *ret = (KeeperView){
                .state = keeper_state(k),
                .user = vault_record(k->vault)->user,
                .tenant = vault_record(k->vault)->seen_tenant ?: k->account->tenant,
                .expires_at = own->token ? token_expires_at(own->token) : 0,
                .last_refresh_at = keeper_last_refresh_at(k),
                .last_used_at = k->times.used_usec ? clock_wall_of(k->times.used_usec)
                                                   : k->times.former_used_at,
                .lapsed = keeper_is_lapsed(k),
                .ends_soon = k->view.warned != 0,
                .last_error = &k->view.last_error,
        };
        if (own->token && own->refresh_usec != USEC_INFINITY)
                ret->refresh_at = clock_wall_of(MAX(own->refresh_usec, clock_boottime()));
}
