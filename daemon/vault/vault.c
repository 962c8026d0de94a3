/* SPDX-License-Identifier: MIT */
#include "common/secret.h"
#include "io/log.h"
#include "io/state.h"
#include "vault/vault-private.h"

static int account_label(const Account *a, char **ret) {
        return asprintf(ret, "IoT Central: %s (%s)", a->name, account_source_to_string(a->source)) <
                               0
                       ? -ENOMEM
                       : 0;
}

static void state_set(Vault *v, VaultState state) {
        v->state = state;
        v->changed(v->userdata);
}

/* Take over what the keyring gave, when it is a record of this account's identity. 0 or -ENOMEM. */
static int record_adopt(Vault *v, const char *text) {
        CLEANUP(record_freep) Record *read = NULL;
        int r;

        r = record_from_text(&read, text);
        if (r == -ENOMEM)
                return r;
        v->unread = r < 0;
        if (r < 0 || !record_same_identity(read, v->record)) {
                log_warning("%s: the keyring's item %s; not used", v->name,
                            r < 0 ? "is none that this version can read" : "is of other settings");
                return 0;
        }
        record_free(v->record);
        v->record = STEAL(read);
        return 0;
}

static void complaint_keep(Vault *v, const char *why) {
        if (why && !streq(why, v->complaint))
                log_warning("%s: %s", v->name, why);
        free(v->complaint);
        v->complaint = why ? strdup(why) : NULL;
}

static void vault_on_loaded(int outcome, const char *secret, void *userdata) {
        Vault *v = userdata;
        bool reloading = v->state == VAULT_STATE_LOADED;
        bool left = state_item(v->env->state, v->name) == STATE_ITEM_LEFT;

        complaint_keep(v,
                       outcome == KEYRING_E_UNREADABLE ? keyring_complaint(v->env->keyring) : NULL);
        v->load = keyring_op_free(v->load);
        v->env->stats.keyring_reads++;
        if (outcome == KEYRING_E_NOT_FOUND && !vault_is_dirty(v))
                (void)state_set_item(v->env->state, v->name, STATE_ITEM_NONE);
        if (outcome == 0 && left)
                outcome = KEYRING_E_NOT_FOUND; /* it is a former account's */
        /* What was changed here meanwhile is newer than what was read. Short of memory, nobody is
         * signed out: it is read again. */
        if (outcome == 0 && !vault_is_dirty(v) && record_adopt(v, secret) < 0)
                outcome = KEYRING_E_FAILED;
        switch (outcome) {
        case 0:
        case KEYRING_E_NOT_FOUND:
                v->retry_usec = VAULT_RETRY_FIRST_USEC;
                if (!vault_is_dirty(v)) {
                        if (outcome != 0 && v->stored)
                                (void)record_set_secret(v->record, NULL);
                        v->stored = outcome == 0;
                        v->known = v->loading_at;
                }
                break;
        default:
                v->env->stats.keyring_failures++;
                break;
        }
        if (reloading)
                ;
        else if (outcome == 0 || outcome == KEYRING_E_NOT_FOUND)
                state_set(v, VAULT_STATE_LOADED);
        else if (outcome == KEYRING_E_LOCKED || outcome == KEYRING_E_UNREADABLE)
                state_set(v, VAULT_STATE_LOCKED);
        else {
                if (outcome == KEYRING_E_FAILED)
                        vault_try_later(v);
                state_set(v, VAULT_STATE_ABSENT);
        }
        (void)vault_answer(v, &v->reload, UINT64_MAX, outcome);
}

void vault_load(Vault *v) {
        if (v->load)
                return;
        v->loading_at = keyring_deletions(v->env->keyring);
        if (keyring_load(v->env->keyring, &v->load, v->name, vault_on_loaded, v) < 0)
                vault_try_later(v);
}

static void vault_on_time(void *userdata) {
        Vault *v = userdata;

        if (v->asked)
                (void)vault_answer(v, &v->saves, UINT64_MAX, KEYRING_E_ASKS);
        else if (v->unstarted)
                vault_on_unstarted(v);
        else if (v->change || vault_is_dirty(v))
                vault_write(v);
        else if (v->state != VAULT_STATE_LOADED)
                vault_load(v);
}

int vault_new(Vault **ret, Env *env, const Account *account, VaultFn changed, void *userdata) {
        CLEANUP(vault_freep) Vault *v = NULL;
        int r;

        v = calloc(1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        v->env = env;
        v->changed = changed;
        v->userdata = userdata;
        v->retry_usec = VAULT_RETRY_FIRST_USEC;
        v->name = strdup(account->name);
        if (!v->name)
                return -ENOMEM;
        r = account_label(account, &v->label);
        if (r < 0)
                return r;
        r = record_new(&v->record, account);
        if (r < 0)
                return r;
        r = timer_new(&v->timer, env->event, vault_on_time, v);
        if (r < 0)
                return r;
        vault_load(v);
        *ret = STEAL(v);
        return 0;
}

Vault *vault_free(Vault *v) {
        if (v) {
                v->load = keyring_op_free(v->load);
                v->write = keyring_op_free(v->write);
                /* Whoever still waits learns that it came to nothing. */
                vault_ops_complete(&v->change, UINT64_MAX, KEYRING_E_FAILED);
                vault_ops_complete(&v->saves, UINT64_MAX, KEYRING_E_FAILED);
                vault_ops_complete(&v->reload, UINT64_MAX, KEYRING_E_FAILED);
                if (v->answering) {
                        v->doomed = true;
                        return NULL;
                }
                timer_free(v->timer);
                record_free(v->record);
                secret_free(v->offer);
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

bool vault_is_unread(const Vault *v) {
        return v->unread;
}

bool vault_may_be_stored(const Vault *v) {
        StateItem item = state_item(v->env->state, v->name);

        return item == STATE_ITEM_UNKNOWN || item == STATE_ITEM_STORED;
}

bool vault_is_gone(const Vault *v) {
        return v->gone;
}

bool vault_has_caught_up(const Vault *v) {
        return v->caught_up;
}

bool vault_is_stored(const Vault *v) {
        return v->stored;
}

Record *vault_record(Vault *v) {
        return v->record;
}

int vault_reload(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata) {
        int r;

        r = vault_op_new(v, &v->reload, ret, fn, userdata);
        if (r < 0)
                return r;
        vault_load(v);
        return 0;
}

int vault_set_account(Vault *v, const Account *account) {
        CLEANUP(record_freep) Record *fresh = NULL;
        CLEANUP(freep) char *label = NULL;
        int r;

        r = account_label(account, &label);
        if (r < 0)
                return r;
        if (!record_matches(v->record, account)) {
                r = record_new(&fresh, account);
                if (r < 0)
                        return r;
                record_free(v->record);
                v->record = STEAL(fresh);
                vault_touch(v);
                v->forgetting = true;
                vault_write(v);
        }
        free(v->label);
        v->label = STEAL(label);
        return 0;
}

void vault_on_keyring(Vault *v, KeyringState state) {
        if (state == KEYRING_STATE_OK) {
                v->retry_usec = VAULT_RETRY_FIRST_USEC;
                if (vault_is_dirty(v))
                        vault_write(v);
                else if (v->state != VAULT_STATE_LOADED)
                        vault_load(v);
        } else if (state == KEYRING_STATE_LOCKED && v->state == VAULT_STATE_ABSENT)
                state_set(v, VAULT_STATE_LOCKED);
        else if (state == KEYRING_STATE_ABSENT && v->state == VAULT_STATE_LOCKED)
                state_set(v, VAULT_STATE_ABSENT);
}
