/* SPDX-License-Identifier: MIT */
/*
 * The launcher's own side: a single-threaded loop of ppoll(2). Children stay zombies until they are
 * reaped here, so a process group is signalled only while its number can belong to nobody else.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/json.h"
#include "common/memory.h"
#include "common/program.h"
#include "io/fetch/launcher-protocol.h"
#include "model/environment.h"
#include "model/limits.h"

enum {
        KILL_AFTER_MS = 2000
};

typedef struct Child {
        pid_t pid;          /* 0: free place */
        int64_t kill_at_ms; /* CLOCK_MONOTONIC; 0: not asked to end */
} Child;

typedef struct State {
        int socket;
        const char *program;
        Child children[LIMIT_FETCHES];
} State;

static int64_t now_ms(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void on_child(int signal) {
}

/* In the child: a session of its own and a clean slate. False when that could not be had. */
static bool child_prepare(int stdin_fd, int stdout_fd, int stderr_fd) {
        sigset_t none;

        (void)setsid();
        for (int i = 1; i < NSIG; i++)
                (void)signal(i, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)umask(077);
        if (dup2(stdin_fd, STDIN_FILENO) < 0 || dup2(stdout_fd, STDOUT_FILENO) < 0 ||
            dup2(stderr_fd, STDERR_FILENO) < 0)
                return false;
        return syscall(SYS_close_range, 3U, ~0U, 0U) == 0;
}

/* The program can't say it, so it is said in its place (contract, section 6). */
static void command_refuse(const char *program, const char *what) {
        CLEANUP(freep) char *message = xasprintf("%s %s", program, what);
        CLEANUP(freep) char *line = NULL;
        JsonWriter w = { 0 };
        size_t n;

        json_writer_open(&w, NULL, '{');
        json_writer_string(&w, "event", "error");
        json_writer_string(&w, "kind", "source-missing");
        json_writer_string(&w, "message", message);
        json_writer_bool(&w, "sent", false);
        json_writer_close(&w, '}');
        line = json_writer_finish(&w, &n);
        line[n] = '\n';
        (void)!write(STDOUT_FILENO, line, n + 1);
}

/* A program of the user's: one that nobody else can have put there. */
_Noreturn static void command_exec(const char *program) {
        CLEANUP(freep) char *what = NULL, *why = NULL;

        switch (program_check(program, NULL)) {
        case 0:
                environment_drop_unsafe();
                execl(program, program, (char *)NULL);
                what = xasprintf("can't be run: %s. Check the setting 'command'.", strerror(errno));
                command_refuse(program, what);
                break;
        case PROGRAM_E_MISSING:
                command_refuse(program,
                               "is no program that can be run. Check the setting 'command'.");
                break;
        default:
                why = program_fault(program);
                what = xasprintf("is not run: %s", why);
                command_refuse(program, what);
                break;
        }
        _exit(0);
}

static Child *child_place(State *s, pid_t pid) {
        for (size_t i = 0; i < ARRAY_SIZE(s->children); i++)
                if (s->children[i].pid == pid)
                        return &s->children[i];
        return NULL;
}

/* command: a program of the user's, or "". */
static int child_start(State *s, const char *command, pid_t *ret_pid, int fds[LAUNCHER_FDS]) {
        CLEANUP(fd_closep) int in_r = -1, in_w = -1, out_r = -1, out_w = -1;
        CLEANUP(fd_closep) int err_r = -1, err_w = -1;
        Child *child = child_place(s, 0);
        int in[2], out[2], err[2];
        pid_t pid;

        if (!child)
                return -EAGAIN;
        if (pipe2(in, O_CLOEXEC) < 0)
                return -errno;
        in_r = in[0], in_w = in[1];
        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        out_r = out[0], out_w = out[1];
        if (pipe2(err, O_CLOEXEC) < 0)
                return -errno;
        err_r = err[0], err_w = err[1];
        if (!*command && access(s->program, X_OK) < 0)
                return -errno;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                if (!child_prepare(in_r, out_w, err_w))
                        _exit(127);
                if (*command)
                        command_exec(command);
                execl(s->program, s->program, (char *)NULL);
                _exit(127);
        }

        *child = (Child){ .pid = pid };
        fds[0] = in_w, in_w = -1;
        fds[1] = out_r, out_r = -1;
        fds[2] = err_r, err_r = -1;
        *ret_pid = pid;
        return 0;
}

