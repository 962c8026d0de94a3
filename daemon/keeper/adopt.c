/* SPDX-License-Identifier: MIT */
/*
 * What the keeper takes over from the keyring's record into its slots: at the start, after a change
 * of the record, and once more when the clock is set.
 */
#include "keeper/stored.h"
#include "keeper/turn.h"

#define CLOCK_SETTLES_USEC (3600 * USEC_PER_SEC)

/* A refresh token was last used when the newest access token was issued; if a wrong clock has
 * written when, it is used again soon, but not before NTP had its time. */
static void keeper_find_keep_alive(Keeper *k) {
        const Record *record = vault_record(k->vault);
        uint64_t now = clock_boottime(), age = UINT64_MAX;

        k->times.keep_alive_usec = USEC_INFINITY;
        if (!keeper_has_refresh_token(k))
                return;
        for (size_t i = 0; i < record->n_tokens; i++)
                age = MIN(age, stored_age(k->env, &record->tokens[i], now));
        if (age == UINT64_MAX && record->n_tokens > 0)
                k->times.keep_alive_usec = now + CLOCK_SETTLES_USEC;
        else
                k->times.keep_alive_usec =
                        now + policy_keep_alive_at(0) - MIN(age, policy_keep_alive_at(0));
}

/* A token of the record into its slot, instead of the one that is there. */
static void keeper_adopt_token(Keeper *k, const RecordToken *t) {
        Token *token;
        Slot *s;

        if (!account_allows_resource(k->account, t->resource) || az_watch_is_newer(k->az, t) ||
            stored_read_token(k->env, &token, t) < 0)
                return;
        s = ledger_slot(&k->ledger, &k->slots, t->resource, NULL);
        token_unref(s->token);
        s->token = token;
        s->refresh_usec = policy_refresh_at(k->account->source, token, random_number());
}

static void keeper_adopt_api_token(Keeper *k) {
        const char *secret = vault_record(k->vault)->secret;
        Token *token;

        if (!secret || stored_read_api_token(k->env, &token, secret) < 0)
                return;
        token_unref(k->slots->token);
        k->slots->token = token;
}

void keeper_adopt_record(Keeper *k) {
        const Record *record = vault_record(k->vault);

        if (k->account->source == ACCOUNT_SOURCE_API_TOKEN) {
                keeper_adopt_api_token(k);
                return;
        }
        keeper_find_keep_alive(k);
        for (size_t i = 0; i < record->n_tokens; i++)
                keeper_adopt_token(k, &record->tokens[i]);
}

/* Tokens whose end only the calendar tells, and those that were over by a clock that was wrong. */
void keeper_adopt_again(Keeper *k) {
        const Record *record = vault_record(k->vault);
        bool fetched = false;

        if (k->account->source == ACCOUNT_SOURCE_API_TOKEN) {
                if (k->slots->token)
                        keeper_adopt_api_token(k);
                return;
        }
        for (Slot *s = k->slots; s; s = s->next) {
                fetched = fetched || s->fetched_usec;
                if (s->token && s->token->ends_at) {
                        s->token = token_unref(s->token);
                        s->refresh_usec = USEC_INFINITY;
                }
        }
        if (vault_state(k->vault) != VAULT_STATE_LOADED)
                return;
        if (!fetched)
                keeper_find_keep_alive(k);
        for (size_t i = 0; i < record->n_tokens; i++) {
                const RecordToken *t = &record->tokens[i];
                const Slot *s = NULL;

                if (account_allows_resource(k->account, t->resource))
                        s = ledger_slot(&k->ledger, &k->slots, t->resource, NULL);
                if (s && !s->token)
                        keeper_adopt_token(k, t);
        }
}
