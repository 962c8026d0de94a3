/* SPDX-License-Identifier: MIT */
/*
 * IoT Central's API tokens, as text: "SharedAccessSignature sr=...&sig=...&skn=...&se=...".
 * Pure; the source of the facts is Microsoft's how-to on authorizing the REST API.
 */
#pragma once

#include <iotc-util.h>

/*
 * Is text an API token? 0 and its end in wall clock seconds (0: none named); -EINVAL and *ret_why,
 * a static sentence for the person who pasted it. se= is in milliseconds (13 digits); 10 digits are
 * taken as seconds.
 */
int api_token_check(const char *text, uint64_t *ret_expires_at, const char **ret_why);