static void reply_send(State *s, const LauncherReply *reply, const int *fds) {
        union {
                struct cmsghdr align;
                char buf[CMSG_SPACE(sizeof(int) * LAUNCHER_FDS)];
        } control = { 0 };
        struct iovec iov = { .iov_base = (void *)reply, .iov_len = sizeof(*reply) };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (fds) {
                struct cmsghdr *c;

                m.msg_control = control.buf;
                m.msg_controllen = sizeof(control.buf);
                c = CMSG_FIRSTHDR(&m);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int) * LAUNCHER_FDS);
                memcpy(CMSG_DATA(c), fds, sizeof(int) * LAUNCHER_FDS);
        }
        while (sendmsg(s->socket, &m, MSG_NOSIGNAL) < 0 && errno == EINTR)
                ;
}

static void call_start(State *s, const LauncherCall *call) {
        LauncherReply reply = { .serial = call->serial };
        int fds[LAUNCHER_FDS] = { -1, -1, -1 };

        reply.error = child_start(s, call->program, &reply.pid, fds);
        reply_send(s, &reply, reply.error == 0 ? fds : NULL);
        for (int i = 0; i < LAUNCHER_FDS; i++)
                (void)fd_close(fds[i]);
}

static void child_end(Child *child) {
        if (child->kill_at_ms)
                return;
        (void)kill(-child->pid, SIGTERM);
        /* The group does not exist yet when setsid() has not run. */
        (void)kill(child->pid, SIGTERM);
        child->kill_at_ms = now_ms() + KILL_AFTER_MS;
}

static void children_reap(State *s) {
        for (;;) {
                siginfo_t info = { 0 };
                Child *child;

                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
                        return;
                /* What a dead fetcher left in its group, while the zombie still holds the number.
                 */
                (void)kill(-info.si_pid, SIGKILL);
                child = child_place(s, info.si_pid);
                if (child)
                        *child = (Child){ 0 };
                (void)waitpid(info.si_pid, NULL, 0);
        }
}

/* KILL whose time has come; the ms until the next one, or -1. */
static int children_kill(State *s) {
        int64_t now = now_ms(), next = -1;

        for (size_t i = 0; i < ARRAY_SIZE(s->children); i++) {
                Child *child = &s->children[i];
                int64_t left;

                if (!child->pid || !child->kill_at_ms)
                        continue;
                left = child->kill_at_ms - now;
                if (left <= 0)
                        (void)kill(-child->pid, SIGKILL);
                else if (next < 0 || left < next)
                        next = left;
        }
        return (int)next;
}

/* One packet from the daemon. False when it is gone. */
static bool call_receive(State *s) {
        static LauncherCall call;
        const size_t head = offsetof(LauncherCall, program);
        Child *child;
        ssize_t n;

        n = recv(s->socket, &call, sizeof(call), MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n <= (ssize_t)head || !memchr(call.program, '\0', (size_t)n - head))
                return false;
        switch (call.op) {
        case LAUNCHER_OP_START:
                call_start(s, &call);
                break;
        case LAUNCHER_OP_END:
                child = call.pid > 0 ? child_place(s, call.pid) : NULL;
                if (child)
                        child_end(child);
                break;
        }
        return true;
}

static bool children_left(const State *s) {
        for (size_t i = 0; i < ARRAY_SIZE(s->children); i++)
                if (s->children[i].pid)
                        return true;
        return false;
}

_Noreturn void launcher_run(int socket_fd, const char *program) {
        static State s;
        sigset_t mask, wait_mask;
        bool alive = true;

        s.socket = socket_fd;
        s.program = program;
        (void)prctl(PR_SET_NAME, "iotc-launcher");
        /* The daemon's end is the launcher's: a Ctrl-C in the terminal is for the daemon to handle.
         */
        (void)signal(SIGINT, SIG_IGN);
        (void)signal(SIGHUP, SIG_IGN);
        (void)signal(SIGTERM, SIG_IGN);
        (void)sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = on_child }, NULL);
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &mask, &wait_mask);

        while (alive || children_left(&s)) {
                struct pollfd pfd = { .fd = alive ? socket_fd : -1, .events = POLLIN };
                struct timespec ts;
                int ms;

                children_reap(&s);
                ms = children_kill(&s);
                if (!alive && !children_left(&s))
                        break;
                ts = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L };
                if (ppoll(&pfd, 1, ms < 0 ? NULL : &ts, &wait_mask) <= 0)
                        continue;
                if (!call_receive(&s)) {
                        alive = false;
                        for (size_t i = 0; i < ARRAY_SIZE(s.children); i++)
                                if (s.children[i].pid)
                                        child_end(&s.children[i]);
                }
        }
        _exit(0);
}
