/* SPDX-License-Identifier: MIT */
/*
 * The connection, and the table of calls; any error that a fresh connection could mend is tried
 * once more.
 */
#include "common/secret.h"
#include "io/keyring/secret-private.h"

typedef int (*SecretCallFn)(KeyringSecret *s, SecretCall *call, GError **error);

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

        (void)secret_error_get_quark(); /* from now on GLib knows its errors from others' */
        g_main_context_push_thread_default(s->context);
}

static void secret_hang_up(KeyringSecret *s) {
        s->prompt = keyring_prompt_free(s->prompt);
        g_clear_object(&s->service);
        if (s->bus) {
                (void)g_dbus_connection_flush_sync(s->bus, NULL, NULL); /* what dismisses it */
                (void)g_dbus_connection_close_sync(s->bus, NULL, NULL);
        }
        g_clear_object(&s->bus);
}

/* gnome-keyring 42 aborts when a dialog is dismissed that its prompter has not shown yet. Like the
 * others it takes a dialog away when who asked for it has gone. */
static bool service_is_gnome(KeyringSecret *s) {
        g_autoptr(GVariant) reply = NULL;
        g_autofree char *path = NULL;
        g_autofree char *name = NULL;
        unsigned pid;

        reply = g_dbus_connection_call_sync(
                s->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetConnectionUnixProcessID", g_variant_new("(s)", KEYRING_SERVICE),
                G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, 1000, NULL, NULL);
        if (!reply)
                return false;
        g_variant_get(reply, "(u)", &pid);
        path = g_strdup_printf("/proc/%u/comm", pid);
        return g_file_get_contents(path, &name, NULL, NULL) && str_starts(name, "gnome-keyring");
}

static void secret_dismiss(void *impl, const char *prompt) {
        KeyringSecret *s = impl;

        if (!s->bus)
                return;
        if (prompt)
                keyring_prompt_dismiss(s->bus, prompt);
        else if (keyring_prompt_shown(s->prompt) && service_is_gnome(s))
                secret_hang_up(s);
        else if (keyring_prompt_shown(s->prompt))
                keyring_prompt_dismiss(s->bus, keyring_prompt_shown(s->prompt));
        s->prompt = prompt ? s->prompt : keyring_prompt_free(s->prompt);
}

static void secret_leave(void *impl) {
        KeyringSecret *s = impl;

        secret_dismiss(s, NULL);
        secret_hang_up(s);
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

/* Between calls there is no SecretService: libsecret 0.20's crashes when KeePassXC is started again
 * under it. The session of a secret that waits for a dialog lasts as long as the connection. */
static void secret_disconnect(KeyringSecret *s, int outcome) {
        const char *session = s->service ? secret_service_get_session_dbus_path(s->service) : NULL;

        if (session && outcome != KEYRING_E_ASKS)
                g_dbus_connection_call(s->bus, KEYRING_SERVICE, session,
                                       "org.freedesktop.Secret.Session", "Close", NULL, NULL,
                                       G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
        g_clear_object(&s->service);
}

static int secret_call_twice(KeyringSecret *s, SecretCall *call, SecretCallFn fn) {
        int r = KEYRING_E_FAILED;

        for (int attempt = 0; attempt < 2; attempt++) {
                g_autoptr(GError) error = NULL;

                if (secret_connect(s, call->cancel, &error))
                        r = fn(s, call, &error);
                g_clear_pointer(&call->collection, g_free);
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

static int secret_call(KeyringSecret *s, SecretCall *call, SecretCallFn fn) {
        int r;

        r = secret_call_twice(s, call, fn);
        secret_disconnect(s, r);
        return r;
}

static int secret_load(void *impl, KeyringCancel *cancel, const char *account, char **ret_secret) {
        SecretCall call = { .account = account, .cancel = (GCancellable *)cancel };
        int r;

        r = secret_call(impl, &call, secret_call_load);
        *ret_secret = call.loaded;
        return r;
}

static int secret_store(void *impl, KeyringCancel *cancel, KeyringQuestion *question, bool beside,
                        const char *account, const char *label, const char *secret) {
        SecretCall call = {
                .account = account,
                .label = label,
                .secret = secret,
                .beside = beside,
                .question = question,
                .cancel = (GCancellable *)cancel,
        };

        return secret_call(impl, &call, secret_call_store);
}

static int secret_delete(void *impl, KeyringCancel *cancel, KeyringQuestion *question,
                         const char *account) {
        SecretCall call = {
                .account = account,
                .question = question,
                .cancel = (GCancellable *)cancel,
        };

        return secret_call(impl, &call, secret_call_delete);
}

/* prompt NULL: an unlock. */
static int secret_show(void *impl, const char *prompt, KeyringUnlockFn fn, void *userdata) {
        g_autoptr(GError) error = NULL;
        KeyringSecret *s = impl;

        if (!secret_connect_bus(s, NULL, &error))
                return KEYRING_E_ABSENT;

        s->prompt = keyring_prompt_free(s->prompt);
        s->prompt = keyring_prompt_new(s->bus, prompt, fn, userdata);
        return 0;
}

static int secret_unlock(void *impl, const char *key_file, KeyringUnlockFn fn, void *userdata) {
        return secret_show(impl, NULL, fn, userdata);
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
        .show = secret_show,
        .dismiss = secret_dismiss,
        .complaint = secret_complaint,
        .free = secret_free_impl,
};
