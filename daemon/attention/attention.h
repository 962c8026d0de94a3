/* SPDX-License-Identifier: MIT */
/*
 * Which accounts need a person, and telling that person: one notification for all of them, kept
 * true and taken away by itself, at most one an hour for each account; its button starts the
 * sign-in. A listener beside the bus (news.h). It looks at what keepers show and asks them for a
 * sign-in as any caller does; nothing depends on it.
 */
#pragma once

#include "env.h"

typedef struct Attention Attention;

/* To be told of the news, with the Attention as its userdata. */
extern const Listener attention_listener;

/* 0 or -errno. */
int attention_new(Attention **ret, Env *env);
/* Takes the notification away: its buttons are dead from now on. NULL is fine. Returns NULL. */
Attention *attention_free(Attention *a);

CLEANUP_FUNC(Attention, attention_free)
