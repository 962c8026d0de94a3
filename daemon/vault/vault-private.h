/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share. Each calls those before it: step.c (what is done next), op.c
 * (who waits), work.c (what is under way with the keyring), vault.c (its life, and what others ask
 * of it).
 */
#pragma once

#include <sys/queue.h>

#include "io/timer.h"
#include "vault/step.h"
#include "vault/vault.h"

#define VAULT_RETRY_FIRST_USEC (5 * USEC_PER_SEC)

TAILQ_HEAD(VaultOps, VaultOp);

struct VaultOp {
        TAILQ_ENTRY(VaultOp) link;
        struct VaultOps *list; /* NULL once it is answered */
        uint64_t generation;   /* done when the keyring has this one */
        VaultOpFn fn;
        void *userdata;
};

/* What is known of the keyring's item. */
typedef enum VaultItem {
        VAULT_ITEM_NONE,   /* none, as far as we know */
        VAULT_ITEM_MAYBE,  /* it was never read, or a write may have been done after all */
        VAULT_ITEM_OURS,   /* there is one */
        VAULT_ITEM_UNREAD, /* there is one that record_from_text() can't read */
} VaultItem;

typedef struct VaultReading {
        KeyringOp *op;
        struct VaultOps waiting;
} VaultReading;

typedef struct VaultWriting {
        VaultWant what; /* NOTHING: none is under way */
        KeyringOp *op;  /* NULL: it could not be begun */
        bool is_change; /* it is Vault.change */
        bool asked;     /* it waits for a person, at a dialog of the keyring's */
        uint64_t generation;
        struct VaultOps waiting;
} VaultWriting;

/* vault_replace(): at most one. */
typedef struct VaultChange {
        VaultWant what;
        char *offer; /* the secret to store */
        uint64_t offer_at;
        struct VaultOps waiting;
} VaultChange;

struct Vault {
        Env *env;
        char *name, *label;
        Record *record;
        VaultState state;
        VaultItem item;
        VaultFn changed;
        void *userdata;
        VaultReading reading;
        VaultWriting writing;
        VaultChange change;
        VaultWant want;      /* of what memory has; NOTHING: the keyring has it */
        uint64_t generation; /* counts the changes of memory */
        bool by_person;      /* what is to be stored is somebody's new sign-in */
        bool late;           /* what is to be stored could not be stored at once */
        bool beside;         /* the next store asks nobody: the daemon is about to end */
        uint64_t flushed;    /* the generation that was tried when the daemon was to end */
        char *complaint;     /* why its item can't be decrypted, or NULL */
        Timer *timer;        /* the delayed write, or the next try */
        uint64_t retry_usec;
};

/* op.c */
VaultOp *vault_op_new(Vault *v, struct VaultOps *list, VaultOpFn fn, void *userdata);
/* Move the ops up to a generation to the end of another list. */
void vault_ops_move(struct VaultOps *from, struct VaultOps *to, uint64_t generation);
/* Answer all of a list. They may free the vault, and themselves. */
void vault_ops_answer(struct VaultOps *ops, int outcome);

/* work.c */
/* Begin whatever is to be begun. now: also what was put off. */
void vault_act(Vault *v, bool now);
/* The timer: what was put off, or could not be begun, or who waits for a person. */
void vault_on_time(void *userdata);
/* A write that waits for a person is given up, and what it was to do is still to be done. */
void vault_drop_asked(Vault *v);
void vault_wipe(Vault *v);
