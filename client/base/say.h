/* SPDX-License-Identifier: MIT */
/*
 * What iotc-token tells a person, on standard error, and how it ends: the exit codes and which
 * error or state means which. Results never come this way.
 */
#pragma once

#include <iotc-util.h>

enum {
        EXIT_DONE = 0,
        EXIT_FAILED = 1,
        EXIT_USAGE = 2,
        EXIT_SIGN_IN_NEEDED = 3,
        EXIT_KEYRING = 4,
        EXIT_LATER = 5,
        EXIT_SETTINGS = 6,
        EXIT_NO_ACCOUNT = 7,
        EXIT_INTERRUPTED = 130,
};

/* One line on standard error, without control characters. */
void say(const char *format, ...) PRINTF_LIKE(1, 2);
/* The same as an error, with the program's name before it. Returns code. */
int fail(int code, const char *format, ...) PRINTF_LIKE(2, 3);
/* An error as the bus gave it (text may be NULL): says it, returns its exit code. */
int fail_error(const char *name, const char *text);
/* Out of memory, or what else a negative errno says. Returns EXIT_FAILED. */
int fail_errno(int r);

/* The exit code of a D-Bus error name and of an account's State. */
int exit_of_error(const char *name);
int exit_of_state(const char *state);
