/* SPDX-License-Identifier: MIT */
#include "model/challenge.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/secret.h"
#include "model/limits.h"

/* The value of claims="..." among the header's parameters, which come in any order. */
static const char *parameter_find(const char *s, size_t *ret_n) {
        static const char name[] = "claims=\"";
        const char *p = s;

        while ((p = strcasestr(p, name))) {
                bool starts = p == s || strchr(" ,\t", p[-1]);

                p += strlen(name);
                if (starts) {
                        *ret_n = strcspn(p, "\"");
                        return p[*ret_n] == '"' ? p : NULL;
                }
        }
        return NULL;
}

/* Both alphabets of RFC 4648: -1 for what is in neither. */
static int base64_digit(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '+' || c == '-')
                return 62;
        return c == '/' || c == '_' ? 63 : -1;
}

static int base64_decode(char *to, size_t *ret_n, const char *s, size_t n) {
        uint32_t bits = 0;
        size_t n_bits = 0, out = 0;

        while (n && s[n - 1] == '=')
                n--;
        for (size_t i = 0; i < n; i++) {
                int digit = base64_digit(s[i]);

                if (digit < 0)
                        return -EBADMSG;
                bits = bits << 6 | (uint32_t)digit;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        to[out++] = (char)(bits >> n_bits & 0xff);
                }
        }
        *ret_n = out;
        return 0;
}

int challenge_claims(char **ret, const char *www_authenticate) {
        CLEANUP(secret_freep) char *text = NULL;
        CLEANUP(json_freep) Json *object = NULL;
        const char *value;
        size_t n, n_text;
        int r;

        value = parameter_find(www_authenticate, &n);
        if (!value)
                return -ENOENT;
        text = xcalloc(1, n + 1);
        r = base64_decode(text, &n_text, value, n);
        if (r < 0)
                return r;
        if (n_text > LIMIT_CLAIMS)
                return -EBADMSG;
        r = json_parse(&object, text, n_text);
        if (r < 0)
                return r;
        *ret = STEAL(text);
        return 0;
}
