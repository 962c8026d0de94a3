/* SPDX-License-Identifier: MIT */
/*
 * Running another program as if it were this one: its signals are passed on, and it ends this
 * process the way it ended itself.
 */
#pragma once

#include <iotc-util.h>
#include <sys/types.h>

enum {
        /* What env(1), nice(1) and timeout(1) end with when it is not the program that failed. */
        CHILD_EXIT_OURS = 125,
        CHILD_EXIT_NOT_EXECUTABLE = 126,
        CHILD_EXIT_NOT_FOUND = 127,
};

/* Block what child_wait() is to pass on. Before the first thread. */
void child_block_signals(void);
/* Become the program: never returns. Its mask, and SIGPIPE, are as a shell would give them. */
_Noreturn void child_exec(char **argv);
/* Standard input and output are the child's alone from now on: whoever is at their other ends is to
 * see it when that closes them. */
void child_leave_pipes(void);
/* Pass signals on until the child has ended: its wait status. */
int child_wait(pid_t pid);
/* Its exit code; after a signal this process ends by the same one. */
int child_pass_on(int status);
