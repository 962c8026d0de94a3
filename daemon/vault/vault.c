/* SPDX-License-Identifier: MIT */
#include "common/memory.h"
#include "common/secret.h"
#include "io/state.h"
#include "vault/vault-private.h"

#define SAVE_LATER_USEC (2 * USEC_PER_SEC)

static char *account_label(const Account *a) {
        return xasprintf("IoT Central: %s (%s)", a->name, account_source_to_string(a->source));
}

int vault_new(Vault **ret, Env *env, const Account *account, VaultFn changed, void *userdata) {
        CLEANUP(vault_freep) Vault *v = xcalloc(1, sizeof(*v));
        int r;

        v->env = env;
        v->changed = changed;
        v->userdata = userdata;
        v->retry_usec = VAULT_RETRY_FIRST_USEC;
        TAILQ_INIT(&v->reading.waiting);
        TAILQ_INIT(&v->writing.waiting);
        TAILQ_INIT(&v->change.waiting);
        v->name = xstrdup(account->name);
        v->label = account_label(account);
        r = record_new(&v->record, account);
        if (r < 0)
                return r;
        r = timer_new(&v->timer, env->event, vault_on_time, v);
        if (r < 0)
                return r;
        vault_act(v, true);
        *ret = STEAL(v);
        return 0;
}

Vault *vault_free(Vault *v) {
        if (v) {
                struct VaultOps left = TAILQ_HEAD_INITIALIZER(left);

                keyring_op_free(v->reading.op);
                keyring_op_free(v->writing.op);
                /* Whoever still waits learns that it came to nothing. */
                vault_ops_move(&v->change.waiting, &left, UINT64_MAX);
                vault_ops_move(&v->writing.waiting, &left, UINT64_MAX);
                vault_ops_move(&v->reading.waiting, &left, UINT64_MAX);
                vault_ops_answer(&left, KEYRING_E_FAILED);
                timer_free(v->timer);
                record_free(v->record);
                secret_free(v->change.offer);
                free(v->complaint);
                free(v->label);
                free(v->name);
                free(v);
        }
        return NULL;
}

VaultState vault_state(const Vault *v) {
        return v->state;
}

const char *vault_complaint(const Vault *v) {
        return v->complaint ?: keyring_complaint(v->env->keyring);
}

bool vault_is_stored(const Vault *v) {
        return v->item == VAULT_ITEM_OURS || v->item == VAULT_ITEM_UNREAD;
}

bool vault_is_unread(const Vault *v) {
        return v->item == VAULT_ITEM_UNREAD;
}

bool vault_may_be_stored(const Vault *v) {
        StateItem item = state_item(v->env->state, v->name);

        return item == STATE_ITEM_UNKNOWN || item == STATE_ITEM_STORED;
}

Record *vault_record(Vault *v) {
        return v->record;
}

/* Memory has changed; from now on it is the truth, read or not. */
static void touch(Vault *v, VaultWant want) {
        v->generation++;
        v->state = VAULT_STATE_LOADED;
        v->want = want;
}

int vault_save(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata) {
        touch(v, VAULT_WANT_STORED);
        if (fn)
                *ret = vault_op_new(v, &v->writing.waiting, fn, userdata);
        if (v->writing.asked)
                timer_arm(v->timer, clock_boottime()); /* who waits is told, from the loop */
        else
                vault_act(v, true);
        return 0;
}

void vault_start_over(Vault *v) {
        v->by_person = true;
}

void vault_save_later(Vault *v) {
        touch(v, VAULT_WANT_STORED);
        timer_arm(v->timer, clock_boottime() + SAVE_LATER_USEC);
}

int vault_replace(Vault *v, VaultOp **ret, const char *secret, VaultOpFn fn, void *userdata) {
        if (v->change.what != VAULT_WANT_NOTHING)
                return -EBUSY;
        vault_drop_asked(v); /* what it would store is not wanted any more */
        *ret = vault_op_new(v, &v->change.waiting, fn, userdata);
        v->change.what = secret ? VAULT_WANT_STORED : VAULT_WANT_ERASED;
        v->change.offer = secret_dup(secret);
        v->change.offer_at = env_true_of(v->env, clock_boottime());
        /* A keyring that is not there may hold what was never read. */
        if (v->state != VAULT_STATE_LOADED && !vault_is_stored(v))
                v->item = VAULT_ITEM_MAYBE;
        vault_act(v, false);
        return 0;
}

void vault_give_up(Vault *v) {
        if (v->writing.asked && v->writing.is_change)
                keyring_op_give_up(v->writing.op);
}

int vault_reload(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata) {
        *ret = vault_op_new(v, &v->reading.waiting, fn, userdata);
        vault_act(v, false);
        return 0;
}

int vault_set_account(Vault *v, const Account *account) {
        CLEANUP(record_freep) Record *fresh = NULL;
        int r;

        if (!record_matches(v->record, account)) {
                r = record_new(&fresh, account);
                if (r < 0)
                        return r;
                record_free(v->record);
                v->record = STEAL(fresh);
                touch(v, VAULT_WANT_ERASED);
                vault_act(v, true);
        }
        free(v->label);
        v->label = account_label(account);
        return 0;
}

void vault_on_keyring(Vault *v, KeyringState state) {
        VaultState was = v->state;

        if (state == KEYRING_STATE_OK) {
                v->retry_usec = VAULT_RETRY_FIRST_USEC;
                vault_act(v, true);
        } else if (state == KEYRING_STATE_LOCKED && was == VAULT_STATE_ABSENT)
                v->state = VAULT_STATE_LOCKED;
        else if (state == KEYRING_STATE_ABSENT && was == VAULT_STATE_LOCKED)
                v->state = VAULT_STATE_ABSENT;
        if (v->state != was)
                v->changed(VAULT_EVENT_STATE, v->userdata);
}

/* What a person has not agreed to yet is put beside what may not be written over: else a sign-in
 * whose former refresh token is spent would be lost. */
static void flush_asked(Vault *v) {
        bool beside = !v->writing.is_change && v->want == VAULT_WANT_STORED;

        vault_drop_asked(v);
        if (!beside)
                return;
        v->beside = true;
        v->by_person = false;
        vault_act(v, true);
}

bool vault_flush(Vault *v) {
        if (v->writing.asked)
                flush_asked(v);
        else if (v->want != VAULT_WANT_NOTHING && v->writing.what == VAULT_WANT_NOTHING &&
                 v->flushed != v->generation &&
                 keyring_state(v->env->keyring) == KEYRING_STATE_OK) {
                v->flushed = v->generation; /* it is no use to try it over and over */
                vault_act(v, true);
        }
        return v->writing.what == VAULT_WANT_NOTHING;
}
