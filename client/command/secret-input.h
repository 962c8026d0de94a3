/* SPDX-License-Identifier: MIT */
/*
 * Reading a secret that a person or a script hands over: without echo from a terminal, to its
 * end from anything else, and never as an argument.
 */
#pragma once

#include <iotc-util.h>

enum {
        SECRET_INPUT_MAX = 64 * 1024
};

/*
 * Standard input, without the line's end, asked for by prompt on a terminal. 0 and *ret, to be
 * freed by secret_input_free(); or an exit code with the reason said, 128 + a signal's number.
 */
int secret_input_read(char **ret, const char *prompt);
/* Wipe and free. NULL is fine. Returns NULL. */
char *secret_input_free(char *secret);

CLEANUP_FUNC(char, secret_input_free)
