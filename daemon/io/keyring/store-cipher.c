/* SPDX-License-Identifier: MIT */
#include <gcrypt.h>
#include <sys/random.h>

#include "common/secret.h"
#include "io/keyring/store-cipher.h"

#define FORM       "iotc-secrets/1\n"
#define KEY_BYTES  32
#define HASH_BYTES 32
#define TAG_BYTES  16

typedef struct Header {
        char form[sizeof(FORM)];
        uint8_t salt[32];
        uint8_t check[16];
        uint8_t nonce[12];
} Header;

_Static_assert(sizeof(Header) == 76, "it is written as it lies in memory");

/* What HKDF gives. */
typedef struct Derived {
        uint8_t key[KEY_BYTES];
        uint8_t check[sizeof(((Header *)0)->check)];
} Derived;

static void derivedp(Derived *d) {
        secret_wipe(d, sizeof(*d));
}

static void macp(gcry_mac_hd_t *mac) {
        gcry_mac_close(*mac); /* wipes */
}

static void cipherp(gcry_cipher_hd_t *cipher) {
        gcry_cipher_close(*cipher); /* wipes */
}

int store_cipher_init(void) {
        /* libsecret may have done it; our buffers are wiped by ourselves */
        if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
                return 0;
        if (!gcry_check_version("1.8.0"))
                return -ENOSYS;
        (void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
        return gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0) ? -ENOSYS : 0;
}

/* HMAC-SHA256 of up to three pieces. */
static int hmac(uint8_t ret[HASH_BYTES], const void *key, size_t n_key, const void *a, size_t n_a,
                const void *b, size_t n_b, const void *c, size_t n_c) {
        CLEANUP(macp) gcry_mac_hd_t mac = NULL;
        size_t n = HASH_BYTES;

        if (gcry_mac_open(&mac, GCRY_MAC_HMAC_SHA256, 0, NULL) ||
            gcry_mac_setkey(mac, key, n_key) || gcry_mac_write(mac, a, n_a) ||
            gcry_mac_write(mac, b, n_b) || gcry_mac_write(mac, c, n_c) ||
            gcry_mac_read(mac, ret, &n))
                return -EIO;
        return 0;
}

int store_cipher_hkdf(uint8_t *ret, size_t n, const void *ikm, size_t n_ikm, const void *salt,
                      size_t n_salt, const void *info, size_t n_info) {
        uint8_t prk[HASH_BYTES], block[HASH_BYTES];
        int r;

        r = hmac(prk, salt, n_salt, ikm, n_ikm, NULL, 0, NULL, 0);
        for (size_t at = 0; r == 0 && at < n; at += HASH_BYTES) {
                uint8_t number = at / HASH_BYTES + 1;

                r = hmac(block, prk, sizeof(prk), block, at ? sizeof(block) : 0, info, n_info,
                         &number, 1);
                memcpy(ret + at, block, MIN(n - at, sizeof(block)));
        }
        secret_wipe(prk, sizeof(prk));
        secret_wipe(block, sizeof(block));
        return r;
}

static int derive(Derived *ret, const StoreKey *key, const Header *h) {
        return store_cipher_hkdf((uint8_t *)ret, sizeof(*ret), key->bytes, key->n, h->salt,
                                 sizeof(h->salt), FORM, strlen(FORM));
}

/* A cipher with its key, nonce and the account's header in it. */
static int cipher_new(gcry_cipher_hd_t *ret, const Derived *d, const Header *h,
                      const char *account) {
        CLEANUP(cipherp) gcry_cipher_hd_t cipher = NULL;

        if (gcry_cipher_open(&cipher, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0) ||
            gcry_cipher_setkey(cipher, d->key, sizeof(d->key)) ||
            gcry_cipher_setiv(cipher, h->nonce, sizeof(h->nonce)) ||
            gcry_cipher_authenticate(cipher, h, sizeof(*h)) ||
            gcry_cipher_authenticate(cipher, account, strlen(account)) || gcry_cipher_final(cipher))
                return -EIO;
        *ret = STEAL(cipher);
        return 0;
}

static int header_new(Header *ret, Derived *d, const StoreKey *key) {
        int r;

        *ret = (Header){ .form = FORM };
        /* up to 256 bytes are never cut short (getrandom(2)) */
        if (getrandom(ret->salt, sizeof(ret->salt), 0) != sizeof(ret->salt) ||
            getrandom(ret->nonce, sizeof(ret->nonce), 0) != sizeof(ret->nonce))
                return -EIO;
        r = derive(d, key, ret);
        memcpy(ret->check, d->check, sizeof(ret->check));
        return r;
}

int store_cipher_seal(uint8_t **ret, size_t *ret_n, const StoreKey *key, const char *account,
                      const char *text) {
        CLEANUP(cipherp) gcry_cipher_hd_t cipher = NULL;
        CLEANUP(derivedp) Derived d = { 0 };
        CLEANUP(freep) uint8_t *data = NULL;
        size_t n = strlen(text);
        Header h;
        int r;

        r = header_new(&h, &d, key);
        if (r < 0)
                return r;
        r = cipher_new(&cipher, &d, &h, account);
        if (r < 0)
                return r;
        data = malloc(sizeof(h) + n + TAG_BYTES);
        if (!data)
                return -ENOMEM;
        memcpy(data, &h, sizeof(h));
        if (gcry_cipher_encrypt(cipher, data + sizeof(h), n, text, n) ||
            gcry_cipher_gettag(cipher, data + sizeof(h) + n, TAG_BYTES))
                return -EIO;
        *ret = STEAL(data);
        *ret_n = sizeof(h) + n + TAG_BYTES;
        return 0;
}

static int header_read(Header *ret, Derived *d, const StoreKey *key, const uint8_t *data,
                       size_t n) {
        int r;

        if (n < sizeof(*ret))
                return STORE_CIPHER_E_DAMAGED;
        memcpy(ret, data, sizeof(*ret));
        if (memcmp(ret->form, FORM, sizeof(FORM)) != 0)
                return STORE_CIPHER_E_DAMAGED;
        r = derive(d, key, ret);
        if (r < 0)
                return r;
        return memcmp(ret->check, d->check, sizeof(d->check)) == 0 ? 0 : STORE_CIPHER_E_OTHER_KEY;
}

int store_cipher_check(const StoreKey *key, const uint8_t *data, size_t n) {
        CLEANUP(derivedp) Derived d = { 0 };
        Header h;

        return header_read(&h, &d, key, data, n);
}

int store_cipher_open(char **ret, const StoreKey *key, const char *account, const uint8_t *data,
                      size_t n) {
        CLEANUP(cipherp) gcry_cipher_hd_t cipher = NULL;
        CLEANUP(derivedp) Derived d = { 0 };
        Header h;
        char *text;
        int r;

        r = header_read(&h, &d, key, data, n);
        if (r != 0)
                return r;
        if (n < sizeof(h) + TAG_BYTES)
                return STORE_CIPHER_E_DAMAGED;
        n -= sizeof(h) + TAG_BYTES;
        r = cipher_new(&cipher, &d, &h, account);
        if (r < 0)
                return r;
        text = malloc(n + 1);
        if (!text)
                return -ENOMEM;
        if (gcry_cipher_decrypt(cipher, text, n, data + sizeof(h), n) ||
            gcry_cipher_checktag(cipher, data + sizeof(h) + n, TAG_BYTES)) {
                secret_wipe(text, n);
                free(text);
                return STORE_CIPHER_E_DAMAGED;
        }
        text[n] = 0;
        *ret = text;
        return 0;
}
