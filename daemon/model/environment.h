/* SPDX-License-Identifier: MIT */
/*
 * Which variables of the session reach the programs that get tokens. Each works on environ, before
 * there are threads that look into it.
 */
#pragma once

#include <iotc-util.h>

/* Does this variable ("NAME=value") make a program run other code, or write down its keys? */
bool environment_is_unsafe(const char *variable);
/* Take those out: for a program of the user's, and for az. */
void environment_drop_unsafe(void);
/* Leave what our own sources need: where things are, the language, the proxy. */
void environment_keep_own(void);
