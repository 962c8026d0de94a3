/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "base/az-version.h"

static void test_what_az_prints(void) {
        char version[AZ_VERSION_SIZE];

        assert(az_version_read(version, "{\n  \"azure-cli\": \"2.45.0\",\n"
                                        "  \"azure-cli-core\": \"2.45.1\",\n"
                                        "  \"extensions\": {}\n}\n"));
        assert(streq(version, "2.45.0"));
        assert(az_version_read(version, "{\"azure-cli\":\"2.83.0\"}") && streq(version, "2.83.0"));
        /* Whatever others' code writes around it. */
        assert(az_version_read(version, "\x1b[33mThe package \"azure-cli\" is old\x1b[0m\n"
                                        "{\"azure-cli\": \"2.74.0\"}\x1b[0m"));
        assert(streq(version, "2.74.0"));
        assert(!az_version_read(version, ""));
        assert(!az_version_read(version, "{\"azure-cli-core\": \"2.45.0\"}"));
        assert(!az_version_read(version, "{\"azure-cli\""));
        assert(!az_version_read(version, "{\"azure-cli\": null}"));
        assert(!az_version_read(version, "{\"azure-cli\": \"\"}"));
        assert(!az_version_read(version, "{\"azure-cli\": \"1.1.1.1.1.1.1.1.1.1.1.1.1.1\"}"));
}

static void test_known_faults(void) {
        static const struct {
                const char *version;
                bool known, broken;
        } table[] = {
                { "2.83.0", true, true },   { "2.83", true, true },     { "2.83.1", false, false },
                { "2.82.0", false, false }, { "2.84.0", false, false }, { "2.45.0", false, false },
                { "2.30.0", false, false }, { "2.29.2", true, false },  { "2.9.1", true, false },
                { "1.0", true, false },     { "3.0.0", false, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                const AzFault *fault = az_version_fault(table[i].version);

                assert(!fault == !table[i].known);
                assert(!fault || fault->broken == table[i].broken);
        }
}

int main(void) {
        test_what_az_prints();
        test_known_faults();
        return 0;
}
