/* SPDX-License-Identifier: MIT */
#include "store.h"
#include "common/memory.h"
#include "common/paths.h"
#include "io/config/config.h"
#include "io/log.h"

static int open_none(Keyring **ret, sd_event *event, const char *problem, KeyringStateFn fn,
                     void *userdata) {
        CLEANUP(freep)
        char *why = xasprintf("%s. Until that is mended no secret is kept: mend it, and then run: "
                              "systemctl --user restart iotc-tokend",
                              problem);

        return keyring_new_none(ret, event, why, fn, userdata);
}

int store_open(Keyring **ret, sd_event *event, const char *system_path, const char *user_path,
               KeyringStateFn fn, void *userdata) {
        CLEANUP(config_freep) Config *c = NULL;
        CLEANUP(freep) char *folder = NULL;
        int r;

        r = config_load(&c, system_path, user_path);
        if (r < 0)
                return r;
        if (c->store == CONFIG_STORE_KEYRING)
                return keyring_new(ret, event, fn, userdata);
        if (c->store == CONFIG_STORE_UNKNOWN)
                return open_none(ret, event, c->problem ?: "The setting store is bad", fn,
                                 userdata);
        folder = path_in_home("XDG_DATA_HOME", ".local/share", "secrets");
        if (!folder)
                return open_none(ret, event, "Neither XDG_DATA_HOME nor HOME is set", fn, userdata);
        log_info("Secrets are kept in %s, encrypted; the system's keyring is not used", folder);
        return keyring_new_file(ret, event, folder, c->key_file, fn, userdata);
}
