/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "policy/reminders.h"

static void test_an_api_token_s_end_is_told_in_time(void) {
        const uint64_t day = 86400 * USEC_PER_SEC, end = 100 * day;
        Token t = { .type = TOKEN_TYPE_API_TOKEN, .expires_usec = end };
        Token bearer = { .type = TOKEN_TYPE_BEARER, .expires_usec = end };
        Token endless = { .type = TOKEN_TYPE_API_TOKEN, .expires_usec = USEC_INFINITY };

        assert(reminder_days(&t, 1) == 0);
        assert(reminder_next_at(&t, 1) == end - 14 * day);
        assert(reminder_days(&t, end - 14 * day - 1) == 0);
        assert(reminder_days(&t, end - 14 * day) == 14);
        assert(reminder_next_at(&t, end - 14 * day) == end - 3 * day);
        assert(reminder_days(&t, end - 3 * day - 1) == 14);
        assert(reminder_days(&t, end - 3 * day) == 3);
        assert(reminder_next_at(&t, end - 3 * day) == USEC_INFINITY);
        assert(reminder_days(&t, end - 1) == 3);
        assert(reminder_days(&t, end) == 0);
        assert(reminder_next_at(&t, end) == USEC_INFINITY);

        assert(reminder_days(&bearer, end - 1) == 0 && reminder_days(&endless, 1) == 0);
        assert(reminder_next_at(&bearer, 1) == USEC_INFINITY);
        assert(reminder_next_at(&endless, 1) == USEC_INFINITY);
        assert(reminder_days(NULL, 1) == 0 && reminder_next_at(NULL, 1) == USEC_INFINITY);
}

int main(void) {
        test_an_api_token_s_end_is_told_in_time();
        return 0;
}
