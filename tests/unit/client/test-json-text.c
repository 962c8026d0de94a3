/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "api/json-text.h"

static void expect_pretty(const char *text, size_t piece, const char *expected) {
        CLEANUP(freep) char *out = NULL;
        JsonPretty p = { 0 };
        size_t n;

        p.f = open_memstream(&out, &n);
        assert(p.f);
        for (size_t i = 0; i < strlen(text); i += piece)
                json_pretty_feed(&p, text + i, MIN(piece, strlen(text) - i));
        fclose(p.f);
        assert(streq(out, expected));
}

static void test_pretty(void) {
        static const char text[] = "{\"a\" : [ ] ,\n\"b\":[1.50,{\"c\":\"x\\\"{\"}],\"d\":{}}";
        static const char expected[] = "{\n  \"a\": [],\n  \"b\": [\n    1.50,\n    {\n"
                                       "      \"c\": \"x\\\"{\"\n    }\n  ],\n  \"d\": {}\n}";

        expect_pretty(text, 1, expected);
        expect_pretty(text, 1000, expected);
        expect_pretty("\"\\\\\"", 1000, "\"\\\\\"");
        expect_pretty("12", 1000, "12");
}

static void test_pretty_is_harmless(void) {
        expect_pretty("\"\xc2\x9b"
                      "2J \xe2\x80\xae\x7f\xc3\xa9\"",
                      1000, "\"\\u009b2J \\u202e\\u007f\xc3\xa9\"");
}

static void expect_member(const char *text, const char *name, const char *expected) {
        const char *value;
        size_t n;

        if (!json_text_member(text, strlen(text), name, &value, &n)) {
                assert(!expected);
                return;
        }
        assert(expected && strlen(expected) == n && memcmp(value, expected, n) == 0);
}

static void test_member(void) {
        static const char text[] = " {\"x\": {\"value\": [9]}, \"s\":\"}\\\"value\\\":[8]\","
                                   "\"value\" : [1, [2], \"]\"] ,\"nextLink\":\"u\"}";

        expect_member(text, "value", "[1, [2], \"]\"]");
        expect_member(text, "nextLink", "\"u\"");
        expect_member(text, "x", "{\"value\": [9]}");
        expect_member(text, "none", NULL);
        expect_member("[]", "value", NULL);
        expect_member("{}", "value", NULL);
        expect_member("", "value", NULL);
        expect_member("{\"value\"", "value", NULL);
}

static void test_inside(void) {
        const char *text = "[ 1, 2 ]";
        size_t n = strlen(text);

        assert(json_text_inside(&text, &n) && n == 4 && memcmp(text, "1, 2", n) == 0);
        text = "[ ]";
        n = 3;
        assert(json_text_inside(&text, &n) && n == 0);
        text = "{}";
        n = 2;
        assert(!json_text_inside(&text, &n));
}

static void expect_ascii(const char *value, const char *expected) {
        char text[64];

        memset(text, 'x', sizeof(text));
        if (!json_text_ascii(value, strlen(value), text))
                assert(!expected && !*text && text[1] != value[2]); /* nothing is left of it */
        else
                assert(expected && streq(text, expected));
}

static void test_ascii(void) {
        expect_ascii("\"a=1\\u0026b=\\/\\\"\\u003D\"", "a=1&b=/\"=");
        expect_ascii("\"\"", "");
        expect_ascii("\"a\\n\"", NULL);
        expect_ascii("\"sesame\xc3\xa9\"", NULL);
        expect_ascii("\"\\u00e9\"", NULL);
        expect_ascii("\"\xc3\xa9\"", NULL);
        expect_ascii("\"\\u00\"", NULL);
        expect_ascii("\"\\\"", NULL);
        expect_ascii("12", NULL);
}

int main(void) {
        test_pretty();
        test_pretty_is_harmless();
        test_member();
        test_inside();
        test_ascii();
        return 0;
}
