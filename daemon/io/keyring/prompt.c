/* SPDX-License-Identifier: MIT */
/*
 * An unlock's steps: which collection is the default one; Unlock() it, or CreateCollection(); then
 * which items of ours are locked one by one (as KeePassXC does), which can't be seen before;
 * Unlock() those. Where an answer names a prompt, show it and wait for its Completed, as long as it
 * takes. Every step is a reply handler. Steps that show nothing have a time limit.
 */
#include "io/keyring/prompt.h"

#define SECRETS_PATH       "/org/freedesktop/secrets"
#define SECRETS_INTERFACE  "org.freedesktop.Secret.Service"
#define PROMPT_INTERFACE   "org.freedesktop.Secret.Prompt"
#define QUESTION_MSEC      10000
#define CALL_WITHOUT_LIMIT G_MAXINT

struct KeyringPrompt {
        GDBusConnection *bus;
        GCancellable *cancel; /* its triggering tells replies that the prompt is gone */
        KeyringUnlockFn fn;
        void *userdata;
        bool opens;  /* after this dialog our items are looked at */
        bool open;   /* they are what it is about */
        char *shown; /* the prompt that has not ended, or NULL */
        guint vanished;
        guint completed;
};

void keyring_prompt_dismiss(GDBusConnection *bus, const char *path) {
        g_dbus_connection_call(bus, KEYRING_SERVICE, path, PROMPT_INTERFACE, "Dismiss", NULL, NULL,
                               G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

/* The dialog is no more. */
static void prompt_unshow(KeyringPrompt *p) {
        if (p->completed)
                g_dbus_connection_signal_unsubscribe(p->bus, p->completed);
        p->completed = 0;
        g_clear_pointer(&p->shown, g_free);
}

KeyringPrompt *keyring_prompt_free(KeyringPrompt *p) {
        if (!p)
                return NULL;
        if (p->vanished)
                g_bus_unwatch_name(p->vanished);
        prompt_unshow(p);
        g_cancellable_cancel(p->cancel);
        g_object_unref(p->cancel);
        g_object_unref(p->bus);
        g_free(p);
        return NULL;
}

const char *keyring_prompt_shown(const KeyringPrompt *p) {
        return p ? p->shown : NULL;
}

static void prompt_done(KeyringPrompt *p, int outcome) {
        prompt_unshow(p);
        if (outcome == KEYRING_E_LOCKED && p->open)
                outcome = KEYRING_E_REFUSED;
        if (p->fn)
                p->fn(outcome, p->userdata);
        p->fn = NULL;
}

static void prompt_call(KeyringPrompt *p, const char *path, const char *interface,
                        const char *method, GVariant *arguments, const char *reply, int msec,
                        GAsyncReadyCallback fn) {
        g_dbus_connection_call(p->bus, KEYRING_SERVICE, path, interface, method, arguments,
                               G_VARIANT_TYPE(reply), G_DBUS_CALL_FLAGS_NO_AUTO_START, msec,
                               p->cancel, fn, p);
}

static void prompt_ask(KeyringPrompt *p, const char *method, GVariant *arguments, const char *reply,
                       GAsyncReadyCallback fn) {
        prompt_call(p, SECRETS_PATH, SECRETS_INTERFACE, method, arguments, reply, QUESTION_MSEC,
                    fn);
}

/*
 * The reply, or NULL: then either the prompt is gone and *p NULL, or it has ended with the outcome
 * that the error means.
 */
static GVariant *prompt_reply(GObject *bus, GAsyncResult *result, KeyringPrompt **p) {
        g_autoptr(GError) error = NULL;
        GVariant *reply;

        reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
        if (reply)
                return reply;
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
                *p = NULL;
                return NULL;
        }
        if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
            g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
            g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
            g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED))
                prompt_done(*p, KEYRING_E_ABSENT);
        else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
                prompt_done(*p, KEYRING_E_SILENT);
        else
                prompt_done(*p, KEYRING_E_LOCKED);
        return NULL;
}

static void prompt_look(KeyringPrompt *p);

static void prompt_accepted(KeyringPrompt *p) {
        prompt_unshow(p);
        if (p->opens)
                prompt_look(p);
        else
                prompt_done(p, 0);
}

static void prompt_on_completed(GDBusConnection *bus, const char *sender, const char *path,
                                const char *interface, const char *signal, GVariant *arguments,
                                gpointer userdata) {
        gboolean dismissed = TRUE;

        if (g_variant_is_of_type(arguments, G_VARIANT_TYPE("(bv)")))
                g_variant_get(arguments, "(bv)", &dismissed, NULL);
        if (dismissed)
                prompt_done(userdata, KEYRING_E_LOCKED);
        else
                prompt_accepted(userdata);
}

