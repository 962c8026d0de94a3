/* SPDX-License-Identifier: MIT */
/*
 * iotc-token watch: a line for each change of the daemon's or an account's properties, and for
 * accounts and the daemon as they come and go. A line is written out at once.
 */
#include <inttypes.h>
#include <poll.h>
#include <time.h>

#include "base/bus.h"
#include "base/display.h"
#include "base/loop.h"
#include "base/output.h"
#include "base/say.h"
#include "command/verbs.h"
#include "lib/connection.h"

typedef struct Watch {
        Loop *loop;
        sd_bus *bus;
        sd_bus_slot *signals;
        bool lost; /* the daemon, whose own socket it was */
        bool json;
        bool person;
} Watch;

/* The time and the account's name, before what a line has to say; and what parts its fields. */
static const char *watch_line(Watch *w, const char *of) {
        const char *between = w->person ? "  " : "\t";
        time_t now = time(NULL);
        struct tm tm;
        char text[24];

        if (w->person && localtime_r(&now, &tm))
                strftime(text, sizeof(text), "%H:%M:%S", &tm);
        else
                snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)now);
        printf("%s%s", text, between);
        display_print(stdout, of ?: "-");
        fputs(between, stdout);
        return between;
}

/* One change: of an account (name) or of the daemon (NULL), with the properties that changed. */
static int watch_print(Watch *w, const char *name, const char *event, const Properties *changed) {
        JsonWriter out = { .f = stdout };
        char key[DISPLAY_KEY_SIZE];
        int r;

        if (w->json) {
                json_writer_open(&out, NULL, '{');
                display_json_time(&out, "time", (uint64_t)time(NULL));
                json_writer_string_or_null(&out, "event", event);
                json_writer_string_or_null(&out, "account", name);
                properties_json(changed, &out);
                json_writer_close(&out, '}');
                json_writer_end(&out);
        } else if (!streq(event, "changed")) {
                printf("%s%s\n", event, watch_line(w, name));
        } else {
                for (size_t i = 0; i < changed->n; i++) {
                        const char *between = watch_line(w, name);

                        printf("%s%s", display_key(key, changed->items[i].name), between);
                        property_print(&changed->items[i], stdout, w->person);
                        putchar('\n');
                }
        }
        r = output_flush();
        return r ? loop_end(w->loop, r) : 0;
}

static int watch_on_properties(Watch *w, sd_bus_message *m) {
        CLEANUP(properties_deinit) Properties changed = { 0 };
        CLEANUP(freep) char *name = account_name(sd_bus_message_get_path(m));
        const char *interface;
        int r;

        r = sd_bus_message_read(m, "s", &interface);
        if (r < 0)
                return r;
        if (!streq(interface, IOTC_INTERFACE_MANAGER) && !streq(interface, IOTC_INTERFACE_ACCOUNT))
                return 0;
        r = properties_read(&changed, m);
        if (r < 0)
                return r;
        return changed.n ? watch_print(w, name, "changed", &changed) : 0;
}

static int watch_on_object(Watch *w, sd_bus_message *m, bool added) {
        CLEANUP(properties_deinit) Properties properties = { 0 };
        CLEANUP(freep) char *name = NULL;
        const char *path;
        int r;

        r = sd_bus_message_read(m, "o", &path);
        if (r < 0)
                return r;
        name = account_name(path);
        if (!name)
                return 0;
        if (added)
                r = bus_read_account(m, &properties);
        if (r < 0 || (added && r == 0))
                return r;
        return watch_print(w, name, added ? "added" : "removed", &properties);
}

static int watch_on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *const manager = "org.freedesktop.DBus.ObjectManager";
        Watch *w = userdata;

        if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Properties", "PropertiesChanged"))
                return watch_on_properties(w, m);
        if (sd_bus_message_is_signal(m, manager, "InterfacesAdded"))
                return watch_on_object(w, m, true);
        if (sd_bus_message_is_signal(m, manager, "InterfacesRemoved"))
                return watch_on_object(w, m, false);
        return 0;
}

static int watch_on_daemon(bool there, void *userdata) {
        Watch *w = userdata;
        int r;

        r = watch_print(w, NULL, there ? "started" : "stopped", &(const Properties){ 0 });
        w->lost = connection_is_direct(w->bus);
        return w->lost ? loop_end(w->loop, EXIT_DONE) : r;
}

static int watch_on_reader_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Watch *w = userdata;

        return loop_end(w->loop, output_reader_gone());
}

static int watch_subscribe(Watch *w) {
        int r;

        r = bus_match(w->bus, &w->signals, "path_namespace='" IOTC_PATH "'", watch_on_signal, w);
        if (r >= 0)
                r = loop_watch_daemon(w->loop, watch_on_daemon, w);
        if (r < 0)
                return fail_errno(r);

        /* A file can't be polled, and doesn't go away either. */
        r = sd_event_add_io(w->loop->event, NULL, STDOUT_FILENO, 0, watch_on_reader_gone, w);
        return r < 0 && r != -EPERM ? fail_errno(r) : 0;
}

static void watch_deinit(Watch *w) {
        w->signals = sd_bus_slot_unref(w->signals);
        w->loop = loop_free(w->loop);
        w->bus = sd_bus_flush_close_unref(w->bus);
}

/* The end of the daemon was that of the connection. On the session bus its return shows, and nobody
 * is started who was stopped; without one systemd's socket starts it. */
static int watch_again(Watch *w) {
        CLEANUP(accounts_deinit) Accounts accounts = { 0 };
        CLEANUP(sd_bus_error_free) sd_bus_error ignored = SD_BUS_ERROR_NULL;
        int r = 0;

        watch_deinit(w);
        if (connection_open_session(&w->bus, &ignored) < 0)
                r = bus_open(&w->bus);
        r = r ?: loop_new(&w->loop, w->bus);
        r = r ?: watch_subscribe(w);
        w->lost = false;
        if (r || !connection_is_direct(w->bus))
                return r;
        r = bus_get_accounts(w->bus, &accounts);
        return r ?: watch_print(w, NULL, "started", &(const Properties){ 0 });
}

int verb_watch(const Verb *verb, int argc, char **argv) {
        CLEANUP(accounts_deinit) Accounts accounts = { 0 };
        CLEANUP(watch_deinit) Watch w = { .person = output_is_terminal() };
        const Option options[] = {
                { "json", NULL, N_("print an object for each change"), OPTION_FLAG, &w.json },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 0);
        r = r ?: bus_open(&w.bus);
        r = r ?: loop_new(&w.loop, w.bus);
        r = r ?: watch_subscribe(&w);
        r = r ?: bus_get_accounts(w.bus, &accounts);
        if (r)
                return r;
        say(i18n_text_of("Watching %zu account; Ctrl-C ends it.",
                         "Watching %zu accounts; Ctrl-C ends it.", accounts.n),
            accounts.n);
        r = loop_run(w.loop);
        while (w.lost && r == EXIT_DONE)
                r = watch_again(&w) ?: loop_run(w.loop);
        return r;
}
