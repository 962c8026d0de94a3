/* SPDX-License-Identifier: MIT */
/*
 * The calls into libsecret, each blocking, for the keyring's worker thread alone: this file,
 * keyring-secret.c and keyring-prompt.c are the only ones that know GLib. One D-Bus connection and
 * one session are kept for all of them. No call but keyring_secret_unlock() ever shows a dialog.
 */
#pragma once

#include "io/keyring.h"

typedef struct KeyringSecret KeyringSecret;
typedef struct KeyringCancel KeyringCancel;

/* How a prompt ended: an outcome of keyring_unlock(). Called on the worker, in
 * keyring_secret_wait(). */
typedef void (*KeyringSecretFn)(int outcome, void *userdata);

/* What makes a blocking call of another thread return at once. Never NULL: GLib aborts when memory
 * is short. */
KeyringCancel *keyring_cancel_new(void);
void keyring_cancel_trigger(KeyringCancel *c);
KeyringCancel *keyring_cancel_free(KeyringCancel *c);

/* Nothing is connected before the first call that needs it. 0 or -ENOMEM. */
int keyring_secret_new(KeyringSecret **ret);
/* From any thread, once the worker has left. NULL is fine. Returns NULL. */
KeyringSecret *keyring_secret_free(KeyringSecret *s);

/* The worker's first call, and its last one: it closes the connection, which withdraws a prompt
 * that is still shown (its callback is not called). */
void keyring_secret_enter(KeyringSecret *s);
void keyring_secret_leave(KeyringSecret *s);
/* Block until keyring_secret_wake(), handling what the service sends meanwhile; may return early.
 * A wake before the wait is not lost. keyring_secret_wake() may be called from any thread. */
void keyring_secret_wait(KeyringSecret *s);
void keyring_secret_wake(KeyringSecret *s);

/*
 * One job each, blocking; returns an outcome of keyring.h. A service that was restarted is
 * connected to anew and the job done once more. *ret_secret is the caller's to secret_free().
 * When items of one account exist in several collections, the default one's is preferred, then an
 * unlocked one; a new item is made in the default collection.
 */
int keyring_secret_load(KeyringSecret *s, KeyringCancel *cancel, const char *account,
                        char **ret_secret);
int keyring_secret_store(KeyringSecret *s, KeyringCancel *cancel, const char *account,
                         const char *label, const char *secret);
int keyring_secret_delete(KeyringSecret *s, KeyringCancel *cancel, const char *account);

/* Start one prompt, which may be shown while other jobs run; fn is called later, once, unless
 * keyring_secret_leave() comes first. One at a time. 0, or KEYRING_E_ABSENT and no call of fn. */
int keyring_secret_unlock(KeyringSecret *s, KeyringSecretFn fn, void *userdata);

CLEANUP_FUNC(KeyringSecret, keyring_secret_free)
