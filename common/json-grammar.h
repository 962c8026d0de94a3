/* SPDX-License-Identifier: MIT */
/*
 * Is it JSON (RFC 8259)? Whoever reads it need not ask again. The client's json-c reads only what
 * has passed here as well: its own strictness is another one in every version. Pure.
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
