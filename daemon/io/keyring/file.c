/* SPDX-License-Identifier: MIT */
/*
 * A keyring that is no service on the bus: encrypted files, or nothing. Nobody watches it and it
 * asks nobody; what can be known of it, an unlock finds out, which reads its key.
 */
#include "io/keyring/keyring-private.h"
#include "io/keyring/store-file.h"

int keyring_set_key_file(Keyring *k, const char *key_file) {
        char *copy;

        if (k->watch || k->service != KEYRING_SERVICE_RUNS)
                return 0;
        copy = key_file ? strdup(key_file) : NULL;
        if (key_file && !copy)
                return -ENOMEM; /* without a file it would be the credential */
        free(k->key_file);
        k->key_file = copy;
        return keyring_reopen(k);
}

int keyring_new_file(Keyring **ret, sd_event *event, const char *folder, const char *key_file,
                     KeyringStateFn fn, void *userdata) {
        CLEANUP(keyring_freep) Keyring *k = NULL;
        void *impl;
        int r;

        r = store_file_new(&impl, folder);
        if (r < 0)
                return r;
        r = keyring_make(&k, event, &store_file_backend, impl, fn, userdata);
        if (r < 0)
                return r;
        k->service = KEYRING_SERVICE_RUNS;
        /* its job comes before those of any call */
        r = keyring_set_key_file(k, key_file);
        if (r < 0)
                return r;

        *ret = STEAL(k);
        return 0;
}

int keyring_new_none(Keyring **ret, sd_event *event, const char *why, KeyringStateFn fn,
                     void *userdata) {
        CLEANUP(keyring_freep) Keyring *k = NULL;
        void *impl;
        int r;

        r = keyring_secret_new(&impl); /* it is never asked */
        if (r < 0)
                return r;
        r = keyring_make(&k, event, &keyring_secret_backend, impl, fn, userdata);
        if (r < 0)
                return r;
        k->kind = "none";
        k->service = KEYRING_SERVICE_NONE;
        k->shut = why ? strdup(why) : NULL;
        keyring_update_state(k);

        *ret = STEAL(k);
        return 0;
}
