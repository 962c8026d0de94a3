/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "common/json-grammar.h"
#include "common/utf8.h"

static void test_what_json_is(void) {
        static const char *const good[] = {
                "{}",
                "[]",
                " { } \r\n\t",
                "{\"a\":1,\"b\":[true,false,null,\"\"]}",
                "\"zo\xc3\xab \xf0\x9f\x98\x80\"",
                "{\"K\xc3\xbc\x63he\":\"T\xc3\xbcr\"}",
                "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fC\"",
                "0",
                "-0.5e+10",
                "18446744073709551616000",
                "1E-400",
                "[[[[]]]]",
                "\"\x7f\"",
        };
        static const char *const bad[] = {
                "",
                " ",
                "{",
                "}",
                "[1,]",
                "{\"a\":1,}",
                "[,1]",
                "[1 2]",
                "{\"a\"}",
                "{\"a\":}",
                "{a:1}",
                "{'a':1}",
                "['a']",
                "{} {}",
                "{}x",
                "// c\n{}",
                "{}/**/",
                "NaN",
                "Infinity",
                "-Infinity",
                "-",
                "+1",
                "01",
                ".5",
                "1.",
                "1e",
                "True",
                "nul",
                "\"",
                "\"a",
                "\"\\",
                "\"\\\"",
                "\"\\x\"",
                "\"\\u12\"",
                "\"\\u12g4\"",
                "\"a\nb\"",
                "\"a\tb\"",
                "\"\x01\"",
                "\"\xff\"",
                "\"\xc3\"",
                "\"\xc3",
                "\"\xed\xa0\x80\"",
                "\xef\xbb\xbf{}",
                "{}\x1b[0m",
                "[[[[[]]]]]",
        };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert(json_is_value(good[i], strlen(good[i]), 4));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(!json_is_value(bad[i], strlen(bad[i]), 4));
        assert(!json_is_value("{}\0", 3, 4));
        assert(!json_is_value("\"a\0b\"", 5, 4));
}

/* Nothing behind the end is looked at, wherever that is. */
static void test_every_end(void) {
        static const char text[] = " {\"a\\u00e9\xc3\xa9\":[-1.5e3,true,null,{}],\"b\":\"\\\\\"}";

        for (size_t n = 0; n < strlen(text); n++) {
                char *part = malloc(n ?: 1);

                assert(part);
                memcpy(part, text, n);
                assert(!json_is_value(part, n, 4));
                free(part);
        }
        assert(json_is_value(text, strlen(text), 4));
}

static void test_length(void) {
        assert(json_value_length(" {\"a\":\"}\"} \x1b[0m", 15, 4) == 10);
        assert(json_value_length("[1]]", 4, 4) == 3);
        assert(json_value_length("12,", 3, 4) == 2);
        assert(json_value_length("{\"a\":", 5, 4) == 0);
}

static void test_utf8(void) {
        static const char *const bad[] = {
                "\x80", "\xc1\x81", "\xe0\x80\x80",           "\xed\xa0\x80", "\xf4\x90\x80\x80",
                "\xc3", "caf\xe9",  "\x85padding long enough"
        };

        assert(utf8_is_valid("caf\xc3\xa9 \xf0\x9f\x98\x80", 10));
        assert(utf8_is_valid("", 0));
        assert(!utf8_is_valid("a\0b", 3));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(!utf8_is_valid(bad[i], strlen(bad[i])));
}

int main(void) {
        test_what_json_is();
        test_every_end();
        test_length();
        test_utf8();
        return 0;
}
