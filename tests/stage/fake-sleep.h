/* SPDX-License-Identifier: MIT */
/*
 * io/sleep.h without logind: it counts the locks. That the machine sleeps is said by Env.asleep
 * and keeper_on_sleep(), as the manager does.
 */
#pragma once

#include "io/sleep.h"

/* Locks that hold the machine awake now. */
unsigned fake_sleep_locks(void);
