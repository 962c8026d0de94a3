/* SPDX-License-Identifier: MIT */
/*
 * The key that a person provides for the file store: a key file that the settings name, or else the
 * unit's systemd credential (systemd.exec(5), LoadCredential=). It is used only when nobody but the
 * user and root can have read it.
 */
#pragma once

#include "io/keyring/store-cipher.h"

/* In $CREDENTIALS_DIRECTORY. */
#define STORE_KEY_CREDENTIAL "iotc-token-key"

/* Named outcome of store_key_read(). */
enum {
        _STORE_KEY_E_SUCCESS,
        STORE_KEY_E_REFUSED, /* none is there, or it is none to be used */
};

/*
 * Read the key: path is an absolute path, or NULL for the credential. Blocking. 0;
 * STORE_KEY_E_REFUSED and *ret_why, a text for a person that says what to do (caller frees), and
 * no key in ret; -ENOMEM.
 */
int store_key_read(StoreKey *ret, const char *path, char **ret_why);
/* Wipe it: there is none then. */
void store_key_clear(StoreKey *key);
