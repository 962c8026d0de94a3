/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "attention/rules.h"

#define NOW     UINT64_C(1700000000)
#define HOUR    3600
#define DAY     86400
#define FOREVER (1000 * (uint64_t)DAY)

static void test_once_an_hour(void) {
        const struct {
                uint64_t told_at, quiet_until, at;
        } rows[] = {
                { 0, 0, NOW },                    /* never */
                { NOW, 0, NOW + HOUR },           /* just now */
                { NOW - 10, 0, NOW + HOUR - 10 }, /* before a restart, too */
                { NOW - HOUR, 0, NOW },           /* long enough */
                { NOW - FOREVER, 0, NOW },
                { NOW + 60, 0, NOW + HOUR + 60 }, /* the clock was set back a little */
                { NOW + FOREVER, 0, NOW },        /* by years */
                { NOW - HOUR, NOW + 60, NOW + 60 },
                { NOW, NOW + DAY, NOW + DAY }, /* later */
                { NOW, NOW + 60, NOW + HOUR },
                { NOW - DAY, NOW - 1, NOW },
                { NOW - DAY, NOW + FOREVER, NOW },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert(attention_at((AttentionPast){ rows[i].told_at, rows[i].quiet_until }, NOW) ==
                       rows[i].at);
}

static void test_who_is_used(void) {
        assert(!attention_is_used(0, NOW));
        assert(attention_is_used(NOW, NOW));
        assert(attention_is_used(NOW - 13 * DAY, NOW));
        assert(!attention_is_used(NOW - 14 * DAY, NOW));
        assert(!attention_is_used(NOW - FOREVER, NOW));
        assert(attention_is_used(NOW + DAY, NOW));
}

static void test_an_end_is_told_twice(void) {
        /* Told when 14 days were left, and started again three days later. */
        uint64_t end = NOW + 11 * DAY, told_at = NOW - 3 * DAY;

        assert(!attention_end_was_told((AttentionPast){ 0 }, 11 * DAY, NOW));
        assert(attention_end_was_told((AttentionPast){ told_at, 0 }, 11 * DAY, NOW));
        /* It was another token's. */
        assert(!attention_end_was_told((AttentionPast){ NOW - 30 * DAY, 0 }, 11 * DAY, NOW));
        /* Three days are left. */
        assert(!attention_end_was_told((AttentionPast){ told_at, 0 }, 3 * DAY, end - 3 * DAY));
        assert(attention_end_was_told((AttentionPast){ end - 3 * DAY, 0 }, DAY, end - DAY));
}

int main(void) {
        test_once_an_hour();
        test_who_is_used();
        test_an_end_is_told_twice();
        return 0;
}
