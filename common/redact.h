/* SPDX-License-Identifier: MIT */
/*
 * Text of others without our secrets. Servers, az, libcurl and programs of the user's repeat what
 * they were sent: whole or in pieces, percent-encoded, in JSON. Whatever they say goes through here
 * before it is cut, shown or logged. Pure; uses nothing of the project but iotc-util.h.
 */
#pragma once

#include <iotc-util.h>

#define REDACT_MARK "***"

enum {
        REDACT_RUN = 16, /* bytes: so much of a secret in one piece is hidden */
        REDACT_MIN = 4,  /* bytes of a secret; a shorter one would be found in any word */
};

/*
 * A copy of text, to be freed by free(), in which REDACT_MARK stands for:
 * - the user information of a URL, also of one without a scheme ("user:password@host:3128") or one
 *   that no parser would take ("http://user:p@ss@host");
 * - a JSON Web Token, whosever it is;
 * - each run of REDACT_RUN bytes or more of one of the n secrets (borrowed, each may be NULL), and
 * a shorter secret as a whole. Percent-encoding, that of a form, escapes of JSON, of C and of HTML
 *   are seen through, several on top of each other as well.
 * A string in JSON stays a string in JSON. NULL for NULL.
 */
char *redact(const char *text, const char *const *secrets, size_t n);
