/* SPDX-License-Identifier: MIT */
/*
 * The secrets of a sign-in by browser: a verifier that proves that whoever redeems the code is
 * whoever asked for it (PKCE, RFC 7636), and a state that proves that a redirect belongs to this
 * sign-in. The one place of libcrypto, which libcurl has loaded anyway.
 */
#pragma once

#include <iotc-util.h>

enum {
        PKCE_SIZE = 44, /* 32 bytes as base64url without padding, and a NUL */
};

/* 256 random bits: a code verifier (RFC 7636 section 4.1), or a state. 0 or -errno. */
int pkce_random(char ret[PKCE_SIZE]);
/* base64url(SHA-256(verifier)), the method S256 of RFC 7636 section 4.2. 0 or -EIO. */
int pkce_challenge(char ret[PKCE_SIZE], const char *verifier);
/* Are they the same? In a time that does not tell where they differ. NULL is no state. */
bool pkce_same(const char *secret, const char *sent);
