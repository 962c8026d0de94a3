/* SPDX-License-Identifier: MIT */
/*
 * The pure edge of http: how long a Retry-After is. The rest is tested with servers, in
 * test_fetch_faults.py and test_cli_api.py.
 */
#undef NDEBUG
#include <assert.h>

#include "common/http.h"

static bool asks_for(const char *value, uint64_t expected) {
        /* Thu, 01 Jan 1970 00:16:40 GMT */
        const uint64_t now = 1000;
        uint64_t seconds;

        return http_retry_after(&seconds, value, now) && seconds == expected;
}

static void test_retry_after(void) {
        uint64_t seconds;

        assert(asks_for("0", 0));
        assert(asks_for("7", 7));
        assert(asks_for("999999999999999999999", HTTP_RETRY_AFTER_MAX));
        assert(asks_for("86400", HTTP_RETRY_AFTER_MAX));
        assert(asks_for("Thu, 01 Jan 1970 00:17:40 GMT", 60));
        assert(asks_for("Thu, 01 Jan 1970 00:16:30 GMT", 0));
        assert(asks_for("Sun, 06 Nov 2094 08:49:37 GMT", HTTP_RETRY_AFTER_MAX));
        assert(!http_retry_after(&seconds, "", 1000));
        assert(!http_retry_after(&seconds, "-5", 1000));
        assert(!http_retry_after(&seconds, "7 seconds", 1000));
        assert(!http_retry_after(&seconds, "soon", 1000));
}

int main(void) {
        test_retry_after();
        return 0;
}
