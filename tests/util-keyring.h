/* SPDX-License-Identifier: MIT */
/*
 * A private session bus and a real gnome-keyring-daemon on it, for tests. Every function asserts
 * what it needs, so that a test is the story alone. Both die with the test.
 */
#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include <iotc-util.h>

typedef struct UtilKeyring {
        char *folder; /* private; the caller's */
        pid_t bus_pid;
        pid_t keyring_pid;
        sd_bus *control; /* the test's own connection, blocking calls only */
} UtilKeyring;

/* Start the bus and make it the session bus of this process. services: NULL, or a command that the
 * bus runs when somebody asks for the Secret Service. */
void util_bus_start(UtilKeyring *u, const char *folder, const char *services);
/* Start the keyring and wait until it serves: with its default collection unlocked, or locked. */
void util_keyring_start(UtilKeyring *u, bool locked);
void util_keyring_kill(UtilKeyring *u);
/* SIGSTOP, and back only once the kernel says that it has stopped. SIGCONT. */
void util_keyring_stop(UtilKeyring *u);
void util_keyring_continue(UtilKeyring *u);
void util_keyring_lock(UtilKeyring *u);
/* As a person would by the dialog, without the dialog. */
void util_keyring_unlock(UtilKeyring *u);
bool util_keyring_owned(UtilKeyring *u);
/* How many items of ours there are, and the label of the first (caller frees). */
unsigned util_keyring_items(UtilKeyring *u, char **ret_label);
void util_bus_stop(UtilKeyring *u);
