/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "base/display.h"

static void test_members_in_order(void) {
        char buf[1024] = "";
        JsonWriter out = { .f = fmemopen(buf, sizeof(buf), "w") };

        assert(out.f);
        json_writer_open(&out, NULL, '{');
        json_writer_string_or_null(&out, "name", "contoso");
        json_writer_string_or_null(&out, "none", NULL);
        json_writer_bool(&out, "default", true);
        display_json_time(&out, "expires_at", 1795467995);
        display_json_time(&out, "refresh_at", 0);
        json_writer_open(&out, "apps", '[');
        json_writer_string_or_null(&out, NULL, "a");
        json_writer_string_or_null(&out, NULL, "b");
        json_writer_close(&out, ']');
        json_writer_open(&out, "stats", '{');
        json_writer_uint(&out, "requests", UINT64_MAX);
        json_writer_int(&out, "offset", -61);
        json_writer_close(&out, '}');
        json_writer_close(&out, '}');
        json_writer_end(&out);
        json_writer_open(&out, NULL, '[');
        json_writer_close(&out, ']');
        json_writer_end(&out);
        assert(fclose(out.f) == 0);

        assert(streq(buf, "{\"name\":\"contoso\",\"none\":null,\"default\":true,"
                          "\"expires_at\":1795467995,\"expires_at_iso\":\"2026-11-23T21:06:35Z\","
                          "\"refresh_at\":0,\"refresh_at_iso\":null,"
                          "\"apps\":[\"a\",\"b\"],\"stats\":{\"requests\":18446744073709551615,"
                          "\"offset\":-61}}\n"
                          "[]\n"));
}

static void test_what_must_be_escaped(void) {
        char buf[256] = "";
        JsonWriter out = { .f = fmemopen(buf, sizeof(buf), "w") };

        assert(out.f);
        json_writer_string_or_null(&out, NULL, "a\"b\\c/\n\x01\x7fé\xc2\x9b\xe2\x80\xae");
        assert(fclose(out.f) == 0);
        assert(streq(buf, "\"a\\\"b\\\\c/\\u000a\\u0001\\u007fé\\u009b\\u202e\""));
}

int main(void) {
        test_members_in_order();
        test_what_must_be_escaped();
        return 0;
}
