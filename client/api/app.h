/* SPDX-License-Identifier: MIT */
/*
 * Which application is meant, when it may be left out.
 */
#pragma once

#include "base/args.h"

/* The value of --app, else $IOTC_TOKEN_APP, else NULL. Borrowed. */
const char *app_or_environment(const char *app);
/*
 * The only application that an account lists: a name, or "" for the default account. 0 and *ret, to
 * be freed by free(); or an exit code after saying why there is none.
 */
int app_of_account(const Verb *verb, char **ret, const char *account);
