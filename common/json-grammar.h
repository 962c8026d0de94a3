/* SPDX-License-Identifier: MIT */
/*
 * Is it JSON (RFC 8259)? json-c's own strictness is another one in every version: 0.18 refuses any
 * string that is not ASCII, and long numbers; 0.16 takes quotes and control characters that are not
 * JSON. So it is asked to be lenient, and reads only what has passed here. Pure, no allocation.
 */
#pragma once

#include <iotc-util.h>

/*
 * The length of the value that text[0..n) begins with, white space before it included, at most
 * depth arrays and objects deep; 0: it begins with none. Strings are UTF-8 without control
 * characters. What follows the value is not looked at.
 */
size_t json_value_length(const char *text, size_t n, unsigned depth);
/* Is text[0..n) one such value, with nothing but white space around it? */
bool json_is_value(const char *text, size_t n, unsigned depth);
/* Valid UTF-8 without NUL? */
bool utf8_is_valid(const char *s, size_t n);
