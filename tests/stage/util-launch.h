/* SPDX-License-Identifier: MIT */
/*
 * What a launcher started for a test: how it went, and what it prints. All of them abort.
 */
#pragma once

#include <poll.h>

#include "util-fetcher.h"

typedef struct Started {
        unsigned n;
        int error;
        pid_t pid;
        int in, out;
        Launch *launch;
} Started;

static inline void on_launched(int error, pid_t pid, const int *fds, void *userdata) {
        Started *s = userdata;

        s->n++;
        s->error = error;
        s->pid = pid;
        s->in = fds[0];
        s->out = fds[1];
        (void)fd_close(fds[2]);
        s->launch = launch_free(s->launch);
}

static inline bool is_started(void *userdata) {
        return ((Started *)userdata)->n > 0;
}

static inline void start_program(Fetcher *f, Started *s, const char *program) {
        *s = (Started){ .in = -1, .out = -1 };
        assert(launcher_start(f->launcher, &s->launch, program, on_launched, s) == 0);
        assert(s->n == 0); /* never inside */
        until(f, is_started, s);
        assert(s->n == 1 && !s->launch);
}

static inline void start(Fetcher *f, Started *s) {
        start_program(f, s, NULL);
}

static inline void start_well(Fetcher *f, Started *s) {
        start(f, s);
        assert(s->error == 0 && s->pid > 0 && s->in >= 0 && s->out >= 0);
}

static inline void ended(Started *s) {
        s->in = fd_close(s->in);
        s->out = fd_close(s->out);
}

/* One line of what it prints; "" at its end. 20 s are a failure. */
static inline char *read_line(int fd, char *buf, size_t size) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        size_t n = 0;

        while (n + 1 < size) {
                ssize_t r;

                assert(poll(&p, 1, 20 * 1000) == 1);
                r = read(fd, buf + n, 1);
                assert(r >= 0);
                if (r == 0 || buf[n] == '\n')
                        break;
                n++;
        }
        buf[n] = '\0';
        return buf;
}

static inline void expect_end(int fd) {
        char buf[64];

        assert(streq(read_line(fd, buf, sizeof(buf)), ""));
}
