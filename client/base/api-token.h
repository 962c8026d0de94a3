/* SPDX-License-Identifier: MIT */
/*
 * An API token on its way into the keyring: the daemon's calls for it, each said when it fails.
 * The secret is borrowed and goes by messages that are wiped.
 */
#pragma once

#include <iotc-token.h>

#include "base/bus.h"

CLEANUP_FUNC(iotc_token, iotc_token_free)

/*
 * AddAccount of source api-token; once more if the daemon goes away meanwhile. 0; -1 if there is an
 * account of this name, which is not said; or an exit code. *ret_unsure (may be NULL): it is not
 * known whether there is one now.
 */
int api_token_add(sd_bus *bus, const char *name, const char *secret, const StringList *apps,
                  bool *ret_unsure);
/* The token that the account holds, to be freed by iotc_token_free(). 0 or an exit code. */
int api_token_held(const char *name, iotc_token **ret);
/* SetSecret of the account at path. 0 or an exit code. */
int api_token_set(sd_bus *bus, const char *path, const char *secret);
/* Let these be the account's applications, unless there are none. 0 or an exit code. */
int api_token_set_apps(sd_bus *bus, const char *path, const StringList *apps);
