/* SPDX-License-Identifier: MIT */
#include "keeper/stored.h"
#include "common/memory.h"
#include "io/timer.h"
#include "keeper/source.h"
#include "model/api-token.h"
#include "model/limits.h"

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
static int token_of_former_boot(const Env *env, Token *token, const RecordToken *t, uint64_t now) {
        uint64_t at = env_true_of(env, now), age;

        if (t->expires_at <= at || t->expires_at <= t->issued_at || t->issued_at > at + 300)
                return -ESTALE; /* over, or written by a clock that was ahead */
        token->ends_at = MIN(t->expires_at, at + LIMIT_LIFETIME_SECONDS);
        token->expires_usec = env_boottime_of(env, token->ends_at);
        age = (at - MIN(at, t->issued_at)) * USEC_PER_SEC;
        token->issued_usec = now - MIN(now, age); /* before the boot there is no time to count */
        if (t->refresh_at > at && t->refresh_at < token->ends_at)
                token->refresh_usec = env_boottime_of(env, t->refresh_at);
        return 0;
}

int stored_read_token(const Env *env, Token **ret, const RecordToken *t) {
        CLEANUP(token_unrefp) Token *token = NULL;
        uint64_t now = clock_boottime();
        int r;

        r = token_new(&token, TOKEN_TYPE_BEARER, t->access_token);
        if (r < 0)
                return r;
        r = token_of_this_boot(token, t, now);
        if (r == -ENOENT)
                r = token_of_former_boot(env, token, t, now);
        if (r < 0)
                return r;
        *ret = STEAL(token);
        return 0;
}

int stored_read_api_token(const Env *env, Token **ret, const char *secret) {
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
                token->expires_usec = env_boottime_of(env, expires_at);
        *ret = token;
        return 0;
}

uint64_t stored_age(const Env *env, const RecordToken *t, uint64_t now) {
        uint64_t at = env_true_of(env, now);

        if (t->boot && streq(t->boot, clock_boot_id()) && t->issued_usec <= now)
                return now - t->issued_usec;
        return t->issued_at > at + 300 ? UINT64_MAX : (at - MIN(at, t->issued_at)) * USEC_PER_SEC;
}

bool stored_put_secret(Vault *vault, AccountSource source, const char *refresh_token) {
        Record *record = vault_record(vault);

        if (source_secret(source) != SOURCE_SECRET_REFRESH_TOKEN || !refresh_token ||
            streq(refresh_token, record->secret))
                return false;
        if (record_set_secret(record, refresh_token) < 0)
                memory_end();
        return true;
}

/* With its times for this boot and for the next ones: those by the server's clock where that is
 * known, so that a clock which is set right in between makes no token live longer. */
static int put_token(Env *env, Record *record, const char *resource, const FetchToken *fetched) {
        int64_t offset = fetched->date ? env_clock_offset(env) : 0;
        const uint64_t usec[] = { fetched->issued_usec, fetched->expires_usec,
                                  fetched->refresh_usec };
        uint64_t at[3];
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(usec); i++)
                at[i] = usec[i] ? (uint64_t)MAX((int64_t)clock_wall_of(usec[i]) + offset, 1) : 0;
        r = record_set_token(record, resource, fetched->access_token, at[0], at[1], at[2]);
        return r < 0 ? r
                     : record_set_boottimes(record, resource, clock_boot_id(), usec[0], usec[1],
                                            usec[2]);
}

bool stored_put_fetched(Env *env, Vault *vault, AccountSource source, const char *resource,
                        const FetchToken *fetched, Token **ret) {
        Record *record = vault_record(vault);
        bool rotated;

        env_learn_date(env, fetched->date);
        rotated = stored_put_secret(vault, source, fetched->refresh_token);
        if (fetched->user)
                (void)record_set_user(record, fetched->user);
        if (fetched->tenant)
                (void)record_set_seen_tenant(record, fetched->tenant);
        if (put_token(env, record, resource, fetched) < 0 ||
            token_new(ret, TOKEN_TYPE_BEARER, fetched->access_token) < 0)
                memory_end();
        (*ret)->issued_usec = fetched->issued_usec;
        (*ret)->expires_usec = fetched->expires_usec;
        (*ret)->refresh_usec = fetched->refresh_usec;
        return rotated;
}
