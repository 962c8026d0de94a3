/* SPDX-License-Identifier: MIT */
/*
 * Writing: one write at a time, of what memory is then; what changes meanwhile is the next one.
 */
#include "common/secret.h"
#include "io/log.h"
#include "io/state.h"
#include "vault/vault-private.h"

#define SAVE_LATER_USEC (2 * USEC_PER_SEC)
#define RETRY_MAX_USEC  (300 * USEC_PER_SEC)

void vault_try_later(Vault *v) {
        timer_arm(v->timer, clock_boottime() + v->retry_usec);
        v->retry_usec = MIN(v->retry_usec * 2, RETRY_MAX_USEC);
}

/* Answer the ops of a list up to a generation; not those that a callback adds. */
void vault_ops_complete(VaultOp **list, uint64_t generation, int outcome) {
        VaultOp *done = NULL, **tail = &done;

        for (VaultOp **p = list; *p;) {
                VaultOp *op = *p;

                if (op->generation > generation) {
                        p = &op->next;
                        continue;
                }
                *p = op->next;
                op->next = NULL;
                *tail = op;
                tail = &op->next;
        }
        while (done) {
                VaultOp *op = done;

                done = op->next;
                op->vault = NULL;
                op->next = NULL;
                if (op->fn)
                        op->fn(outcome, op->userdata);
                else
                        free(op);
        }
}

bool vault_answer(Vault *v, VaultOp **list, uint64_t generation, int outcome) {
        v->answering = true;
        vault_ops_complete(list, generation, outcome);
        v->answering = false;
        if (v->doomed)
                v = vault_free(v);
        return v != NULL;
}

