/* SPDX-License-Identifier: MIT */
/*
 * What the files of the Secret Service's calls share: secret.c (the connection, and the
 * table of them), secret-find.c (finding and reading items) and secret-write.c
 * (making, changing and deleting them).
 */
#pragma once

#define SECRET_API_SUBJECT_TO_CHANGE
#include <libsecret/secret.h>

#include "io/keyring/prompt.h"

#define SECRETS_PATH         "/org/freedesktop/secrets"
#define SECRETS_INTERFACE    "org.freedesktop.Secret.Service"
#define COLLECTION_INTERFACE "org.freedesktop.Secret.Collection"

typedef struct KeyringSecret {
        GMainContext *context;
        GDBusConnection *bus;
        SecretService *service; /* ours, not libsecret's shared one */
        KeyringPrompt *prompt;
} KeyringSecret;

/* One job: what goes in and what comes out. */
typedef struct SecretCall {
        const char *account;
        const char *label;
        const char *secret;
        bool beside;
        char *loaded;
        char *collection; /* out: the default one's path, or NULL: there is none */
        KeyringQuestion *question;
        GCancellable *cancel;
} SecretCall;

/* secret-find.c */
/* A call that shows nothing. NULL and *error, or the reply, of that type. */
GVariant *secret_ask(KeyringSecret *s, SecretCall *call, const char *path, const char *interface,
                     const char *method, GVariant *arguments, const char *type, GError **error);
/* Find the default collection. 0, KEYRING_E_ABSENT or LOCKED, or FAILED and *error. */
int secret_open_default(KeyringSecret *s, SecretCall *call, GError **error);
/* All items of the account; call->collection is known then. 0, maybe with none, or why none can be
 * found, as above. *ret is freed by secret_items_freep(). */
int secret_find(KeyringSecret *s, SecretCall *call, GList **ret, GError **error);
void secret_items_freep(GList **items);
/* Of several, the one that counts: the default collection's, else an unlocked one; of two of those
 * the newer one. Borrowed. */
SecretItem *secret_choose(GList *items, const char *collection);
bool secret_item_lies_in(SecretItem *item, const char *collection);
/* Is the collection of an item locked? What can't be known is. */
bool secret_item_is_shut(KeyringSecret *s, SecretCall *call, SecretItem *item);

int secret_call_load(KeyringSecret *s, SecretCall *call, GError **error);

/* secret-write.c; an outcome, or FAILED and *error. */
int secret_call_store(KeyringSecret *s, SecretCall *call, GError **error);
int secret_call_delete(KeyringSecret *s, SecretCall *call, GError **error);
