/* SPDX-License-Identifier: MIT */
/*
 * What is under way with the keyring: one load, and one write of what memory is then; what changes
 * meanwhile is the next one. Whoever waits is answered last, because that may free the vault.
 */
#include "common/memory.h"
#include "common/secret.h"
#include "io/log.h"
#include "io/state.h"
#include "vault/vault-private.h"

#define RETRY_MAX_USEC (300 * USEC_PER_SEC)

static void try_later(Vault *v) {
        timer_arm(v->timer, clock_boottime() + v->retry_usec);
        v->retry_usec = MIN(v->retry_usec * 2, RETRY_MAX_USEC);
}

/* An outcome that leaves open whether it was done, or will be. */
static bool outcome_is_open(int outcome) {
        return outcome == KEYRING_E_SILENT || outcome == KEYRING_E_FAILED;
}

static bool item_is_there(const Vault *v) {
        return v->item == VAULT_ITEM_OURS || v->item == VAULT_ITEM_UNREAD;
}

void vault_wipe(Vault *v) {
        record_drop_tokens(v->record);
        (void)record_set_secret(v->record, NULL);
        (void)record_set_user(v->record, NULL);
        (void)record_set_seen_tenant(v->record, NULL);
}

/* Take over what the keyring gave, when it is a record of this account's identity. 0 or -ENOMEM. */
static int adopt(Vault *v, const char *text) {
        CLEANUP(record_freep) Record *read = NULL;
        int r;

        r = record_from_text(&read, text);
        if (r == -ENOMEM)
                return r;
        v->item = r < 0 ? VAULT_ITEM_UNREAD : VAULT_ITEM_OURS;
        if (r < 0 || !record_same_identity(read, v->record)) {
                log_warning("%s: the keyring's item %s; not used", v->name,
                            r < 0 ? "is none that this version can read" : "is of other settings");
                return 0;
        }
        record_free(v->record);
        v->record = STEAL(read);
        return 0;
}

/* What the keyring has is what memory has from now on. An outcome. */
static int take_loaded(Vault *v, int outcome, const char *text) {
        if (outcome == KEYRING_E_NOT_FOUND) {
                if (v->writing.what == VAULT_WANT_NOTHING) /* else there may be one by now */
                        (void)state_set_item(v->env->state, v->name, STATE_ITEM_NONE);
        } else if (outcome == 0 && state_item(v->env->state, v->name) == STATE_ITEM_LEFT)
                outcome = KEYRING_E_NOT_FOUND; /* it is a former account's */
        /* Short of memory, nobody is signed out: it is read again. */
        if (outcome == 0 && adopt(v, text) < 0)
                return KEYRING_E_FAILED;
        if (outcome == KEYRING_E_NOT_FOUND) {
                if (item_is_there(v))
                        (void)record_set_secret(v->record, NULL);
                v->item = VAULT_ITEM_NONE;
        }
        return outcome;
}

static void complain(Vault *v, const char *why) {
        if (why && !streq(why, v->complaint))
                log_warning("%s: %s", v->name, why);
        free(v->complaint);
        v->complaint = xstrdup(why);
}

static void on_loaded(int outcome, const char *text, void *userdata) {
        struct VaultOps done = TAILQ_HEAD_INITIALIZER(done);
        Vault *v = userdata;
        bool known = v->state == VAULT_STATE_LOADED;

        complain(v, outcome == KEYRING_E_UNREADABLE ? keyring_complaint(v->env->keyring) : NULL);
        v->reading.op = keyring_op_free(v->reading.op);
        v->env->stats.keyring_reads++;
        /* What was changed here meanwhile is newer than what was read. */
        if (v->want == VAULT_WANT_NOTHING)
                outcome = take_loaded(v, outcome, text);
        if (outcome == 0 || outcome == KEYRING_E_NOT_FOUND) {
                v->retry_usec = VAULT_RETRY_FIRST_USEC;
                v->state = VAULT_STATE_LOADED;
        } else {
                v->env->stats.keyring_failures++;
                if (!known && outcome == KEYRING_E_FAILED)
                        try_later(v);
                if (!known)
                        v->state = outcome == KEYRING_E_LOCKED || outcome == KEYRING_E_UNREADABLE
                                           ? VAULT_STATE_LOCKED
                                           : VAULT_STATE_ABSENT;
        }
        vault_ops_move(&v->reading.waiting, &done, UINT64_MAX);
        if (!known)
                v->changed(VAULT_EVENT_STATE, v->userdata);
        vault_ops_answer(&done, outcome);
}

/* The keyring has the change: memory takes it over, unless all was forgotten meanwhile. */
static int change_apply(Vault *v) {
        if (v->want == VAULT_WANT_ERASED && v->generation > v->writing.generation)
                return KEYRING_E_FAILED;
        v->state = VAULT_STATE_LOADED;
        if (v->change.what == VAULT_WANT_STORED) {
                secret_free(v->record->secret);
                v->record->secret = STEAL(v->change.offer);
                v->record->secret_at = v->change.offer_at;
        } else {
                vault_wipe(v);
                v->want = VAULT_WANT_NOTHING;
        }
        return 0;
}

