/* SPDX-License-Identifier: MIT */
/*
 * A claims challenge in a WWW-Authenticate header (RFC 6750 section 3; Entra's continuous access
 * evaluation): Bearer ..., error="insufficient_claims", claims="<base64 of JSON>". Pure.
 */
#pragma once

#include <iotc-util.h>

/*
 * The JSON of the claims. 0 and *ret (free by secret_free()); -ENOENT when there is no such
 * challenge; -EBADMSG when there is one that can't be read, or is over LIMIT_CLAIMS.
 */
int challenge_claims(char **ret, const char *www_authenticate);
