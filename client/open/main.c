/* SPDX-License-Identifier: MIT */
/*
 * iotc-token-open: opens the page of a sign-in in the person's browser when they have pressed the
 * notification's button. The bus starts it, with the environment of the desktop, because the daemon
 * can do neither: a portal refuses a process that can't be looked into, and a browser is not to
 * live in the daemon's sandbox and die with it. Whoever calls it names a sign-in and no page: that
 * it asks of the daemon. It ends when there is nothing more to do.
 */
#include <iotc-dbus.h>

#include "base/browser.h"
#include "base/bus.h"
#include "base/loop.h"
#include "base/say.h"

#define IDLE_USEC (10 * USEC_PER_SEC) /* without a call it ends */
#define OPEN_USEC (5 * USEC_PER_SEC)  /* what still runs then is the browser itself */

typedef struct Opener {
        Loop *loop;
        sd_event_source *idle;
        sd_bus_message *call;     /* waits for xdg-open; NULL: none */
        sd_event_source *browser; /* the end of that xdg-open, and of no earlier one */
        sd_event_source *late;
} Opener;

static void opener_reply(Opener *o, bool opened) {
        if (o->call && opened)
                (void)sd_bus_reply_method_return(o->call, NULL);
        else if (o->call)
                (void)sd_bus_reply_method_errorf(o->call, SD_BUS_ERROR_FAILED,
                                                 "xdg-open could not open the page");
        o->call = sd_bus_message_unref(o->call);
        o->late = sd_event_source_disable_unref(o->late);
}

static void opener_on_browser(bool opened, void *userdata) {
        opener_reply(userdata, opened);
}

static int opener_on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        opener_reply(userdata, true);
        return 0;
}

static int opener_on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        Opener *o = userdata;

        return loop_end(o->loop, EXIT_DONE);
}

/* What the page needs to come to the front: xdg-activation-v1, and its name on X11. */
static void token_export(const char *token) {
        if (!*token)
                return;
        (void)setenv("XDG_ACTIVATION_TOKEN", token, 1);
        (void)setenv("DESKTOP_STARTUP_ID", token, 1);
}

static int opener_open(Opener *o, sd_bus_message *m, const char *uri, const char *token) {
        int r;

        token_export(token);
        r = browser_open(&o->browser, o->loop->event, uri, opener_on_browser, o);
        if (r >= 0)
                r = sd_event_source_set_time_relative(o->idle, IDLE_USEC);
        if (r >= 0)
                r = sd_event_add_time_relative(o->loop->event, &o->late, CLOCK_BOOTTIME, OPEN_USEC,
                                               0, opener_on_late, o);
        if (r < 0)
                return r;
        o->call = sd_bus_message_ref(m);
        return 1;
}

/* Blocking, but there is nobody else to serve. */
static int method_open(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP(freep) char *uri = NULL;
        const char *path, *token;
        Opener *o = userdata;
        int r;

        r = sd_bus_message_read(m, "os", &path, &token);
        if (r < 0)
                return r;
        if (!str_starts(path, IOTC_PATH_SIGNIN "/"))
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "Not a sign-in");
        opener_reply(o, true); /* an earlier one has had its time */
        o->browser = sd_event_source_disable_unref(o->browser);
        r = sd_bus_get_property_string(o->loop->bus, IOTC_BUS_NAME, path, IOTC_INTERFACE_SIGNIN,
                                       "VerificationUri", error, &uri);
        return r < 0 ? r : opener_open(o, m, uri, token);
}

static const sd_bus_vtable opener_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Open", SD_BUS_ARGS("o", signin, "s", activation_token),
                                SD_BUS_NO_RESULT, method_open, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void opener_deinit(Opener *o) {
        sd_bus_message_unref(o->call);
        sd_event_source_disable_unref(o->browser);
        sd_event_source_disable_unref(o->late);
        sd_event_source_disable_unref(o->idle);
        loop_free(o->loop);
}

static int opener_run(sd_bus *bus) {
        CLEANUP(opener_deinit) Opener o = { 0 };
        int r;

        r = loop_new(&o.loop, bus);
        if (r)
                return r;
        r = sd_event_add_time_relative(o.loop->event, &o.idle, CLOCK_BOOTTIME, IDLE_USEC, 0,
                                       opener_on_idle, &o);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, IOTC_OPENER_PATH, IOTC_OPENER_INTERFACE,
                                             opener_vtable, &o);
        if (r >= 0)
                r = sd_bus_request_name(bus, IOTC_OPENER_NAME, 0);
        return r < 0 ? fail_errno(r) : loop_run(o.loop);
}

int main(int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (argc > 1) {
                say("Usage: iotc-token-open; the session bus starts it");
                return EXIT_USAGE;
        }
        r = bus_open_session(&bus);
        return r ?: opener_run(bus);
}
