/* SPDX-License-Identifier: MIT */
#include "vault.h"
#include "io/log.h"
#include "io/timer.h"
#include "model/secret.h"

#define SAVE_LATER_USEC  (2 * USEC_PER_SEC)
#define RETRY_FIRST_USEC (5 * USEC_PER_SEC)
#define RETRY_MAX_USEC   (300 * USEC_PER_SEC)

struct VaultOp {
        Vault *vault;
        VaultOp *next;
        uint64_t generation; /* done when the keyring has this one */
        VaultOpFn fn;
        void *userdata;
};

struct Vault {
        Env *env;
        char *name, *label;
        Record *record;
        VaultState state;
        VaultFn changed;
        void *userdata;
        KeyringOp *load, *write; /* at most one of each */
        bool unseen;             /* what is to go was never read: the keyring may have it */
        bool forgetting;         /* memory was wiped: the item goes, it is not written */
        bool stored;             /* the keyring had an item of ours, as far as we know */
        uint64_t generation, written, writing;
        VaultOp *saves, *reload;
        Timer *timer; /* the delayed write, or the next try */
        uint64_t retry_usec;
        bool answering, doomed; /* an op that is being answered may free the vault: it ends later */
};

static void vault_write(Vault *v);

static int account_label(const Account *a, char **ret) {
        return asprintf(ret, "IoT Central: %s (%s)", a->name, account_source_to_string(a->source)) <
                               0
                       ? -ENOMEM
                       : 0;
}

static void vault_try_later(Vault *v) {
        timer_arm(v->timer, clock_boottime() + v->retry_usec);
        v->retry_usec = MIN(v->retry_usec * 2, RETRY_MAX_USEC);
}

/* Answer the ops of a list up to a generation. A callback may free its own op or the vault's owner
 * may add others: each is taken off before it is called. */
static void ops_complete(VaultOp **list, uint64_t generation, int outcome) {
        for (VaultOp **p = list; *p;) {
                VaultOp *op = *p;

                if (op->generation > generation) {
                        p = &op->next;
                        continue;
                }
                *p = op->next;
                op->vault = NULL;
                op->next = NULL;
                if (op->fn)
                        op->fn(outcome, op->userdata);
                else
                        free(op);
                p = list;
        }
}

/* The same from an event of the keyring. False when an op's callback has freed the vault. */
static bool vault_answer(Vault *v, VaultOp **list, uint64_t generation, int outcome) {
        v->answering = true;
        ops_complete(list, generation, outcome);
        v->answering = false;
        if (v->doomed)
                v = vault_free(v);
        return v != NULL;
}

static int op_new(Vault *v, VaultOp **list, VaultOp **ret, VaultOpFn fn, void *userdata) {
        VaultOp *op, **tail;

        op = calloc(1, sizeof(*op));
        if (!op)
                return -ENOMEM;
        *op = (VaultOp){ .vault = v, .generation = v->generation, .fn = fn, .userdata = userdata };
        for (tail = list; *tail; tail = &(*tail)->next)
                ;
        *tail = op;
        if (ret)
                *ret = op;
        return 0;
}

VaultOp *vault_op_free(VaultOp *op) {
        if (op && op->vault)
                op->fn = NULL; /* still in its list: freed when its turn comes */
        else
                free(op);
        return NULL;
}

static void state_set(Vault *v, VaultState state) {
        v->state = state;
        v->changed(v->userdata);
}

/* Take over what the keyring gave, when it is a record of this account's identity. */
static void record_adopt(Vault *v, const char *text) {
        CLEANUP(record_freep) Record *read = NULL;
        int r;

        r = record_from_text(&read, text);
        if (r < 0 || !record_same_identity(read, v->record)) {
                log_warning("%s: the keyring's item is of other settings or no record; not used",
                            v->name);
                return;
        }
        record_free(v->record);
        v->record = STEAL(read);
}

