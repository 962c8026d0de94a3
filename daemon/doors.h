/* SPDX-License-Identifier: MIT */
/*
 * The two doors that the accounts are served by: the session bus, and the direct socket. One is
 * enough.
 */
#pragma once

#include "bus/bus.h"

typedef struct Doors Doors;

/* The daemon is to end: with 0, the session bus is gone; else it is to be started again. */
typedef void (*DoorsFn)(int status, void *userdata);

/*
 * Make both, and let nobody in yet. Another daemon that has the bus name, as one without a runtime
 * folder, is an error, or with replace is ended first. folder: of the lock, or NULL; activated: the
 * socket that systemd listens at, or -1. 0 or -errno; what a person needs to know is logged.
 */
int doors_new(Doors **ret, Env *env, const char *folder, int activated, bool replace, DoorsFn end,
              void *userdata);
/* Borrowed. */
Bus *doors_bus(const Doors *d);
/* Calls may come. 0 or -errno, which is logged. */
int doors_open(Doors *d);
/* Serve no more: who waits is told that the daemon stops, and a socket of ours is removed. Before
 * the Manager is freed, and while the lock is held. */
void doors_stop(Doors *d);
/* After the Manager. NULL is fine. Returns NULL. */
Doors *doors_free(Doors *d);

CLEANUP_FUNC(Doors, doors_free)
