/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "common/json.h"
#include "common/secret.h"

static int parse(Json **ret, const char *text) {
        return json_parse(ret, text, strlen(text));
}

static void test_only_one_object_is_read(void) {
        static const char *const bad[] = {
                "",
                "null",
                "[]",
                "\"x\"",
                "{",
                "{} {}",
                "{}x",
                "{\"a\":\"\xff\"}",
                "<html>",
                "{\"a\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}",
                "5",
                "{'a':1}",
                "{\"a\":\"b\nc\"}",
                "{\"a\":NaN}",
                "{\"a\":1}//",
        };
        Json *object = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(parse(&object, bad[i]) == -EBADMSG);
        assert(parse(&object, " {\"a\" : \"b\"} \r\n") == 0);
        assert(streq(json_string(object, "a"), "b"));
        json_free(object);
}

static void test_what_is_not_ascii(void) {
        CLEANUP(json_freep) Json *object = NULL;
        uint64_t value;

        assert(parse(&object,
                     "{\"n\":1,\"zo\xc3\xab\":\"zo\xc3\xab@contoso.example\","
                     "\"escaped\":\"zo\\u00eb\",\"wide\":\"\xf0\x9f\x98\x80\","
                     "\"long\":99999999999999999999,\"array\":[{\"k\":\"\xc3\xa4\"}]}") == 0);
        assert(streq(json_string(object, "zo\xc3\xab"), "zo\xc3\xab@contoso.example"));
        assert(streq(json_string(object, "escaped"), "zo\xc3\xab"));
        assert(streq(json_string(object, "wide"), "\xf0\x9f\x98\x80"));
        assert(streq(json_string(json_first(object, "array"), "k"), "\xc3\xa4"));
        assert(json_uint(object, "long", &value) == 0 && value == UINT64_MAX);
}

static void test_escapes(void) {
        CLEANUP(json_freep) Json *object = NULL;

        assert(parse(&object, "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"pair\":\"\\ud83d\\ude00\","
                              "\"half\":\"x\\ud83dy\",\"other\":\"\\ude00\\ud83d\","
                              "\"\\u0061b\" : \"\\u20ac\",\"last\":1,\"last\":\"2\"}") == 0);
        assert(streq(json_string(object, "a"), "\"\\/\b\f\n\r\t"));
        assert(streq(json_string(object, "pair"), "\xf0\x9f\x98\x80"));
        assert(streq(json_string(object, "half"), "x\xef\xbf\xbdy"));
        assert(streq(json_string(object, "other"), "\xef\xbf\xbd\xef\xbf\xbd"));
        assert(streq(json_string(object, "ab"), "\xe2\x82\xac"));
        assert(streq(json_string(object, "last"), "2"));
}

/* As deep as it is said, and no deeper. */
static void test_depth(void) {
        static const char deep[] = "{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}";
        CLEANUP(json_freep) Json *object = NULL;

        assert(parse(&object, deep) == 0);
        assert(json_first(object, "a") && !json_next(json_first(object, "a")));
}

static void test_numbers_in_every_dress(void) {
        CLEANUP(json_freep) Json *object = NULL;
        uint64_t value;

        assert(parse(&object,
                     "{\"i\":3599,\"s\":\"3599\",\"f\":3599.7,\"n\":-1,\"x\":\"1h\","
                     "\"big\":\"99999999999999999999\",\"null\":null,\"nul\":\"a\\u0000b\"}") == 0);
        assert(json_uint(object, "i", &value) == 0 && value == 3599);
        assert(json_uint(object, "s", &value) == 0 && value == 3599);
        assert(json_uint(object, "f", &value) == 0 && value == 3599);
        assert(json_uint(object, "n", &value) == -EBADMSG);
        assert(json_uint(object, "x", &value) == -EBADMSG);
        assert(json_uint(object, "big", &value) == -EBADMSG);
        assert(json_uint(object, "null", &value) == -ENOENT);
        assert(json_uint(object, "absent", &value) == -ENOENT);
        assert(!json_string(object, "nul"));
        assert(!json_string(object, "i"));
}

static void test_what_is_written_is_read_back(void) {
        CLEANUP(json_freep) Json *object = NULL;
        CLEANUP(secret_freep) char *text = NULL;
        JsonWriter w = { 0 };
        const Json *inner;
        uint64_t value;
        size_t n;

        json_writer_open(&w, NULL, '{');
        json_writer_string(&w, "quote", "a\"b\\c\n\x01é");
        json_writer_string(&w, "absent", NULL);
        json_writer_uint(&w, "number", 18);
        json_writer_open(&w, "list", '[');
        json_writer_open(&w, NULL, '{');
        json_writer_string(&w, "k", "v");
        json_writer_close(&w, '}');
        json_writer_open(&w, NULL, '{');
        json_writer_close(&w, '}');
        json_writer_close(&w, ']');
        json_writer_string(&w, "last", "");
        json_writer_close(&w, '}');
        text = json_writer_finish(&w, &n);
        assert(strlen(text) == n);

        assert(json_parse(&object, text, n) == 0);
        assert(streq(json_string(object, "quote"), "a\"b\\c\n\x01é"));
        assert(json_uint(object, "number", &value) == 0 && value == 18);
        inner = json_first(object, "list");
        assert(streq(json_string(inner, "k"), "v"));
        inner = json_next(inner);
        assert(inner && !json_string(inner, "k") && !json_next(inner));
        assert(streq(json_string(object, "last"), ""));
}

int main(void) {
        test_only_one_object_is_read();
        test_what_is_not_ascii();
        test_escapes();
        test_depth();
        test_numbers_in_every_dress();
        test_what_is_written_is_read_back();
        return 0;
}
