/* SPDX-License-Identifier: MIT */
/*
 * Lists of strings as argv is one: allocated, NULL-terminated. NULL is the empty list everywhere.
 */
#pragma once

#include <iotc-util.h>

/* Free the list and its strings. NULL is fine. Returns NULL. */
char **strv_free(char **list);
size_t strv_length(const char *const *list);
bool strv_has(char *const *list, const char *s);
/* The same strings in the same order? */
bool strv_equal(char *const *a, char *const *b);
/* A deep copy; NULL of NULL. */
char **strv_copy(char *const *from);

CLEANUP_FUNC(char *, strv_free)
