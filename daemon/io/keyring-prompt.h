/* SPDX-License-Identifier: MIT */
/*
 * The one thing that asks a person: unlock the default collection and our items, or make a default
 * collection. Asynchronous in the worker's main context, and by plain D-Bus calls: libsecret's own
 * prompt can't be taken back (its cancel waits for ever when the prompter never answers, and
 * gnome-keyring aborts). It must use the connection of the reads: KeePassXC grants access to that.
 */
#pragma once

#include <gio/gio.h>

#include "io/keyring-secret.h"

#define KEYRING_SERVICE    "org.freedesktop.secrets"
#define KEYRING_SCHEMA     "org.iotc.Token1"
#define KEYRING_COLLECTION "default"

typedef struct KeyringPrompt KeyringPrompt;

/* fn is called later, once, from the calling thread's default main context: 0, KEYRING_E_LOCKED
 * (dismissed, or no prompter) or KEYRING_E_ABSENT (no service, or it went away). */
KeyringPrompt *keyring_prompt_new(GDBusConnection *bus, KeyringUnlockFn fn, void *userdata);
/* Takes the callback back; fn may call it. NULL is fine. Returns NULL. */
KeyringPrompt *keyring_prompt_free(KeyringPrompt *p);
