/* SPDX-License-Identifier: MIT */
/*
 * Why so by hand, and not secret_password_lookup(): that one says "not found" for a locked keyring,
 * prompts where it likes, and never recovers from a restarted service. Here a search never unlocks,
 * what is locked says so. KeePassXC prompts when it is searched with nothing unlocked: so that is
 * looked at before.
 */
#include "io/keyring/secret-private.h"

static const SecretSchema keyring_schema = {
        .name = KEYRING_SCHEMA,
        .flags = SECRET_SCHEMA_NONE,
        .attributes = { { "account", SECRET_SCHEMA_ATTRIBUTE_STRING } },
};

GVariant *secret_ask(KeyringSecret *s, SecretCall *call, const char *path, const char *interface,
                     const char *method, GVariant *arguments, const char *type, GError **error) {
        return g_dbus_connection_call_sync(
                s->bus, KEYRING_SERVICE, path, interface, method, arguments, G_VARIANT_TYPE(type),
                G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, call->cancel, error);
}

/* A property, of that type; NULL and *error. */
static GVariant *secret_get(KeyringSecret *s, SecretCall *call, const char *path,
                            const char *interface, const char *name, const char *type,
                            GError **error) {
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GVariant) value = NULL;

        reply = secret_ask(s, call, path, "org.freedesktop.DBus.Properties", "Get",
                           g_variant_new("(ss)", interface, name), "(v)", error);
        if (!reply)
                return NULL;
        g_variant_get(reply, "(v)", &value);
        if (g_variant_is_of_type(value, G_VARIANT_TYPE(type)))
                return g_steal_pointer(&value);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_DBUS_ERROR, "%s is of another type", name);
        return NULL;
}

/* One that is gone meanwhile is locked. */
static bool collection_is_locked(KeyringSecret *s, SecretCall *call, const char *path) {
        g_autoptr(GVariant) locked = NULL;

        locked = secret_get(s, call, path, COLLECTION_INTERFACE, "Locked", "b", NULL);
        return !locked || g_variant_get_boolean(locked);
}

int secret_open_default(KeyringSecret *s, SecretCall *call, GError **error) {
        g_autoptr(GVariant) reply = NULL;

        g_clear_pointer(&call->collection, g_free);
        reply = secret_ask(s, call, SECRETS_PATH, SECRETS_INTERFACE, "ReadAlias",
                           g_variant_new("(s)", KEYRING_COLLECTION), "(o)", error);
        if (!reply)
                return KEYRING_E_FAILED;
        g_variant_get(reply, "(o)", &call->collection);
        if (streq(call->collection, "/")) {
                g_clear_pointer(&call->collection, g_free);
                return KEYRING_E_ABSENT;
        }
        return collection_is_locked(s, call, call->collection) ? KEYRING_E_LOCKED : 0;
}

static bool any_is_unlocked(KeyringSecret *s, SecretCall *call, GError **error) {
        g_autoptr(GVariant) all = NULL;
        GVariantIter each;
        const char *path;

        all = secret_get(s, call, SECRETS_PATH, SECRETS_INTERFACE, "Collections", "ao", error);
        if (!all)
                return false;
        g_variant_iter_init(&each, all);
        while (g_variant_iter_next(&each, "&o", &path))
                if (!collection_is_locked(s, call, path))
                        return true;
        return false;
}

static GHashTable *secret_attributes(const SecretCall *call) {
        return secret_attributes_build(&keyring_schema, "account", call->account, NULL);
}

int secret_find(KeyringSecret *s, SecretCall *call, GList **ret, GError **error) {
        g_autoptr(GHashTable) attributes = secret_attributes(call);
        int r;

        r = secret_open_default(s, call, error);
        if (r == KEYRING_E_FAILED || (r != 0 && !any_is_unlocked(s, call, error)))
                return *error ? KEYRING_E_FAILED : r;
        *ret = secret_service_search_sync(s->service, &keyring_schema, attributes,
                                          SECRET_SEARCH_ALL, call->cancel, error);
        if (*error)
                return KEYRING_E_FAILED;
        return *ret ? 0 : r; /* nothing found: is that so, or does a lock hide it? */
}

void secret_items_freep(GList **items) {
        g_list_free_full(*items, g_object_unref);
}

bool secret_item_lies_in(SecretItem *item, const char *collection) {
        const char *path = g_dbus_proxy_get_object_path(G_DBUS_PROXY(item));

        return collection && g_str_has_prefix(path, collection) && path[strlen(collection)] == '/';
}

bool secret_item_is_shut(KeyringSecret *s, SecretCall *call, SecretItem *item) {
        g_autofree char *path =
                g_path_get_dirname(g_dbus_proxy_get_object_path(G_DBUS_PROXY(item)));

        return collection_is_locked(s, call, path);
}

static unsigned item_rank(SecretItem *item, const char *collection) {
        return 2 * secret_item_lies_in(item, collection) + !secret_item_get_locked(item);
}

SecretItem *secret_choose(GList *items, const char *collection) {
        SecretItem *chosen = items->data;

        for (GList *i = items->next; i; i = i->next) {
                unsigned rank = item_rank(i->data, collection);
                unsigned best = item_rank(chosen, collection);

                if (rank > best || (rank == best && secret_item_get_modified(i->data) >
                                                            secret_item_get_modified(chosen)))
                        chosen = i->data;
        }
        return chosen;
}

int secret_call_load(KeyringSecret *s, SecretCall *call, GError **error) {
        g_autoptr(SecretValue) value = NULL;
        CLEANUP(secret_items_freep) GList *items = NULL;
        SecretItem *item;
        const char *text;
        gsize n;
        int r;

        r = secret_find(s, call, &items, error);
        if (r != 0)
                return r;
        if (!items)
                return KEYRING_E_NOT_FOUND;
        item = secret_choose(items, call->collection);
        if (secret_item_get_locked(item))
                return KEYRING_E_LOCKED;
        if (!secret_item_load_secret_sync(item, call->cancel, error))
                return KEYRING_E_FAILED;

        value = secret_item_get_secret(item);
        if (!value) /* locked since the search */
                return KEYRING_E_LOCKED;
        text = secret_value_get(value, &n);
        call->loaded = strndup(text, n);
        return call->loaded ? 0 : KEYRING_E_FAILED;
}
