/* SPDX-License-Identifier: MIT */
/*
 * Values of settings in their one spelling. Most are tried as settings, in test-account.c.
 */
#undef NDEBUG
#include <assert.h>

#include "model/value.h"

#define GUID "abcdef01-2345-6789-abcd-ef0123456789"

static void test_resources(void) {
        static const struct {
                const char *text, *want;
        } pairs[] = {
                { "https://apps.azureiotcentral.com", "https://apps.azureiotcentral.com" },
                { "https://apps.azureiotcentral.com/", "https://apps.azureiotcentral.com/" },
                { "https://Apps.example", "https://Apps.example" },
                { "api://" GUID, "api://" GUID },
                { "urn:example", "urn:example" },
                { GUID, GUID },
                { "ABCDEF01-2345-6789-ABCD-EF0123456789", GUID },
                /* of a scope, what stands before /.default */
                { "https://x/.default", "https://x" },
                { "https://x//.default", "https://x/" },
                { "api://" GUID "/.default", "api://" GUID },
                { GUID "/.default", GUID },
                { "https://x/.default/", "https://x/.default/" },
                /* none */
                { "", NULL },
                { "/.default", NULL },
                { "https:/.default", NULL },
                { "openid", NULL },
                { "openid offline_access", NULL },
                { "https://x/.default offline_access", NULL },
                { "offline_access https://x/.default", NULL },
                { GUID "0", NULL },
                { "{" GUID "}", NULL },
                { "abcdef0123456789abcdef0123456789", NULL },
                { "abcdef01-2345-6789-abcd-ef012345678", NULL },
                { "abcdef01-2345-6789-abcd-ef012345678g", NULL },
                { "abcdef01-2345-6789-abcd_ef0123456789", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                CLEANUP(freep) char *got = NULL;

                assert(value_read_resource(&got, pairs[i].text) == (pairs[i].want ? 0 : -EINVAL));
                assert(streq(got, pairs[i].want));
        }
}

int main(void) {
        test_resources();
        return 0;
}
