/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "base/json-out.h"

static void test_members_in_order(void) {
        char buf[1024] = "";
        JsonOut out = { .f = fmemopen(buf, sizeof(buf), "w") };

        assert(out.f);
        json_out_open(&out, NULL, '{');
        json_out_string(&out, "name", "contoso");
        json_out_string(&out, "none", NULL);
        json_out_bool(&out, "default", true);
        json_out_time(&out, "expires_at", 1795467995);
        json_out_time(&out, "refresh_at", 0);
        json_out_open(&out, "apps", '[');
        json_out_string(&out, NULL, "a");
        json_out_string(&out, NULL, "b");
        json_out_close(&out, ']');
        json_out_open(&out, "stats", '{');
        json_out_uint(&out, "requests", UINT64_MAX);
        json_out_int(&out, "offset", -61);
        json_out_close(&out, '}');
        json_out_close(&out, '}');
        json_out_end(&out);
        json_out_open(&out, NULL, '[');
        json_out_close(&out, ']');
        json_out_end(&out);
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
        JsonOut out = { .f = fmemopen(buf, sizeof(buf), "w") };

        assert(out.f);
        json_out_string(&out, NULL, "a\"b\\c/\n\x01\x7fé\xc2\x9b\xe2\x80\xae");
        assert(fclose(out.f) == 0);
        assert(streq(buf, "\"a\\\"b\\\\c/\\u000a\\u0001\\u007fé\\u009b\\u202e\""));
}

int main(void) {
        test_members_in_order();
        test_what_must_be_escaped();
        return 0;
}
