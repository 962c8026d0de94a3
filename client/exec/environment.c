/* SPDX-License-Identifier: MIT */
#include "exec/environment.h"

#define LOOPBACK "127.0.0.1"

static int set(const char *name, const char *value) {
        return setenv(name, value, 1) < 0 ? -errno : 0;
}

/* value, and what was there behind it. */
static int prepend(const char *name, const char *value, char separator, const char *before) {
        CLEANUP(freep) char *joined = NULL;

        if (str_empty(before))
                return set(name, value);
        if (asprintf(&joined, "%s%c%s", value, separator, before) < 0) {
                joined = NULL;
                return -ENOMEM;
        }
        return set(name, joined);
}

/* Without a PATH programs are looked for where the system has its own (execvp(3)): there still. */
static int path_prepend(const char *folder) {
        char system[256] = "";

        if (!getenv("PATH") && confstr(_CS_PATH, system, sizeof(system)) > 0)
                (void)set("PATH", system);
        return prepend("PATH", folder, ':', getenv("PATH"));
}

static bool is_proxied(void) {
        /* The Azure SDK for JavaScript takes that of https for all. */
        static const char *const proxies[] = { "http_proxy",  "HTTP_PROXY", "https_proxy",
                                               "HTTPS_PROXY", "all_proxy",  "ALL_PROXY" };

        for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
                if (!str_empty(getenv(proxies[i])))
                        return true;
        return false;
}

/* A proxy of the person's is for the world outside; libraries would send it our requests, too. */
static int spare_the_proxy(void) {
        const char *lower = getenv("no_proxy"), *upper = getenv("NO_PROXY");
        CLEANUP(freep) char *shared = NULL;
        int r;

        if (!is_proxied())
                return 0;
        /* Where both are looked at, one that is new would hide the other. */
        if (str_empty(lower) != str_empty(upper)) {
                shared = strdup(str_empty(lower) ? upper : lower);
                if (!shared)
                        return -ENOMEM;
                lower = upper = shared;
        }
        /* All is spared already; beside another entry it would not count. */
        if (lower && streq(lower, "*") && streq(upper, "*"))
                return 0;
        r = prepend("no_proxy", LOOPBACK, ',', lower);
        return r < 0 ? r : prepend("NO_PROXY", LOOPBACK, ',', upper);
}

int environment_set(const char *account, const char *url, const char *secret,
                    const char *az_folder) {
        /* With these beside ours, the SDKs take it for Azure Arc, Service Fabric or Azure ML. */
        static const char *const others[] = { "IMDS_ENDPOINT", "IDENTITY_SERVER_THUMBPRINT",
                                              "MSI_ENDPOINT", "MSI_SECRET" };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                (void)unsetenv(others[i]);
        r = set("IDENTITY_ENDPOINT", url);
        if (r == 0)
                r = set("IDENTITY_HEADER", secret);
        if (r == 0)
                r = set("IOTC_TOKEN_ACCOUNT", account);
        if (r == 0)
                r = spare_the_proxy();
        if (r == 0 && az_folder)
                r = path_prepend(az_folder);
        return r;
}
