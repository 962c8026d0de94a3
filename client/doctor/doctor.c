/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "base/display.h"
#include "base/output.h"
#include "base/table.h"
#include "common/redact.h"
#include "common/text.h"
#include "doctor/check.h"
#include "lib/connection.h"

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

static void tell_json(JsonWriter *out, const Finding *f, const char *text) {
        json_writer_open(out, NULL, '{');
        json_writer_string_or_null(out, "check", f->check);
        json_writer_string_or_null(out, "state", state_names[f->state]);
        json_writer_string_or_null(out, "account", f->account);
        json_writer_string_or_null(out, "text", text);
        json_writer_string_or_null(out, "why", f->why);
        json_writer_string_or_null(out, "command", f->command);
        json_writer_close(out, '}');
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
        CLEANUP(freep) char *text = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        if (vasprintf(&text, d->person ? _(format) : format, ap) < 0)
                text = NULL;
#pragma GCC diagnostic pop
        return redact(text, NULL, 0);
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

char *doctor_edit_command(const Doctor *d) {
        return d->settings_path ? doctor_path_command("${EDITOR:-vi}", d->settings_path) : NULL;
}

char *doctor_mend_command(const Doctor *d, const char *text) {
        return strstr(text, SETTINGS_SYSTEM_PATH)
                       ? doctor_path_command("sudo ${EDITOR:-vi}", SETTINGS_SYSTEM_PATH)
                       : doctor_edit_command(d);
}

/* Is the daemon that runs the one of systemd's unit? */
static bool daemon_is_unit(const Doctor *d) {
        static const char *const service[3] = {
                "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1/unit/iotc_2dtokend_2eservice",
                "org.freedesktop.systemd1.Service",
        };
        CLEANUP(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uint32_t main_pid;
        pid_t pid;

        return d->bus && doctor_get(d->bus, service, "MainPID", 'u', &main_pid) >= 0 && main_pid &&
               sd_bus_get_name_creds(d->bus, IOTC_BUS_NAME, SD_BUS_CREDS_PID, &creds) >= 0 &&
               sd_bus_creds_get_pid(creds, &pid) >= 0 && (uint32_t)pid == main_pid;
}

char *doctor_restart_command(const Doctor *d, const char *variables) {
        char *command;

        if (!daemon_is_unit(d))
                return strdup("(iotc-tokend --replace &)");
        if (asprintf(&command, "%s%s%ssystemctl --user restart iotc-tokend",
                     variables ? "systemctl --user import-environment " : "", variables ?: "",
                     variables ? " && " : "") < 0)
                return NULL;
        return command;
}

char *doctor_export_command(const Doctor *d, const char *variable) {
        CLEANUP(freep)
        char *value = text_quoted(doctor_daemon_variable(d, variable) ?: "");
        char *command;

        return !value || asprintf(&command, "export %s=%s", variable, value) < 0 ? NULL : command;
}

bool doctor_knows_environment(const Doctor *d) {
        return *properties_strings(&d->manager, "Environment");
}

const char *doctor_daemon_variable(const Doctor *d, const char *name) {
        char *const *environment = properties_strings(&d->manager, "Environment");
        size_t n = strlen(name);

        for (; *environment; environment++)
                if (str_starts(*environment, name) && (*environment)[n] == '=')
                        return *environment + n + 1;
        return NULL;
}