/* Not done, as far as we know: the keyring shall have what memory has. */
static void change_undo(Vault *v, int outcome) {
        if (!outcome_is_open(outcome) || v->state != VAULT_STATE_LOADED)
                return;
        v->by_person = v->by_person || item_is_there(v);
        if (v->want != VAULT_WANT_NOTHING)
                return;
        v->want = item_is_there(v) ? VAULT_WANT_STORED : VAULT_WANT_ERASED;
        v->generation++;
}

static int change_end(Vault *v, int outcome, struct VaultOps *done) {
        if (outcome == 0)
                outcome = change_apply(v);
        else
                change_undo(v, outcome);
        v->change.offer = secret_free(v->change.offer);
        v->change.what = VAULT_WANT_NOTHING;
        vault_ops_move(&v->change.waiting, done, UINT64_MAX);
        return outcome;
}

static void write_failed(Vault *v, int outcome) {
        const char *why = keyring_complaint(v->env->keyring);

        v->env->stats.keyring_failures++;
        v->late = true;
        /* What was to be stored may be there now. */
        if (outcome_is_open(outcome) && !item_is_there(v))
                v->item = VAULT_ITEM_MAYBE;
        if (!v->writing.is_change)
                log_warning("%s: the keyring can't be written now (%s); %s", v->name,
                            why                            ? why
                            : outcome == KEYRING_E_LOCKED  ? "locked"
                            : outcome == KEYRING_E_ABSENT  ? "absent"
                            : outcome == KEYRING_E_SILENT  ? "no answer"
                            : outcome == KEYRING_E_REFUSED ? "its dialog was declined"
                                                           : "it fails; is its disk full?",
                            v->writing.what == VAULT_WANT_ERASED ? "its item goes later"
                                                                 : "kept in memory");
        if (outcome == KEYRING_E_FAILED)
                try_later(v);
}

static void write_done(Vault *v) {
        bool erased = v->writing.what == VAULT_WANT_ERASED;

        v->item = erased ? VAULT_ITEM_NONE : VAULT_ITEM_OURS;
        v->retry_usec = VAULT_RETRY_FIRST_USEC;
        v->env->stats.keyring_writes++;
        if (v->generation == v->writing.generation) {
                v->want = VAULT_WANT_NOTHING;
                v->by_person = false;
        }
        if (erased)
                (void)state_set_item(v->env->state, v->name, STATE_ITEM_NONE);
}

static void on_written(int outcome, const char *text, void *userdata) {
        struct VaultOps done = TAILQ_HEAD_INITIALIZER(done);
        Vault *v = userdata;
        bool written = outcome == 0;

        v->writing.op = keyring_op_free(v->writing.op);
        v->writing.asked = false;
        if (written)
                write_done(v);
        else if (v->writing.what == VAULT_WANT_ERASED && v->item == VAULT_ITEM_NONE &&
                 outcome == KEYRING_E_ABSENT) {
                outcome = 0; /* without a keyring there is nothing to delete */
                (void)state_set_item(v->env->state, v->name, STATE_ITEM_NONE);
        } else
                write_failed(v, outcome);
        if (v->writing.is_change)
                outcome = change_end(v, outcome, &done);
        v->writing.what = VAULT_WANT_NOTHING;
        vault_ops_move(&v->writing.waiting, &done, v->writing.generation);
        if (written && v->late && v->want == VAULT_WANT_NOTHING) {
                v->late = false;
                v->changed(VAULT_EVENT_CAUGHT_UP, v->userdata);
        }
        /* What changed meanwhile; after a failure only if somebody waits for it. */
        vault_act(v, written || !TAILQ_EMPTY(&v->writing.waiting));
        vault_ops_answer(&done, outcome);
}

/* Whoever waits for the write that waits for a person goes on: others can be served until then. */
static void answer_asked(Vault *v) {
        struct VaultOps done = TAILQ_HEAD_INITIALIZER(done);

        vault_ops_move(&v->writing.waiting, &done, UINT64_MAX);
        vault_ops_answer(&done, KEYRING_E_ASKS);
}

static void on_asked(void *userdata) {
        Vault *v = userdata;

        v->writing.asked = v->late = true;
        log_info("%s: the keyring asks a person before it is %s", v->name,
                 v->writing.what == VAULT_WANT_ERASED ? "deleted there" : "stored");
        answer_asked(v);
}

/* Who is asked about the write that is about to begin: nobody for what is but a copy. */
static KeyringAsk ask_of(const Vault *v) {
        return (KeyringAsk){
                .wish = v->writing.is_change || v->by_person ? KEYRING_WISH_PERSON
                        : v->beside                          ? KEYRING_WISH_BESIDE
                        : v->record->secret                  ? KEYRING_WISH_BACKGROUND
                                                             : KEYRING_WISH_SILENT,
                .asked = on_asked,
        };
}

/* The record as it is, or with the offered secret. The disk knows first that there may be an item;
 * of one that it takes for a former account's, it has to, or the next life would not use it. */
