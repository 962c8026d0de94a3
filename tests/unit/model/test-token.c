/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "model/token.h"

static void test_header_and_value_are_one_string(void) {
        CLEANUP(token_unrefp) Token *bearer = NULL;
        CLEANUP(token_unrefp) Token *api_token = NULL;

        assert(token_new(&bearer, TOKEN_TYPE_BEARER, "abc.def-1~+/==") == 0);
        assert(streq(bearer->value, "abc.def-1~+/=="));
        assert(streq(bearer->header, "Bearer abc.def-1~+/=="));
        assert(streq(token_type_to_string(bearer->type), "bearer"));

        /* The application wants its own tokens without a scheme word of ours. */
        assert(token_new(&api_token, TOKEN_TYPE_API_TOKEN, "SharedAccessSignature sr=1") == 0);
        assert(streq(api_token->header, "SharedAccessSignature sr=1"));
        assert(api_token->value == api_token->header);
        assert(streq(token_type_to_string(api_token->type), "api-token"));
}

/* It goes into a header and, unseen, onto the bus. */
static void test_what_is_no_token(void) {
        static const char *const bad[] = { "", "a\nb", "a\r\nX: y", "\xff", "\xc3\xbc", "a\x7f" };
        Token *t;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                assert(token_new(&t, TOKEN_TYPE_BEARER, bad[i]) == -EBADMSG);
                assert(token_new(&t, TOKEN_TYPE_API_TOKEN, bad[i]) == -EBADMSG);
        }
        assert(token_new(&t, TOKEN_TYPE_BEARER, "a b") == -EBADMSG);
}

static void test_the_last_reference_frees(void) {
        CLEANUP(token_unrefp) Token *t = NULL;
        Token *second;

        assert(token_new(&t, TOKEN_TYPE_BEARER, "a") == 0);
        second = token_ref(t);
        assert(second == t);
        assert(!token_unref(second));
        assert(streq(t->value, "a"));
        assert(!token_unref(NULL));
}

static void test_time_left(void) {
        CLEANUP(token_unrefp) Token *t = NULL;

        assert(token_left_usec(NULL, 5) == 0);
        assert(token_new(&t, TOKEN_TYPE_BEARER, "a") == 0);
        /* Until somebody says otherwise a token has no end. */
        assert(t->ends_at == 0);
        assert(token_left_usec(t, UINT64_MAX - 1) == USEC_INFINITY);
        t->expires_usec = 100;
        assert(token_left_usec(t, 0) == 100);
        assert(token_left_usec(t, 99) == 1);
        assert(token_left_usec(t, 100) == 0);
        assert(token_left_usec(t, UINT64_MAX) == 0);
}

int main(void) {
        test_header_and_value_are_one_string();
        test_what_is_no_token();
        test_the_last_reference_frees();
        test_time_left();
        return 0;
}
