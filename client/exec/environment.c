/* SPDX-License-Identifier: MIT */
#include "environment.h"

#define LOOPBACK "127.0.0.1"

static int set(const char *name, const char *value) {
        return setenv(name, value, 1) < 0 ? -errno : 0;
}

static int prepend(const char *name, const char *value, char separator) {
        CLEANUP(freep) char *joined = NULL;
        const char *before = getenv(name);

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
        return prepend("PATH", folder, ':');
}

/* A proxy of the person's is for the world outside; libraries would send it our requests, too. */
static int spare_the_proxy(void) {
        static const char *const proxies[] = { "http_proxy", "HTTP_PROXY", "all_proxy",
                                               "ALL_PROXY" };
        static const char *const exceptions[] = { "no_proxy", "NO_PROXY" };
        bool proxied = false;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
                proxied = proxied || !str_empty(getenv(proxies[i]));
        for (size_t i = 0; proxied && i < ARRAY_SIZE(exceptions); i++) {
                r = prepend(exceptions[i], LOOPBACK, ',');
                if (r < 0)
                        return r;
        }
        return 0;
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
