/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "api/token-text.h"

static void test_ids(void) {
        assert(token_id_is_valid("ci"));
        assert(token_id_is_valid("0123456789012345678901234567890123456789"));
        assert(!token_id_is_valid("01234567890123456789012345678901234567890"));
        assert(!token_id_is_valid(""));
        assert(!token_id_is_valid("-x"));
        assert(!token_id_is_valid("a_b"));
        assert(!token_id_is_valid("caf\xc3\xa9"));
}

static void expect_id(const char *token, const char *expected) {
        CLEANUP(freep) char *id = token_id_of(token);

        assert(streq(id, expected));
}

static void test_id_of_a_token(void) {
        expect_id("SharedAccessSignature sr=a&sig=b%3D&skn=ci&se=1", "ci");
        expect_id("SharedAccessSignature skn=a%20b%2f&sr=x", "a b/");
        expect_id("SharedAccessSignature sr=a&xskn=no", NULL);
        expect_id("SharedAccessSignature sr=a&skn=%4", "%4");
        expect_id("", NULL);
}

static void expect_next(const char *id, unsigned number, const char *expected) {
        CLEANUP(freep) char *made = token_id_make(id, number);

        assert(streq(made, expected));
        assert(token_id_is_valid(made));
}

static void test_rotation(void) {
        expect_next("ci", 2, "ci-r2");
        expect_next("ci-r2", 3, "ci-r3");
        expect_next("line-7", 2, "line-7-r2");
        expect_next("0123456789012345678901234567890123456789", 12,
                    "012345678901234567890123456789012345-r12");
        assert(token_id_is_kin("ci", "ci-r12") && token_id_is_kin("ci-r2", "ci-r3"));
        assert(!token_id_is_kin("ci", "ci-2") && !token_id_is_kin("ci", "cir2"));
        assert(!token_id_is_kin("-r2", "ci"));
        assert(token_id_number("ci") == 1 && token_id_number("ci-r12") == 12);
}

static void expect_expiry(const char *text, const char *expected) {
        char at[TOKEN_TIME_SIZE];

        /* now: 2026-11-26T00:00:00Z */
        if (!token_expiry_parse(at, text, 1795651200))
                assert(!expected);
        else
                assert(expected && streq(at, expected));
}

static void test_expiry(void) {
        expect_expiry("2027-01-31", "2027-01-31T23:59:59Z");
        expect_expiry("2026-11-26", "2026-11-26T23:59:59Z");
        expect_expiry("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z");
        expect_expiry("12h", "2026-11-26T12:00:00Z");
        expect_expiry("30d", "2026-12-26T00:00:00Z");
        expect_expiry("2w", "2026-12-10T00:00:00Z");
        expect_expiry("1y", "2027-11-26T00:00:00Z");
        expect_expiry("2026-11-25", NULL);
        expect_expiry("2027-02-30", NULL);
        expect_expiry("2027-1-1", NULL);
        expect_expiry("0d", NULL);
        expect_expiry("-3d", NULL);
        expect_expiry("3", NULL);
        expect_expiry("3 d", NULL);
        expect_expiry("999999d", NULL);
        expect_expiry("", NULL);
        expect_expiry("tomorrow", NULL);
}

static void test_time(void) {
        assert(token_time_parse("2020-10-18T18:30:40.227Z") == 1603045840);
        assert(token_time_parse("2020-10-18T18:30:40Z") == 1603045840);
        assert(token_time_parse("2020-10-18") == 0);
        assert(token_time_parse("") == 0);
}

static void test_life(void) {
        const uint64_t at = 1795651200, day = 86400;
        char text[TOKEN_TIME_SIZE];

        assert(token_time_print(text, at) && streq(text, "2026-11-26T00:00:00Z"));
        assert(token_life(at, at + 90 * day) == 90 * day);
        assert(token_life(at + 5, at + 365 * day) == 365 * day);
        assert(token_life(at + 600, at + day) == day);
        assert(token_life(at - 600, at + day) == day);
        assert(token_life(at + 30, at + 5 * 3600) == 5 * 3600);
        /* Made some time before, or not known. */
        assert(token_life(at + 601, at + 90 * day) == 0);
        assert(token_life(at + day / 2, at + 90 * day) == 0);
        assert(token_life(at + 700, at + 3600) == 0);
        assert(token_life(at, at + 300) == 0);
        assert(token_life(at, at) == 0 && token_life(at, at - 1) == 0);
        assert(token_life(at, 0) == 0 && token_life(0, at) == 0);
}

int main(void) {
        test_ids();
        test_id_of_a_token();
        test_rotation();
        test_expiry();
        test_life();
        test_time();
        return 0;
}