static int begin_store(Vault *v) {
        CLEANUP(secret_freep) char *text = NULL;
        bool left = state_item(v->env->state, v->name) == STATE_ITEM_LEFT;
        Record record = *v->record;
        int r;

        r = state_set_item(v->env->state, v->name, STATE_ITEM_STORED);
        if (r < 0 && left)
                return r;
        if (v->writing.is_change) {
                record.secret = v->change.offer;
                record.secret_at = v->change.offer_at;
        }
        r = record_to_text(&text, &record);
        if (r < 0)
                return r;
        return keyring_store(v->env->keyring, &v->writing.op, ask_of(v), v->name, v->label, text,
                             on_written, v);
}

static void begin_write(Vault *v, VaultWant what, bool is_change) {
        int r;

        timer_arm(v->timer, USEC_INFINITY);
        v->writing.what = what;
        v->writing.is_change = is_change;
        v->writing.generation = v->generation;
        if (what == VAULT_WANT_STORED)
                r = begin_store(v);
        else
                r = keyring_delete(v->env->keyring, &v->writing.op, ask_of(v), v->name, on_written,
                                   v);
        if (r < 0)
                timer_arm(v->timer, clock_boottime()); /* it has failed, which the loop tells */
}

static void begin_load(Vault *v) {
        if (keyring_load(v->env->keyring, &v->reading.op, v->name, on_loaded, v) < 0)
                try_later(v);
}

/* Is what the keyring has still the item that memory is a copy of? One that can't be read tells
 * nothing, and is not taken for a sign-out. */
static bool is_ours(const Vault *v, const char *text) {
        CLEANUP(record_freep) Record *read = NULL;

        return record_from_text(&read, text) < 0 || record_same_identity(read, v->record);
}

/* Somebody has deleted the item, or it is another one's now: what was to be stored is not. */
static void lose(Vault *v) {
        struct VaultOps done = TAILQ_HEAD_INITIALIZER(done);

        log_info("%s: its item was deleted meanwhile; what was to be stored is not", v->name);
        vault_wipe(v);
        v->item = VAULT_ITEM_NONE;
        v->want = VAULT_WANT_NOTHING;
        vault_ops_move(&v->writing.waiting, &done, UINT64_MAX);
        v->changed(VAULT_EVENT_GONE, v->userdata);
        vault_act(v, false);
        vault_ops_answer(&done, KEYRING_E_NOT_FOUND);
}

static void on_looked(int outcome, const char *text, void *userdata) {
        Vault *v = userdata;
        bool lost = outcome == KEYRING_E_NOT_FOUND || (outcome == 0 && !is_ours(v, text));

        v->writing.op = keyring_op_free(v->writing.op);
        v->writing.what = VAULT_WANT_NOTHING;
        v->env->stats.keyring_reads++;
        if (v->want != VAULT_WANT_STORED)
                vault_act(v, true); /* it is to be erased now */
        else if (lost && !v->by_person && v->change.what == VAULT_WANT_NOTHING)
                lose(v);
        else
                begin_write(v, VAULT_WANT_STORED, false); /* what else is wrong it meets as well */
}

static void begin_look(Vault *v) {
        timer_arm(v->timer, USEC_INFINITY);
        v->writing.what = VAULT_WANT_STORED;
        v->writing.is_change = false;
        v->writing.generation = v->generation;
        if (keyring_load(v->env->keyring, &v->writing.op, v->name, on_looked, v) < 0)
                timer_arm(v->timer, clock_boottime());
}

void vault_act(Vault *v, bool now) {
        for (;;) {
                const VaultFacts facts = {
                        .loading = v->reading.op,
                        .writing = v->writing.what != VAULT_WANT_NOTHING,
                        .loaded = v->state == VAULT_STATE_LOADED,
                        .reader = !TAILQ_EMPTY(&v->reading.waiting),
                        .due = now,
                        .copy = v->item == VAULT_ITEM_OURS && !v->by_person && !v->beside,
                        .change = v->change.what,
                        .want = v->want,
                };

                switch (vault_step(&facts)) {
                case VAULT_STEP_LOAD:
                        begin_load(v);
                        if (!v->reading.op)
                                return; /* later */
                        break;
                case VAULT_STEP_LOOK:
                        begin_look(v);
                        break;
                case VAULT_STEP_STORE:
                        begin_write(v, VAULT_WANT_STORED, facts.change != VAULT_WANT_NOTHING);
                        break;
                case VAULT_STEP_ERASE:
                        begin_write(v, VAULT_WANT_ERASED, facts.change != VAULT_WANT_NOTHING);
                        break;
                default:
                        return;
                }
        }
}

void vault_on_time(void *userdata) {
        Vault *v = userdata;

        if (v->writing.asked)
                answer_asked(v);
        else if (v->writing.what != VAULT_WANT_NOTHING && !v->writing.op)
                on_written(KEYRING_E_FAILED, NULL, v);
        else
                vault_act(v, true);
}

void vault_drop_asked(Vault *v) {
        if (!v->writing.asked)
                return;
        v->writing.op = keyring_op_free(v->writing.op);
        v->writing.asked = false;
        v->writing.what = VAULT_WANT_NOTHING;
}
