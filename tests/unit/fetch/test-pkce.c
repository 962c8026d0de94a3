/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "fetch/pkce.h"

/* RFC 7636, appendix B. */
static void test_the_example_of_the_rfc(void) {
        char challenge[PKCE_SIZE];

        assert(pkce_challenge(challenge, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == 0);
        assert(streq(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
}

static void test_random(void) {
        char seen[64][PKCE_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
                assert(pkce_random(seen[i]) == 0);
                assert(strlen(seen[i]) == PKCE_SIZE - 1);
                assert(strspn(seen[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_") == PKCE_SIZE - 1);
                for (size_t j = 0; j < i; j++)
                        assert(!streq(seen[i], seen[j]));
        }
}

static void test_same(void) {
        assert(pkce_same("abc", "abc"));
        assert(!pkce_same("abc", "abd"));
        assert(!pkce_same("abc", "ab"));
        assert(!pkce_same("abc", "abcd"));
        assert(!pkce_same("abc", ""));
        assert(!pkce_same("abc", NULL));
}

int main(void) {
        test_the_example_of_the_rfc();
        test_random();
        test_same();
        return 0;
}
