/* SPDX-License-Identifier: MIT */
/*
 * The one place of libjq: a filter in jq's language, and what it makes of an answer on standard
 * output: strings as they are, all else as JSON, a line each.
 */
#pragma once

#include "base/args.h"

typedef struct Filter Filter;

/* 0 and *ret, to be freed by filter_free(); or an exit code after saying what is wrong with it. */
int filter_new(Filter **ret, const Verb *verb, const char *program);
/* NULL is fine. Returns NULL. */
Filter *filter_free(Filter *filter);
/* A piece of the text, which is valid JSON when filter_run() is called, once. */
void filter_feed(Filter *filter, const char *text, size_t n);
/* Print what it makes of it. 0, or an exit code, the reason having been said. */
int filter_run(Filter *filter);

CLEANUP_FUNC(Filter, filter_free)
