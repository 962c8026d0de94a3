/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "connection.h"
#include "display.h"
#include "doctor.h"
#include "model/text.h"
#include "output.h"
#include "table.h"

enum {
        DOCTOR_INDENT = 12, /* columns before a text: a mark, and the check's name */
};

const char *const doctor_systemd[3] = {
        "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager",
};

static const char *const state_names[] = {
        [FINDING_OK] = "ok",
        [FINDING_NOTE] = "note",
        [FINDING_PROBLEM] = "problem",
};

static const char *escape(const Doctor *d, TableColour colour) {
        return d->colour ? table_escape(colour) : "";
}

/* From the column DOCTOR_INDENT on, broken between words where the terminal ends. */
static void print_wrapped(const Doctor *d, const char *text) {
        CLEANUP(freep)
        char *folded = display_fold(text, d->columns, DOCTOR_INDENT, DOCTOR_INDENT);

        puts(folded ?: "");
}

static void tell_person(const Doctor *d, const Finding *f, const char *text) {
        static const struct {
                TableColour colour;
                const char *utf8, *ascii;
        } marks[] = {
                [FINDING_OK] = { TABLE_GREEN, "\u2713", "+" },
                [FINDING_NOTE] = { TABLE_YELLOW, "!", "!" },
                [FINDING_PROBLEM] = { TABLE_RED, "\u2717", "x" },
        };

        printf("%s", d->colour ? "\r\033[K" : "");
        printf("%s%s%s", escape(d, marks[f->state].colour),
               d->utf8 ? marks[f->state].utf8 : marks[f->state].ascii, escape(d, TABLE_RESET));
        printf(" %-*s", DOCTOR_INDENT - 2, f->check);
        print_wrapped(d, text);
        if (f->state == FINDING_OK)
                return;
        if (f->why) {
                printf("%*s%s", DOCTOR_INDENT, "", escape(d, TABLE_FAINT));
                print_wrapped(d, _(f->why));
                fputs(escape(d, TABLE_RESET), stdout);
        }
        if (f->command) {
                printf("%*s%s %s", DOCTOR_INDENT, "", d->utf8 ? "\u2192" : "->",
                       escape(d, TABLE_BOLD));
                display_print(stdout, f->command);
                printf("%s\n", escape(d, TABLE_RESET));
        }
}

static void tell_json(JsonOut *out, const Finding *f, const char *text) {
        json_out_open(out, NULL, '{');
        json_out_string(out, "check", f->check);
        json_out_string(out, "state", state_names[f->state]);
        json_out_string(out, "account", f->account);
        json_out_string(out, "text", text);
        json_out_string(out, "why", f->why);
        json_out_string(out, "command", f->command);
        json_out_close(out, '}');
}

static void tell_program(const Finding *f, const char *text) {
        const char *const fields[] = { f->check, state_names[f->state], f->account ?: "-",
                                       text,     f->why ?: "",          f->command ?: "" };

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                display_print(stdout, fields[i]);
                putchar(i < ARRAY_SIZE(fields) - 1 ? '\t' : '\n');
        }
}

/* To be freed by free(); NULL when memory is short. */
static char *text_of(const Doctor *d, const char *format, va_list ap) {
        char *text = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        return vasprintf(&text, d->person ? _(format) : format, ap) < 0 ? NULL : text;
#pragma GCC diagnostic pop
}

const char *doctor_word(const Doctor *d, const char *word) {
        return d->person ? _(word) : word;
}

char *doctor_text(const Doctor *d, const char *format, ...) {
        char *text;
        va_list ap;

        va_start(ap, format);
        text = text_of(d, format, ap);
        va_end(ap);
        return text;
}

void doctor_tell(Doctor *d, const Finding *f, const char *format, ...) {
        CLEANUP(freep) char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = text_of(d, format, ap);
        va_end(ap);

        d->n[f->state]++;
        if (d->json)
                tell_json(d->json, f, text ?: "");
        else if (d->person)
                tell_person(d, f, text ?: "");
        else
                tell_program(f, text ?: "");
        if (d->person)
                (void)fflush(stdout);
}

/* Taken back by the next line, so only where the terminal can do it. */
void doctor_progress(Doctor *d, const char *format, ...) {
        CLEANUP(freep) char *text = NULL;
        va_list ap;

        if (!d->person || !d->colour || d->json)
                return;
        va_start(ap, format);
        text = text_of(d, format, ap);
        va_end(ap);
        if (!text || display_width(text) + 2 >= d->columns)
                return;
        printf("\r\033[K%s ", d->utf8 ? "\u2026" : ".");
        display_print(stdout, text);
        (void)fflush(stdout);
}

int doctor_call(sd_bus *bus, const char *destination, const char *path, const char *interface,
                const char *member, sd_bus_error *error, sd_bus_message **ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, destination, path, interface, member);
        return r < 0 ? r
                     : connection_call(bus, m, false, BUS_TIMEOUT_SEC * USEC_PER_SEC, error, ret);
}

int doctor_get(sd_bus *bus, const char *const where[3], const char *name, char type, void *ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *string;
        const char contents[] = { type, '\0' };
        int r;

        r = sd_bus_message_new_method_call(bus, &m, where[0], where[1],
                                           "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", where[2], name);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_call(bus, m, 5 * USEC_PER_SEC, NULL, &reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'v', contents);
        if (r < 0)
                return r;
        if (type != 's')
                return sd_bus_message_read_basic(reply, type, ret);
        r = sd_bus_message_read_basic(reply, 's', &string);
        if (r < 0)
                return r;
        *(char **)ret = strdup(string);
        return *(char **)ret ? 0 : -ENOMEM;
}

char *doctor_path_command(const char *command, const char *path) {
        CLEANUP(freep) char *quoted = text_quoted(path);
        char *whole;

        return !quoted || asprintf(&whole, "%s %s", command, quoted) < 0 ? NULL : whole;
}

char *doctor_install_command(const char *package) {
        static const struct {
                const char *tool, *command;
        } tools[] = {
                { "/usr/bin/apt-get", "sudo apt-get install" },
                { "/usr/bin/dnf", "sudo dnf install" },
                { "/usr/bin/zypper", "sudo zypper install" },
                { "/usr/bin/pacman", "sudo pacman -S" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
                if (access(tools[i].tool, X_OK) == 0)
                        return doctor_path_command(tools[i].command, package);
        return NULL;
}

char *doctor_edit_command(void) {
        CLEANUP(freep) char *path = NULL;

        if (settings_user_path(&path) < 0 || !path)
                return NULL;
        return doctor_path_command("${EDITOR:-vi}", path);
}
