/* SPDX-License-Identifier: MIT */
/*
 * An answer on standard output: as it came when a program reads it, laid out and made harmless when
 * a person does.
 */
#pragma once

#include "api/filter.h"
#include "common/http.h"

/* The status line and the headers, and the empty line after them. */
void show_head(const HttpReply *reply);
/* 0, or an exit code when the body can't be shown on a terminal, which has been said. */
int show_body(const HttpReply *reply);

/* What a filter makes of the body, which is JSON, or empty and then nothing. 0 or an exit code. */
int show_filtered(Filter *filter, const HttpReply *reply);

/* Pages that become one: {"value": [...]}, the elements of every page one after the other. */
typedef struct ShowPages {
        Filter *filter;    /* what they are fed to instead of being shown, or NULL */
        bool silent;       /* nothing is shown */
        void *pretty;      /* JsonPretty, on a terminal */
        size_t n_elements; /* as told by show_page() */
        unsigned n_pages;
        bool any; /* an element was shown */
} ShowPages;

/* text: the inside of a page's array; may be empty. 0 or -ENOMEM. */
int show_page(ShowPages *pages, const char *text, size_t n, size_t n_elements);
/* The end of what was shown, if anything was. next: where the list would go on, if it isn't whole:
 * as in the API's own lists, that is its nextLink. */
void show_pages_end(ShowPages *pages, const char *next);
void show_pages_deinit(ShowPages *pages);
