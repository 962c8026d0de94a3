/* SPDX-License-Identifier: MIT */
/*
 * Which keyring the settings choose, for as long as this daemon runs: another one is for its next
 * start (accounts/settings.c says so).
 */
#pragma once

#include "io/keyring/keyring.h"

/*
 * Read the settings (paths may be NULL), and open what they name: the Secret Service without a word
 * about it; the file store if they say store=file; nothing when that can't be told from them,
 * because a secret is not to go to another place than was meant. Says in the log where secrets are
 * kept, if not in the system's keyring. fn and userdata as keyring_new(). 0 or -errno.
 */
int store_open(Keyring **ret, sd_event *event, const char *system_path, const char *user_path,
               KeyringStateFn fn, void *userdata);
