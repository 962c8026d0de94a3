/* SPDX-License-Identifier: MIT */
#include "base/az-version.h"
#include "base/i18n.h"

static const AzFault faults[] = {
        /* Azure/azure-cli #14128, #20219 */
        { "0", "2.29.99", false,
          N_("Before 2.30 az does not use MSAL, and may not tell when a token ends."),
          "az upgrade" },
        /* Azure/azure-cli #32853, #32931 */
        { "2.83.0", "2.83.0", true,
          N_("It fails with \"Can't find token from MSAL cache\" for every resource but Azure "
             "Resource Manager, so for IoT Central. Install any other version."),
          "az upgrade" },
};

bool az_version_read(char version[AZ_VERSION_SIZE], const char *output) {
        static const char *const key = "\"azure-cli\"";
        const char *p = output;

        while ((p = strstr(p, key))) {
                size_t n;

                p += strlen(key);
                p += strspn(p, " \t\r\n:");
                n = *p == '"' ? strspn(p + 1, "0123456789.") : 0;
                if (n == 0 || n >= AZ_VERSION_SIZE)
                        continue;
                memcpy(version, p + 1, n);
                version[n] = '\0';
                return true;
        }
        return false;
}

/* Numbers between dots, as far as both go; what is missing is 0. */
static int version_compare(const char *a, const char *b) {
        while (*a || *b) {
                char *a_end, *b_end;
                unsigned long x = strtoul(a, &a_end, 10), y = strtoul(b, &b_end, 10);

                if (x != y)
                        return x < y ? -1 : 1;
                a = a_end + strspn(a_end, ".");
                b = b_end + strspn(b_end, ".");
        }
        return 0;
}

const AzFault *az_version_fault(const char *version) {
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
                if (version_compare(version, faults[i].from) >= 0 &&
                    version_compare(version, faults[i].to) <= 0)
                        return &faults[i];
        return NULL;
}
