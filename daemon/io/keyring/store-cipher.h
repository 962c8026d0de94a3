/* SPDX-License-Identifier: MIT */
/*
 * A record as the file store writes it: encrypted and authenticated with AES-256-GCM (NIST SP
 * 800-38D) under a key that HKDF-SHA256 (RFC 5869) makes from the person's key and a salt of this
 * writing alone, so that no key ever meets a nonce twice. Pure but for the kernel's random bytes;
 * the one place that knows libgcrypt.
 *
 *      "iotc-secrets/1\n" NUL    16 bytes: the form, raised when it changes
 *      salt                      32
 *      check                     16: tells another key from a damaged file
 *      nonce                     12
 *      the record, encrypted
 *      tag                       16
 *
 * HKDF's info is the first line without its NUL; its 48 bytes are the key and the check. All before
 * the record, followed by the account's name, is authenticated with it: a file does not open as
 * another account's.
 */
#pragma once

#include <iotc-util.h>

/* Of the person's key, in bytes: less is too little to keep a secret, more is no key. */
#define STORE_KEY_MIN 32
#define STORE_KEY_MAX 4096

typedef struct StoreKey {
        uint8_t bytes[STORE_KEY_MAX];
        size_t n; /* 0: there is none */
} StoreKey;

/* Named outcomes of opening. */
enum {
        _STORE_CIPHER_E_SUCCESS,
        STORE_CIPHER_E_OTHER_KEY, /* written with another key */
        STORE_CIPHER_E_DAMAGED,   /* changed, cut off, of another account or no file of ours */
};

/* Once, before any other call here. 0, or -ENOSYS when the library is not usable. */
int store_cipher_init(void);
/* *ret is the caller's to free. 0, -ENOMEM, or -EIO when the library or the kernel refuses. */
int store_cipher_seal(uint8_t **ret, size_t *ret_n, const StoreKey *key, const char *account,
                      const char *text);
/* *ret is the caller's to secret_free(). 0, a STORE_CIPHER_E_ outcome, -ENOMEM or -EIO. */
int store_cipher_open(char **ret, const StoreKey *key, const char *account, const uint8_t *data,
                      size_t n);
/* Was data[0..n), or the whole of which it is the beginning, written with this key? The same. */
int store_cipher_check(const StoreKey *key, const uint8_t *data, size_t n);

/* RFC 5869, section 2, with SHA-256; n up to 255 * 32. 0 or -EIO. For the above, and tests. */
int store_cipher_hkdf(uint8_t *ret, size_t n, const void *ikm, size_t n_ikm, const void *salt,
                      size_t n_salt, const void *info, size_t n_info);
