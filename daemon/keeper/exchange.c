/* SPDX-License-Identifier: MIT */
/*
 * Asking the source: one exchange at a time for an account. Lock it against the user's other
 * daemons, read the keyring's record again, fetch, store the new refresh token, and only then hand
 * out.
 */
#include "common/secret.h"
#include "io/lock.h"
#include "io/log.h"
#include "keeper/turn.h"
#include "model/limits.h"

#define LOCK_AGAIN_USEC (100 * 1000)

static void exchange_fail(Keeper *k, const Problem *cause, uint64_t retry_after);

static void exchange_clear(Keeper *k) {
        k->exchanging = NULL;
        k->outdated = false;
        k->lock_fd = fd_close(k->lock_fd);
        k->lock_timer = timer_free(k->lock_timer);
        k->sleep_lock = sleep_lock_free(k->sleep_lock);
        k->reload = vault_op_free(k->reload);
        k->save = vault_op_free(k->save);
        k->fetch = fetch_free(k->fetch);
        k->fetched = token_unref(k->fetched);
}

void keeper_abort_exchange(Keeper *k, bool again) {
        Slot *s = k->exchanging;

        if (!s)
                return;
        s->wished = again && (s->wished || k->counts);
        exchange_clear(k);
        s->wanted = again;
}

/* The slot has had its answer: tell who waits, see what is next. */
static void exchange_end(Keeper *k, Slot *s) {
        exchange_clear(k);
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

void slot_take_token(Keeper *k, Slot *s, Token *token) {
        token_unref(s->token);
        s->token = token_ref(token);
        s->fetched_usec = MIN(clock_boottime(), token->issued_usec); /* by whichever daemon */
        if (keeper_has_refresh_token(k))
                k->keep_alive_usec = policy_keep_alive_at(s->fetched_usec);
        s->refresh_usec = policy_refresh_at(k->account->source, token, random_number());
        free(s->reporter);
        s->reporter = NULL;
        slot_happened(s, KEEPER_EVENT_FETCHED);
}

/* A server refused this very token, and the source has no other. */
static bool is_rejected_one(const Slot *s, const Token *fetched) {
        return s->reporter && s->token && streq(s->token->value, fetched->value);
}

/* The token may be handed out now. That of a claims challenge satisfies the plain requests, too. */
static void exchange_succeed(Keeper *k) {
        Slot *s = k->exchanging, *plain = keeper_slot(k, s->resource, NULL);
        Problem problem = { 0 };

        if (!plain)
                plain = s;
        if (is_rejected_one(plain, k->fetched))
                (void)problem_set(&problem, OUTCOME_SIGN_IN_NEEDED,
                                  "a server rejects its token and the source gives no other.%s",
                                  k->account->source == ACCOUNT_SOURCE_AZURE_CLI
                                          ? " Run: az logout; az login --allow-no-subscriptions"
                                          : "");
        if (problem.outcome || keeper_az_check(k, plain, k->fetched, &problem) != 0) {
                exchange_fail(k, &problem, 0);
                problem_clear(&problem);
                return;
        }
        slot_take_token(k, s, k->fetched);
        if (plain != s) {
                slot_take_token(k, plain, k->fetched);
                plain->wanted = false;
        }
        exchange_is_covered(k);
        if (plain == k->slots)
                k->last_refresh_usec = clock_boottime();
        keeper_note_use(k);
        log_debug("%s: has a token for %s", k->account->name, s->resource);
        exchange_end(k, s);
}

static void exchange_fail(Keeper *k, const Problem *cause, uint64_t retry_after) {
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
                slot_fail(s, &problem, slot_retry_at(k, s, retry_after, now),
                          retry_after ? now + retry_after * USEC_PER_SEC : 0);
                keeper_set_last_error(k, &problem);
        } else
                slot_fail(s, &problem, now, 0);
        problem_clear(&problem);
        exchange_end(k, s);
}

static void exchange_on_saved(int outcome, void *userdata) {
        Keeper *k = userdata;

        k->save = vault_op_free(k->save);
        /* Not stored: the tokens live in memory, the vault tries again, the caller is served. */
        keeper_tell_unsaved(k, outcome);
        exchange_succeed(k);
}

/* Put what a fetch brought into the record. 1 when the refresh token is a new one. */
static int record_token(Keeper *k, const char *resource, const FetchToken *fetched) {
        Record *record = vault_record(k->vault);
        int rotated, r;

        rotated = keeper_record_rotated(k, fetched->refresh_token);
        if (rotated < 0)
                return rotated;
        if (fetched->user)
                (void)record_set_user(record, fetched->user);
        if (fetched->tenant)
                (void)record_set_seen_tenant(record, fetched->tenant);
        r = keeper_record_token(k, resource, fetched);
        return r < 0 && !rotated ? r : rotated; /* that one is but a copy */
}

