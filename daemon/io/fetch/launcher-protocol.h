/* SPDX-License-Identifier: MIT */
/*
 * What the daemon and its launcher say to each other, over one SOCK_SEQPACKET pair between two
 * halves of the same program: one packet a message. START is answered by one LauncherReply with the
 * same serial, carrying standard input, output and error of the fetcher by SCM_RIGHTS.
 */
#pragma once

#include <sys/types.h>

#include <iotc-util.h>

#include "model/limits.h"

typedef enum LauncherOp {
        LAUNCHER_OP_START, /* program, or the fetcher when that is empty */
        LAUNCHER_OP_END,   /* TERM to the group of pid, KILL later; not answered */
} LauncherOp;

typedef struct LauncherCall {
        uint32_t op;
        uint32_t serial;
        pid_t pid;
        char program[PATH_LENGTH_MAX + 1]; /* sent as far as its NUL */
} LauncherCall;

typedef struct LauncherReply {
        uint32_t serial;
        int32_t error; /* 0 or a negative errno */
        pid_t pid;
} LauncherReply;

enum {
        LAUNCHER_FDS = 3
};

/* The launcher's own life, until the daemon's end of the socket is closed. Never returns. */
_Noreturn void launcher_run(int socket_fd, const char *program);
