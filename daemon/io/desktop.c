/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>

#include "io/desktop.h"
#include "io/log.h"

#define SERVER_NAME      "org.freedesktop.Notifications"
#define SERVER_PATH      "/org/freedesktop/Notifications"
#define SERVER_INTERFACE "org.freedesktop.Notifications"

/* NotificationClosed's reason: dismissed by the user. */
#define REASON_DISMISSED 2

struct Desktop {
        sd_event *event;
        const DesktopHandler *handler;
        void *userdata;
        sd_bus *bus;       /* NULL: there is nothing to show */
        sd_bus_slot *call; /* GetCapabilities or Notify on its way */
        sd_bus_slot *page; /* Open of our own helper */
        bool absent;       /* nobody answered: wait for a server to come up */
        bool known;        /* what the server can do: */
        bool actions, markup;
        DesktopNote next; /* for the server as soon as it can be told; no summary: none */
        uint32_t id;      /* of what it shows; 0: nothing */
        char *server;     /* whose number that is, by its unique name */
        bool unwanted;    /* what is on its way is to be taken away again */
        bool acted;       /* what shows has had its click: its end is no answer */
        char *token;      /* xdg-activation-v1, for what the click opens; or NULL */
};

static void desktop_push(Desktop *d);

/* The connection goes when nothing shows, nor will. */
static void desktop_rest(Desktop *d) {
        if (d->id || d->next.summary || d->call || d->page)
                return;
        d->bus = sd_bus_close_unref(d->bus);
        d->absent = d->known = false;
}

static void desktop_forget(Desktop *d, DesktopEnd end) {
        bool shown = d->id != 0;

        d->id = 0;
        /* What is on its way is another one. */
        if (shown && !d->call)
                d->handler->ended(end, d->userdata);
}

static int desktop_on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *before, *after;
        Desktop *d = userdata;

        if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
                return 0;
        d->known = false;
        if (*before)
                desktop_forget(d, DESKTOP_END_LOST);
        if (*after) {
                d->absent = false;
                desktop_push(d);
        }
        desktop_rest(d);
        return 0;
}

/* Is it news of what shows? A match by a well-known name lets through what anybody sends to us
 * alone. */
static bool desktop_is_meant(const Desktop *d, sd_bus_message *m, uint32_t id) {
        return id != 0 && id == d->id && streq(sd_bus_message_get_sender(m), d->server);
}

static int desktop_on_closed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *d = userdata;
        uint32_t id, reason;

        if (sd_bus_message_read(m, "uu", &id, &reason) < 0 || !desktop_is_meant(d, m, id))
                return 0;
        desktop_forget(d, reason == REASON_DISMISSED && !d->acted ? DESKTOP_END_PERSON
                                                                  : DESKTOP_END_EXPIRED);
        desktop_rest(d);
        return 0;
}

static int desktop_on_token(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *d = userdata;
        const char *token;
        uint32_t id;

        if (sd_bus_message_read(m, "us", &id, &token) >= 0 && desktop_is_meant(d, m, id)) {
                free(d->token);
                d->token = strdup(token);
        }
        return 0;
}

static int desktop_on_action(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *d = userdata;
        const char *key;
        uint32_t id;

        if (sd_bus_message_read(m, "us", &id, &key) < 0 || !desktop_is_meant(d, m, id))
                return 0;
        d->acted = true;
        d->handler->action(key, d->userdata);
        desktop_rest(d);
        return 0;
}

static int desktop_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *d = userdata;

        d->call = sd_bus_slot_unref(d->call);
        d->page = sd_bus_slot_unref(d->page);
        desktop_note_deinit(&d->next);
        desktop_forget(d, DESKTOP_END_LOST);
        desktop_rest(d);
        return 0;
}

