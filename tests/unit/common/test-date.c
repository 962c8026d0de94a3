/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <locale.h>
#include <time.h>

#include "common/date.h"

static void test_three_forms(void) {
        assert(date_from_http("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
        assert(date_from_http("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
        assert(date_from_http("Sun Nov  6 08:49:37 1994") == 784111777);
        assert(date_from_http("Thu, 01 Jan 1970 00:17:40 GMT") == 1060);
        assert(date_from_http("Thursday, 01-Jan-26 00:00:00 GMT") == 1767225600);
        /* After 2038, and after 2106, whatever a long is. */
        assert(date_from_http("Sun, 06 Nov 2094 08:49:37 GMT") == UINT64_C(3939871777));
        assert(date_from_http("Fri, 31 Dec 9999 23:59:59 GMT") == UINT64_C(253402300799));
        /* Whatever language the user speaks. */
        if (setlocale(LC_ALL, "de_DE.UTF-8"))
                assert(date_from_http("Tue, 06 Dec 1994 08:49:37 GMT") == 786703777);
}

static void test_what_is_none(void) {
        static const char *const bad[] = {
                "",
                "7",
                "soon",
                "Sun, 06 Foo 1994 08:49:37 GMT",
                "Sun, 06 anF 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 08:49:37",
                "Sun, 06 Nov 1994 08:49:37 GMT+1",
                "Sun, 06 Nov 1894 08:49:37 GMT",
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "1994-11-06T08:49:37Z",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(date_from_http(bad[i]) == 0);
}

int main(void) {
        assert(sizeof(time_t) == 8); /* see meson.build */
        test_three_forms();
        test_what_is_none();
        return 0;
}
