/* SPDX-License-Identifier: MIT */
#include "attention/rules.h"

#define DAY 86400

/* The end of a time of silence that began at `start`; of no account when that is still to come. */
static uint64_t silence_end(uint64_t start, uint64_t seconds, uint64_t now) {
        if (start == 0 || start > now + seconds)
                return now;
        return MAX(start + seconds, now);
}

uint64_t attention_at(AttentionPast past, uint64_t now) {
        uint64_t at = silence_end(past.told_at, ATTENTION_PAUSE_SECONDS, now);

        if (past.quiet_until <= now + ATTENTION_LATER_SECONDS)
                at = MAX(at, past.quiet_until);
        return at;
}

bool attention_is_used(uint64_t last_used_at, uint64_t now) {
        return last_used_at != 0 && now < last_used_at + ATTENTION_USE_SECONDS;
}

bool attention_end_was_told(AttentionPast past, uint64_t seconds, uint64_t now) {
        uint64_t stage = seconds <= 3 * DAY ? 3 * DAY : 14 * DAY;

        return past.told_at + stage >= now + seconds;
}
