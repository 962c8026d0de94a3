/* SPDX-License-Identifier: MIT */
/*
 * The few words of C that every file here uses: cleanup by attribute, handing
 * over by STEAL(), comparing strings. Header-only; it knows no type of the project.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLEANUP(fn)       __attribute__((cleanup(fn)))
#define PRINTF_LIKE(a, b) __attribute__((format(printf, a, b)))
#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))
/* A text that xgettext(1) is to find, and that is translated where it is shown. */
#define N_(text)          text
#define USEC_PER_SEC      UINT64_C(1000000)
#define USEC_INFINITY     UINT64_MAX

#ifndef MAX /* GLib has its own */
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif

/* Take the value out of a variable and leave NULL: ownership moves to the caller. */
#define STEAL(p)                                    \
        ({                                          \
                __typeof__(p) *_steal_p = &(p);     \
                __typeof__(p) _steal_v = *_steal_p; \
                *_steal_p = NULL;                   \
                _steal_v;                           \
        })

/* Define name##p(), the form that CLEANUP() wants, for a free function type *name(type *). */
#define CLEANUP_FUNC(type, name)               \
        static inline void name##p(type **p) { \
                *p = name(*p);                 \
        }

static inline bool streq(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool str_empty(const char *s) {
        return !s || !*s;
}

static inline bool str_starts(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

static inline void freep(void *p) {
        free(*(void **)p);
}

static inline int fd_close(int fd) {
        if (fd >= 0)
                close(fd);
        return -1;
}

static inline void fd_closep(int *fd) {
        *fd = fd_close(*fd);
}

static inline void file_closep(FILE **f) {
        if (*f)
                fclose(*f);
}
