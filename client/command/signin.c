/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "base/browser.h"
#include "base/bus.h"
#include "base/display.h"
#include "base/i18n.h"
#include "base/loop.h"
#include "base/say.h"
#include "command/signin.h"

typedef struct SignIn {
        Loop *loop;
        sd_bus_slot *changes;
        const char *account; /* its path; borrowed */
        char *path;
        Properties properties;
        bool shown;     /* the person knows what to do */
        bool live;      /* standard error is a terminal: the time left is counted down there */
        bool cancelled; /* by a person */
} SignIn;

static void signin_clear_line(SignIn *s) {
        if (s->live && s->shown)
                fputs("\r\033[K", stderr);
}

static void signin_show_left(SignIn *s) {
        uint64_t expires_at = properties_number(&s->properties, "ExpiresAt");
        uint64_t now = (uint64_t)time(NULL);
        char left[DISPLAY_DURATION_SIZE];

        if (!s->shown || expires_at <= now)
                return;
        display_duration(left, expires_at - now);
        if (!s->live) {
                say("Waiting; %s left.", left);
                return;
        }
        fputc('\r', stderr);
        fprintf(stderr, _("Waiting; %s left. Ctrl-C cancels."), left);
        fputs("\033[K", stderr);
}

static void signin_on_browser(bool opened, void *userdata) {
        SignIn *s = userdata;
        CLEANUP(freep) char *name = account_name(s->account);

        if (opened)
                return;
        signin_clear_line(s);
        say("xdg-open could not open it. Open the page by hand, or sign in by a code: iotc-token "
            "login %s --device-code",
            name ? name : "");
}

/* The browser that comes back to this machine may be on the one that ssh comes from. */
static void signin_show_port(const char *uri) {
        static const char before[] = "redirect_uri=http%3A%2F%2Flocalhost%3A";
        const char *port = strstr(uri, before);
        size_t n;

        if (!port || str_empty(getenv("SSH_CONNECTION")))
                return;
        port += strlen(before);
        n = strspn(port, "0123456789");
        say("Is your browser on the machine that you come from? Then run there first: ssh -N -L "
            "%.*s:localhost:%.*s HOST",
            (int)n, port, (int)n, port);
}

static void signin_show_browser(SignIn *s, const char *uri) {
        bool open = browser_can_open();

        if (open)
                say("To sign in, use the page that opens in your browser. If none does, open this "
                    "one on this machine:");
        else
                say("To sign in, open this page in a browser on this machine:");
        say("%s", uri);
        signin_show_port(uri);
        if (open && browser_open(NULL, s->loop->event, uri, signin_on_browser, s) < 0)
                signin_on_browser(false, s);
}

static void signin_show(SignIn *s) {
        const char *uri = properties_string(&s->properties, "VerificationUri");
        const char *code = properties_string(&s->properties, "UserCode");
        const char *message = properties_string(&s->properties, "Message");

        if (s->shown || (!*uri && !*message))
                return;
        if (*uri && *code)
                say("To sign in, open %s and enter the code %s", uri, code);
        else if (*uri)
                signin_show_browser(s, uri);
        else
                say("%s", message);
        s->shown = true;
        signin_show_left(s);
}

/* The properties are new: show what there is to do, or how it ended. */
static int signin_update(SignIn *s) {
        const char *state = properties_string(&s->properties, "State");
        char *const *error = properties_strings(&s->properties, "Error");

        if (streq(state, "pending")) {
                signin_show(s);
                return 0;
        }
        signin_clear_line(s);
        if (streq(state, "done"))
                return loop_end(s->loop, EXIT_DONE);
        s->cancelled = streq(state, "cancelled");
        if (*error && **error)
                return loop_end(s->loop, fail_error(error[0], error[1]));
        return loop_end(s->loop, fail(EXIT_FAILED, s->cancelled ? N_("the sign-in was cancelled")
                                                                : N_("the sign-in failed")));
}

static int signin_on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        SignIn *s = userdata;
        const char *interface;
        int r;

        if (!streq(sd_bus_message_get_path(m), s->path))
                return 0;
        r = sd_bus_message_read(m, "s", &interface);
        if (r < 0 || !streq(interface, IOTC_INTERFACE_SIGNIN))
                return r;
        r = properties_read(&s->properties, m);
        return r < 0 ? r : signin_update(s);
}

static int signin_on_daemon(bool there, void *userdata) {
        SignIn *s = userdata;

        if (there)
                return 0;
        signin_clear_line(s);
        return loop_end(s->loop, fail(EXIT_FAILED, "iotc-tokend ended before the sign-in did; run "
                                                   "the command again"));
}

static int signin_on_second(sd_event_source *source, uint64_t usec, void *userdata) {
        SignIn *s = userdata;
        int r;

        signin_show_left(s);
        r = sd_event_source_set_time_relative(source, USEC_PER_SEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int signin_subscribe(SignIn *s, sd_bus *bus) {
        int r;

        r = bus_match(bus, &s->changes,
                      "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                      "path_namespace='" IOTC_PATH_SIGNIN "'",
                      signin_on_properties, s);
        if (r >= 0)
                r = loop_watch_daemon(s->loop, signin_on_daemon, s);
        if (r >= 0 && s->live)
                r = sd_event_add_time_relative(s->loop->event, NULL, CLOCK_BOOTTIME, USEC_PER_SEC,
                                               0, signin_on_second, s);
        return r < 0 ? fail_errno(r) : 0;
}

static int signin_start(SignIn *s, sd_bus *bus, const char *method) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r;

        r = bus_method(bus, &m, s->account, IOTC_INTERFACE_ACCOUNT, "SignIn");
        if (r)
                return r;
        if (method)
                r = sd_bus_message_append(m, "a{sv}", 1, "method", "s", method);
        else
                r = sd_bus_message_append(m, "a{sv}", 1, "browser", "b", (int)browser_is_here());
        if (r < 0)
                return fail_errno(r);
        r = bus_call(bus, m, BUS_TIMEOUT_SEC, &reply);
        if (r)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return fail_errno(r);
        s->path = strdup(path);
        return s->path ? 0 : fail_errno(-ENOMEM);
}

static void signin_cancel(SignIn *s, sd_bus *bus) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        signin_clear_line(s);
        if (bus_method(bus, &m, s->path, IOTC_INTERFACE_SIGNIN, "Cancel") == 0 &&
            bus_call_unless(bus, m, BUS_TIMEOUT_SEC, SD_BUS_ERROR_UNKNOWN_OBJECT, NULL) <= 0)
                say("The sign-in was cancelled.");
}

static void signin_deinit(SignIn *s) {
        sd_bus_slot_unref(s->changes);
        loop_free(s->loop);
        properties_deinit(&s->properties);
        free(s->path);
}

int signin_run(sd_bus *bus, const char *account, const char *method, bool *ret_cancelled) {
        CLEANUP(signin_deinit)
        SignIn s = { .account = account,
                     .live = isatty(STDERR_FILENO) && !streq(getenv("TERM"), "dumb") };
        int r;

        r = loop_new(&s.loop, bus);
        r = r ?: signin_subscribe(&s, bus);
        r = r ?: signin_start(&s, bus, method);
        r = r ?: bus_get_all(bus, s.path, IOTC_INTERFACE_SIGNIN, &s.properties);
        if (r)
                return r;
        r = signin_update(&s);
        if (r < 0)
                return fail_errno(r);
        r = loop_run(s.loop);
        if (r >= 128) {
                s.cancelled = true;
                signin_cancel(&s, bus);
        }
        *ret_cancelled = s.cancelled;
        return r;
}