static int token_from_fetch(Token **ret, const FetchToken *fetched) {
        Token *t;
        int r;

        r = token_new(&t, TOKEN_TYPE_BEARER, fetched->access_token);
        if (r < 0)
                return r;
        t->issued_usec = fetched->issued_usec;
        t->expires_usec = fetched->expires_usec;
        t->refresh_usec = fetched->refresh_usec;
        *ret = t;
        return 0;
}

int keeper_take_fetched(Keeper *k, const char *resource, const FetchToken *fetched) {
        int rotated, r;

        env_learn_date(k->env, fetched->date);
        rotated = record_token(k, resource, fetched);
        if (rotated < 0)
                return rotated;
        r = token_from_fetch(&k->fetched, fetched);
        if (r < 0 && rotated)
                vault_save_later(k->vault); /* it may be the only one that is good */
        return r < 0 ? r : rotated;
}

static void exchange_memory_short(Keeper *k) {
        Problem problem = { .outcome = OUTCOME_UNAVAILABLE };

        exchange_fail(k, &problem, 0);
}

/* Whoever answered may have been somebody else: nobody is told, and it is asked again. */
static bool exchange_repeat_outdated(Keeper *k) {
        /* Once: an az that writes its profile whenever it runs would have us go round for ever. */
        if (!k->outdated || k->repeated)
                return false;
        k->repeated = true;
        keeper_abort_exchange(k, true);
        keeper_pump(k);
        keeper_publish(k);
        return true;
}

/* What has not been read may hold a refresh token of a program's, which a write would lose. */
static bool exchange_may_save(const Keeper *k) {
        return k->account->source != ACCOUNT_SOURCE_COMMAND || vault_record(k->vault)->secret ||
               vault_state(k->vault) == VAULT_STATE_LOADED;
}

static void exchange_on_token(const FetchToken *fetched, void *userdata) {
        Keeper *k = userdata;
        int r;

        if (exchange_repeat_outdated(k))
                return;
        k->asked_with = secret_free(k->asked_with);
        r = keeper_take_fetched(k, k->exchanging->resource, fetched);
        k->fetch = fetch_free(k->fetch);
        if (r < 0) {
                exchange_memory_short(k);
                return;
        }
        /* The new refresh token is in the keyring before the access token is handed out. */
        if (r > 0 && vault_save(k->vault, &k->save, exchange_on_saved, k) == 0)
                return;
        if (exchange_may_save(k))
                vault_save_later(k->vault);
        exchange_succeed(k);
}

static void exchange_on_error(const FetchError *error, void *userdata) {
        Keeper *k = userdata;
        Problem problem = { 0 };

        if (exchange_repeat_outdated(k))
                return;
        problem_copy(&problem, &error->problem);
        if (keeper_record_rotated(k, error->refresh_token) > 0)
                vault_save_later(k->vault);
        if (error->unsent)
                exchange_unspend(k);
        /* Whoever may not change the account has no say in what its next sign-in proves. */
        if (problem.outcome == OUTCOME_SIGN_IN_NEEDED &&
            (!k->exchanging->claims || k->exchanging->trusted))
                keeper_want_claims(k, error->claims ?: k->exchanging->claims);
        exchange_fail(k, &problem, error->retry_after);
        problem_clear(&problem);
}

static const FetchHandler exchange_handler = {
        .token = exchange_on_token,
        .error = exchange_on_error,
};

/* It could not even be started. This may be inside keeper_get(), where nobody may be answered yet:
 * whoever waits goes on waiting for the next try. */
static void exchange_postpone(Keeper *k) {
        Slot *s = k->exchanging;
        Problem problem = { 0 };

        (void)problem_set(&problem, OUTCOME_UNAVAILABLE, "%s: the fetcher could not be started.",
                          k->account->name);
        slot_fail(s, &problem, slot_retry_at(k, s, 0, clock_boottime()), 0);
        problem_clear(&problem);
        exchange_clear(k);
        keeper_publish(k);
}

/* Who waits gets the old token, or is told that it is too often. */
static void exchange_on_denied(void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->exchanging;

        exchange_clear(k);
        s->forced = false;
        slot_settle(k, s, false);
        keeper_pump(k);
        keeper_publish(k);
}

/* From the loop: this may be inside keeper_get(). */
static void exchange_deny(Keeper *k) {
        exchange_wait_for_budget(k);
        k->lock_fd = fd_close(k->lock_fd);
        k->lock_timer = timer_free(k->lock_timer);
        if (timer_new(&k->lock_timer, k->env->event, exchange_on_denied, k) < 0)
                exchange_postpone(k);
        else
                timer_arm(k->lock_timer, clock_boottime());
}

