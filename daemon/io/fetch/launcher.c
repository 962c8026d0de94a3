/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/memory.h"
#include "io/fetch/launcher-protocol.h"
#include "io/fetch/launcher.h"

struct Launcher {
        int socket;
        pid_t pid;
        uint32_t serial;
        sd_event_source *source;
        Launch *waiting; /* Launch.next, oldest first */
        void (*gone)(void *userdata);
        void *userdata;
};

struct Launch {
        Launcher *launcher;
        Launch *next;
        uint32_t serial;
        LaunchFn fn; /* NULL: nobody waits any more */
        void *userdata;
};

int launcher_fork(Launcher **ret, const char *program) {
        CLEANUP(fd_closep) int ours = -1, theirs = -1;
        Launcher *l;
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0], theirs = pair[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                (void)fd_close(ours);
                launcher_run(theirs, program);
        }
        l = xcalloc(1, sizeof(*l));
        l->socket = ours, ours = -1;
        l->pid = pid;
        *ret = l;
        return 0;
}

static Launch *launch_remove(Launcher *l, uint32_t serial) {
        for (Launch **p = &l->waiting; *p; p = &(*p)->next)
                if ((*p)->serial == serial) {
                        Launch *launch = *p;

                        *p = launch->next;
                        launch->launcher = NULL;
                        return launch;
                }
        return NULL;
}

static void launch_complete(Launcher *l, const LauncherReply *reply, int *fds) {
        Launch *launch = launch_remove(l, reply->serial);

        if (!launch || !launch->fn) {
                if (reply->error == 0)
                        launcher_end(l, reply->pid);
                for (int i = 0; i < LAUNCHER_FDS; i++)
                        (void)fd_close(fds[i]);
                free(launch);
                return;
        }
        launch->fn(reply->error, reply->pid, fds, launch->userdata);
}

static void launcher_fail(Launcher *l) {
        int fds[LAUNCHER_FDS] = { -1, -1, -1 };

        l->source = sd_event_source_disable_unref(l->source);
        while (l->waiting)
                launch_complete(l, &(LauncherReply){ l->waiting->serial, -ECONNRESET, 0 }, fds);
        if (l->gone)
                l->gone(l->userdata);
}

static int launcher_on_reply(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        union {
                struct cmsghdr align;
                char buf[CMSG_SPACE(sizeof(int) * LAUNCHER_FDS)];
        } control;
        Launcher *l = userdata;
        LauncherReply reply;
        struct iovec iov = { .iov_base = &reply, .iov_len = sizeof(reply) };
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control.buf,
                            .msg_controllen = sizeof(control.buf) };
        int fds[LAUNCHER_FDS] = { -1, -1, -1 };
        struct cmsghdr *c;
        ssize_t n;

        n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n != sizeof(reply)) {
                launcher_fail(l);
                return 0;
        }
        c = CMSG_FIRSTHDR(&m);
        if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(fds)))
                memcpy(fds, CMSG_DATA(c), sizeof(fds));
        else if (reply.error == 0)
                reply.error = -EMFILE; /* the kernel dropped them for want of a free number */
        launch_complete(l, &reply, fds);
        return 0;
}

int launcher_attach(Launcher *l, sd_event *event, void (*gone)(void *userdata), void *userdata) {
        l->gone = gone;
        l->userdata = userdata;
        return sd_event_add_io(event, &l->source, l->socket, EPOLLIN, launcher_on_reply, l);
}

Launcher *launcher_free(Launcher *l) {
        if (!l)
                return NULL;
        sd_event_source_disable_unref(l->source);
        while (l->waiting) {
                Launch *launch = launch_remove(l, l->waiting->serial);

                if (!launch->fn)
                        free(launch);
        }
        (void)fd_close(l->socket);
        /* It ends its fetchers first: 2 s at most. */
        while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        free(l);
        return NULL;
}

static int launcher_send(Launcher *l, const LauncherCall *call) {
        size_t n = offsetof(LauncherCall, program) + strlen(call->program) + 1;

        if (send(l->socket, call, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                return -errno;
        return 0;
}

int launcher_start(Launcher *l, Launch **ret, const char *program, LaunchFn fn, void *userdata) {
        LauncherCall call = { .op = LAUNCHER_OP_START };
        Launch *launch, **tail;
        int r;

        if (program && strlen(program) >= sizeof(call.program))
                return -ENAMETOOLONG;
        launch = xcalloc(1, sizeof(*launch));
        *launch = (Launch){ .launcher = l, .serial = ++l->serial, .fn = fn, .userdata = userdata };
        call.serial = launch->serial;
        if (program)
                (void)strcpy(call.program, program);
        r = launcher_send(l, &call);
        if (r < 0) {
                free(launch);
                return r;
        }
        for (tail = &l->waiting; *tail; tail = &(*tail)->next)
                ;
        *tail = launch;
        *ret = launch;
        return 0;
}

Launch *launch_free(Launch *launch) {
        if (!launch)
                return NULL;
        if (launch->launcher)
                launch->fn = NULL; /* still in the list: freed when its answer comes */
        else
                free(launch);
        return NULL;
}

void launcher_end(Launcher *l, pid_t pid) {
        (void)launcher_send(l, &(LauncherCall){ .op = LAUNCHER_OP_END, .pid = pid });
}
