/* SPDX-License-Identifier: MIT */
/*
 * What asks a person: unlock the default collection and our items, or make a default collection;
 * or a dialog that the service has named itself. Asynchronous in the worker's main context, and by
 * plain D-Bus calls: libsecret's own prompt can't be taken back (its cancel waits for ever when the
 * prompter never answers, and gnome-keyring aborts). It must use the connection of the other calls:
 * KeePassXC grants access to that.
 */
#pragma once

#include <gio/gio.h>

#include "io/keyring/secret.h"

#define KEYRING_SERVICE    "org.freedesktop.secrets"
#define KEYRING_SCHEMA     "org.iotc.Token1"
#define KEYRING_COLLECTION "default"

typedef struct KeyringPrompt KeyringPrompt;

/* Show the dialog of a prompt object, or (NULL) all that an unlock needs, one after the other. fn
 * is called later, once, from the calling thread's default main context: 0, KEYRING_E_LOCKED
 * (dismissed, or no prompter), KEYRING_E_REFUSED (dismissed, when the collection was unlocked
 * already), KEYRING_E_ABSENT (no service, or it went away), or KEYRING_E_SILENT. */
KeyringPrompt *keyring_prompt_new(GDBusConnection *bus, const char *path, KeyringUnlockFn fn,
                                  void *userdata);
/* Takes the callback back; fn may call it. The dialog stays. NULL is fine. Returns NULL. */
KeyringPrompt *keyring_prompt_free(KeyringPrompt *p);
/* The dialog that it shows, or NULL. Borrowed. */
const char *keyring_prompt_shown(const KeyringPrompt *p);
/* Take a dialog away, shown or not. No answer is waited for. */
void keyring_prompt_dismiss(GDBusConnection *bus, const char *path);
