/* SPDX-License-Identifier: MIT */
/*
 * For test_daemon_memory.py, by LD_PRELOAD: memory runs short where the test says. A file that the
 * test has mapped as well (IOTC_MEMORY) tells which allocations of a process fail, and counts those
 * that there are: of the program's own code, and of libsystemd's and json-c's for it, which have to
 * bear it as well. GLib does not (it aborts, by design), nor are libc's own of interest but where
 * it allocates for its caller. Who calls is told by the return address.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
        RANGES_MAX = 16,
        PLACES = 64,
};

/* As test_daemon_memory.py has it: 64-bit numbers, one after the other. */
typedef struct Control {
        _Atomic int64_t pid;         /* the process that it is about; 0: the next that starts */
        _Atomic int64_t seen;        /* allocations */
        _Atomic int64_t from, until; /* which fail, counted from 0 */
        _Atomic int64_t failed;
        _Atomic int64_t libraries;      /* those of libsystemd and json-c count, too */
        _Atomic int64_t places[PLACES]; /* from where, in the program; the last ones */
} Control;

static Control *control;
static struct Range {
        uintptr_t from, to;
        bool library;
} ranges[RANGES_MAX];
static size_t n_ranges;
static uintptr_t base;

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

/* What a crash is to be mended by. */
static void on_crash(int number) {
        void *frames[32];

        atomic_store(&control->until, 0);
        backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
        signal(number, SIG_DFL);
        raise(number);
}

static int take_ranges(struct dl_phdr_info *info, size_t size, void *userdata) {
        const char *name = info->dlpi_name;

        (void)size;
        (void)userdata;
        if (*name && !strstr(name, "libsystemd.so") && !strstr(name, "libjson-c.so"))
                return 0;
        if (!*name && !base)
                base = info->dlpi_addr;
        else if (!*name)
                return 0; /* the vdso */
        for (size_t i = 0; i < info->dlpi_phnum && n_ranges < RANGES_MAX; i++) {
                const ElfW(Phdr) *h = &info->dlpi_phdr[i];

                if (h->p_type != PT_LOAD || !(h->p_flags & PF_X))
                        continue;
                ranges[n_ranges].from = info->dlpi_addr + h->p_vaddr;
                ranges[n_ranges].to = ranges[n_ranges].from + h->p_memsz;
                ranges[n_ranges++].library = *name;
        }
        return 0;
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
        dl_iterate_phdr(take_ranges, NULL);
        control = map;
        (void)backtrace((void *[1]){ 0 }, 1); /* it loads what it needs now */
        signal(SIGSEGV, on_crash);
        signal(SIGABRT, on_crash);
        atomic_compare_exchange_strong(&control->pid, &nobody, getpid());
}

static bool is_short(void *caller) {
        uintptr_t at = (uintptr_t)caller;
        int64_t n;

        if (!control || atomic_load(&control->pid) != getpid())
                return false;
        for (size_t i = 0; i < n_ranges; i++) {
                if (at < ranges[i].from || at >= ranges[i].to ||
                    (ranges[i].library && !atomic_load(&control->libraries)))
                        continue;
                n = atomic_fetch_add(&control->seen, 1);
                if (n < atomic_load(&control->from) || n >= atomic_load(&control->until))
                        return false;
                n = atomic_fetch_add(&control->failed, 1);
                atomic_store(&control->places[n % PLACES], i == 0 ? (int64_t)(at - base) : -1);
                errno = ENOMEM;
                return true;
        }
        return false;
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
