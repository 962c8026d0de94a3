/* SPDX-License-Identifier: MIT */
/*
 * Standard output, where results go: buffered in memory that is wiped, and with every failure to
 * write told, for a script that got half a token must know.
 */
#pragma once

#include <iotc-util.h>

#include "base/table.h"

/* First of all: no descriptor of ours may take the place of a standard one that is closed. */
void output_open(void);
/* Write out what is buffered. 0, or EXIT_FAILED, the reason having been said; when the reader went
 * away, output_reader_gone(). */
int output_flush(void);
/* End as any filter does whose reader went away (head, less): by SIGPIPE, which is no news. Returns
 * 141 only where that signal is blocked. */
int output_reader_gone(void);
/* The last flush and close, and the buffer wiped. Returns code, or EXIT_FAILED in place of 0. */
int output_close(int code);
/* Is a person to read the results; may they have colour (see no-color.org)? */
bool output_is_terminal(void);
bool output_has_colour(void);
/* How wide the terminal is, at least 40; 80 when it can't be told. */
size_t output_columns(void);
/* Text with its line ends and tabs, but without what would do something else to a terminal; utf8:
 * it is UTF-8. */
void output_lines(const char *s, bool utf8);
/* How a person on this terminal sees a table; NULL when a program reads it. */
const TableLook *output_look(TableLook *look);
/* Can the person's locale show more than ASCII? Reads the locale: not for what has to be quick. */
bool output_has_utf8(void);
