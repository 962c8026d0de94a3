/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "model/api-token.h"

#define GUID "8a0617d3-5b6c-4d0f-b6a2-0d4f35a3c001"

static void expect_good(const char *text, uint64_t want) {
        const char *why = NULL;
        uint64_t expires_at = 1;

        assert(api_token_check(text, &expires_at, &why) == 0);
        assert(expires_at == want);
}

static void expect_bad(const char *text, const char *hint) {
        const char *why = NULL;
        uint64_t expires_at = 0;

        assert(api_token_check(text, &expires_at, &why) == -EINVAL);
        assert(why && strstr(why, hint));
        /* The reason is a sentence of ours: what was pasted may be somebody's secret. */
        assert(strlen(text) < 24 || !strstr(why, text));
}

static void test_what_the_application_gives(void) {
        expect_good("SharedAccessSignature sr=" GUID "&sig=a%2Bb%3D&skn=ci&se=1893456000000",
                    1893456000);
        expect_good("SharedAccessSignature sr=" GUID "&sig=x&skn=ci&se=1893456000", 1893456000);
        /* Below a second is cut, so that it never counts as living longer than it does. */
        expect_good("SharedAccessSignature sr=" GUID "&sig=x&skn=ci&se=1893456000999", 1893456000);
        expect_good("SharedAccessSignature sr=" GUID "&sig=x&skn=ci", 0);
        expect_good("SharedAccessSignature se=1893456000000&skn=a&sig=x&sr=1", 1893456000);
        expect_good("SharedAccessSignature sr=1&sig=x&se=99999999999999", 99999999999);
}

static void test_what_people_paste_instead(void) {
        expect_bad("", "begins with");
        expect_bad("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.x", "bearer token");
        expect_bad("Bearer abcdefgh", "bearer token");
        expect_bad("bearer abcdefgh", "bearer token");
        expect_bad("sr=1&sig=2&se=3", "begins with");
        expect_bad(" SharedAccessSignature sr=1&sig=2", "begins with");
        expect_bad("sharedaccesssignature sr=1&sig=2", "begins with");
        expect_bad("SharedAccessSignature", "begins with");
        expect_bad("SharedAccessSignature ", "missing");
        expect_bad("SharedAccessSignature sr=" GUID, "missing");
        expect_bad("SharedAccessSignature sig=x", "missing");
        expect_bad("SharedAccessSignature sr=&sig=x", "missing");
        expect_bad("SharedAccessSignature sr=1&sig=", "missing");
        expect_bad("SharedAccessSignature xsr=1&sig=1", "missing");
        /* Copied together with what stood around it. */
        expect_bad("SharedAccessSignature sr=1&sig=2 or so", "missing");
        expect_bad("SharedAccessSignature sr=1&sig=2\n", "characters");
        expect_bad("SharedAccessSignature sr=1&sig=2\r\nX-Injected: 1", "characters");
        expect_bad("SharedAccessSignature sr=1&sig=\xc3\xa9", "characters");
}

static void test_an_end_that_is_no_time(void) {
        static const char *const ends[] = {
                "1",          "123456789",       "x893456000",     "18934560.0",
                "-893456000", "189345600012345", "1893456000000s", "18446744073709551616",
        };

        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                char text[128];

                snprintf(text, sizeof(text), "SharedAccessSignature sr=1&sig=2&se=%s", ends[i]);
                expect_bad(text, "no time");
        }
}

int main(void) {
        test_what_the_application_gives();
        test_what_people_paste_instead();
        test_an_end_that_is_no_time();
        return 0;
}
