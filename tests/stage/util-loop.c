/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD for the daemon of a test: from the moment that the file $IOTC_TEST_LOOP exists its
 * loop can't wait for anything any more, as if its descriptors were gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(void) {
        const char *path = getenv("IOTC_TEST_LOOP");

        return path && access(path, F_OK) == 0;
}

/* libsystemd takes either. */
int epoll_wait(int fd, struct epoll_event *events, int n, int msec) {
        if (!fails())
                return (int)syscall(SYS_epoll_pwait, fd, events, n, msec, NULL, 0);
        errno = EBADF;
        return -1;
}

int epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout,
                 const sigset_t *mask) {
        errno = fails() ? EBADF : ENOSYS;
        return -1;
}
