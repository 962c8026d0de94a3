/* SPDX-License-Identifier: MIT */
/*
 * UTF-8, strictly as RFC 3629 has it: no overlong form, no surrogate, nothing above U+10FFFF. Pure.
 */
#pragma once

#include <iotc-util.h>

/* The length of the character at s[0..n), and its code point; 0 when none begins there. NUL is
 * none, so that of a string n may be 4 anywhere in it. */
size_t utf8_decode(const char *s, size_t n, uint32_t *ret);
/* The bytes of a code point up to U+10FFFF, into out; how many they are. */
size_t utf8_encode(char out[4], uint32_t c);
/* Nothing but such characters? */
bool utf8_is_valid(const char *s, size_t n);
