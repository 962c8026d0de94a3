/* SPDX-License-Identifier: MIT */
/*
 * Signals are taken as hints: each starts the same two questions (which collection is "default",
 * is it locked), so there is one road to the truth. They go to the owner's unique name: they can't
 * start a service, and an answer can't be of the one before. They wait as long as it takes: a
 * stopped service that goes on is news then.
 */
#include <systemd/sd-bus.h>

#include "io/keyring/watch.h"

#define SECRETS_NAME         "org.freedesktop.secrets"
#define SECRETS_PATH         "/org/freedesktop/secrets"
#define SECRETS_INTERFACE    "org.freedesktop.Secret.Service"
#define COLLECTION_INTERFACE "org.freedesktop.Secret.Collection"
#define DBUS_NAME            "org.freedesktop.DBus"
#define DBUS_PATH            "/org/freedesktop/DBus"

struct KeyringWatch {
        sd_bus *bus; /* NULL: there is none */
        sd_event_source *no_bus;
        sd_bus_slot *owner_asked; /* GetNameOwner or StartServiceByName */
        sd_bus_slot *state_asked; /* ReadAlias or Get */
        bool ask_again;           /* a signal came while the state was being asked */
        uint64_t limit_usec;
        sd_bus_slot *program_asked; /* GetConnectionUnixProcessID */
        char program[16];
        char owner[256]; /* unique name (no longer by the D-Bus Specification), or "" */
        KeyringWatchFn fn;
        KeyringWatchDeletionFn deletion;
        void *userdata;
};

static void watch_ask_state(KeyringWatch *w);

static void watch_tell(KeyringWatch *w, KeyringState state) {
        w->fn(*w->owner        ? KEYRING_SERVICE_RUNS
              : w->owner_asked ? KEYRING_SERVICE_UNKNOWN
                               : KEYRING_SERVICE_NONE,
              state, w->userdata);
}

static void watch_answered(KeyringWatch *w, KeyringState state) {
        w->state_asked = sd_bus_slot_unref(w->state_asked);
        watch_tell(w, state);
        if (w->ask_again)
                watch_ask_state(w);
}

/* The service or the bus died under the question: the bus's own news of that come next. */
static bool watch_asked_the_dead(KeyringWatch *w, sd_bus_message *m) {
        if (!sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY))
                return false;
        w->state_asked = sd_bus_slot_unref(w->state_asked);
        return true;
}

static int watch_on_locked(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        KeyringWatch *w = userdata;
        int locked;

        if (watch_asked_the_dead(w, m))
                return 0;
        /* an error: the collection went meanwhile; another signal says which is the default now */
        if (sd_bus_message_is_method_error(m, NULL) ||
            sd_bus_message_read(m, "v", "b", &locked) < 0)
                watch_answered(w, KEYRING_STATE_ABSENT);
        else
                watch_answered(w, locked ? KEYRING_STATE_LOCKED : KEYRING_STATE_OK);
        return 0;
}

/* Send a call with one or two strings to the service that runs now. When that fails the bus is
 * going, which is news of its own soon. */
static void watch_call(KeyringWatch *w, const char *path, const char *interface, const char *method,
                       sd_bus_message_handler_t fn, const char *types, const char *a,
                       const char *b) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        w->state_asked = sd_bus_slot_unref(w->state_asked);
        if (sd_bus_message_new_method_call(w->bus, &m, w->owner, path, interface, method) >= 0 &&
            sd_bus_message_append(m, types, a, b) >= 0)
                (void)sd_bus_call_async(w->bus, &w->state_asked, m, fn, w, UINT64_MAX);
}

static int watch_on_alias(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        KeyringWatch *w = userdata;
        const char *collection;

        if (watch_asked_the_dead(w, m))
                return 0;
        if (sd_bus_message_is_method_error(m, NULL) ||
            sd_bus_message_read(m, "o", &collection) < 0 || streq(collection, "/")) {
                watch_answered(w, KEYRING_STATE_ABSENT);
                return 0;
        }

        watch_call(w, collection, "org.freedesktop.DBus.Properties", "Get", watch_on_locked, "ss",
                   COLLECTION_INTERFACE, "Locked");
        return 0;
}

static void watch_ask_state(KeyringWatch *w) {
        if (!*w->owner)
                return;
        w->ask_again = w->state_asked;
        if (w->state_asked)
                return;
        watch_call(w, SECRETS_PATH, SECRETS_INTERFACE, "ReadAlias", watch_on_alias, "s", "default",
                   NULL);
}

/* Whose advice helps: the answer comes before those of the service itself. */
static int watch_on_program(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP(file_closep) FILE *file = NULL;
        KeyringWatch *w = userdata;
        char path[32];
        uint32_t pid;

        w->program_asked = sd_bus_slot_unref(w->program_asked);
        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "u", &pid) < 0)
                return 0;
        (void)snprintf(path, sizeof(path), "/proc/%u/comm", pid);
        file = fopen(path, "re");
        if (file && fgets(w->program, sizeof(w->program), file))
                w->program[strcspn(w->program, "\n")] = 0;
        return 0;
}

const char *keyring_watch_program(const KeyringWatch *w) {
        return w->program;
}

static void watch_ask_program(KeyringWatch *w) {
        *w->program = 0;
        w->program_asked = sd_bus_slot_unref(w->program_asked);
        if (*w->owner)
                (void)sd_bus_call_method_async(w->bus, &w->program_asked, DBUS_NAME, DBUS_PATH,
                                               DBUS_NAME, "GetConnectionUnixProcessID",
                                               watch_on_program, w, "s", w->owner);
}

