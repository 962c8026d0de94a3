/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <sys/uio.h>

#include "common/memory.h"

_Noreturn void memory_end(void) {
        static char text[] = ": out of memory\n";
        const struct iovec line[] = {
                { .iov_base = program_invocation_short_name,
                  .iov_len = strlen(program_invocation_short_name) },
                { .iov_base = text, .iov_len = strlen(text) },
        };

        (void)!writev(STDERR_FILENO, line, ARRAY_SIZE(line));
        _exit(MEMORY_EXIT);
}

void memory_reserve(size_t size) {
        void *p;

        /* Not by a mapping of its own, and not given back when it is freed (mallopt(3)). */
        (void)mallopt(M_MMAP_THRESHOLD, (int)(2 * size));
        (void)mallopt(M_TRIM_THRESHOLD, (int)(4 * size));
        p = xmalloc(size);
        explicit_bzero(p, size); /* the pages are really there */
        free(p);
}

static void *memory_check(void *p) {
        if (!p)
                memory_end();
        return p;
}

void *xmalloc(size_t size) {
        return memory_check(malloc(MAX(size, (size_t)1)));
}

void *xcalloc(size_t n, size_t size) {
        return memory_check(calloc(MAX(n, (size_t)1), size));
}

void *xreallocarray(void *p, size_t n, size_t size) {
        return memory_check(reallocarray(p, MAX(n, (size_t)1), size));
}

char *xstrdup(const char *s) {
        return s ? memory_check(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t n) {
        return memory_check(strndup(s, n));
}

char *xvasprintf(const char *format, va_list ap) {
        char *text;

        if (vasprintf(&text, format, ap) < 0)
                memory_end();
        return text;
}

char *xasprintf(const char *format, ...) {
        va_list ap;
        char *text;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return text;
}
