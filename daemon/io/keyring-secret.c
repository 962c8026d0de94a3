/* SPDX-License-Identifier: MIT */
/*
 * Why so by hand, and not secret_password_lookup(): that one says "not found" for a locked keyring,
 * prompts where it likes, and never recovers from a restarted service. Here a search never unlocks,
 * what is locked says so, and any error that a fresh connection could mend is tried once more.
 */
#include <libsecret/secret.h>

#include "io/keyring-prompt.h"
#include "io/keyring-secret.h"
#include "model/secret.h"

typedef struct KeyringSecret {
        GMainContext *context;
        GDBusConnection *bus;
        SecretService *service; /* ours, not libsecret's shared one */
        KeyringPrompt *prompt;
} KeyringSecret;

/* One job: what goes in and what comes out. */
typedef struct Call {
        const char *account;
        const char *label;
        const char *secret;
        char *loaded;
        GCancellable *cancel;
} Call;

typedef int (*CallFn)(KeyringSecret *s, Call *call, GError **error);

static const SecretSchema keyring_schema = {
        .name = KEYRING_SCHEMA,
        .flags = SECRET_SCHEMA_NONE,
        .attributes = { { "account", SECRET_SCHEMA_ATTRIBUTE_STRING } },
};

KeyringCancel *keyring_cancel_new(void) {
        return (KeyringCancel *)g_cancellable_new();
}

void keyring_cancel_trigger(KeyringCancel *c) {
        g_cancellable_cancel((GCancellable *)c);
}

KeyringCancel *keyring_cancel_free(KeyringCancel *c) {
        if (c)
                g_object_unref(c);
        return NULL;
}

int keyring_secret_new(void **ret) {
        KeyringSecret *s;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;

        s->context = g_main_context_new();
        *ret = s;
        return 0;
}

static void secret_free_impl(void *impl) {
        KeyringSecret *s = impl;

        if (!s)
                return;
        g_main_context_unref(s->context);
        free(s);
}

static void secret_enter(void *impl) {
        KeyringSecret *s = impl;

        g_main_context_push_thread_default(s->context);
}

static void secret_leave(void *impl) {
        KeyringSecret *s = impl;

        s->prompt = keyring_prompt_free(s->prompt);
        g_clear_object(&s->service);
        if (s->bus)
                (void)g_dbus_connection_close_sync(s->bus, NULL, NULL);
        g_clear_object(&s->bus);
        while (g_main_context_iteration(s->context, FALSE))
                ;
        g_main_context_pop_thread_default(s->context);
}

static void secret_wait(void *impl) {
        KeyringSecret *s = impl;

        (void)g_main_context_iteration(s->context, TRUE);
}

static void secret_wake(void *impl) {
        KeyringSecret *s = impl;

        g_main_context_wakeup(s->context);
}

static bool secret_connect_bus(KeyringSecret *s, GCancellable *cancel, GError **error) {
        if (s->bus && g_dbus_connection_is_closed(s->bus)) {
                g_clear_object(&s->service);
                g_clear_object(&s->bus);
        }
        if (!s->bus) {
                s->bus = g_bus_get_sync(G_BUS_TYPE_SESSION, cancel, error);
                /* GLib would end the process with the bus: that is not its decision here */
                if (s->bus)
                        g_dbus_connection_set_exit_on_close(s->bus, FALSE);
        }
        return s->bus;
}

static bool secret_connect(KeyringSecret *s, GCancellable *cancel, GError **error) {
        if (!secret_connect_bus(s, cancel, error))
                return false;
        if (!s->service)
                s->service = secret_service_open_sync(SECRET_TYPE_SERVICE, NULL,
                                                      SECRET_SERVICE_OPEN_SESSION, cancel, error);
        return s->service;
}

/* NULL without an error: there is no default collection. */
static SecretCollection *secret_default_collection(KeyringSecret *s, Call *call, GError **error) {
        return secret_collection_for_alias_sync(s->service, KEYRING_COLLECTION,
                                                SECRET_COLLECTION_NONE, call->cancel, error);
}

static GHashTable *secret_attributes(const Call *call) {
        return secret_attributes_build(&keyring_schema, "account", call->account, NULL);
}

