/* SPDX-License-Identifier: MIT */
/*
 * Which accounts need a person, and telling that person: one notification for all of them, kept
 * true and taken away by itself, at most one an hour for each account; its button starts the
 * sign-in. A listener beside the bus (news.h). It looks at what keepers show and asks them for a
 * sign-in as any caller does; nothing depends on it.
 * - the person does nothing: it stays
 * - closes it, or "Later": told again tomorrow; the end of an API token 3 days before it
 * - "Sign in": the sign-in starts; a code is shown in its place until it ends
 * - signs in anywhere: it is taken away
 * - no notification server: the bus is asked once to start one, then NameOwnerChanged is awaited
 * - the server ends: its numbers are forgotten; told again an hour after the last time
 * iotc-token-open opens the page: the bus starts it, outside the daemon's sandbox. It is named the
 * sign-in, not the page, and reads that from the daemon.
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
