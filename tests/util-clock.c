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

int clock_gettime(clockid_t clock, struct timespec *ts) {
        int r = (int)syscall(SYS_clock_gettime, clock, ts);

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
        return fd == set_fd ? 0 : (int)syscall(SYS_timerfd_settime, fd, flags, value, old);
}

ssize_t read(int fd, void *buf, size_t n) {
        ssize_t r = syscall(SYS_read, fd, buf, n);

        if (fd != set_fd || r <= 0)
                return r;
        errno = ECANCELED;
        return -1;
}