int vault_op_new(Vault *v, VaultOp **list, VaultOp **ret, VaultOpFn fn, void *userdata) {
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

/* An outcome that leaves open whether it was done, or will be. */
static bool outcome_is_open(int outcome) {
        return outcome == KEYRING_E_SILENT || outcome == KEYRING_E_FAILED;
}

static void record_wipe(Record *record) {
        record_drop_tokens(record);
        (void)record_set_secret(record, NULL);
        (void)record_set_user(record, NULL);
        (void)record_set_seen_tenant(record, NULL);
}

/* The keyring has the change: memory takes it over, unless all was forgotten meanwhile. */
static int change_take(Vault *v) {
        if (v->forgetting && v->generation > v->writing)
                return KEYRING_E_FAILED;
        v->state = VAULT_STATE_LOADED;
        v->forgetting = !v->offer;
        if (v->offer) {
                secret_free(v->record->secret);
                v->record->secret = STEAL(v->offer);
                v->record->secret_at = v->offer_at;
        } else {
                record_wipe(v->record);
                v->written = v->generation;
        }
        return 0;
}

/* Not done, as far as we know: the keyring shall have what memory has. */
static void change_undo(Vault *v, int outcome) {
        if (!outcome_is_open(outcome) || v->state != VAULT_STATE_LOADED)
                return;
        v->fresh = v->fresh || v->stored;
        if (vault_is_dirty(v))
                return;
        v->forgetting = !v->stored;
        v->generation++;
}

static void write_failed(Vault *v, int outcome) {
        const char *why = keyring_complaint(v->env->keyring);

        v->env->stats.keyring_failures++;
        v->late = true;
        /* What was to be stored may be there now. */
        v->unseen = v->unseen || outcome_is_open(outcome);
        if (!v->carries)
                log_warning("%s: the keyring can't be written now (%s); %s", v->name,
                            why                            ? why
                            : outcome == KEYRING_E_LOCKED  ? "locked"
                            : outcome == KEYRING_E_ABSENT  ? "absent"
                            : outcome == KEYRING_E_SILENT  ? "no answer"
                            : outcome == KEYRING_E_REFUSED ? "its dialog was declined"
                                                           : "it fails; is its disk full?",
                            v->erases ? "its item goes later" : "kept in memory");
        if (outcome == KEYRING_E_FAILED)
                vault_try_later(v);
}

static void vault_on_written(int outcome, const char *secret, void *userdata) {
        Vault *v = userdata;
        uint64_t generation = v->writing;
        bool done = outcome == 0;

        v->write = keyring_op_free(v->write);
        v->asked = false;
        if (done) {
                v->written = generation;
                v->stored = !v->erases;
                v->unread = false;
                v->known = v->writing_at;
                v->fresh = v->fresh && vault_is_dirty(v);
                v->unseen = false;
                v->retry_usec = VAULT_RETRY_FIRST_USEC;
                v->env->stats.keyring_writes++;
                if (v->erases)
                        (void)state_set_item(v->env->state, v->name, STATE_ITEM_NONE);
        } else if (v->erases && !v->stored && !v->unseen && outcome == KEYRING_E_ABSENT) {
                outcome = 0; /* without a keyring there is nothing to delete */
                (void)state_set_item(v->env->state, v->name, STATE_ITEM_NONE);
        } else
                write_failed(v, outcome);
        if (v->carries) {
                if (outcome == 0)
                        outcome = change_take(v);
                else
                        change_undo(v, outcome);
                v->offer = secret_free(v->offer);
                if (!vault_answer(v, &v->change, UINT64_MAX, outcome))
                        return;
        }
        if (!vault_answer(v, &v->saves, generation, outcome))
                return;
        if (done && v->late && !vault_is_dirty(v)) {
                v->late = false;
                v->caught_up = true;
                v->changed(v->userdata);
                v->caught_up = false;
        }
        /* What changed meanwhile; after a failure only if somebody waits for it. */
        if (v->change || (vault_is_dirty(v) && (done || v->saves)))
                vault_write(v);
}

/* The record as it is, or with the offered secret. The disk knows first that there may be an item;
 * of one that it takes for a former account's, it has to, or the next life would not use it. */
static int vault_store(Vault *v) {
        CLEANUP(secret_freep) char *text = NULL;
        bool left = state_item(v->env->state, v->name) == STATE_ITEM_LEFT;
        Record record = *v->record;
        int r;

        r = state_set_item(v->env->state, v->name, STATE_ITEM_STORED);
        if (r < 0 && left)
                return r;
        if (v->carries) {
                record.secret = v->offer;
                record.secret_at = v->offer_at;
        }
        r = record_to_text(&text, &record);
        if (r < 0)
                return r;
        return keyring_store(v->env->keyring, &v->write, vault_ask(v), v->name, v->label, text,
                             vault_on_written, v);
}

/* Is what the keyring has still the item that memory is a copy of? One that can't be read tells
 * nothing, and is not taken for a sign-out. */
static bool is_ours(const Vault *v, const char *text) {
        CLEANUP(record_freep) Record *read = NULL;
        int r;

        r = record_from_text(&read, text);
        return r < 0 || record_same_identity(read, v->record);
}

static void vault_lose(Vault *v) {
        log_info("%s: its item was deleted meanwhile; what was to be stored is not", v->name);
        record_wipe(v->record);
        v->stored = false;
        v->written = v->generation;
        v->gone = true;
        v->changed(v->userdata);
        v->gone = false;
        if (vault_answer(v, &v->saves, UINT64_MAX, KEYRING_E_NOT_FOUND) && v->change)
                vault_write(v);
}

static void vault_on_looked(int outcome, const char *secret, void *userdata) {
        Vault *v = userdata;
        bool lost = outcome == KEYRING_E_NOT_FOUND || (outcome == 0 && !is_ours(v, secret));

        v->write = keyring_op_free(v->write);
        v->env->stats.keyring_reads++;
        if (lost && !v->fresh && !v->forgetting && !v->change) {
                vault_lose(v);
                return;
        }
        v->looked = true; /* whatever else is wrong the write meets as well */
        vault_write(v);
}

/* An item was deleted since this one was seen, maybe this one, by another daemon of this user whose
 * person has signed out: what comes late does not make it again. */
static bool must_look(Vault *v) {
        bool looked = v->looked;

        v->looked = false;
        return !looked && !v->erases && !v->carries && !v->fresh && v->stored &&
               v->known != keyring_deletions(v->env->keyring);
}

void vault_write(Vault *v) {
        int r;

        if (v->write)
                return; /* once more when it is done */
        timer_arm(v->timer, USEC_INFINITY);
        v->unstarted = false;
        v->writing = v->generation;
        v->carries = v->change;
        v->erases = v->carries ? !v->offer : v->forgetting;
        v->writing_at = keyring_deletions(v->env->keyring);
        if (must_look(v))
                r = keyring_load(v->env->keyring, &v->write, v->name, vault_on_looked, v);
        else if (v->erases)
                r = keyring_delete(v->env->keyring, &v->write, vault_ask(v), v->name,
                                   vault_on_written, v);
        else
                r = vault_store(v);
        if (r == 0)
                return;
        v->unstarted = true; /* whoever waits for that is told, from the loop */
        timer_arm(v->timer, clock_boottime());
}

void vault_on_unstarted(Vault *v) {
        v->unstarted = false;
        vault_on_written(KEYRING_E_FAILED, NULL, v);
}

bool vault_is_dirty(const Vault *v) {
        return v->written != v->generation;
}

void vault_touch(Vault *v) {
        v->generation++;
        if (v->state != VAULT_STATE_LOADED)
                v->state = VAULT_STATE_LOADED;
}

int vault_save(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata) {
        int r;

        v->forgetting = false;
        vault_touch(v);
        if (fn) {
                r = vault_op_new(v, &v->saves, ret, fn, userdata);
                if (r < 0)
                        return r;
        }
        if (v->asked)
                timer_arm(v->timer, clock_boottime()); /* who waits is told, from the loop */
        else
                vault_write(v);
        return 0;
}

void vault_start_over(Vault *v) {
        v->fresh = true;
}

void vault_save_later(Vault *v) {
        v->forgetting = false;
        vault_touch(v);
        timer_arm(v->timer, clock_boottime() + SAVE_LATER_USEC);
}

int vault_replace(Vault *v, VaultOp **ret, const char *secret, VaultOpFn fn, void *userdata) {
        CLEANUP(secret_freep) char *offer = secret_dup(secret);
        int r;

        if (v->change)
                return -EBUSY;
        if (secret && !offer)
                return -ENOMEM;
        r = vault_op_new(v, &v->change, ret, fn, userdata);
        if (r < 0)
                return r;
        v->offer = STEAL(offer);
        v->offer_at = env_true_of(v->env, clock_boottime());
        if (!v->carries)
                vault_unask(v); /* what it would store is not wanted any more */
        /* A keyring that is not there may hold what was never read. */
        v->unseen = v->unseen || v->state != VAULT_STATE_LOADED;
        vault_write(v);
        return 0;
}
