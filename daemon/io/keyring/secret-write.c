/* SPDX-License-Identifier: MIT */
/*
 * Writing and deleting, and what a service wants to ask before it does. An item that is there gets
 * its new secret by SetSecret, which asks nobody once we may read it. After a dialog the whole is
 * done once more, from the look at what is there: a service may say "done" also where the person
 * has said no, and Delete() goes item by item.
 */
#include "common/secret.h"
#include "io/keyring/secret-private.h"

#define ITEM "org.freedesktop.Secret.Item"

static void secret_release(gpointer p) {
        (void)secret_free(p);
}

/* The service wants to ask about that. It did already, and it's not done: the person said no. */
static int secret_question(SecretCall *call, const char *about, const char *prompt) {
        KeyringQuestion *q = call->question;

        if (streq(q->about, about))
                return KEYRING_E_REFUSED;
        free(q->about);
        free(q->prompt);
        q->about = strdup(about);
        q->prompt = strdup(prompt);
        return q->about && q->prompt ? KEYRING_E_ASKS : KEYRING_E_FAILED;
}

/* What the person may allow. 0: it is allowed by now. */
static int item_unlock(KeyringSecret *s, SecretCall *call, SecretItem *item, GError **error) {
        const char *path = g_dbus_proxy_get_object_path(G_DBUS_PROXY(item)), *prompt;
        g_autoptr(GVariant) reply = NULL;

        reply = secret_ask(s, call, SECRETS_PATH, SECRETS_INTERFACE, "Unlock",
                           g_variant_new("(@ao)", g_variant_new_objv(&path, 1)), "(aoo)", error);
        if (!reply)
                return KEYRING_E_FAILED;
        g_variant_get_child(reply, 1, "&o", &prompt);
        return streq(prompt, "/") ? 0 : secret_question(call, path, prompt);
}

static GVariant *item_properties(const SecretCall *call, const char *label) {
        GVariantBuilder properties, pairs;

        g_variant_builder_init(&pairs, G_VARIANT_TYPE("a{ss}"));
        g_variant_builder_add(&pairs, "{ss}", "xdg:schema", KEYRING_SCHEMA);
        g_variant_builder_add(&pairs, "{ss}", "account", call->account);
        g_variant_builder_init(&properties, G_VARIANT_TYPE("a{sv}"));
        g_variant_builder_add(&properties, "{sv}", ITEM ".Label", g_variant_new_string(label));
        g_variant_builder_add(&properties, "{sv}", ITEM ".Attributes",
                              g_variant_builder_end(&pairs));
        return g_variant_builder_end(&properties);
}

static int item_create(KeyringSecret *s, SecretCall *call, const char *label, SecretValue *value,
                       GError **error) {
        g_autoptr(GVariant) reply = NULL;
        const char *prompt;

        reply = secret_ask(s, call, call->collection, COLLECTION_INTERFACE, "CreateItem",
                           g_variant_new("(@a{sv}@(oayays)b)", item_properties(call, label),
                                         secret_service_encode_dbus_secret(s->service, value),
                                         !call->beside),
                           "(oo)", error);
        if (!reply)
                return KEYRING_E_FAILED;
        g_variant_get_child(reply, 1, "&o", &prompt);
        return streq(prompt, "/") ? 0 : secret_question(call, KEYRING_ABOUT_NEW, prompt);
}

static int item_update(KeyringSecret *s, SecretCall *call, SecretItem *item, const char *label,
                       SecretValue *value, GError **error) {
        g_autofree char *before = secret_item_get_label(item);
        int r;

        r = secret_item_get_locked(item) ? item_unlock(s, call, item, error) : 0;
        if (r != 0)
                return r;
        if (!secret_item_set_secret_sync(item, value, call->cancel, error)) {
                if (!g_error_matches(*error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
                        return KEYRING_E_FAILED;
                g_clear_error(error); /* locked since the search */
                r = item_unlock(s, call, item, error);
                return r == 0 ? KEYRING_E_LOCKED : r;
        }
        if (!streq(before, label))
                (void)secret_item_set_label_sync(item, label, call->cancel, NULL);
        return 0;
}

/* The item to be written over, which is the default collection's. Borrowed, or NULL. */
static SecretItem *secret_choose_ours(GList *items, const SecretCall *call) {
        SecretItem *item = items ? secret_choose(items, call->collection) : NULL;

        if (!item || !secret_item_lies_in(item, call->collection))
                return NULL;
        return secret_item_get_locked(item) && call->beside ? NULL : item;
}

int secret_call_store(KeyringSecret *s, SecretCall *call, GError **error) {
        CLEANUP(secret_items_freep) GList *items = NULL;
        g_autoptr(SecretValue) value = NULL;
        g_autofree char *label = NULL;
        SecretItem *item;
        char *copy;
        int r;

        r = secret_open_default(s, call, error);
        if (r != 0)
                return r;
        r = secret_find(s, call, &items, error);
        if (r != 0)
                return r;
        copy = secret_dup(call->secret);
        if (!copy)
                return KEYRING_E_FAILED;
        value = secret_value_new_full(copy, -1, "text/plain", secret_release);
        label = g_utf8_make_valid(call->label, -1); /* GLib aborts on any other */
        item = secret_choose_ours(items, call);
        return item ? item_update(s, call, item, label, value, error)
                    : item_create(s, call, label, value, error);
}

/* A delete that KeePassXC shows a dialog for does not need the leave to read. */
static int item_delete(KeyringSecret *s, SecretCall *call, SecretItem *item, GError **error) {
        const char *path = g_dbus_proxy_get_object_path(G_DBUS_PROXY(item)), *prompt;
        g_autoptr(GVariant) reply = NULL;

        if (secret_item_get_locked(item) && secret_item_is_shut(s, call, item))
                return KEYRING_E_LOCKED;
        reply = secret_ask(s, call, path, ITEM, "Delete", NULL, "(o)", error);
        if (!reply) {
                if (!g_error_matches(*error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
                        return KEYRING_E_FAILED;
                g_clear_error(error);
                return KEYRING_E_LOCKED;
        }
        g_variant_get(reply, "(&o)", &prompt);
        return streq(prompt, "/") ? 0 : secret_question(call, path, prompt);
}

int secret_call_delete(KeyringSecret *s, SecretCall *call, GError **error) {
        CLEANUP(secret_items_freep) GList *items = NULL;
        bool locked = false;
        int r;

        r = secret_find(s, call, &items, error);
        if (r != 0)
                return r;
        for (GList *i = items; i; i = i->next) {
                r = item_delete(s, call, i->data, error);
                if (r == KEYRING_E_LOCKED)
                        locked = true;
                else if (r != 0)
                        return r;
        }
        return locked ? KEYRING_E_LOCKED : 0;
}
