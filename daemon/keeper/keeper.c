/* SPDX-License-Identifier: MIT */
/*
 * A keeper's life: its slots and its one timer.
 */
#include "common/secret.h"
#include "io/log.h"
#include "io/state.h"
#include "keeper/turn.h"
#include "model/limits.h"

bool keeper_has_refresh_token(const Keeper *k) {
        return source_secret(k->account->source) == SOURCE_SECRET_REFRESH_TOKEN &&
               vault_record(k->vault)->secret;
}

bool keeper_can_fetch(const Keeper *k) {
        return slot_rule(k, k->slots, clock_boottime())->asked >= KEEPER_TRY_NOW;
}

SignIn *keeper_pending_signin(const Keeper *k) {
        return k->signins && signin_is_pending(k->signins) ? k->signins : NULL;
}

void keeper_happened(Keeper *k, KeeperEvent event) {
        const KeeperEffect *effect = keeper_effect(event);

        if (effect->exchange == KEEPER_GONE)
                keeper_abort_exchange(k, false);
        if (effect->signin == KEEPER_GONE)
                keeper_drop_signin(k);
        if (effect->secret == KEEPER_GONE)
                keeper_drop_claims(k);
        /* It was whose tokens these were. */
        if (effect->secret == KEEPER_GONE || event == KEEPER_EVENT_AZ_CHANGED)
                (void)record_set_seen_tenant(vault_record(k->vault), NULL);
        for (Slot *s = k->slots; s; s = s->next)
                slot_happened(s, event);
}

static bool slot_is_used(const Keeper *k, const Slot *plain) {
        for (const Slot *s = k->slots; s; s = s->next)
                if (s != plain && s->plain == plain)
                        return true;
        return false;
}

/* Slots of claims live for their request only, those that the settings dropped for the exchange
 * that was under way. */
static bool slot_is_over(const Keeper *k, const Slot *s) {
        bool named = !s->claims && account_allows_resource(k->account, s->resource);

        return s != k->slots && !named && !s->waiters && !s->wanted && k->exchanging != s &&
               !slot_is_used(k, s);
}

void keeper_prune(Keeper *k) {
        if (k->settling)
                return;
        for (Slot **p = &k->slots; *p;)
                if (slot_is_over(k, *p)) {
                        Slot *s = *p;

                        *p = s->next;
                        slot_free(s);
                        p = &k->slots; /* its plain one may be over now */
                } else
                        p = &(*p)->next;
}

/* When something is due: a background refresh, a retry, the end of the token that is shown. */
static uint64_t slot_next_time(const Keeper *k, const Slot *s, uint64_t now) {
        uint64_t end = token_left_usec(s->token, now) > 0 ? s->token->expires_usec : USEC_INFINITY;
        bool busy = s->wanted || k->exchanging == s;

        switch (slot_rule(k, s, now)->timer) {
        case KEEPER_TIMER_OFF:
                break;
        case KEEPER_TIMER_REFRESH:
                return busy || s->claims ? USEC_INFINITY
                                         : policy_background_at(s->refresh_usec, s->used_usec,
                                                                s == k->slots ? k->keep_alive_usec
                                                                              : USEC_INFINITY);
        case KEEPER_TIMER_BACK_OFF:
                /* Of claims: for those who wait since it could not even be started. */
                return busy || (s->claims && !s->waiters) ? end : MIN(end, s->failure.retry_at);
        case KEEPER_TIMER_END:
                return end;
        }
        return USEC_INFINITY;
}

void keeper_arm(Keeper *k) {
        uint64_t now = clock_boottime(), next = policy_warning_at(k->slots->token, now);

        for (const Slot *s = k->slots; s; s = s->next)
                next = MIN(next, slot_next_time(k, s, now));
        timer_arm(k->timer, next);
}

static void keeper_on_time(void *userdata) {
        Keeper *k = userdata;
        uint64_t now = clock_boottime();

        for (Slot *s = k->slots; s; s = s->next)
                if (slot_next_time(k, s, now) <= now && keeper_can_fetch(k))
                        s->wanted = true;
        keeper_pump(k);
        keeper_publish(k);
}

