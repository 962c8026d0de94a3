/* SPDX-License-Identifier: MIT */
/*
 * The process that spawns fetchers. The daemon forks it before any thread, cage or secret exists
 * and has no other child: what is caged later can't be the parent of a program that needs the
 * network. It starts a fetcher in a session of its own on request and hands back its pid and pipes;
 * it ends a fetcher's whole process group on request, and all of them when the daemon is gone.
 */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Launcher Launcher;
typedef struct Launch Launch;

/* fds: standard input, output and error, the callback's to close. error is 0 or a negative errno,
 * with no fds (-1). */
typedef void (*LaunchFn)(int error, pid_t pid, const int *fds, void *userdata);

/*
 * Fork the launcher. First thing in main(): before threads, secrets and blocked signals. program is
 * the fetcher's absolute path. 0 or -errno.
 */
int launcher_fork(Launcher **ret, const char *program);
/* Listen to it on the loop; gone is called when it ended by itself (the daemon can fetch no more).
 */
int launcher_attach(Launcher *l, sd_event *event, void (*gone)(void *userdata), void *userdata);
/* Ends it, and with it every fetcher. Returns NULL. */
Launcher *launcher_free(Launcher *l);

/*
 * Ask for a fetcher, or for a program of the user's that stands in for it (absolute path; NULL: the
 * fetcher). Whether that one may be run is looked at by program_check(), just before it is, in the
 * process that becomes it; a refusal is an event on its output. fn is called once, later, unless
 * the handle is freed first. 0, -ENAMETOOLONG or -errno.
 */
int launcher_start(Launcher *l, Launch **ret, const char *program, LaunchFn fn, void *userdata);
/* Takes the callback back; a fetcher that was started for it is ended. NULL is fine. Returns NULL.
 */
Launch *launch_free(Launch *launch);
/* TERM to the fetcher's process group, KILL after 2 s. Harmless when it has ended already. */
void launcher_end(Launcher *l, pid_t pid);

CLEANUP_FUNC(Launcher, launcher_free)
CLEANUP_FUNC(Launch, launch_free)
