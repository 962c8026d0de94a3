/* SPDX-License-Identifier: MIT */
/*
 * Memory that is there: when it can't be had, the process ends at once, with one line on standard
 * error and MEMORY_EXIT, from any thread. So "no memory" is no outcome of anything that is built
 * on these. Only for sizes that a limit bounds, and not for libiotc-token, which lives in other
 * people's processes.
 */
#pragma once

#include <stdarg.h>

#include <iotc-util.h>

enum {
        MEMORY_EXIT = 71, /* EX_OSERR of sysexits.h */
};

/* All are freed by free(). */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* p grown to n elements of that size; p may be NULL. */
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
/* A copy; NULL of NULL. */
char *xstrdup(const char *s);
/* A copy of at most n bytes. */
char *xstrndup(const char *s, size_t n) __attribute__((returns_nonnull));
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));
char *xvasprintf(const char *format, va_list ap) PRINTF_LIKE(1, 0) __attribute__((returns_nonnull));
/* Have so much memory at hand, for what must not fail for want of it later: it lies in the heap,
 * and goes back to the system no more. */
void memory_reserve(size_t size);
/* End the process as they do: for an allocation of a library's that failed. */
_Noreturn void memory_end(void);
