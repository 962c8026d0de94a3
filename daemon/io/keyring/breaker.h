/* SPDX-License-Identifier: MIT */
/*
 * A service that left a call unanswered is asked nothing more until it is heard again: one caller
 * waits for a keyring that hangs, not each one after it. Who only loses calls, and answers whatever
 * else it is asked, is tried again after a pause that grows.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct KeyringBreaker KeyringBreaker;

/* Open until now: calls may be made again. Called from the loop, not inside a call of this page. */
typedef void (*KeyringBreakerFn)(void *userdata);

/* Closed. 0 or -errno. */
int keyring_breaker_new(KeyringBreaker **ret, sd_event *event, KeyringBreakerFn fn, void *userdata);
/* NULL is fine. Returns NULL. */
KeyringBreaker *keyring_breaker_free(KeyringBreaker *b);

bool keyring_breaker_is_open(const KeyringBreaker *b);
/* A call had no answer in time: open it. The first time, the next sign of life closes it; after
 * that no sooner than 30, 60 ... 300 s later. */
void keyring_breaker_trip(KeyringBreaker *b);
/* A sign of life, of another call than those that were lost; closes it when it may (fn is not
 * called). */
void keyring_breaker_hear(KeyringBreaker *b);
/* A call was answered: the next loss is a first one again. */
void keyring_breaker_praise(KeyringBreaker *b);
/* It is another service: closed, and nothing is known of it. */
void keyring_breaker_reset(KeyringBreaker *b);

CLEANUP_FUNC(KeyringBreaker, keyring_breaker_free)