/* All items of the account, in every collection, locked ones too. */
static GList *secret_search(KeyringSecret *s, Call *call, GError **error) {
        g_autoptr(GHashTable) attributes = secret_attributes(call);

        return secret_service_search_sync(s->service, &keyring_schema, attributes,
                                          SECRET_SEARCH_ALL, call->cancel, error);
}

static void secret_items_freep(GList **items) {
        g_list_free_full(*items, g_object_unref);
}

static bool secret_item_lies_in(SecretItem *item, SecretCollection *collection) {
        const char *path = g_dbus_proxy_get_object_path(G_DBUS_PROXY(item));
        const char *folder = g_dbus_proxy_get_object_path(G_DBUS_PROXY(collection));

        return g_str_has_prefix(path, folder) && path[strlen(folder)] == '/';
}

/* The item that counts: the default collection's, else an unlocked one, else any. Borrowed. */
static SecretItem *secret_choose(GList *items, SecretCollection *collection) {
        SecretItem *chosen = items->data;

        for (GList *i = items; i; i = i->next) {
                if (collection && secret_item_lies_in(i->data, collection))
                        return i->data;
                if (!secret_item_get_locked(i->data))
                        chosen = i->data;
        }
        return chosen;
}

/* Nothing found: is that so, or does a lock hide it? */
static int secret_explain_nothing(KeyringSecret *s, Call *call, GError **error) {
        g_autoptr(SecretCollection) collection = NULL;

        collection = secret_default_collection(s, call, error);
        if (!collection)
                return KEYRING_E_ABSENT;
        return secret_collection_get_locked(collection) ? KEYRING_E_LOCKED : KEYRING_E_NOT_FOUND;
}