static void watch_set_owner(KeyringWatch *w, const char *owner) {
        w->state_asked = sd_bus_slot_unref(w->state_asked);
        w->ask_again = false;
        (void)snprintf(w->owner, sizeof(w->owner), "%s", owner ?: "");
        watch_ask_program(w);
        if (!*w->owner) {
                watch_tell(w, KEYRING_STATE_ABSENT);
                return;
        }

        w->owner_asked = sd_bus_slot_unref(w->owner_asked);
        watch_tell(w, _KEYRING_STATE_MAX);
        watch_ask_state(w);
}

static int watch_on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *before, *after;

        if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
                return 0;
        watch_set_owner(userdata, after);
        return 0;
}

static int watch_on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        watch_ask_state(userdata);
        return 0;
}

static int watch_on_deletion(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        KeyringWatch *w = userdata;

        w->deletion(w->userdata);
        return 0;
}

static int watch_on_activated(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        KeyringWatch *w = userdata;

        /* had it been started, its NameOwnerChanged would have come first */
        w->owner_asked = sd_bus_slot_unref(w->owner_asked);
        watch_tell(w, KEYRING_STATE_ABSENT);
        return 0;
}

void keyring_watch_activate(KeyringWatch *w) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!w->bus || *w->owner || w->owner_asked)
                return;

        r = sd_bus_message_new_method_call(w->bus, &m, DBUS_NAME, DBUS_PATH, DBUS_NAME,
                                           "StartServiceByName");
        if (r >= 0)
                r = sd_bus_message_append(m, "su", SECRETS_NAME, (uint32_t)0);
        if (r >= 0)
                r = sd_bus_call_async(w->bus, &w->owner_asked, m, watch_on_activated, w,
                                      w->limit_usec);
        watch_tell(w, KEYRING_STATE_ABSENT);
}

void keyring_watch_refresh(KeyringWatch *w) {
        watch_ask_state(w);
}

static int watch_on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        KeyringWatch *w = userdata;
        const char *owner;

        w->owner_asked = sd_bus_slot_unref(w->owner_asked);
        if (!sd_bus_message_is_method_error(m, NULL) && sd_bus_message_read(m, "s", &owner) >= 0)
                watch_set_owner(w, owner);
        else
                keyring_watch_activate(w);
        return 0;
}

static int watch_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        KeyringWatch *w = userdata;

        w->owner_asked = sd_bus_slot_unref(w->owner_asked);
        w->program_asked = sd_bus_slot_unref(w->program_asked);
        w->bus = sd_bus_close_unref(w->bus);
        watch_set_owner(w, NULL);
        return 0;
}

static int watch_on_no_bus(sd_event_source *source, void *userdata) {
        watch_tell(userdata, KEYRING_STATE_ABSENT);
        return 0;
}

static int watch_subscribe(KeyringWatch *w) {
        static const char *const hints[] = {
                "type='signal',sender='" SECRETS_NAME "',path='" SECRETS_PATH "',"
                "interface='" SECRETS_INTERFACE "'",
                "type='signal',sender='" SECRETS_NAME "',path_namespace='" SECRETS_PATH "',"
                "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                "arg0='" COLLECTION_INTERFACE "'",
        };
        int r;

        r = sd_bus_add_match_async(w->bus, NULL,
                                   "type='signal',sender='org.freedesktop.DBus.Local',"
                                   "path='/org/freedesktop/DBus/Local',"
                                   "interface='org.freedesktop.DBus.Local',member='Disconnected'",
                                   watch_on_disconnected, NULL, w);
        if (r < 0)
                return r;
        r = sd_bus_add_match_async(w->bus, NULL,
                                   "type='signal',sender='" DBUS_NAME "',path='" DBUS_PATH "',"
                                   "interface='" DBUS_NAME "',member='NameOwnerChanged',"
                                   "arg0='" SECRETS_NAME "'",
                                   watch_on_owner_changed, NULL, w);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
                r = sd_bus_add_match_async(w->bus, NULL, hints[i], watch_on_signal, NULL, w);
                if (r < 0)
                        return r;
        }
        r = sd_bus_add_match_async(w->bus, NULL,
                                   "type='signal',sender='" SECRETS_NAME "',"
                                   "path_namespace='" SECRETS_PATH "',"
                                   "interface='" COLLECTION_INTERFACE "',member='ItemDeleted'",
                                   watch_on_deletion, NULL, w);
        if (r < 0)
                return r;
        return sd_bus_call_method_async(w->bus, &w->owner_asked, DBUS_NAME, DBUS_PATH, DBUS_NAME,
                                        "GetNameOwner", watch_on_owner, w, "s", SECRETS_NAME);
}

int keyring_watch_new(KeyringWatch **ret, sd_event *event, uint64_t limit_usec, KeyringWatchFn fn,
                      KeyringWatchDeletionFn deletion, void *userdata) {
        CLEANUP(keyring_watch_freep) KeyringWatch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;

        w->limit_usec = limit_usec;
        w->fn = fn;
        w->deletion = deletion;
        w->userdata = userdata;

        r = sd_bus_open_user(&w->bus);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                r = sd_event_add_defer(event, &w->no_bus, watch_on_no_bus, w);
        else
                r = sd_bus_attach_event(w->bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0 && w->bus)
                r = watch_subscribe(w);
        if (r < 0)
                return r;

        *ret = STEAL(w);
        return 0;
}

KeyringWatch *keyring_watch_free(KeyringWatch *w) {
        if (!w)
                return NULL;
        sd_bus_slot_unref(w->owner_asked);
        sd_bus_slot_unref(w->state_asked);
        sd_bus_slot_unref(w->program_asked);
        sd_bus_close_unref(w->bus);
        sd_event_source_disable_unref(w->no_bus);
        free(w);
        return NULL;
}
