/* SPDX-License-Identifier: MIT */
/*
 * For test_daemon_memory.py, by LD_PRELOAD: memory runs short where the test says. A file that the
 * test has mapped as well (IOTC_MEMORY) tells which allocations of a process fail, counted over the
 * program's own code: who calls is told by the return address.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As util_memory.py has it: 64-bit numbers, one after the other. */
typedef struct Control {
        _Atomic int64_t pid;         /* the process that it is about; 0: the next that starts */
        _Atomic int64_t seen;        /* allocations */
        _Atomic int64_t from, until; /* which fail, counted from 0 */
        _Atomic int64_t failed;
} Control;

static Control *control;
static uintptr_t program, program_end;

static void *(*real_malloc)(size_t n);
static void *(*real_calloc)(size_t n, size_t size);
static void *(*real_realloc)(void *p, size_t n);

/* dlsym() itself allocates, a little, and before there is anything to call. */
static char early[4096];
static size_t n_early;

static void *early_calloc(size_t n) {
        void *p = early + n_early;

        n_early += (n + 15) & ~(size_t)15;
        return n_early <= sizeof(early) ? p : NULL;
}

static bool is_early(const void *p) {
        return (const char *)p >= early && (const char *)p < early + sizeof(early);
}

static void find_real(void) {
        static bool finding;

        if (finding)
                return;
        finding = true;
        real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
        real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
        real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
}

/* The program is the first one. */
static int find_program(struct dl_phdr_info *info, size_t size, void *userdata) {
        (void)size;
        (void)userdata;
        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *h = &info->dlpi_phdr[i];

                if (h->p_type != PT_LOAD || !(h->p_flags & PF_X))
                        continue;
                program = info->dlpi_addr + h->p_vaddr;
                program_end = program + h->p_memsz;
        }
        return 1;
}

__attribute__((constructor)) static void begin(void) {
        const char *path = getenv("IOTC_MEMORY");
        int64_t nobody = 0;
        void *map;
        int fd;

        if (!real_malloc)
                find_real();
        fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        if (fd < 0)
                return;
        map = mmap(NULL, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (map == MAP_FAILED)
                return;
        dl_iterate_phdr(find_program, NULL);
        control = map;
        atomic_compare_exchange_strong(&control->pid, &nobody, getpid());
}

static bool is_short(void *caller) {
        uintptr_t at = (uintptr_t)caller;
        int64_t n;

        if (!control || atomic_load(&control->pid) != getpid() || at < program || at >= program_end)
                return false;
        n = atomic_fetch_add(&control->seen, 1);
        if (n < atomic_load(&control->from) || n >= atomic_load(&control->until))
                return false;
        (void)atomic_fetch_add(&control->failed, 1);
        errno = ENOMEM;
        return true;
}

#define SHORT is_short(__builtin_return_address(0))

void *malloc(size_t n) {
        if (!real_malloc)
                find_real();
        return SHORT ? NULL : real_malloc ? real_malloc(n) : early_calloc(n);
}

void *calloc(size_t n, size_t size) {
        if (!real_calloc)
                find_real();
        return SHORT ? NULL : real_calloc ? real_calloc(n, size) : early_calloc(n * size);
}

void *realloc(void *p, size_t n) {
        void *copy;

        if (!real_realloc)
                find_real();
        if (SHORT)
                return NULL;
        if (!is_early(p))
                return real_realloc(p, n);
        copy = real_malloc(n);
        if (copy)
                memcpy(copy, p, n);
        return copy;
}

void *reallocarray(void *p, size_t n, size_t size) {
        size_t bytes;

        if (SHORT)
                return NULL;
        if (__builtin_mul_overflow(n, size, &bytes)) {
                errno = ENOMEM;
                return NULL;
        }
        return real_realloc(p, bytes);
}

void free(void *p) {
        static void (*real_free)(void *p);

        if (is_early(p))
                return;
        if (!real_free)
                real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
        real_free(p);
}

char *strdup(const char *s) {
        size_t n = strlen(s) + 1;
        char *copy = SHORT ? NULL : real_malloc(n);

        return copy ? memcpy(copy, s, n) : NULL;
}

char *strndup(const char *s, size_t max) {
        size_t n = strnlen(s, max);
        char *copy = SHORT ? NULL : real_malloc(n + 1);

        if (copy)
                copy[n] = '\0';
        return copy ? memcpy(copy, s, n) : NULL;
}

static int print(char **ret, const char *format, va_list ap, bool is_no) {
        va_list copy;
        int n;

        if (is_no)
                return -1;
        va_copy(copy, ap);
        n = vsnprintf(NULL, 0, format, copy);
        va_end(copy);
        *ret = n < 0 ? NULL : real_malloc((size_t)n + 1);
        return *ret ? vsnprintf(*ret, (size_t)n + 1, format, ap) : -1;
}

int vasprintf(char **ret, const char *format, va_list ap) {
        return print(ret, format, ap, SHORT);
}

int asprintf(char **ret, const char *format, ...) {
        va_list ap;
        int n;

        va_start(ap, format);
        n = print(ret, format, ap, SHORT);
        va_end(ap);
        return n;
}

/* The same, as a fortified program calls them. */
int __vasprintf_chk(char **ret, int flag, const char *format, va_list ap);
int __asprintf_chk(char **ret, int flag, const char *format, ...);

int __vasprintf_chk(char **ret, int flag, const char *format, va_list ap) {
        (void)flag;
        return print(ret, format, ap, SHORT);
}

int __asprintf_chk(char **ret, int flag, const char *format, ...) {
        va_list ap;
        int n;

        (void)flag;
        va_start(ap, format);
        n = print(ret, format, ap, SHORT);
        va_end(ap);
        return n;
}
