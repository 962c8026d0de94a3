/* SPDX-License-Identifier: MIT */
#include "policy/refresh.h"
#include "model/limits.h"

#define PREFERRED_VALID_USEC (120 * USEC_PER_SEC)
#define LONG_LIFE_USEC       (900 * USEC_PER_SEC)
#define LATEST_REFRESH_USEC  (300 * USEC_PER_SEC)
#define LEAST_PAUSE_USEC     (5 * USEC_PER_SEC)
#define AZ_REFRESH_USEC      (270 * USEC_PER_SEC)
#define AZ_RETRY_USEC        (61 * USEC_PER_SEC)
#define RETRY_MAX_SECONDS    300
#define ASK_AZ_AGAIN_USEC    (2 * USEC_PER_SEC)
#define ASK_AGAIN_USEC       (30 * USEC_PER_SEC)
#define ASK_PERSON_USEC      (10 * USEC_PER_SEC)
#define DAY_USEC             (86400 * USEC_PER_SEC)

static uint64_t life_usec(const Token *t) {
        return t->expires_usec == USEC_INFINITY ? USEC_INFINITY : t->expires_usec - t->issued_usec;
}

bool policy_is_fresh(const Token *t, PolicyWish wish, uint64_t now) {
        uint64_t left = token_left_usec(t, now);

        if (left == 0)
                return false;
        if (wish.strict)
                return left >= wish.min_valid * USEC_PER_SEC;
        return left >= MIN(PREFERRED_VALID_USEC, life_usec(t) / 2);
}

bool policy_is_usable(const Token *t, PolicyWish wish, uint64_t now) {
        uint64_t left = token_left_usec(t, now);

        return left > 0 && (!wish.strict || left >= wish.min_valid * USEC_PER_SEC);
}

bool policy_is_beyond(const Token *t, PolicyWish wish) {
        return t && wish.strict && wish.min_valid * USEC_PER_SEC > life_usec(t);
}

uint64_t policy_refresh_at(AccountSource source, const Token *t, uint64_t random) {
        uint64_t life = life_usec(t), at;

        if (life == USEC_INFINITY || source == ACCOUNT_SOURCE_API_TOKEN)
                return USEC_INFINITY;
        if (source == ACCOUNT_SOURCE_AZURE_CLI)
                at = t->expires_usec - MIN(AZ_REFRESH_USEC, life / 2);
        else {
                bool advised =
                        t->refresh_usec > t->issued_usec && t->refresh_usec < t->expires_usec;

                at = advised ? t->refresh_usec : t->issued_usec + life / 5 * 4;
                at -= MIN(at - t->issued_usec, random % (life / 20 + 1));
                if (life > LONG_LIFE_USEC)
                        at = MIN(at, t->expires_usec - LATEST_REFRESH_USEC);
        }
        return MAX(at, t->issued_usec + LEAST_PAUSE_USEC);
}

uint64_t policy_retry_delay(AccountSource source, unsigned n, uint64_t retry_after,
                            uint64_t random) {
        uint64_t delay, least;

        delay = n > 9 ? RETRY_MAX_SECONDS : MIN(UINT64_C(1) << (n ? n - 1 : 0), RETRY_MAX_SECONDS);
        delay *= USEC_PER_SEC;
        least = MIN(retry_after, (uint64_t)LIMIT_RETRY_AFTER_SECONDS) * USEC_PER_SEC;
        if (source == ACCOUNT_SOURCE_AZURE_CLI)
                least = MAX(least, AZ_RETRY_USEC);
        delay = MAX(delay, least);
        return delay + random % (delay / 4 + 1);
}

bool policy_is_idle(uint64_t used, uint64_t now) {
        return used == 0 || now >= used + DAY_USEC;
}

uint64_t policy_background_at(uint64_t refresh_at, uint64_t used, uint64_t keep_alive_at) {
        return refresh_at != USEC_INFINITY && !policy_is_idle(used, refresh_at) ? refresh_at
                                                                                : keep_alive_at;
}

uint64_t policy_keep_alive_at(uint64_t spent) {
        return spent + 7 * DAY_USEC;
}

bool policy_start_is_use(uint64_t last_used_at, uint64_t wall) {
        /* A use that is yet to come was noted by a clock that was ahead: when is not known. */
        return last_used_at == 0 || last_used_at > wall ||
               wall - last_used_at < 14 * DAY_USEC / USEC_PER_SEC;
}

uint64_t policy_covered_until(AccountSource source, const Token *t, uint64_t refresh_at) {
        if (source == ACCOUNT_SOURCE_AZURE_CLI || t->expires_usec == USEC_INFINITY)
                return 0;
        return MIN(refresh_at, t->expires_usec - MIN(PREFERRED_VALID_USEC, life_usec(t) / 2));
}

bool policy_may_try(KeeperTry when, const PolicyFailure *f, bool forced, uint64_t now) {
        /* az's wish is not the server's: it would repeat an answer, and ask nobody. */
        if (now < f->not_before && when != KEEPER_TRY_SOON)
                return false;
        switch (when) {
        case KEEPER_TRY_NOW:
                return true;
        case KEEPER_TRY_BACK_OFF:
                return now >= f->retry_at || now >= f->tried + ASK_AGAIN_USEC;
        case KEEPER_TRY_SLOWLY:
                return now >= f->tried + ASK_AGAIN_USEC;
        case KEEPER_TRY_FORCED:
                return forced && now >= f->tried + ASK_AGAIN_USEC;
        case KEEPER_TRY_SOON:
                return forced || now >= f->tried + ASK_AZ_AGAIN_USEC;
        default:
                return false;
        }
}

uint64_t policy_person_may_try_at(const PolicyFailure *f, uint64_t sent) {
        return MAX(f->not_before, sent ? sent + ASK_PERSON_USEC : 0);
}
