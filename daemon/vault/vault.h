/* SPDX-License-Identifier: MIT */
/*
 * One account's secrets in memory, and their copy in the keyring: read once at start, written when
 * they change, written later when the keyring can't be written now. Nobody waits for the keyring
 * but by a callback, and a keyring that is locked, gone or stuck loses nothing that is in memory.
 */
#pragma once

#include "env.h"
#include "model/record.h"

typedef struct Vault Vault;
typedef struct VaultOp VaultOp;

typedef enum VaultState {
        VAULT_STATE_LOADING, /* not read yet; it is under way */
        VAULT_STATE_LOCKED,  /* not read: the keyring is locked, or can't decrypt it */
        VAULT_STATE_ABSENT,  /* not read: there is no keyring, or it doesn't answer */
        VAULT_STATE_LOADED,  /* memory is the truth */
        _VAULT_STATE_MAX,
} VaultState;

typedef enum VaultEvent {
        VAULT_EVENT_STATE,     /* vault_state() is another one */
        VAULT_EVENT_GONE,      /* its item was deleted, or is one of other settings, and so was not
                                  written again; the secrets are wiped */
        VAULT_EVENT_CAUGHT_UP, /* what could not be stored at once is stored */
} VaultEvent;

/* Called later, from the loop. It may not free the vault. */
typedef void (*VaultFn)(VaultEvent event, void *userdata);
/* A KEYRING_E_ outcome: 0 when the keyring has it now; of a save also KEYRING_E_ASKS: it will, when
 * a person has agreed to it at the keyring's dialog. */
typedef void (*VaultOpFn)(int outcome, void *userdata);

/* Starts reading. 0 or -errno. */
int vault_new(Vault **ret, Env *env, const Account *account, VaultFn changed, void *userdata);
/* What waits to be written is not waited for: ops that are left are told KEYRING_E_FAILED. NULL is
 * fine. Returns NULL. */
Vault *vault_free(Vault *v);

VaultState vault_state(const Vault *v);
/* The secrets in memory; never NULL. Change them by the record's functions, then save. */
Record *vault_record(Vault *v);
/* The keyring has an item of this account, as far as we know. */
bool vault_is_stored(const Vault *v);
/* The keyring has an item of it that is no record of this version; it is left as it is until
 * something is stored. Nobody has signed out. */
bool vault_is_unread(const Vault *v);
/* The same, or it may have one, by what io/state knows, also while the keyring can't be read. */
bool vault_may_be_stored(const Vault *v);
/* Why the keyring can't be read or written, for a person, or NULL. Borrowed. */
const char *vault_complaint(const Vault *v);

/* Write now; fn (may be NULL) is called later with the outcome. What fails is written when the
 * keyring is back. 0 or -errno. */
int vault_save(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata);
/* What is saved next is somebody's new sign-in: if the keyring asks before it is written, it may.
 */
void vault_start_over(Vault *v);
/* Write within two seconds, with whatever else changes until then. */
void vault_save_later(Vault *v);
/* Another secret for the account, or (NULL) none and nothing stored any more: first in the keyring,
 * and only then in memory. fn is called later with the outcome; unless it is 0 nothing has changed,
 * and a keyring that may have done it all the same is told again what memory has. 0, -EBUSY: one is
 * under way; -ENOMEM. */
int vault_replace(Vault *v, VaultOp **ret, const char *secret, VaultOpFn fn, void *userdata);
/* Nobody waits for the change any more: if a person is being asked, it is given up. */
void vault_give_up(Vault *v);
/* Read again: somebody else may have changed the item, on a home that machines share. fn is called
 * later with the outcome; memory then holds what the keyring holds, unless memory is ahead. */
int vault_reload(Vault *v, VaultOp **ret, VaultOpFn fn, void *userdata);
/* Write now what can be written. True when nothing is under way (any more). */
bool vault_flush(Vault *v);
/* Start over with another account description: a record that doesn't belong to it is dropped. */
int vault_set_account(Vault *v, const Account *account);
/* The keyring's state changed: read or write what waits. */
void vault_on_keyring(Vault *v, KeyringState state);

/* Take the callback back. NULL is fine. Returns NULL. */
VaultOp *vault_op_free(VaultOp *op);

CLEANUP_FUNC(Vault, vault_free)
