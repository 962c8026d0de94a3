/* SPDX-License-Identifier: MIT */
/*
 * Known answers for the parts, a file that another implementation has made for the whole, and then
 * every way to damage one: it opens as what was written, for whom it was written, or not at all.
 */
#undef NDEBUG
#include <assert.h>

#include "common/secret.h"
#include "io/keyring/store-cipher.h"

#define TEXT "the record"

static size_t from_hex(uint8_t *ret, const char *hex) {
        size_t n = strlen(hex) / 2;

        for (size_t i = 0; i < n; i++)
                assert(sscanf(hex + 2 * i, "%2hhx", &ret[i]) == 1);
        return n;
}

/* RFC 5869, appendix A.1 to A.3. */
static void test_hkdf(void) {
        static const struct {
                const char *ikm, *salt, *info, *okm;
        } vectors[] = {
                { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
                  "f0f1f2f3f4f5f6f7f8f9",
                  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                  "34007208d5b887185865" },
                { "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
                  "404142434445464748494a4b4c4d4e4f",
                  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
                  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
                  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
                  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
                  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
                  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
                  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
                { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
                  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                  "9d201395faa4b61a96c8" },
        };
        uint8_t ikm[128], salt[128], info[128], okm[128], got[128];

        for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
                size_t n_ikm = from_hex(ikm, vectors[i].ikm);
                size_t n_salt = from_hex(salt, vectors[i].salt);
                size_t n_info = from_hex(info, vectors[i].info);
                size_t n = from_hex(okm, vectors[i].okm);

                assert(store_cipher_hkdf(got, n, ikm, n_ikm, salt, n_salt, info, n_info) == 0);
                assert(memcmp(got, okm, n) == 0);
        }
}

static StoreKey key_of(uint8_t first, size_t n) {
        StoreKey key = { .n = n };

        for (size_t i = 0; i < n; i++)
                key.bytes[i] = first + i;
        return key;
}

static int open_as(const StoreKey *key, const char *account, const uint8_t *data, size_t n) {
        CLEANUP(secret_freep) char *text = NULL;
        int r;

        r = store_cipher_open(&text, key, account, data, n);
        assert((r == 0) == streq(text, TEXT));
        return r;
}

/* Made by python3-cryptography (HKDF, AESGCM) from the description in store-cipher.h. */
static void test_somebody_else_s_file(void) {
        StoreKey key = key_of(0, 40);
        uint8_t data[256];
        size_t n;

        n = from_hex(data, "696f74632d736563726574732f310a00"
                           "6465666768696a6b6c6d6e6f70717273"
                           "7475767778797a7b7c7d7e7f80818283"
                           "5ef45d54e4daf81a1960f8e4ac981fff"
                           "c8c9cacbcccdcecfd0d1d2d3"
                           "c5f6dccebab08ab023d1"
                           "6ff8e8297fb5334bde4bc572f16b8a62");
        assert(open_as(&key, "work", data, n) == 0);
        assert(open_as(&key, "home", data, n) == STORE_CIPHER_E_DAMAGED);
        key.n--;
        assert(open_as(&key, "work", data, n) == STORE_CIPHER_E_OTHER_KEY);
}

static void test_every_damage_is_seen(void) {
        CLEANUP(freep) uint8_t *data = NULL, *longer = NULL;
        StoreKey key = key_of(7, 32), other = key_of(8, 32);
        size_t n;

        assert(store_cipher_seal(&data, &n, &key, "work", TEXT) == 0);
        assert(open_as(&key, "work", data, n) == 0);
        assert(store_cipher_check(&key, data, n) == 0);
        assert(store_cipher_check(&other, data, n) == STORE_CIPHER_E_OTHER_KEY);
        assert(open_as(&other, "work", data, n) == STORE_CIPHER_E_OTHER_KEY);
        assert(open_as(&key, "wor", data, n) == STORE_CIPHER_E_DAMAGED);
        assert(open_as(&key, "", data, n) == STORE_CIPHER_E_DAMAGED);

        for (size_t i = 0; i < n; i++) {
                CLEANUP(freep) uint8_t *shorter = malloc(i ? i : 1); /* a read too far is seen */

                memcpy(shorter, data, i);
                assert(open_as(&key, "work", shorter, i) == STORE_CIPHER_E_DAMAGED);
                for (int bit = 0; bit < 8; bit++) {
                        data[i] ^= 1 << bit;
                        assert(open_as(&key, "work", data, n) > 0);
                        data[i] ^= 1 << bit;
                }
        }
        longer = calloc(1, n + 1);
        memcpy(longer, data, n);
        assert(open_as(&key, "work", longer, n + 1) == STORE_CIPHER_E_DAMAGED);
}

static void test_no_two_writings_are_alike(void) {
        CLEANUP(freep) uint8_t *a = NULL, *b = NULL;
        StoreKey key = key_of(7, 32);
        size_t n_a, n_b, same = 0;

        assert(store_cipher_seal(&a, &n_a, &key, "work", TEXT) == 0);
        assert(store_cipher_seal(&b, &n_b, &key, "work", TEXT) == 0);
        assert(n_a == n_b && n_a == 76 + strlen(TEXT) + 16);
        for (size_t i = 16; i < n_a; i++)
                same += a[i] == b[i];
        assert(same < n_a / 8);
        assert(!memmem(a, n_a, TEXT, strlen(TEXT)));
}

static void test_of_all_lengths(void) {
        StoreKey key = key_of(1, STORE_KEY_MAX);

        for (size_t n = 0; n < 2 * 1024 * 1024; n = n < 40 ? n + 1 : n * 7) {
                CLEANUP(freep) char *text = calloc(1, n + 1);
                CLEANUP(freep) uint8_t *data = NULL;
                CLEANUP(secret_freep) char *got = NULL;
                size_t n_data;

                memset(text, 'x', n);
                assert(store_cipher_seal(&data, &n_data, &key, "work", text) == 0);
                assert(store_cipher_open(&got, &key, "work", data, n_data) == 0);
                assert(streq(got, text));
        }
}

int main(void) {
        assert(store_cipher_init() == 0);
        assert(store_cipher_init() == 0);
        test_hkdf();
        test_somebody_else_s_file();
        test_every_damage_is_seen();
        test_no_two_writings_are_alike();
        test_of_all_lengths();
        return 0;
}