static int call_load(KeyringSecret *s, Call *call, GError **error) {
        g_autoptr(SecretCollection) collection = NULL;
        g_autoptr(SecretValue) value = NULL;
        CLEANUP(secret_items_freep) GList *items = NULL;
        SecretItem *item;
        const char *text;
        gsize n;

        items = secret_search(s, call, error);
        if (*error)
                return KEYRING_E_FAILED;
        if (!items)
                return secret_explain_nothing(s, call, error);

        if (items->next) {
                collection = secret_default_collection(s, call, error);
                if (*error)
                        return KEYRING_E_FAILED;
        }
        item = secret_choose(items, collection);
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

static void secret_release(gpointer p) {
        (void)secret_free(p);
}

static int call_store(KeyringSecret *s, Call *call, GError **error) {
        g_autoptr(SecretCollection) collection = NULL;
        g_autoptr(GHashTable) attributes = NULL;
        g_autoptr(SecretValue) value = NULL;
        g_autoptr(SecretItem) item = NULL;
        g_autofree char *label = NULL;
        char *copy;

        collection = secret_default_collection(s, call, error);
        if (!collection)
                return KEYRING_E_ABSENT;
        if (secret_collection_get_locked(collection))
                return KEYRING_E_LOCKED;

        copy = secret_dup(call->secret);
        if (!copy)
                return KEYRING_E_FAILED;
        value = secret_value_new_full(copy, -1, "text/plain", secret_release);
        attributes = secret_attributes(call);
        label = g_utf8_make_valid(call->label, -1); /* GLib aborts on any other */
        item = secret_item_create_sync(collection, &keyring_schema, attributes, label, value,
                                       SECRET_ITEM_CREATE_REPLACE, call->cancel, error);
        return item ? 0 : KEYRING_E_FAILED;
}

static int call_delete(KeyringSecret *s, Call *call, GError **error) {
        CLEANUP(secret_items_freep) GList *items = NULL;
        bool locked = false;
        int r;

        items = secret_search(s, call, error);
        if (*error)
                return KEYRING_E_FAILED;
        if (!items) {
                r = secret_explain_nothing(s, call, error);
                return r == KEYRING_E_NOT_FOUND ? 0 : r;
        }

        for (GList *i = items; i; i = i->next) {
                g_autoptr(GVariant) reply = NULL;
                const char *prompt;

                if (secret_item_get_locked(i->data)) {
                        locked = true;
                        continue;
                }
                /* not secret_item_delete_sync(): that one would show the prompt */
                reply = g_dbus_proxy_call_sync(i->data, "Delete", NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                                               call->cancel, error);
                if (!reply)
                        return KEYRING_E_FAILED;
                if (!g_variant_is_of_type(reply, G_VARIANT_TYPE("(o)")))
                        return KEYRING_E_FAILED;
                g_variant_get(reply, "(&o)", &prompt);
                if (!streq(prompt, "/"))
                        locked = true;
        }
        return locked ? KEYRING_E_LOCKED : 0;
}

/* No service, no way to start one, or no bus. */
static bool error_means_absent(const GError *error) {
        static const GDBusError codes[] = {
                G_DBUS_ERROR_SERVICE_UNKNOWN,      G_DBUS_ERROR_NAME_HAS_NO_OWNER,
                G_DBUS_ERROR_DISCONNECTED,         G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND,
                G_DBUS_ERROR_SPAWN_EXEC_FAILED,    G_DBUS_ERROR_SPAWN_FORK_FAILED,
                G_DBUS_ERROR_SPAWN_CHILD_EXITED,   G_DBUS_ERROR_SPAWN_CHILD_SIGNALED,
                G_DBUS_ERROR_SPAWN_FAILED,         G_DBUS_ERROR_SPAWN_SETUP_FAILED,
                G_DBUS_ERROR_SPAWN_CONFIG_INVALID, G_DBUS_ERROR_SPAWN_SERVICE_INVALID,
        };

        if (error->domain == G_IO_ERROR) /* the bus; cancelled ones never come here */
                return error->code != G_IO_ERROR_TIMED_OUT && error->code != G_IO_ERROR_DBUS_ERROR;
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (g_error_matches(error, G_DBUS_ERROR, codes[i]))
                        return true;
        return false;
}

static int secret_call(KeyringSecret *s, Call *call, CallFn fn) {
        int r = KEYRING_E_FAILED;

        for (int attempt = 0; attempt < 2; attempt++) {
                g_autoptr(GError) error = NULL;

                if (secret_connect(s, call->cancel, &error))
                        r = fn(s, call, &error);
                if (!error)
                        return r;
                if (g_cancellable_is_cancelled(call->cancel))
                        return KEYRING_E_FAILED;
                if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
                        return KEYRING_E_LOCKED;

                r = error_means_absent(error) ? KEYRING_E_ABSENT : KEYRING_E_FAILED;
                /* the service and the session of before the restart are of no use any more */
                g_clear_object(&s->service);
        }
        return r;
}

static int secret_load(void *impl, KeyringCancel *cancel, const char *account, char **ret_secret) {
        Call call = { .account = account, .cancel = (GCancellable *)cancel };
        int r;

        r = secret_call(impl, &call, call_load);
        *ret_secret = call.loaded;
        return r;
}

static int secret_store(void *impl, KeyringCancel *cancel, const char *account, const char *label,
                        const char *secret) {
        Call call = {
                .account = account,
                .label = label,
                .secret = secret,
                .cancel = (GCancellable *)cancel,
        };

        return secret_call(impl, &call, call_store);
}

static int secret_delete(void *impl, KeyringCancel *cancel, const char *account) {
        Call call = { .account = account, .cancel = (GCancellable *)cancel };

        return secret_call(impl, &call, call_delete);
}

static int secret_unlock(void *impl, const char *key_file, KeyringUnlockFn fn, void *userdata) {
        g_autoptr(GError) error = NULL;
        KeyringSecret *s = impl;

        if (!secret_connect_bus(s, NULL, &error))
                return KEYRING_E_ABSENT;

        s->prompt = keyring_prompt_free(s->prompt);
        s->prompt = keyring_prompt_new(s->bus, fn, userdata);
        return 0;
}

static char *secret_complaint(void *impl) {
        return NULL;
}

const KeyringBackend keyring_secret_backend = {
        .name = "secret-service",
        .enter = secret_enter,
        .leave = secret_leave,
        .wait = secret_wait,
        .wake = secret_wake,
        .load = secret_load,
        .store = secret_store,
        .erase = secret_delete,
        .unlock = secret_unlock,
        .complaint = secret_complaint,
        .free = secret_free_impl,
};
