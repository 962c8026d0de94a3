/* SPDX-License-Identifier: MIT */
/*
 * A keeper's life, and the events that reach it from outside.
 */
#include "common/memory.h"
#include "io/log.h"
#include "io/state.h"
#include "keeper/turn.h"

/* What is due begins: the turn starts it. */
static void keeper_on_time(void *userdata) {
        Keeper *k = userdata;
        uint64_t now = clock_boottime();

        for (Slot *s = k->slots; s; s = s->next)
                if (keeper_next_time(k, s, now) <= now && keeper_can_fetch(k))
                        s->due = true;
        keeper_due(k);
}

/* Nobody has signed out, so why it asks for a sign-in is shown before anybody asks. */
static void keeper_note_unread(Keeper *k) {
        Problem problem = { 0 };

        if (!vault_is_unread(k->vault) || !source_needs_secret(k->account->source))
                return;
        words_sign_in(k->account, k->vault, &problem);
        view_set_error(&k->view, &problem);
        problem_clear(&problem);
}

/* What waited for the keyring is stored. */
static void keeper_on_saved(Keeper *k) {
        const Problem none = { 0 };

        if (k->view.unsaved && (k->view.last_error.outcome == OUTCOME_UNAVAILABLE ||
                                k->view.last_error.outcome == OUTCOME_KEYRING_LOCKED))
                view_set_error(&k->view, &none);
        k->view.unsaved = false;
}

static void keeper_on_vault(VaultEvent event, void *userdata) {
        Keeper *k = userdata;

        if (event == VAULT_EVENT_CAUGHT_UP)
                keeper_on_saved(k);
        else if (event == VAULT_EVENT_GONE)
                keeper_on_item_gone(k);
        else if (vault_state(k->vault) == VAULT_STATE_LOADED) {
                /* A program that was asked without what is stored may do better now. */
                for (Slot *s = k->slots; s; s = s->next)
                        s->due = s->due || s->failure.outcome == OUTCOME_KEYRING_LOCKED;
                keeper_adopt_record(k);
                keeper_wake(k);
                keeper_note_unread(k);
        }
        keeper_due(k);
}

int keeper_new(Keeper **ret, Env *env, Account *account) {
        CLEANUP(keeper_freep) Keeper *k = NULL;
        int r;

        k = xcalloc(1, sizeof(*k));
        k->env = env;
        k->account = account;
        k->times.keep_alive_usec = USEC_INFINITY;
        k->times.former_used_at = state_last_used(env->state, account->name);
        ledger_open(&k->ledger, env->runtime_dir, account->name);
        (void)ledger_slot(&k->ledger, &k->slots, account->resource, NULL);
        r = timer_new(&k->timer, env->event, keeper_on_time, k);
        if (r < 0)
                return r;
        r = defer_new(&k->turn, env->event, keeper_turn, k);
        if (r < 0)
                return r;
        keeper_watch_az(k);
        r = vault_new(&k->vault, env, account, keeper_on_vault, k);
        if (r < 0)
                return r;
        signins_init(&k->signins, env, k->vault, &keeper_signins_handler, k);
        (void)words_misconfigured(account, &k->view.last_error);
        *ret = STEAL(k);
        return 0;
}

void keeper_close(Keeper *k) {
        Problem problem = { 0 };
        Waiter *ended = NULL;

        k->closed = true;
        keeper_abort_exchange(k, false);
        signins_cancel(&k->signins, k->account->name);
        (void)words_closed(k->account, &problem);
        while (k->waiters)
                waiter_end(k->waiters, &ended, NULL, &problem);
        problem_clear(&problem);
        waiters_answer(&ended);
        signins_deinit(&k->signins);
}

Keeper *keeper_free(Keeper *k) {
        KeeperOp *ended = NULL;

        if (!k)
                return NULL;
        if (k->account)
                keeper_note_use(k);
        if (k->vault)
                keeper_close(k);
        vault_op_free(k->look);
        keeper_end_ops(k, &ended);
        k->vault = vault_free(k->vault);
        keeper_answer_ops(&ended);
        while (k->slots) {
                Slot *s = k->slots;

                k->slots = s->next;
                slot_free(s);
        }
        ledger_close(&k->ledger);
        az_watch_free(k->az);
        timer_free(k->timer);
        defer_free(k->turn);
        view_deinit(&k->view);
        account_free(k->account);
        free(k);
        return NULL;
}

const Account *keeper_account(const Keeper *k) {
        return k->account;
}

SignIn *keeper_signins(const Keeper *k) {
        return k->signins.first;
}

bool keeper_expects_secret(const Keeper *k) {
        return exchange_expects_secret(k->running.exchange);
}

void keeper_on_keyring(Keeper *k, KeyringState state) {
        vault_on_keyring(k->vault, state);
        keeper_due(k);
}

void keeper_on_online(Keeper *k) {
        uint64_t now = clock_boottime();

        for (Slot *s = k->slots; s; s = s->next) {
                const KeeperRule *rule = keeper_rule_of(k, s, now);
                uint64_t at = slot_may_ask_at(s);

                /* What az would rather wait for is its own pause, and no server's. */
                if (rule->timer != KEEPER_TIMER_BACK_OFF || k->running.slot == s ||
                    (s->failure.not_before > now && rule->asked != KEEPER_TRY_SOON))
                        continue;
                s->failures = 0;
                s->failure.retry_at = MIN(s->failure.retry_at, MAX(at, now));
                s->due = s->due || at <= now;
        }
        keeper_due(k);
}

void keeper_on_sleep(Keeper *k) {
        keeper_due(k);
}

bool keeper_is_awaited(const Keeper *k) {
        return k->waiters != NULL;
}

bool keeper_is_settled(const Keeper *k) {
        return vault_state(k->vault) != VAULT_STATE_LOADING;
}

bool keeper_flush(Keeper *k) {
        return vault_flush(k->vault) &&
               (k->account->source != ACCOUNT_SOURCE_ENTRA || !keeper_expects_secret(k));
}

void keeper_on_clock(Keeper *k, int64_t by) {
        uint64_t now = clock_boottime();
        SignIn *signin = signins_pending(&k->signins);

        keeper_adopt_again(k);
        for (Slot *s = k->slots; s; s = s->next) {
                /* az counts by the wall clock: what it gave from its cache while that was slow may
                 * have ended long ago. It is served until az has been asked again. */
                if (k->account->source == ACCOUNT_SOURCE_AZURE_CLI && by > SKEW_MIN_SECONDS &&
                    token_left_usec(s->token, now) > 0 && k->running.slot != s)
                        s->due = true;
        }
        if (signin)
                k->env->listener->signin_changed(signin, k->env->listener_userdata);
        /* What failed because the clock was wrong, certificates above all, may do now. */
        keeper_on_online(k);
}
