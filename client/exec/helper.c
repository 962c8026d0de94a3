/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "exec/helper.h"

static int fd_compare(const void *a, const void *b) {
        return *(const int *)a - *(const int *)b;
}

/* Who is at the other end of what the command has open is to see it when the command closes it. */
static int descriptors_leave(int keep[3]) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC), from = STDERR_FILENO + 1;

        for (int fd = 0; fd < from; fd++)
                if (dup2(null, fd) < 0)
                        return -errno;
        qsort(keep, 3, sizeof(*keep), fd_compare);
        for (size_t i = 0; i < 3; i++) {
                if (keep[i] > from && close_range((unsigned)from, (unsigned)keep[i] - 1, 0) < 0)
                        return -errno;
                from = keep[i] + 1;
        }
        return close_range((unsigned)from, ~0U, 0) < 0 || chdir("/") < 0 ? -errno : 0;
}

/* A service manager tells all processes of the command's to end; its last request may come then. */
static void signals_ignore(void) {
        static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                (void)signal(signals[i], SIG_IGN);
}

_Noreturn static void helper_run(Endpoint *e, int pidfd, int report) {
        struct pollfd command = { .fd = pidfd, .events = POLLIN };
        int r;

        signals_ignore();
        r = descriptors_leave((int[]){ endpoint_fd(e), pidfd, report });
        if (r == 0)
                r = endpoint_serve(e);
        if (write(report, &r, sizeof(r)) != (ssize_t)sizeof(r) || r < 0)
                _exit(1);
        (void)fd_close(report);
        while (poll(&command, 1, -1) < 0 && errno == EINTR)
                continue;
        _exit(0); /* whoever is being answered is cut off */
}

/* A session of its own: neither the terminal nor the shell that keeps its jobs sees it. */
_Noreturn static void helper_part(Endpoint *e, int pidfd, int report) {
        pid_t pid;

        if (setsid() < 0)
                _exit(1);
        pid = fork();
        if (pid == 0)
                helper_run(e, pidfd, report);
        _exit(pid < 0);
}

int helper_fork(Endpoint *e) {
        CLEANUP(fd_closep) int pidfd = -1, reader = -1, writer = -1;
        int fds[2], r;
        pid_t pid;

        pidfd = pidfd_open(getpid(), 0);
        if (pidfd < 0 || pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        reader = fds[0];
        writer = fds[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                helper_part(e, pidfd, writer);
        writer = fd_close(writer);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                continue;
        return read(reader, &r, sizeof(r)) == (ssize_t)sizeof(r) ? r : -EIO;
}
