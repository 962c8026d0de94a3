/* SPDX-License-Identifier: MIT */
/*
 * The second store, for machines without a Secret Service: one encrypted file an account in a
 * private folder, its name the account's (store-cipher.h says what is in it). A file is replaced as
 * a whole or not at all; one that the key does not open is neither used nor overwritten.
 */
#pragma once

#include "io/keyring/backend.h"

/*
 * An unlock reads the key (store-key.h), makes the folder, and sees whether they belong together:
 * KEYRING_E_LOCKED without a good key, or when all the files there are were written with another
 * one; KEYRING_E_ABSENT without a folder that is ours alone. Before it nothing but a delete works;
 * a folder that has gone since (a disk that was unmounted) is KEYRING_E_ABSENT, so that it is not
 * taken for a sign-out. No call ever asks a person.
 */
extern const KeyringBackend store_file_backend;
/* Its impl; folder is an absolute path. 0, -ENOMEM, or -errno. */
int store_file_new(void **ret, const char *folder);
