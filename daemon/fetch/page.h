/* SPDX-License-Identifier: MIT */
/*
 * The page that a person's browser shows at the end of a sign-in: a heading and a sentence, in one
 * HTML document that asks for nothing else. Pure.
 */
#pragma once

#include <iotc-util.h>

/* What the browser may do with it: show it. The value of Content-Security-Policy. */
#define PAGE_POLICY                                                      \
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; " \
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/* Both are clean text and are escaped here. To be freed by free(); NULL when memory is short. */
char *page_new(const char *heading, const char *text);
