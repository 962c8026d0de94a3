/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD for the programs of a test: their wall clock is ours and a number of seconds, which a
 * test writes into the file $IOTC_TEST_CLOCK (int64_t) at any time. Nobody may set the clock of the
 * machine that runs the tests, so what the kernel tells of a setting is played, too: a timerfd of
 * the wall clock is the fifo beside that file, in which a byte stands for ECANCELED. All the other
 * clocks are the kernel's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset;
static int set_fd = -1;

__attribute__((constructor)) static void clock_open(void) {
        const char *path = getenv("IOTC_TEST_CLOCK");
        void *map = MAP_FAILED;
        int fd;

        fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0) {
                map = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);
                (void)close(fd);
        }
        if (map != MAP_FAILED)
                offset = map;
}

/* Where a long has 32 bits our time_t has 64: glibc's headers give the functions below other names
 * then, and the libraries that know nothing of that call them by their old ones. */
#if __WORDSIZE == 32
#define CLOCK_GETTIME   SYS_clock_gettime64
#define TIMERFD_SETTIME SYS_timerfd_settime64

typedef struct OldTime {
        int32_t sec, fraction;
} OldTime;

int old_clock_gettime(clockid_t clock, OldTime *ret) __asm__("clock_gettime");
int old_gettimeofday(OldTime *ret, void *zone) __asm__("gettimeofday");
int32_t old_time(int32_t *ret) __asm__("time");

int old_clock_gettime(clockid_t clock, OldTime *ret) {
        struct timespec ts = { 0 };
        int r = clock_gettime(clock, &ts);

        *ret = (OldTime){ (int32_t)ts.tv_sec, (int32_t)ts.tv_nsec };
        return r;
}

int old_gettimeofday(OldTime *ret, void *zone) {
        struct timeval tv;

        (void)gettimeofday(&tv, zone);
        *ret = (OldTime){ (int32_t)tv.tv_sec, (int32_t)tv.tv_usec };
        return 0;
}

int32_t old_time(int32_t *ret) {
        int32_t now = (int32_t)time(NULL);

        if (ret)
                *ret = now;
        return now;
}
#else
#define CLOCK_GETTIME   SYS_clock_gettime
#define TIMERFD_SETTIME SYS_timerfd_settime
#endif

int clock_gettime(clockid_t clock, struct timespec *ts) {
        int r = (int)syscall(CLOCK_GETTIME, clock, ts);

        if (r == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
                ts->tv_sec += (time_t)*offset;
        return r;
}

time_t time(time_t *ret) {
        struct timespec ts = { 0 };

        (void)clock_gettime(CLOCK_REALTIME, &ts);
        if (ret)
                *ret = ts.tv_sec;
        return ts.tv_sec;
}

int gettimeofday(struct timeval *ret, void *zone) {
        struct timespec ts = { 0 };

        (void)clock_gettime(CLOCK_REALTIME, &ts);
        *ret = (struct timeval){ .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000 };
        return 0;
}

int timerfd_create(clockid_t clock, int flags) {
        char path[4096];

        if (!offset || clock != CLOCK_REALTIME)
                return (int)syscall(SYS_timerfd_create, clock, flags);
        (void)snprintf(path, sizeof(path), "%s.set", getenv("IOTC_TEST_CLOCK"));
        set_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        return set_fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old) {
        return fd == set_fd ? 0 : (int)syscall(TIMERFD_SETTIME, fd, flags, value, old);
}

ssize_t read(int fd, void *buf, size_t n) {
        ssize_t r = syscall(SYS_read, fd, buf, n);

        if (fd != set_fd || r <= 0)
                return r;
        errno = ECANCELED;
        return -1;
}
