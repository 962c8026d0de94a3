/* SPDX-License-Identifier: MIT */
/*
 * The pure edges of http: which URL may be spoken to, how long a Retry-After is. The rest is tested
 * with servers, in test_fetch.py.
 */
#undef NDEBUG
#include <assert.h>

#include "fetch/http.h"
#include "model/limits.h"

static void test_which_url_is_safe(void) {
        static const char *const safe[] = {
                "https://login.microsoftonline.com",
                "https://login.example:8443/adfs",
                "HTTPS://LOGIN.example/",
                "http://localhost:8080",
                "http://127.0.0.1:1/x?y",
                "http://127.9.9.9",
                "http://[::1]:80/",
                "https://login.example/#/device",
        };
        static const char *const unsafe[] = {
                "",
                "login.microsoftonline.com",
                "http://login.microsoftonline.com",
                "http://127.0.0.1.example.com",
                "http://localhost.example.com",
                "http://128.0.0.1",
                "http://[::2]/",
                "http://0.0.0.0/",
                "ftp://localhost/",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "https://user@login.example",
                "https://user:pw@login.example",
                "https://login.example/\"",
                "https://login.example/<x>",
                "https://login.example/a b",
                "https://login.example/\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(safe); i++)
                assert(http_url_is_safe(safe[i]));
        for (size_t i = 0; i < ARRAY_SIZE(unsafe); i++)
                assert(!http_url_is_safe(unsafe[i]));
}

static void test_the_host_of_a_url(void) {
        char text[HTTP_ERROR_MAX];

        assert(streq(http_url_host("https://login.example:1/x", text), "login.example"));
        assert(streq(http_url_host("nonsense nonsense", text), "the server"));
}

static void test_retry_after(void) {
        /* Thu, 01 Jan 1970 00:16:40 GMT */
        const uint64_t now = 1000;

        assert(http_retry_after("0", now) == 0);
        assert(http_retry_after("7", now) == 7);
        assert(http_retry_after("999999999999999999999", now) == LIMIT_RETRY_AFTER_SECONDS);
        assert(http_retry_after("86400", now) == LIMIT_RETRY_AFTER_SECONDS);
        assert(http_retry_after("Thu, 01 Jan 1970 00:17:40 GMT", now) == 60);
        assert(http_retry_after("Thu, 01 Jan 1970 00:16:30 GMT", now) == 0);
        assert(http_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", now) == LIMIT_RETRY_AFTER_SECONDS);
        assert(http_retry_after("", now) == 0);
        assert(http_retry_after("-5", now) == 0);
        assert(http_retry_after("7 seconds", now) == 0);
        assert(http_retry_after("soon", now) == 0);
}

int main(void) {
        test_which_url_is_safe();
        test_the_host_of_a_url();
        test_retry_after();
        return 0;
}
