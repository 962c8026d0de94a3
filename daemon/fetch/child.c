/* SPDX-License-Identifier: MIT */
/*
 * See child.h. The guard leads the session that the program runs in, so one kill(0) reaches the
 * program, what it started and, with SIGKILL, the guard itself. After fork() the guard makes plain
 * system calls only: another thread may have held any lock.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/memory.h"
#include "common/secret.h"
#include "fetch/child.h"

enum {
        CHILD_GRACE_MSEC = 500, /* after SIGINT, and again after SIGTERM */
};

typedef struct Pipes Pipes;

/* [0] is the reading end. out and err: the program to us; report: the guard to us; life: we to it.
 */
struct Pipes {
        int out[2], err[2], report[2], life[2];
};

static void pipes_close(Pipes *p) {
        for (int i = 0; i < 2; i++) {
                p->out[i] = fd_close(p->out[i]);
                p->err[i] = fd_close(p->err[i]);
                p->report[i] = fd_close(p->report[i]);
                p->life[i] = fd_close(p->life[i]);
        }
}

static int pipes_open(Pipes *p) {
        *p = (Pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
        if (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->err, O_CLOEXEC) < 0 ||
            pipe2(p->report, O_CLOEXEC) < 0 || pipe2(p->life, O_CLOEXEC) < 0)
                return -errno;
        return 0;
}

/* ---- the program, before it is one -------------------------------------------------------- */

static void __attribute__((noreturn))
program_exec(const Pipes *p, char *const argv[], char *const envp[]) {
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void)signal(i, SIG_DFL);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)umask(077);
        if (dup2(p->out[1], STDOUT_FILENO) < 0 || dup2(p->err[1], STDERR_FILENO) < 0)
                _exit(126);
        (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        execve(argv[0], argv, envp);
        _exit(errno == ENOENT ? 127 : 126);
}

/* ---- the guard ---------------------------------------------------------------------------- */

/* True when the program has ended, false when our pipe was closed or the time is over. */
static bool guard_wait(int pidfd, int life, int msec) {
        struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = life } };
        int r;

        do
                r = poll(fds, 2, msec);
        while (r < 0 && errno == EINTR);
        return r > 0 && fds[0].revents;
}

static void __attribute__((noreturn)) guard_run(Pipes *p, char *const argv[], char *const envp[]) {
        static const int signals[] = { SIGINT, SIGTERM };
        int null, pidfd, status;
        pid_t pid;

        (void)setsid();
        (void)signal(SIGINT, SIG_IGN);
        (void)signal(SIGTERM, SIG_IGN);
        (void)signal(SIGHUP, SIG_IGN);
        /* Whoever reads our events must not wait for the guard too. */
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null, fd) < 0)
                        _exit(126);
        p->life[1] = fd_close(p->life[1]);

        pid = fork();
        if (pid < 0)
                _exit(126);
        if (pid == 0)
                program_exec(p, argv, envp);
        p->out[1] = fd_close(p->out[1]);
        p->err[1] = fd_close(p->err[1]);

        pidfd = pidfd_open(pid, 0);
        if (guard_wait(pidfd, p->life[0], -1)) {
                if (waitpid(pid, &status, 0) == pid)
                        (void)!write(p->report[1], &status, sizeof(status));
        } else {
                for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                        (void)kill(0, signals[i]);
                        if (guard_wait(pidfd, -1, CHILD_GRACE_MSEC))
                                break;
                }
        }
        (void)kill(0, SIGKILL);
        _exit(126);
}

/* ---- our side ----------------------------------------------------------------------------- */

/* Read what is there, which is no more than a pipe holds: who writes without end must not keep us
 * from our limit in time. Keep what fits. False at the end of the stream. */
static bool child_drain(int fd, char *text, size_t *n) {
        size_t taken = 0;
        char rest[4096];
        ssize_t r;

        do {
                size_t room = CHILD_OUTPUT_MAX - *n;

                r = room ? read(fd, text + *n, room) : read(fd, rest, sizeof(rest));
                if (r > 0) {
                        *n += room ? (size_t)r : 0;
                        taken += (size_t)r;
                }
        } while ((r > 0 && taken < CHILD_OUTPUT_MAX) || (r < 0 && errno == EINTR));
        secret_wipe(rest, sizeof(rest));
        return r != 0;
}

static int child_timeout(uint64_t deadline_usec) {
        uint64_t now = clock_usec();
        uint64_t left = deadline_usec - MIN(now, deadline_usec);

        return (int)MIN((left + 999) / 1000, (uint64_t)60000);
}

/* Until the guard has reported or is gone. */
static void child_collect(Child *child, Pipes *p, uint64_t deadline_usec) {
        struct pollfd fds[] = {
                { .fd = p->report[0], .events = POLLIN },
                { .fd = p->out[0], .events = POLLIN },
                { .fd = p->err[0], .events = POLLIN },
        };

        while (!fds[0].revents) {
                if (!child->timed_out && clock_usec() >= deadline_usec) {
                        child->timed_out = true;
                        p->life[1] = fd_close(p->life[1]);
                }
                if (poll(fds, ARRAY_SIZE(fds),
                         child->timed_out ? -1 : child_timeout(deadline_usec)) < 0)
                        continue;
                if (fds[1].revents && !child_drain(p->out[0], child->out, &child->n_out))
                        fds[1].fd = -1;
                if (fds[2].revents && !child_drain(p->err[0], child->err, &child->n_err))
                        fds[2].fd = -1;
        }
        /* The program has ended: what it wrote is all in the pipes. */
        (void)child_drain(p->out[0], child->out, &child->n_out);
        (void)child_drain(p->err[0], child->err, &child->n_err);
        if (read(p->report[0], &child->status, sizeof(child->status)) !=
            (ssize_t)sizeof(child->status))
                child->status = child->timed_out ? 0 : SIGKILL;
}

int child_run(Child *child, char *const argv[], char *const envp[], uint64_t deadline_usec) {
        Pipes p;
        pid_t guard = -1;
        int r;

        child_deinit(child);
        child->out = xcalloc(1, CHILD_OUTPUT_MAX + 1);
        child->err = xcalloc(1, CHILD_OUTPUT_MAX + 1);

        r = pipes_open(&p);
        if (r == 0) {
                guard = fork();
                if (guard == 0)
                        guard_run(&p, argv, envp);
                r = guard < 0 ? -errno : 0;
        }
        if (r < 0) {
                pipes_close(&p);
                return r;
        }
        p.out[1] = fd_close(p.out[1]);
        p.err[1] = fd_close(p.err[1]);
        p.report[1] = fd_close(p.report[1]);
        p.life[0] = fd_close(p.life[0]);
        (void)fcntl(p.out[0], F_SETFL, O_NONBLOCK);
        (void)fcntl(p.err[0], F_SETFL, O_NONBLOCK);

        child_collect(child, &p, deadline_usec);
        pipes_close(&p);
        while (waitpid(guard, &r, 0) < 0 && errno == EINTR)
                continue;
        return 0;
}

void child_deinit(Child *child) {
        secret_wipe(child->out, child->n_out);
        free(child->out);
        secret_wipe(child->err, child->n_err);
        free(child->err);
        *child = (Child){ 0 };
}
