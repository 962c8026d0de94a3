/* SPDX-License-Identifier: MIT */
/*
 * News of the accounts goes to one listener (env.h); this is the one that passes it on to all who
 * want it: the bus, which shows the accounts to programs, and the desktop's notification.
 */
#pragma once

#include "env.h"

enum {
        NEWS_LISTENERS_MAX = 2
};

typedef struct News {
        struct {
                const Listener *listener; /* any of its members may be NULL */
                void *userdata;
        } to[NEWS_LISTENERS_MAX];
        size_t n;
} News;

/* The listener to put into the Env, with the News as its userdata. */
extern const Listener news_listener;

/* Tell this one too, after those before it. Borrowed; at most NEWS_LISTENERS_MAX. */
void news_add(News *n, const Listener *listener, void *userdata);