static void prompt_on_shown(GObject *bus, GAsyncResult *result, gpointer userdata) {
        KeyringPrompt *p = userdata;
        GVariant *reply = prompt_reply(bus, result, &p);

        if (reply)
                g_variant_unref(reply);
}

static void prompt_show(KeyringPrompt *p, const char *path) {
        if (streq(path, "/")) {
                prompt_accepted(p);
                return;
        }

        p->shown = g_strdup(path);
        p->completed = g_dbus_connection_signal_subscribe(
                p->bus, KEYRING_SERVICE, PROMPT_INTERFACE, "Completed", path, NULL,
                G_DBUS_SIGNAL_FLAGS_NONE, prompt_on_completed, p, NULL);
        prompt_call(p, path, PROMPT_INTERFACE, "Prompt", g_variant_new("(s)", ""), "()",
                    CALL_WITHOUT_LIMIT, prompt_on_shown);
}

static void prompt_on_unlock(GObject *bus, GAsyncResult *result, gpointer userdata) {
        KeyringPrompt *p = userdata;
        g_autoptr(GVariant) reply = prompt_reply(bus, result, &p);
        const char *path;

        if (!reply)
                return;
        g_variant_get_child(reply, 1, "&o", &path);
        prompt_show(p, path);
}

static void prompt_unlock(KeyringPrompt *p, GVariant *objects) {
        prompt_call(p, SECRETS_PATH, SECRETS_INTERFACE, "Unlock", g_variant_new("(@ao)", objects),
                    "(aoo)", CALL_WITHOUT_LIMIT, prompt_on_unlock);
}

static void prompt_on_items(GObject *bus, GAsyncResult *result, gpointer userdata) {
        KeyringPrompt *p = userdata;
        g_autoptr(GVariant) reply = prompt_reply(bus, result, &p);
        g_autoptr(GVariant) locked = NULL;

        if (!reply)
                return;
        locked = g_variant_get_child_value(reply, 1);
        if (g_variant_n_children(locked) > 0)
                prompt_unlock(p, locked);
        else
                prompt_done(p, 0);
}

static void prompt_look(KeyringPrompt *p) {
        GVariantBuilder attributes;

        p->opens = false;
        p->open = true;
        g_variant_builder_init(&attributes, G_VARIANT_TYPE("a{ss}"));
        g_variant_builder_add(&attributes, "{ss}", "xdg:schema", KEYRING_SCHEMA);
        prompt_ask(p, "SearchItems", g_variant_new("(a{ss})", &attributes), "(aoao)",
                   prompt_on_items);
}

static void prompt_create(KeyringPrompt *p) {
        GVariantBuilder properties;

        g_variant_builder_init(&properties, G_VARIANT_TYPE("a{sv}"));
        g_variant_builder_add(&properties, "{sv}", "org.freedesktop.Secret.Collection.Label",
                              g_variant_new_string("Default keyring"));
        prompt_call(p, SECRETS_PATH, SECRETS_INTERFACE, "CreateCollection",
                    g_variant_new("(a{sv}s)", &properties, KEYRING_COLLECTION), "(oo)",
                    CALL_WITHOUT_LIMIT, prompt_on_unlock);
}

static void prompt_on_alias(GObject *bus, GAsyncResult *result, gpointer userdata) {
        KeyringPrompt *p = userdata;
        g_autoptr(GVariant) reply = prompt_reply(bus, result, &p);
        const char *collection;

        if (!reply)
                return;
        g_variant_get(reply, "(&o)", &collection);
        if (streq(collection, "/"))
                prompt_create(p);
        else {
                p->opens = true;
                prompt_unlock(p, g_variant_new_objv(&collection, 1));
        }
}

static void prompt_on_vanished(GDBusConnection *bus, const char *name, gpointer userdata) {
        prompt_done(userdata, KEYRING_E_ABSENT);
}

KeyringPrompt *keyring_prompt_new(GDBusConnection *bus, const char *path, KeyringUnlockFn fn,
                                  void *userdata) {
        KeyringPrompt *p = g_new0(KeyringPrompt, 1);

        p->bus = g_object_ref(bus);
        p->cancel = g_cancellable_new();
        p->fn = fn;
        p->userdata = userdata;
        p->vanished =
                g_bus_watch_name_on_connection(bus, KEYRING_SERVICE, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                               NULL, prompt_on_vanished, p, NULL);
        if (path)
                prompt_show(p, path);
        else
                prompt_ask(p, "ReadAlias", g_variant_new("(s)", KEYRING_COLLECTION), "(o)",
                           prompt_on_alias);
        return p;
}
