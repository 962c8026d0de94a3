/* SPDX-License-Identifier: MIT */
#include "model/api-token.h"
#include "common/text.h"

#define SCHEME "SharedAccessSignature "

/* The value of a named field of "a=1&b=2", in any order; its length in *ret_n. */
static const char *field_find(const char *s, const char *name, size_t *ret_n) {
        size_t n_name = strlen(name), n;

        for (;; s += n + 1) {
                n = strcspn(s, "&");
                if (n > n_name && strncmp(s, name, n_name) == 0) {
                        *ret_n = n - n_name;
                        return s + n_name;
                }
                if (!s[n])
                        return NULL;
        }
}

static int expiry_parse(const char *s, size_t n, uint64_t *ret) {
        uint64_t value = 0;

        if (n < 10 || n > 14)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return -EINVAL;
                value = value * 10 + (uint64_t)(s[i] - '0');
        }
        *ret = n > 10 ? value / 1000 : value;
        return 0;
}

int api_token_check(const char *text, uint64_t *ret_expires_at, const char **ret_why) {
        const char *fields, *se;
        uint64_t expires_at = 0;
        size_t n;

        if (str_starts(text, "eyJ") || strncasecmp(text, "Bearer ", 7) == 0) {
                *ret_why = "it looks like a bearer token, which ends within the hour: use "
                           "'iotc-token login' instead";
                return -EINVAL;
        }
        if (!str_starts(text, SCHEME)) {
                *ret_why = "an API token begins with 'SharedAccessSignature sr='; copy the whole "
                           "value from Permissions > API tokens of the application";
                return -EINVAL;
        }
        if (!text_is_printable_ascii(text)) {
                *ret_why = "it has characters that no API token has; copy it again";
                return -EINVAL;
        }
        fields = text + strlen(SCHEME);
        if (strchr(fields, ' ') || !field_find(fields, "sr=", &n) ||
            !field_find(fields, "sig=", &n)) {
                *ret_why = "a part of it is missing; copy the whole value again";
                return -EINVAL;
        }
        se = field_find(fields, "se=", &n);
        if (se && expiry_parse(se, n, &expires_at) < 0) {
                *ret_why = "its end (se=) is no time; copy the whole value again";
                return -EINVAL;
        }
        *ret_expires_at = expires_at;
        return 0;
}
