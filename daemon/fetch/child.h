/* SPDX-License-Identifier: MIT */
/*
 * Run one program to its end, with its output in memory that is wiped and a limit in time. Nothing
 * of it outlives this process, however that ends, SIGKILL included: between the two stands a guard
 * that holds a pipe to us and ends the program's whole process group when the pipe closes.
 */
#pragma once

#include <iotc-util.h>

enum {
        CHILD_OUTPUT_MAX = 256 * 1024, /* bytes of each stream; what is more is read and dropped */
};

typedef struct Child Child;

/* Zeroed at first. The texts are NUL-terminated, never NULL after child_run() gave 0. */
struct Child {
        char *out;
        size_t n_out;
        char *err;
        size_t n_err;
        int status;     /* as of waitpid(2); 126 or 127 when it could not be executed */
        bool timed_out; /* it was ended, status says nothing */
};

/*
 * Run argv[0] (an absolute path) with that environment, stdin from /dev/null, umask 077, default
 * signal handlers, in a session of its own. Blocks, until deadline_usec (CLOCK_BOOTTIME) and what
 * it takes to end the program (about 1 s). The guard shares every descriptor of the caller until
 * the program has ended: a lock held here stays held. 0 or -errno of pipe2(2), fork(2).
 */
int child_run(Child *child, char *const argv[], char *const envp[], uint64_t deadline_usec);
void child_deinit(Child *child);
