/* SPDX-License-Identifier: MIT */
/*
 * io/notify.h without a file: a test says when it changes, and when it is at rest.
 */
#pragma once

#include "io/notify.h"

/* Is az's profile watched? */
bool fake_notify_watched(void);
/* Call all its watchers. */
void fake_notify(bool changing);
/* The same for the files of the settings. */
void fake_notify_settings(bool changing);
/* What notify_written_at() gives; 0 at first. */
void fake_notify_set_written_at(uint64_t wall);
