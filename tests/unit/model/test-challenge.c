/* SPDX-License-Identifier: MIT */
/*
 * Claims challenges as servers write them, and as they should not.
 */
#undef NDEBUG
#include <assert.h>

#include "common/secret.h"
#include "model/challenge.h"
#include "model/limits.h"

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

/* The header may be as long as it likes, the claims go into a request. */
static void test_long_ones(void) {
        static char header[100000];
        char *claims = NULL;

        (void)snprintf(header, sizeof(header), "Basic realm=\"%0*d\", Bearer claims=\"%s\"", 90000,
                       0, CLAIMS);
        assert(challenge_claims(&claims, header) == 0);
        assert(streq(claims, "{\"access_token\":{\"nbf\":{\"essential\":true}}}"));
        claims = secret_free(claims);
        /* "{}" and so many spaces. */
        for (size_t n = LIMIT_CLAIMS - 4; n <= LIMIT_CLAIMS + 2; n += 6) {
                size_t at = (size_t)snprintf(header, sizeof(header), "Bearer claims=\"e30g");

                for (size_t i = 3; i < n; i += 3)
                        at += (size_t)snprintf(header + at, sizeof(header) - at, "ICAg");
                (void)snprintf(header + at, sizeof(header) - at, "\"");
                assert(challenge_claims(&claims, header) == (n > LIMIT_CLAIMS ? -EBADMSG : 0));
                claims = secret_free(claims);
        }
}

int main(void) {
        test_claims_are_found();
        test_long_ones();
        test_other_headers_have_none();
        return 0;
}
