/* SPDX-License-Identifier: MIT */
/*
 * A secret is a NUL-terminated string from malloc() that is wiped before it is freed.
 * Every refresh token, access token, API token and line that carried one ends here.
 */
#pragma once

#include <iotc-util.h>

/* Wipe n bytes in a way that the compiler may not leave out. p may be NULL when n is 0. */
void secret_wipe(void *p, size_t n);
/* Wipe and free a string. NULL is fine. Returns NULL. */
char *secret_free(char *s);
/* A copy, to be freed by secret_free(); NULL for NULL. */
char *secret_dup(const char *s);

CLEANUP_FUNC(char, secret_free)
