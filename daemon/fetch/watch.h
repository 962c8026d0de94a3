/* SPDX-License-Identifier: MIT */
/*
 * The reader of our events is the one reason to live: when standard output is closed, by a cancel
 * or a crash of the daemon, this process ends at once, wherever it blocks.
 */
#pragma once

#include <iotc-util.h>

/*
 * Start the thread that ends the process. 0 or -errno of pthread_create(3). What must end with the
 * process holds a pipe to it (child.h), so ending it is all.
 */
int watch_stdout(void);