static void vault_on_loaded(int outcome, const char *secret, void *userdata) {
        Vault *v = userdata;
        bool reloading = v->state == VAULT_STATE_LOADED;

        v->load = keyring_op_free(v->load);
        v->env->stats.keyring_reads++;
        switch (outcome) {
        case 0:
        case KEYRING_E_NOT_FOUND:
                v->retry_usec = RETRY_FIRST_USEC;
                /* What was changed here meanwhile is newer than what was read. */
                if (!vault_is_dirty(v)) {
                        if (outcome == 0)
                                record_adopt(v, secret);
                        else if (v->stored)
                                (void)record_set_secret(v->record, NULL);
                        v->stored = outcome == 0;
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
        else if (outcome == KEYRING_E_LOCKED)
                state_set(v, VAULT_STATE_LOCKED);
        else {
                if (outcome == KEYRING_E_FAILED)
                        vault_try_later(v);
                state_set(v, VAULT_STATE_ABSENT);
        }
        (void)vault_answer(v, &v->reload, UINT64_MAX, outcome);
}

static void vault_load(Vault *v) {
        if (v->load)
                return;
        if (keyring_load(v->env->keyring, &v->load, v->name, vault_on_loaded, v) < 0)
                vault_try_later(v);
}

static void vault_on_written(int outcome, const char *secret, void *userdata) {
        Vault *v = userdata;
        uint64_t generation = v->writing;
        int answer = outcome;

        v->write = keyring_op_free(v->write);
        if (outcome == 0) {
                v->written = generation;
                v->stored = !v->forgetting;
                v->unseen = false;
                v->retry_usec = RETRY_FIRST_USEC;
                v->env->stats.keyring_writes++;
        } else {
                log_warning("%s: the keyring can't be written now (%s); %s", v->name,
                            outcome == KEYRING_E_LOCKED   ? "locked"
                            : outcome == KEYRING_E_ABSENT ? "absent"
                            : outcome == KEYRING_E_SILENT ? "no answer"
                                                          : "it fails; is its disk full?",
                            v->forgetting ? "its item goes later" : "kept in memory");
                v->env->stats.keyring_failures++;
                if (outcome == KEYRING_E_FAILED)
                        vault_try_later(v);
        }
        /* Without a keyring there is nothing to delete, if what we forgot was never in one. */
        if (v->forgetting && !v->stored && !v->unseen && outcome == KEYRING_E_ABSENT)
                answer = 0;
        if (!vault_answer(v, &v->saves, generation, answer))
                return;
        /* What changed meanwhile; after a failure only if somebody waits for it. */
        if (vault_is_dirty(v) && (outcome == 0 || v->saves))
                vault_write(v);
}

static void vault_write(Vault *v) {
        CLEANUP(secret_freep) char *text = NULL;
        int r;

        if (v->write)
                return; /* once more when it is done */
        timer_arm(v->timer, USEC_INFINITY);
        v->writing = v->generation;
        if (v->forgetting)
                r = keyring_delete(v->env->keyring, &v->write, v->name, vault_on_written, v);
        else {
                r = record_to_text(&text, v->record);
                if (r == 0)
                        r = keyring_store(v->env->keyring, &v->write, v->name, v->label, text,
                                          vault_on_written, v);
        }
        if (r < 0)
                vault_try_later(v);
}

static void vault_on_time(void *userdata) {
        Vault *v = userdata;

        if (vault_is_dirty(v))
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
        v->retry_usec = RETRY_FIRST_USEC;
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
                ops_complete(&v->saves, UINT64_MAX, KEYRING_E_FAILED);
                ops_complete(&v->reload, UINT64_MAX, KEYRING_E_FAILED);
                if (v->answering) {
                        v->doomed = true;
                        return NULL;
                }
                timer_free(v->timer);
                record_free(v->record);
                free(v->label);
                free(v->name);
                free(v);
        }
        return NULL;
}

VaultState vault_state(const Vault *v) {
        return v->state;
}

Record *vault_record(Vault *v) {
        return v->record;
}

bool vault_is_dirty(const Vault *v) {
        return v->written != v->generation;
}

/* Memory has changed; from now on it is the truth, read or not. */
static void vault_touch(Vault *v) {
        v->generation++;
        if (v->state != VAULT_STATE_LOADED)
                v->state = VAULT_STATE_LOADED;
}

int vault_save(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata) {
        int r;

        v->forgetting = false;
        vault_touch(v);
        if (fn) {
                r = op_new(v, &v->saves, ret, fn, userdata);
                if (r < 0)
                        return r;
        }
        vault_write(v);
        return 0;
}

void vault_save_later(Vault *v) {
        v->forgetting = false;
        vault_touch(v);
        timer_arm(v->timer, clock_boottime() + SAVE_LATER_USEC);
}

int vault_reload(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata) {
        int r;

        r = op_new(v, &v->reload, ret, fn, userdata);
        if (r < 0)
                return r;
        vault_load(v);
        return 0;
}

bool vault_flush(Vault *v) {
        if (vault_is_dirty(v) && !v->write && keyring_state(v->env->keyring) == KEYRING_STATE_OK)
                vault_write(v);
        return !v->write;
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

int vault_forget(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata) {
        int r;

        v->unseen = v->unseen || v->state != VAULT_STATE_LOADED;
        record_drop_tokens(v->record);
        (void)record_set_secret(v->record, NULL);
        (void)record_set_user(v->record, NULL);
        vault_touch(v);
        v->forgetting = true;
        if (fn) {
                r = op_new(v, &v->saves, ret, fn, userdata);
                if (r < 0)
                        return r;
        }
        vault_write(v);
        return 0;
}

void vault_on_keyring(Vault *v, KeyringState state) {
        if (state == KEYRING_STATE_OK) {
                v->retry_usec = RETRY_FIRST_USEC;
                if (vault_is_dirty(v))
                        vault_write(v);
                else if (v->state != VAULT_STATE_LOADED)
                        vault_load(v);
        } else if (state == KEYRING_STATE_LOCKED && v->state == VAULT_STATE_ABSENT)
                state_set(v, VAULT_STATE_LOCKED);
}
