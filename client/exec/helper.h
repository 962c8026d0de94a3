/* SPDX-License-Identifier: MIT */
/*
 * The process that serves the endpoint. It is a helper beside the command and not its parent: the
 * command becomes the process that was started, so that its number, its signals, its terminal, its
 * pipes and its end are its own, and nothing has to be passed on.
 */
#pragma once

#include "exec/endpoint.h"

/*
 * Fork a process that serves e for as long as this one lives, whatever program it becomes. It is no
 * child that the program could wait for. 0 once it serves, or -errno.
 */
int helper_fork(Endpoint *e);