static int desktop_subscribe(Desktop *d) {
        static const struct {
                const char *member;
                sd_bus_message_handler_t fn;
        } signals[] = { { "NotificationClosed", desktop_on_closed },
                        { "ActivationToken", desktop_on_token },
                        { "ActionInvoked", desktop_on_action } };
        int r;

        r = sd_bus_match_signal(d->bus, NULL, "org.freedesktop.DBus.Local",
                                "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                "Disconnected", desktop_on_disconnected, d);
        if (r >= 0)
                r = sd_bus_add_match_async(
                        d->bus, NULL,
                        "type='signal',sender='org.freedesktop.DBus',"
                        "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                        "member='NameOwnerChanged',arg0='" SERVER_NAME "'",
                        desktop_on_owner_changed, NULL, d);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
                r = sd_bus_match_signal_async(d->bus, NULL, SERVER_NAME, SERVER_PATH,
                                              SERVER_INTERFACE, signals[i].member, signals[i].fn,
                                              NULL, d);
        return r;
}

static int desktop_connect(Desktop *d) {
        int r;

        if (d->bus)
                return 0;
        r = sd_bus_open_user_with_description(&d->bus, "iotc-tokend-desktop");
        if (r >= 0)
                r = sd_bus_attach_event(d->bus, d->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = desktop_subscribe(d);
        if (r < 0)
                d->bus = sd_bus_close_unref(d->bus);
        return r;
}

static int server_call(Desktop *d, sd_bus_message **ret, const char *member, bool auto_start) {
        int r;

        r = sd_bus_message_new_method_call(d->bus, ret, SERVER_NAME, SERVER_PATH, SERVER_INTERFACE,
                                           member);
        return r < 0 ? r : sd_bus_message_set_auto_start(*ret, auto_start);
}

static int desktop_on_capabilities(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *d = userdata;
        const char *word;

        d->call = sd_bus_slot_unref(d->call);
        d->unwanted = false;
        if (sd_bus_message_is_method_error(m, NULL)) {
                log_debug("No notification is shown: %s", sd_bus_message_get_error(m)->message);
                d->absent = true;
                desktop_rest(d);
                return 0;
        }
        d->known = true;
        d->actions = d->markup = false;
        if (sd_bus_message_enter_container(m, 'a', "s") >= 0)
                while (sd_bus_message_read(m, "s", &word) > 0) {
                        d->actions = d->actions || streq(word, "actions");
                        d->markup = d->markup || streq(word, "body-markup");
                }
        desktop_push(d);
        desktop_rest(d);
        return 0;
}

static void desktop_close(Desktop *d) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        if (d->id && server_call(d, &m, "CloseNotification", false) >= 0 &&
            sd_bus_message_append(m, "u", d->id) >= 0 &&
            sd_bus_message_set_expect_reply(m, false) >= 0)
                (void)sd_bus_send(d->bus, m, NULL);
        d->id = 0;
}

static int desktop_on_notified(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *d = userdata;
        uint32_t id;

        d->call = sd_bus_slot_unref(d->call);
        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "u", &id) < 0) {
                log_debug("The notification was not taken");
                d->id = 0;
                if (!d->unwanted)
                        d->handler->ended(DESKTOP_END_LOST, d->userdata);
        } else {
                free(d->server);
                d->server = strdup(sd_bus_message_get_sender(m));
                d->id = id;
                d->acted = false;
                if (d->unwanted)
                        desktop_close(d);
                else
                        d->handler->shown(d->userdata);
        }
        d->unwanted = false;
        desktop_push(d);
        desktop_rest(d);
        return 0;
}

