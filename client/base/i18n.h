/* SPDX-License-Identifier: MIT */
/*
 * What people read is in their language, by gettext(3); what programs read (fields between tabs,
 * JSON, tokens) and what the daemon or a server said is as it is.
 *
 * say(), fail(), args_wrong() and EXPLAIN() translate the format that they are given, so that a
 * literal needs no mark. N_() marks a text that comes to one of them by a table or a variable, and
 * those of the help and of doctor_tell(); _() translates what is printed otherwise. fail_error()
 * looks its text up, too: those of connection.c are there, which is also the library's.
 */
#pragma once

#define _(text) i18n_text(text)

/* From now on texts are in the language that the environment says; before, they are English. */
void i18n_open(void);
/* The text in that language, or as it is. Borrowed. */
const char *i18n_text(const char *text) __attribute__((__format_arg__(1)));
/* The one for a number. */
const char *i18n_text_of(const char *one, const char *many, unsigned long n)
        __attribute__((__format_arg__(1), __format_arg__(2)));
