/* SPDX-License-Identifier: MIT */
/*
 * What text may pass. Servers, az and users send bytes; a bus, a terminal and a log get valid
 * UTF-8 without control characters, and a header gets only what its grammar allows.
 * Pure: no allocation but the copies that text_clean() and text_quoted() give.
 */
#pragma once

#include <iotc-util.h>

/*
 * Valid UTF-8 without control characters: C0, DEL, C1, line and paragraph separators, and the
 * characters that turn the direction of writing. Noncharacters (U+FFFE...) are not valid either,
 * because sd-bus refuses them. The empty string is clean.
 */
bool text_is_clean(const char *s);
/* Is this code point one that clean text has not? */
bool text_is_control(uint32_t c);
/*
 * A clean copy of at most max bytes, to be freed by free(): every invalid byte becomes U+FFFD, a
 * run of control characters becomes one space, spaces at both ends go, the rest is cut off at the
 * boundary of a character. NULL for NULL.
 */
char *text_clean(const char *s, size_t max);
/* RFC 6750 section 2.1, b64token: what a bearer token may be. Not empty. */
bool text_is_b64token(const char *s);
/* 0x20 to 0x7e only: what an API token and a refresh token may be. Not empty. */
bool text_is_printable_ascii(const char *s);
/* A word as a shell wants it, in quotes if need be; to be freed by free(). */
char *text_quoted(const char *word);