static int notify_append_actions(sd_bus_message *m, const Desktop *d, const DesktopNote *note) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        if (r >= 0 && d->actions && note->actions[0])
                /* A click on the text itself: with a label Xfce makes it a button, too. */
                r = sd_bus_message_append(m, "ss", "default", "");
        for (size_t i = 0; r >= 0 && d->actions && note->actions[i]; i++)
                r = sd_bus_message_append(m, "s", note->actions[i]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int desktop_notify(Desktop *d, const DesktopNote *note) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        CLEANUP(freep) char *body = desktop_note_body(note, d->actions, d->markup);
        int r;

        if (!body)
                return -ENOMEM;
        r = server_call(d, &m, "Notify", false);
        if (r >= 0)
                r = sd_bus_message_append(m, "susss", "IoT Central tokens", d->id,
                                          "dialog-password", note->summary, body);
        if (r >= 0)
                r = notify_append_actions(m, d, note);
        /* 0: it never expires. Whoever shows it takes it away. */
        if (r >= 0)
                r = sd_bus_message_append(m, "a{sv}i", 3, "urgency", "y", note->urgent ? 2 : 1,
                                          "category", "s", "network", "resident", "b", 1, 0);
        return r < 0 ? r : sd_bus_call_async(d->bus, &d->call, m, desktop_on_notified, d, 0);
}

static int desktop_ask(Desktop *d) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = server_call(d, &m, "GetCapabilities", true);
        return r < 0 ? r : sd_bus_call_async(d->bus, &d->call, m, desktop_on_capabilities, d, 0);
}

static void desktop_push(Desktop *d) {
        CLEANUP(desktop_note_deinit) DesktopNote note = { 0 };
        int r;

        if (!d->next.summary || d->call || d->absent)
                return;
        r = desktop_connect(d);
        if (r >= 0 && !d->known)
                r = desktop_ask(d);
        else if (r >= 0) {
                note = d->next;
                d->next = (DesktopNote){ 0 };
                r = desktop_notify(d, &note);
        }
        if (r < 0) {
                log_debug("No notification is shown: %s", strerror(-r));
                desktop_note_deinit(&d->next);
        }
}

void desktop_show(Desktop *d, DesktopNote *note) {
        desktop_note_deinit(&d->next);
        d->next = *note;
        *note = (DesktopNote){ 0 };
        desktop_push(d);
}

void desktop_hide(Desktop *d) {
        desktop_note_deinit(&d->next);
        d->unwanted = d->call != NULL;
        desktop_close(d);
        desktop_rest(d);
}

bool desktop_is_shown(const Desktop *d) {
        return d->id != 0;
}

static int desktop_on_page(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *d = userdata;

        d->page = sd_bus_slot_unref(d->page);
        if (sd_bus_message_is_method_error(m, NULL)) {
                log_debug("The page was not opened: %s", sd_bus_message_get_error(m)->message);
                d->handler->page_failed(d->userdata);
        }
        desktop_rest(d);
        return 0;
}

void desktop_open_page(Desktop *d, uint64_t signin) {
        CLEANUP(freep) char *token = STEAL(d->token), *path = NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        d->page = sd_bus_slot_unref(d->page);
        if (asprintf(&path, IOTC_PATH_SIGNIN "/%llu", (long long unsigned)signin) < 0) {
                path = NULL;
                return;
        }
        r = desktop_connect(d);
        if (r >= 0)
                r = sd_bus_message_new_method_call(d->bus, &m, IOTC_OPENER_NAME, IOTC_OPENER_PATH,
                                                   IOTC_OPENER_INTERFACE, "Open");
        if (r >= 0)
                r = sd_bus_message_append(m, "os", path, token ? token : "");
        if (r >= 0)
                r = sd_bus_call_async(d->bus, &d->page, m, desktop_on_page, d, 0);
        if (r < 0)
                log_debug("The page can't be opened: %s", strerror(-r));
}

int desktop_new(Desktop **ret, sd_event *event, const DesktopHandler *handler, void *userdata) {
        Desktop *d = calloc(1, sizeof(*d));

        if (!d)
                return -ENOMEM;
        d->event = event;
        d->handler = handler;
        d->userdata = userdata;
        *ret = d;
        return 0;
}

Desktop *desktop_free(Desktop *d) {
        if (d) {
                sd_bus_slot_unref(d->call);
                sd_bus_slot_unref(d->page);
                desktop_close(d);
                sd_bus_flush_close_unref(d->bus);
                desktop_note_deinit(&d->next);
                free(d->server);
                free(d->token);
                free(d);
        }
        return NULL;
}
