/* SPDX-License-Identifier: MIT */
/*
 * Tokens into the keyring's record, and out of it: how long each one still lives, which depends on
 * what time it is taken to be, and so is judged again when the clock is set.
 */
#include "keeper/turn.h"
#include "model/api-token.h"
#include "model/limits.h"

#define CLOCK_SETTLES_USEC (3600 * USEC_PER_SEC)

/* It came in this boot: no clock that was set since makes it younger or older. -ENOENT: it did not,
 * or says what can't be. */
static int token_of_this_boot(Token *token, const RecordToken *t, uint64_t now) {
        if (!t->boot || !streq(t->boot, clock_boot_id()) || t->issued_usec > now ||
            t->expires_usec < t->issued_usec ||
            t->expires_usec - t->issued_usec > LIMIT_LIFETIME_SECONDS * USEC_PER_SEC)
                return -ENOENT;
        if (t->expires_usec <= now)
                return -ESTALE;
        token->issued_usec = t->issued_usec;
        token->expires_usec = t->expires_usec;
        token->refresh_usec = t->refresh_usec;
        return 0;
}

/* Of another boot only the calendar tells, so it is judged again when the clock is set. */
static int token_of_former_boot(const Keeper *k, Token *token, const RecordToken *t, uint64_t now) {
        uint64_t at = env_true_of(k->env, now), age;

        if (t->expires_at <= at || t->expires_at <= t->issued_at || t->issued_at > at + 300)
                return -ESTALE; /* over, or written by a clock that was ahead */
        token->ends_at = MIN(t->expires_at, at + LIMIT_LIFETIME_SECONDS);
        token->expires_usec = env_boottime_of(k->env, token->ends_at);
        age = (at - MIN(at, t->issued_at)) * USEC_PER_SEC;
        token->issued_usec = now - MIN(now, age); /* before the boot there is no time to count */
        if (t->refresh_at > at && t->refresh_at < token->ends_at)
                token->refresh_usec = env_boottime_of(k->env, t->refresh_at);
        return 0;
}

int keeper_token_from_record(const Keeper *k, Token **ret, const RecordToken *t) {
        CLEANUP(token_unrefp) Token *token = NULL;
        uint64_t now = clock_boottime();
        int r;

        r = token_new(&token, TOKEN_TYPE_BEARER, t->access_token);
        if (r < 0)
                return r;
        r = token_of_this_boot(token, t, now);
        if (r == -ENOENT)
                r = token_of_former_boot(k, token, t, now);
        if (r < 0)
                return r;
        *ret = STEAL(token);
        return 0;
}

static int token_from_api_token(const Keeper *k, Token **ret, const char *secret) {
        uint64_t expires_at;
        const char *why;
        Token *token;
        int r;

        r = api_token_check(secret, &expires_at, &why);
        if (r < 0)
                return r;
        r = token_new(&token, TOKEN_TYPE_API_TOKEN, secret);
        if (r < 0)
                return r;
        token->ends_at = expires_at;
        if (expires_at)
                token->expires_usec = env_boottime_of(k->env, expires_at);
        *ret = token;
        return 0;
}

/* How long ago, by what is known; UINT64_MAX for what a wrong clock has written. */
static uint64_t record_token_age(const Keeper *k, const RecordToken *t, uint64_t now) {
        uint64_t at = env_true_of(k->env, now);

        if (t->boot && streq(t->boot, clock_boot_id()) && t->issued_usec <= now)
                return now - t->issued_usec;
        return t->issued_at > at + 300 ? UINT64_MAX : (at - MIN(at, t->issued_at)) * USEC_PER_SEC;
}

/* A refresh token was last used when the newest access token was issued; if a wrong clock has
 * written when, it is used again soon, but not before NTP had its time. */
static void keeper_find_keep_alive(Keeper *k) {
        const Record *record = vault_record(k->vault);
        uint64_t now = clock_boottime(), age = UINT64_MAX;

        k->keep_alive_usec = USEC_INFINITY;
        if (!keeper_has_refresh_token(k))
                return;
        for (size_t i = 0; i < record->n_tokens; i++)
                age = MIN(age, record_token_age(k, &record->tokens[i], now));
        if (age == UINT64_MAX && record->n_tokens > 0)
                k->keep_alive_usec = now + CLOCK_SETTLES_USEC;
        else
                k->keep_alive_usec =
                        now + policy_keep_alive_at(0) - MIN(age, policy_keep_alive_at(0));
}

/* A token of the record into its slot, instead of the one that is there. */
static void keeper_adopt_token(Keeper *k, const RecordToken *t) {
        Token *token;
        Slot *s;

        if (!account_allows_resource(k->account, t->resource) || keeper_az_is_newer(k, t) ||
            keeper_token_from_record(k, &token, t) < 0)
                return;
        s = keeper_slot(k, t->resource, NULL);
        if (!s) {
                token_unref(token);
                return;
        }
        token_unref(s->token);
        s->token = token;
        s->refresh_usec = policy_refresh_at(k->account->source, token, random_number());
}

static void keeper_adopt_api_token(Keeper *k) {
        const char *secret = vault_record(k->vault)->secret;
        Token *token;

        if (!secret || token_from_api_token(k, &token, secret) < 0)
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
static void keeper_adopt_again(Keeper *k) {
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
                        s = keeper_slot(k, t->resource, NULL);
                if (s && !s->token)
                        keeper_adopt_token(k, t);
        }
}

void keeper_on_clock(Keeper *k, int64_t by) {
        uint64_t now = clock_boottime();
        SignIn *signin = keeper_pending_signin(k);

        keeper_adopt_again(k);
        for (Slot *s = k->slots; s; s = s->next) {
                /* az counts by the wall clock: what it gave from its cache while that was slow may
                 * have ended long ago. It is served until az has been asked again. */
                if (k->account->source == ACCOUNT_SOURCE_AZURE_CLI && by > SKEW_MIN_SECONDS &&
                    token_left_usec(s->token, now) > 0 && k->exchanging != s)
                        s->wanted = true;
                slot_settle(k, s, false);
        }
        if (signin)
                k->env->listener->signin_changed(signin, k->env->listener_userdata);
        /* What failed because the clock was wrong, certificates above all, may do now. */
        keeper_on_online(k);
}

int keeper_record_rotated(Keeper *k, const char *refresh_token) {
        Record *record = vault_record(k->vault);
        int r;

        if (source_secret(k->account->source) != SOURCE_SECRET_REFRESH_TOKEN || !refresh_token ||
            streq(refresh_token, record->secret))
                return 0;
        r = record_set_secret(record, refresh_token);
        return r < 0 ? r : 1;
}

int keeper_record_token(Keeper *k, const char *resource, const FetchToken *fetched) {
        int64_t offset = fetched->date ? env_clock_offset(k->env) : 0;
        const uint64_t usec[] = { fetched->issued_usec, fetched->expires_usec,
                                  fetched->refresh_usec };
        Record *record = vault_record(k->vault);
        uint64_t at[3];
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(usec); i++)
                at[i] = usec[i] ? (uint64_t)MAX((int64_t)clock_wall_of(usec[i]) + offset, 1) : 0;
        r = record_set_token(record, resource, fetched->access_token, at[0], at[1], at[2]);
        return r < 0 ? r
                     : record_set_boottimes(record, resource, clock_boot_id(), usec[0], usec[1],
                                            usec[2]);
}
