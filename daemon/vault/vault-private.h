/* SPDX-License-Identifier: MIT */
/*
 * What the files of the vault share: vault.c (its life, reading), write.c (writing) and
 * ask.c (when a person is asked before that).
 */
#pragma once

#include "io/timer.h"
#include "vault/vault.h"

#define VAULT_RETRY_FIRST_USEC (5 * USEC_PER_SEC)

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
        bool looked;             /* the item is there, or is to be; the next write need not look */
        bool fresh;              /* what is to be written, is so whatever has become of the item */
        bool gone;               /* vault_is_gone() */
        bool late;               /* what is to be stored could not be stored at once */
        bool caught_up;          /* vault_has_caught_up() */
        bool unstarted;          /* a write could not be begun */
        unsigned known;          /* keyring_deletions() when its item was there ... */
        unsigned loading_at, writing_at; /* ... and when the load, the write began */
        bool unseen;                     /* what is to go was never read: the keyring may have it */
        bool forgetting;                 /* memory was wiped: the item goes, it is not written */
        bool stored;                     /* the keyring had an item of ours, as far as we know */
        uint64_t generation, written, writing;
        VaultOp *saves, *reload;
        VaultOp *change;   /* of vault_replace(): at most one */
        char *offer;       /* its secret, or NULL: the item goes */
        uint64_t offer_at; /* Record.secret_at */
        bool carries;      /* the write under way is this change */
        bool erases;       /* the write under way is a deletion */
        bool asked;        /* it waits for a person, at a dialog of the keyring's */
        bool beside;       /* the next one asks nobody: the daemon is about to end */
        uint64_t flushed;  /* the generation that was tried when the daemon was to end */
        bool unread;       /* its item is none that record_from_text() can read */
        char *complaint;   /* why its item can't be decrypted, or NULL */
        Timer *timer;      /* the delayed write, or the next try */
        uint64_t retry_usec;
        bool answering, doomed; /* an op that is being answered may free the vault: it ends later */
};

/* vault.c */
/* Read, unless that is under way. */
void vault_load(Vault *v);

/* write.c */
/* An op at the end of a list. 0 or -ENOMEM. */
int vault_op_new(Vault *v, VaultOp **list, VaultOp **ret, VaultOpFn fn, void *userdata);
/* Answer the ops of a list up to a generation. */
void vault_ops_complete(VaultOp **list, uint64_t generation, int outcome);
/* The same from an event of the keyring. False when an op's callback has freed the vault. */
bool vault_answer(Vault *v, VaultOp **list, uint64_t generation, int outcome);
/* Memory has changed; from now on it is the truth, read or not. */
void vault_touch(Vault *v);
void vault_try_later(Vault *v);
/* From the loop: the write that could not be begun has failed. */
void vault_on_unstarted(Vault *v);
/* Write what is to be written, or delete, unless that is under way. */
void vault_write(Vault *v);

/* ask.c */
/* Who is asked about the write that is about to begin: nobody for what is but a copy. */
KeyringAsk vault_ask(const Vault *v);
/* A write that waits for a person is given up. */
void vault_unask(Vault *v);
