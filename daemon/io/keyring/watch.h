/* SPDX-License-Identifier: MIT */
/*
 * The watcher: tells from the bus's signals, without polling, whether a Secret Service runs and
 * whether its default collection is locked. An sd-bus connection of its own, in the loop; it never
 * blocks and never prompts. It starts the service (D-Bus activation) once, at the start, and again
 * only when keyring_watch_activate() is called: a machine without one is not asked over and over.
 */
#pragma once

#include "io/keyring/keyring.h"

typedef struct KeyringWatch KeyringWatch;

typedef enum KeyringService {
        KEYRING_SERVICE_UNKNOWN, /* the bus has not said yet, or it is being started */
        KEYRING_SERVICE_NONE,
        KEYRING_SERVICE_RUNS,
} KeyringService;

/* Called from the loop with all news, also when nothing differs; it may not free the watcher. While
 * the state is not known it is _KEYRING_STATE_MAX; never KEYRING_STATE_PROMPTING. */
typedef void (*KeyringWatchFn)(KeyringService service, KeyringState state, void *userdata);

/* An item of some collection was deleted, by whomever. Called from the loop, for each of them. */
typedef void (*KeyringWatchDeletionFn)(void *userdata);

/* limit_usec: how long an activation may take before the service counts as none. A machine without
 * a session bus is no error, but news. 0 or -errno. */
int keyring_watch_new(KeyringWatch **ret, sd_event *event, uint64_t limit_usec, KeyringWatchFn fn,
                      KeyringWatchDeletionFn deletion, void *userdata);
/* NULL is fine. Returns NULL. */
KeyringWatch *keyring_watch_free(KeyringWatch *w);

/* The name of the program that is the service, as the kernel has it (15 bytes), or "". Borrowed. */
const char *keyring_watch_program(const KeyringWatch *w);
/* Try to start a service that does not run: it is KEYRING_SERVICE_UNKNOWN meanwhile (news that come
 * inside this call). */
void keyring_watch_activate(KeyringWatch *w);
/* Ask the service for its state once more; the news come later. */
void keyring_watch_refresh(KeyringWatch *w);

CLEANUP_FUNC(KeyringWatch, keyring_watch_free)
