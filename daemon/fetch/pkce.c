/* SPDX-License-Identifier: MIT */
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/secret.h"
#include "fetch/pkce.h"

enum {
        PKCE_BYTES = 32 /* of SHA-256, and of a random value */
};

/* RFC 4648 section 5. 32 bytes are ten whole groups and two bytes. */
static void pkce_base64url(char ret[PKCE_SIZE], const unsigned char bytes[PKCE_BYTES]) {
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        unsigned int bits = 0, n_bits = 0;
        size_t n = 0;

        for (size_t i = 0; i < PKCE_BYTES; i++) {
                bits = bits << 8 | bytes[i];
                for (n_bits += 8; n_bits >= 6; n_bits -= 6)
                        ret[n++] = digits[bits >> (n_bits - 6) & 63];
        }
        ret[n++] = digits[bits << (6 - n_bits) & 63];
        ret[n] = '\0';
}

int pkce_random(char ret[PKCE_SIZE]) {
        unsigned char bytes[PKCE_BYTES];

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
                return -errno;
        pkce_base64url(ret, bytes);
        secret_wipe(bytes, sizeof(bytes));
        return 0;
}

int pkce_challenge(char ret[PKCE_SIZE], const char *verifier) {
        unsigned char hash[PKCE_BYTES];

        if (EVP_Digest(verifier, strlen(verifier), hash, NULL, EVP_sha256(), NULL) != 1)
                return -EIO;
        pkce_base64url(ret, hash);
        return 0;
}

bool pkce_same(const char *secret, const char *sent) {
        size_t n = strlen(secret);

        return sent && strlen(sent) == n && CRYPTO_memcmp(secret, sent, n) == 0;
}
