/* SPDX-License-Identifier: MIT */
/*
 * The page that a person's browser shows at the end of a sign-in: a heading and a sentence or two,
 * in one HTML document that asks for nothing else. Pure.
 */
#pragma once

#include <iotc-util.h>

/* What the browser may do with it: show it. The value of Content-Security-Policy. */
#define PAGE_POLICY                                                      \
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; " \
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/* The mark before the heading: for those who look, no words. */
typedef enum PageMark {
        PAGE_OTHER, /* none */
        PAGE_GOOD,
        PAGE_BAD,
} PageMark;

/*
 * heading, text (what happened) and hint (what to do now) are clean text and are escaped here; text
 * and hint may be NULL. To be freed by free().
 */
char *page_new(PageMark mark, const char *heading, const char *text, const char *hint);
