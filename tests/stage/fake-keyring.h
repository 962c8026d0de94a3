/* SPDX-License-Identifier: MIT */
/*
 * io/keyring.h in memory: items, a state that the test sets, and answers that come in the order of
 * the calls, from the loop (fake_time_pass()) or when the test lets them go.
 */
#pragma once

#include "io/keyring/keyring.h"

/* An empty keyring that is OK. fn is called by fake_keyring_set_state(); it may be NULL. */
Keyring *fake_keyring_new(KeyringStateFn fn, void *userdata);
/* What calls find from now on, the waiting ones too; tells fn. */
void fake_keyring_set_state(Keyring *k, KeyringState state);
/* Withhold answers: after 10 s a call fails, and all others with it. Letting go answers all that
 * still wait, and tells fn if it was given up. */
void fake_keyring_hold(Keyring *k, bool hold);
/* The same, but what was to be written is written after all when its call has failed. */
void fake_keyring_hold_late(Keyring *k);
/* Answer so many calls, and no more until the next word. */
void fake_keyring_answer(Keyring *k, unsigned n);
/* Do the first n of the waiting calls without an answer: the daemon is killed meanwhile. */
void fake_keyring_do(Keyring *k, unsigned n);
/* Behind the daemon's back: put an item, or delete it (text NULL). */
void fake_keyring_put(Keyring *k, const char *account, const char *text);
/* Whoever wants to know hears that some item was deleted. */
void fake_keyring_tell_deletion(Keyring *k);
/* The item as it is now, or NULL. Borrowed. */
const char *fake_keyring_get(const Keyring *k, const char *account);
/* Stores that were done so far, deletions included. */
unsigned fake_keyring_writes(const Keyring *k);
