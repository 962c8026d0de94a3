/* SPDX-License-Identifier: MIT */
/*
 * PURE: a person is told that an API token ends 14 days and 3 days before, since nobody else can
 * see to the next one. now: CLOCK_BOOTTIME, µs.
 */
#pragma once

#include "model/token.h"

/* How many days are left by that count: 14, 3, or 0 when there is nothing to tell. */
unsigned reminder_days(const Token *t, uint64_t now);
/* When there will be something (else) to tell; USEC_INFINITY: never. */
uint64_t reminder_next_at(const Token *t, uint64_t now);
