/* SPDX-License-Identifier: MIT */
/*
 * Accounts that were removed while their item is still in the keyring. Each item is deleted as soon
 * as the keyring can do it, in this life of the daemon or in a later one (the names are in
 * io/state), and is never used for an account of the same name. The daemons of one user share that:
 * whoever deletes does so under a lock, and only what the file still has, so that the item of a new
 * account, set up by the other daemon, is not taken for the former one's.
 */
#pragma once

#include "env.h"

typedef struct Removed Removed;

/* Begins with what the last life has left; removed_start() deletes it. 0 or -ENOMEM. */
int removed_new(Removed **ret, Env *env);
/* What is left is remembered. NULL is fine. Returns NULL. */
Removed *removed_free(Removed *r);

/* Remember that this account's item is to go, on disk, too; it is lent to the account as long as
 * that shows. 1: it was not known before; 0: it was; -errno: nothing is remembered. */
int removed_note(Removed *r, const char *account);
/* There is an account of this name now. 1: the item is a former one's, as this daemon or another of
 * this user has noted; the account has it deleted, before it writes its own. 0: it is not; -ENOMEM.
 */
int removed_lend(Removed *r, const char *account);
/*
 * What that account calls for it: fn is called later, and the item of the removed account has been
 * deleted then (0), or is another account's by now, if there is one (KEYRING_E_NOT_FOUND), and is
 * forgotten about, on the disk, too; or another outcome of the keyring's, and nothing has changed.
 * Only while removed_has() says so, and once at a time. ask: as of keyring_delete(), its asked with
 * the same userdata.
 */
typedef void (*RemovedFn)(int outcome, void *userdata);
void removed_clear(Removed *r, const char *account, KeyringAsk ask, RemovedFn fn, void *userdata);
/* Take the callback back; what a person is being asked for is not done. r may be NULL. */
void removed_leave(Removed *r, const char *account);
/* If a person is being asked, it ends soon with KEYRING_E_REFUSED. */
void removed_give_up(Removed *r, const char *account);
/* The account is gone: delete its item, now or when it can be done. Nothing unless it was noted. */
void removed_resume(Removed *r, const char *account);
/* The same for all that were left by the last life and not lent since. */
void removed_start(Removed *r);
/* Is its item one of a removed account, which an account of that name may not write over before it
 * has been deleted? r may be NULL. */
bool removed_has(const Removed *r, const char *account);
/* The item is gone: forget about it. 0, or -errno: the disk does not know yet, so it is still one
 * of them. r may be NULL. */
int removed_done(Removed *r, const char *account);

void removed_on_keyring(Removed *r, KeyringState state);
/* True when no deletion is under way, or about to be. */
bool removed_flush(const Removed *r);

CLEANUP_FUNC(Removed, removed_free)