/* Refresh on login: the start of the daemon counts as a use of what was used lately. */
void keeper_wake(Keeper *k) {
        Slot *own = k->slots;
        uint64_t now = clock_boottime();

        if (source_needs_secret(k->account->source) && keeper_can_fetch(k) &&
            policy_start_is_use(keeper_used_at(k), env_true_of(k->env, now))) {
                own->used_usec = now;
                if (k->exchanging != own && own->failure.outcome == OUTCOME_OK &&
                    token_left_usec(own->token, now) == 0)
                        own->wanted = true;
        }
        keeper_pump(k);
}

void keeper_drop_stored_tokens(Keeper *k) {
        if (vault_state(k->vault) != VAULT_STATE_LOADED || vault_record(k->vault)->n_tokens == 0)
                return;
        record_drop_tokens(vault_record(k->vault));
        vault_save_later(k->vault);
}

/* Nobody has signed out, so why it asks for a sign-in is shown before anybody asks. */
static void keeper_note_unread(Keeper *k) {
        Problem problem = { 0 };

        if (!vault_is_unread(k->vault) || !source_needs_secret(k->account->source))
                return;
        (void)refuse_sign_in(k, &problem);
        keeper_set_last_error(k, &problem);
        problem_clear(&problem);
}

static void keeper_on_vault(void *userdata) {
        Keeper *k = userdata;

        if (vault_has_caught_up(k->vault)) {
                keeper_tell_saved(k);
                return;
        }
        if (vault_is_gone(k->vault)) {
                keeper_on_item_gone(k);
                return;
        }
        if (vault_state(k->vault) == VAULT_STATE_LOADED) {
                /* A program that was asked without what is stored may do better now. */
                for (Slot *s = k->slots; s; s = s->next)
                        s->wanted = s->wanted || s->failure.outcome == OUTCOME_KEYRING_LOCKED;
                keeper_adopt_record(k);
                keeper_wake(k);
                keeper_note_unread(k);
        }
        for (Slot *s = k->slots; s; s = s->next)
                slot_settle(k, s, false);
        keeper_pump(k);
        keeper_publish(k);
}

int keeper_new(Keeper **ret, Env *env, Account *account) {
        CLEANUP(keeper_freep) Keeper *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k) {
                account_free(account);
                return -ENOMEM;
        }
        k->env = env;
        k->account = account;
        k->keep_alive_usec = USEC_INFINITY;
        k->former_used_at = state_last_used(env->state, account->name);
        if (!slot_get(&k->slots, account->resource, NULL))
                return -ENOMEM;
        r = timer_new(&k->timer, env->event, keeper_on_time, k);
        if (r < 0)
                return r;
        keeper_watch_az(k);
        r = vault_new(&k->vault, env, account, keeper_on_vault, k);
        if (r < 0)
                return r;
        (void)keeper_misconfigured(k, &k->last_error);
        *ret = STEAL(k);
        return 0;
}

int keeper_misconfigured(const Keeper *k, Problem *problem) {
        if (!k->account->problem)
                return 0;
        return problem_set(problem, OUTCOME_MISCONFIGURED,
                           "%s: its settings can't be used (%s). Mend the line; the file is read "
                           "again when it is saved.",
                           k->account->name, k->account->problem);
}

void keeper_close(Keeper *k) {
        Problem problem = { 0 };

        keeper_abort_exchange(k, false);
        keeper_drop_signin(k);
        k->closed = true;
        (void)refuse_closed(k, &problem);
        for (Slot *s = k->slots; s; s = s->next)
                slot_fail_waiters(s, &problem);
        problem_clear(&problem);
        while (k->signins) {
                SignIn *next = signin_next(k->signins);

                signin_free(k->signins); /* which tells: it is in the list until then */
                k->signins = next;
        }
}

Keeper *keeper_free(Keeper *k) {
        if (!k)
                return NULL;
        if (k->account)
                keeper_note_use(k);
        keeper_close(k);
        while (k->slots) {
                Slot *s = k->slots;

                k->slots = s->next;
                slot_free(s);
        }
        vault_op_free(k->check);
        secret_free(k->looked_at);
        vault_free(k->vault);
        notify_free(k->az_profile);
        timer_free(k->timer);
        problem_clear(&k->last_error);
        free(k->claims);
        free(k->told_user);
        free(k->told_tenant);
        account_free(k->account);
        free(k);
        return NULL;
}

const Account *keeper_account(const Keeper *k) {
        return k->account;
}

SignIn *keeper_signins(const Keeper *k) {
        return k->signins;
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
