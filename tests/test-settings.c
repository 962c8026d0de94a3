/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "settings.h"

static int read_text(Settings *settings, const char *text) {
        FILE *f = fmemopen((void *)text, strlen(text), "r");
        int r;

        assert(f);
        r = settings_read(settings, f);
        fclose(f);
        return r;
}

static void test_both(void) {
        CLEANUP(settings_deinit) Settings settings = { 0 };

        assert(read_text(&settings,
                         "# [iotc-token]\n[account x]\nproxy=http://wrong\n\n[iotc-token]\n"
                         " proxy = http://p:1 \r\n#ca-bundle=/wrong\nca-bundle=/a b.pem\nnonsense\n"
                         "[account y]\nca-bundle=/wrong\naz = /opt/az\n[account z]\naz=/b\n") == 1);
        assert(streq(settings.proxy, "http://p:1"));
        assert(streq(settings.ca_bundle, "/a b.pem"));
        assert(streq(settings.az, "/opt/az"));
}

static void test_none(void) {
        CLEANUP(settings_deinit) Settings settings = { 0 };

        assert(read_text(&settings, "az=/w\n[account x]\nproxy=http://wrong\n[iotc]\naz=/w\n") ==
               0);
        assert(!settings.proxy && !settings.ca_bundle && !settings.az);
        assert(read_text(&settings, "[iotc-token]\nproxy=\n") == 1);
        assert(!settings.proxy);
}

int main(void) {
        test_both();
        test_none();
        return 0;
}
