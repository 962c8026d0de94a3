/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "model/skew.h"

#define UP   (5000 * USEC_PER_SEC) /* CLOCK_BOOTTIME */
#define DATE UINT64_C(1795467995)

static void test_a_clock_that_is_wrong(void) {
        Skew s = { 0 };

        assert(skew_offset(&s, DATE - 10800, UP) == 0); /* not known */
        skew_learn(&s, DATE, UP);
        assert(skew_offset(&s, DATE, UP) == 0);
        assert(skew_offset(&s, DATE + 60, UP) == 0 && skew_offset(&s, DATE - 60, UP) == 0);
        assert(skew_offset(&s, DATE - 61, UP) == 61 && skew_offset(&s, DATE + 61, UP) == -61);
        assert(skew_offset(&s, DATE - 10800, UP) == 10800);
        assert(skew_offset(&s, 1, UP) == (int64_t)DATE - 1);
        /* It goes on with the time, and follows whatever the wall clock is set to. */
        assert(skew_offset(&s, DATE - 10800 + 86400, UP + 86400 * USEC_PER_SEC) == 10800);
        assert(skew_offset(&s, DATE + 86400, UP + 86400 * USEC_PER_SEC) == 0);
}

static void test_slow_answers_change_nothing(void) {
        Skew s = { 0 };

        skew_learn(&s, DATE, UP + 20 * USEC_PER_SEC); /* 20 s on its way */
        assert(skew_offset(&s, DATE - 10800, UP) == 10780);
        skew_learn(&s, DATE, UP); /* a better one */
        skew_learn(&s, DATE, UP + 25 * USEC_PER_SEC);
        assert(skew_offset(&s, DATE - 10800, UP) == 10800);
        /* A server that is set back itself is believed. */
        skew_learn(&s, DATE - 3600, UP);
        assert(skew_offset(&s, DATE, UP) == -3600);
}

static void test_dates_that_are_none(void) {
        Skew s = { 0 };

        skew_learn(&s, 0, UP);
        skew_learn(&s, UINT64_MAX, UP);
        skew_learn(&s, UINT64_C(253402300800), UP); /* the year 10000 */
        assert(!s.known);
        skew_learn(&s, 1, UP); /* before the boot: a server that is lost, too */
        assert(s.known && skew_offset(&s, DATE, UP) == 1 - (int64_t)DATE);
}

static void test_words(void) {
        static const struct {
                int64_t offset;
                const char *text;
        } rows[] = {
                { 61, "1 min slow" },
                { -119, "2 min fast" },
                { 7199, "120 min slow" },
                { 10800, "3 h slow" },
                { -10900, "3 h fast" },
                { 3 * 86400, "3 days slow" },
                { INT64_C(56) * 365 * 86400, "56 years slow" },
        };
        char buf[SKEW_TEXT_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert(streq(skew_text(buf, rows[i].offset), rows[i].text));
}

int main(void) {
        test_a_clock_that_is_wrong();
        test_slow_answers_change_nothing();
        test_dates_that_are_none();
        test_words();
        return 0;
}
