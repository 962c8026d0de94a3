/* SPDX-License-Identifier: MIT */
/*
 * Claims challenges as servers write them, and as they should not.
 */
#undef NDEBUG
#include <assert.h>

#include "model/challenge.h"
#include "model/secret.h"

#define CLAIMS "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ"

static void test_claims_are_found(void) {
        static const char *const headers[] = {
                "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"" CLAIMS "==\"",
                "Bearer claims=\"" CLAIMS "\", error=\"insufficient_claims\"",
                "Basic realm=\"x\", Bearer error=\"insufficient_claims\",Claims=\"" CLAIMS "=\"",
        };

        for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
                CLEANUP(secret_freep) char *claims = NULL;

                assert(challenge_claims(&claims, headers[i]) == 0);
                assert(streq(claims, "{\"access_token\":{\"nbf\":{\"essential\":true}}}"));
        }
}

static void test_other_headers_have_none(void) {
        char *claims = NULL;

        assert(challenge_claims(&claims, "") == -ENOENT);
        assert(challenge_claims(&claims, "Bearer error=\"invalid_token\"") == -ENOENT);
        assert(challenge_claims(&claims, "Bearer xclaims=\"" CLAIMS "\"") == -ENOENT);
        assert(challenge_claims(&claims, "Bearer claims=\"" CLAIMS) == -ENOENT);
        assert(challenge_claims(&claims, "Bearer claims=\"!!!\"") == -EBADMSG);
        assert(challenge_claims(&claims, "Bearer claims=\"\"") == -EBADMSG);
        assert(challenge_claims(&claims, "Bearer claims=\"AAAA\"") == -EBADMSG);
        assert(!claims);
}

int main(void) {
        test_claims_are_found();
        test_other_headers_have_none();
        return 0;
}
