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

/* Start the bus and make it the session bus of this process. service: NULL, or a command that the
 * bus runs when somebody asks for the Secret Service; $HOME is the folder. */
void util_bus_start(UtilKeyring *u, const char *folder, const char *service);
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
/* Make one more unlocked collection, the default from now on. */
void util_keyring_add_default(UtilKeyring *u);
/* Make the first one the default again. */
void util_keyring_set_default(UtilKeyring *u);
/* SIGKILL for the one that the bus started. */
void util_keyring_kill_activated(UtilKeyring *u);
/* How many items of ours there are, and the label of the first (caller frees). */
unsigned util_keyring_items(UtilKeyring *u, char **ret_label);
/* The bus alone, as at the end of a session; its programs notice by themselves. */
void util_bus_kill(UtilKeyring *u);
void util_bus_stop(UtilKeyring *u);