static void exchange_fetch(Keeper *k) {
        const Account *a = k->account;
        Slot *s = k->exchanging;
        FetchRequest request;

        if (!exchange_spend(k)) {
                exchange_deny(k);
                return;
        }
        keeper_note_asked(k);
        source_request(&request, k->env, a, vault_record(k->vault)->secret);
        request.method = a->source == ACCOUNT_SOURCE_ENTRA ? "refresh" : NULL;
        request.resource = s->resource;
        request.claims = s->claims;
        request.deadline = LIMIT_FETCH_SECONDS;
        k->env->stats.fetches++;
        if (fetch_start(&k->fetch, k->env->launcher, k->env->event, &request, &exchange_handler,
                        k) < 0) {
                exchange_unspend(k);
                exchange_postpone(k);
        }
}

/* A better token than ours, which another daemon of this user has put into the record. */
static int token_from_other(Keeper *k, const Slot *s, Token **ret) {
        const Record *record = vault_record(k->vault);
        Token *t;
        int r;

        for (size_t i = 0; i < record->n_tokens; i++) {
                if (!streq(record->tokens[i].resource, s->resource))
                        continue;
                /* Our own, which only looks younger when somebody has set the wall clock back. */
                if (s->token && streq(record->tokens[i].access_token, s->token->value))
                        continue;
                r = keeper_token_from_record(k, &t, &record->tokens[i]);
                if (r < 0)
                        return r;
                if (policy_refresh_at(k->account->source, t, 0) > clock_boottime() &&
                    (!s->token || t->expires_usec > s->token->expires_usec + USEC_PER_SEC)) {
                        *ret = t;
                        return 0;
                }
                token_unref(t);
        }
        return -ENOENT;
}

static void exchange_on_reloaded(int outcome, void *userdata) {
        Keeper *k = userdata;
        Slot *s = k->exchanging;

        k->reload = vault_op_free(k->reload);
        if (!vault_record(k->vault)->secret && source_needs_secret(k->account->source)) {
                /* Somebody deleted the item from an unlocked keyring: that is a sign-out. */
                Problem problem = { 0 };

                (void)problem_set(&problem, OUTCOME_SIGN_IN_NEEDED,
                                  "nobody is signed in: its item is gone from the keyring.");
                record_drop_tokens(vault_record(k->vault));
                for (Slot *each = k->slots; each; each = each->next)
                        slot_happened(each, KEEPER_EVENT_ITEM_GONE);
                exchange_fail(k, &problem, 0);
                problem_clear(&problem);
                return;
        }
        if (!s->forced && !s->claims && token_from_other(k, s, &k->fetched) == 0) {
                exchange_succeed(k);
                return;
        }
        exchange_fetch(k);
}

static void exchange_lock(Keeper *k);

static void exchange_on_lock_time(void *userdata) {
        exchange_lock(userdata);
}

static void exchange_lock(Keeper *k) {
        CLEANUP(freep) char *name = NULL;
        int r = -ENOENT;

        if (k->env->runtime_dir && asprintf(&name, "account-%s.lock", k->account->name) >= 0)
                r = lock_take(&k->lock_fd, k->env->runtime_dir, name);
        if (r == -EAGAIN && (k->lock_timer || timer_new(&k->lock_timer, k->env->event,
                                                        exchange_on_lock_time, k) == 0)) {
                timer_arm(k->lock_timer, clock_boottime() + LOCK_AGAIN_USEC);
                return;
        }
        /* Without a runtime folder there is nobody to share it with. */
        if (source_secret(k->account->source) == SOURCE_SECRET_NONE)
                exchange_fetch(k);
        else if (vault_reload(k->vault, &k->reload, exchange_on_reloaded, k) < 0)
                exchange_postpone(k);
}

/* A refresh token may be worth nothing once it is spent: hold off the machine's sleep. */
static void exchange_start(Keeper *k) {
        if (source_secret(k->account->source) == SOURCE_SECRET_REFRESH_TOKEN)
                (void)sleep_lock_new(&k->sleep_lock, k->env->sleep);
        exchange_lock(k);
}

void keeper_pump(Keeper *k) {
        if (k->exchanging || k->finish || k->env->asleep || k->az_changing || !keeper_can_fetch(k))
                return;
        for (Slot *s = k->slots; s; s = s->next)
                if (s->wanted) {
                        k->exchanging = s;
                        s->wanted = false;
                        k->counts = s->wished;
                        s->wished = false;
                        exchange_start(k);
                        return;
                }
}
