/* SPDX-License-Identifier: MIT */
/*
 * PURE: when a person may be told on the desktop that an account needs them. At most once an hour
 * for each account, whatever happens to it and to the daemon; not within a day of their "Later";
 * not at all for an account that nobody uses. Times are wall clock, s, because they outlive the
 * daemon; a clock that was set back costs an hour's silence at most.
 */
#pragma once

#include <iotc-util.h>

#define ATTENTION_PAUSE_SECONDS (3600)       /* between two tellings of one account */
#define ATTENTION_LATER_SECONDS (86400)      /* after "Later", or a notification closed by hand */
#define ATTENTION_USE_SECONDS   (14 * 86400) /* an account unused for longer is not told of */

/* What was told of it before: when, and until when the person wants to hear no more. 0: never. */
typedef struct AttentionPast {
        uint64_t told_at, quiet_until;
} AttentionPast;

/* From when on it may be told: now, or later. */
uint64_t attention_at(AttentionPast past, uint64_t now);
/* Does somebody use it? last_used_at 0: never. */
bool attention_is_used(uint64_t last_used_at, uint64_t now);
/* Of an API token that ends in so many seconds: was this told, since its last 14 or 3 days have
 * begun? */
bool attention_end_was_told(AttentionPast past, uint64_t seconds, uint64_t now);
