/* SPDX-License-Identifier: MIT */
/*
 * The calls into libsecret, each blocking, for the keyring's worker thread alone: this file,
 * secret.c and prompt.c are the only ones that know GLib. One D-Bus connection
 * is kept for all of them. No call but an unlock ever shows a dialog.
 */
#pragma once

#include "io/keyring/backend.h"

/* What makes a blocking call of another thread return at once. Never NULL: GLib aborts when memory
 * is short. */
KeyringCancel *keyring_cancel_new(void);
void keyring_cancel_trigger(KeyringCancel *c);
KeyringCancel *keyring_cancel_free(KeyringCancel *c);

/*
 * A service that was restarted is connected to anew and the job done once more. When items of one
 * account exist in several collections, the default one's is preferred, then an unlocked one; a new
 * item is made in the default collection. An unlock shows one prompt, which lasts as long as it
 * takes; leaving closes the connection, which withdraws it.
 */
extern const KeyringBackend keyring_secret_backend;
/* Its impl. Nothing is connected before the first call that needs it. 0 or -ENOMEM. */
int keyring_secret_new(void **ret);
