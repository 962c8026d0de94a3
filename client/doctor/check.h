/* SPDX-License-Identifier: MIT */
/*
 * What the checks of `iotc-token doctor` share: what has been found out so far, and how a finding
 * is told. A check looks at one thing, tells what it found and returns; it never ends the others.
 * What a check needs and isn't there (no bus, no daemon) has been told by the one that looked for
 * it, so that it only says that it is left out.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

#include "base/bus.h"
#include "base/i18n.h"
#include "base/settings.h"
#include "common/json.h"

typedef enum FindingState {
        FINDING_OK,
        FINDING_NOTE,    /* worth knowing; nothing is broken by it, as far as could be seen */
        FINDING_PROBLEM, /* exit code 1 */
        _FINDING_STATE_MAX,
} FindingState;

/* Borrowed strings. What can't be a secret: they reach a terminal and, by paste, a forum. */
typedef struct Finding {
        const char *check; /* a word, part of the interface: scripts look for it */
        FindingState state;
        const char *account; /* the account it is about, or NULL */
        const char *why;     /* why it matters: a sentence, or NULL */
        const char *command; /* what mends it, to be pasted into a shell, or NULL */
} Finding;

typedef struct Doctor {
        sd_bus *bus;        /* the session bus; NULL: there is none, or it does not answer */
        sd_bus *daemon;     /* the way to the daemon: its own socket, or bus; NULL: none */
        bool has_daemon;    /* manager and accounts have been read */
        Properties manager; /* of IOTC_INTERFACE_MANAGER */
        Accounts accounts;
        char *settings_path; /* the user's file, as the daemon has it, or as it would be here; or
                                NULL */
        Settings settings;
        unsigned n_reached;   /* accounts whose server is known to have been reached just now */
        unsigned n_unreached; /* accounts that got nothing, as if it could not be reached */

        unsigned n[_FINDING_STATE_MAX]; /* how many findings of each state */
        bool person, colour, utf8;
        size_t columns;   /* of the terminal */
        JsonWriter *json; /* or NULL */
} Doctor;

/* The user's systemd, on the session bus: destination, path, interface. */
extern const char *const doctor_systemd[3];

/* Tell a finding: format is what was found, a sentence that names the account. */
void doctor_tell(Doctor *d, const Finding *f, const char *format, ...) PRINTF_LIKE(3, 4);
/* Words for a person are translated, those for a program not: a word as it is to be told
 * (borrowed), and a text made of such, to be freed by free(); NULL when memory is short. */
const char *doctor_word(const Doctor *d, const char *word);
char *doctor_text(const Doctor *d, const char *format, ...) PRINTF_LIKE(2, 3);
/* A line that is gone with the next finding, on a terminal alone. */
void doctor_progress(Doctor *d, const char *format, ...) PRINTF_LIKE(2, 3);
/* Call a method without arguments, unsaid. 0 and *ret, or -errno with error set. */
int doctor_call(sd_bus *bus, const char *destination, const char *path, const char *interface,
                const char *member, sd_bus_error *error, sd_bus_message **ret);
/* "COMMAND PATH" for a shell, to be freed by free(); NULL when memory is short. */
char *doctor_path_command(const char *command, const char *path);
/* How this system installs a package, likewise; NULL when no tool for it is known. */
char *doctor_install_command(const char *package);
/* A command that opens the user's settings file, to be freed by free(); NULL when memory is short.
 */
char *doctor_edit_command(const Doctor *d);
/* The same for the file that text names: the system's or the user's. */
char *doctor_mend_command(const Doctor *d, const char *text);
/* A command that starts the daemon again, with these variables of this shell (NULL for none),
 * likewise. */
char *doctor_restart_command(const Doctor *d, const char *variables);
/* A command that gives this shell the daemon's value of a variable, likewise. */
char *doctor_export_command(const Doctor *d, const char *variable);
/* The value of a variable in the daemon's environment, borrowed; NULL when it has none. A daemon
 * that tells nothing of it has none of them: doctor_knows_environment(). */
const char *doctor_daemon_variable(const Doctor *d, const char *name);
bool doctor_knows_environment(const Doctor *d);
/* A property of type s, b or u of another service; 0 or -errno, nothing is started for it. */
int doctor_get(sd_bus *bus, const char *const where[3], const char *name, char type, void *ret);

/* Read manager and accounts, in place of what was read before. 0, or -errno with error set when the
 * call failed; then all stays as it was, but for properties that are newer. */
int doctor_read_daemon(Doctor *d, sd_bus_error *error);

/* The checks, in their order. 0, or an exit code when nothing more can be done: after Ctrl-C. */
int doctor_check_bus(Doctor *d);
int doctor_check_daemon(Doctor *d);
int doctor_check_start(Doctor *d);
int doctor_check_keyring(Doctor *d);
int doctor_check_settings(Doctor *d);
int doctor_check_accounts(Doctor *d);
int doctor_check_az(Doctor *d);
int doctor_check_network(Doctor *d);
int doctor_check_proxy(Doctor *d);
int doctor_check_ca(Doctor *d);
int doctor_check_clock(Doctor *d);
