/* SPDX-License-Identifier: MIT */
#include "policy/reminders.h"

#define DAY_USEC (86400 * USEC_PER_SEC)

static const unsigned warnings[] = { 14, 3 }; /* days */

unsigned reminder_days(const Token *t, uint64_t now) {
        uint64_t left = token_left_usec(t, now);
        unsigned days = 0;

        if (left == 0 || t->type != TOKEN_TYPE_API_TOKEN || t->expires_usec == USEC_INFINITY)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(warnings); i++)
                if (left <= warnings[i] * DAY_USEC)
                        days = warnings[i];
        return days;
}

uint64_t reminder_next_at(const Token *t, uint64_t now) {
        uint64_t left = token_left_usec(t, now);

        if (left == 0 || t->type != TOKEN_TYPE_API_TOKEN || t->expires_usec == USEC_INFINITY)
                return USEC_INFINITY;
        for (size_t i = 0; i < ARRAY_SIZE(warnings); i++)
                if (left > warnings[i] * DAY_USEC)
                        return t->expires_usec - warnings[i] * DAY_USEC;
        return USEC_INFINITY;
}
