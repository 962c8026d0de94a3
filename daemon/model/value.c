/* SPDX-License-Identifier: MIT */
/*
 * See value.h. Each check names the characters that may be there, never those that may not.
 */
#include "model/value.h"
#include "model/limits.h"
#include "model/text.h"

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

int value_read_any(char **ret, const char *value) {
        *ret = strdup(value);
        return *ret ? 0 : -ENOMEM;
}

int value_read_sign_in(char **ret, const char *value) {
        if (!streq(value, "auto") && !streq(value, "browser") && !streq(value, "device-code"))
                return -EINVAL;
        return value_read_any(ret, value);
}

/* It becomes a segment of a URL's path: "." and ".." are none. */
int value_read_tenant(char **ret, const char *value) {
        size_t n = strlen(value);
        int r;

        if (n < 1 || n > 253 || strspn(value, LETTERS DIGITS ".-") != n)
                return -EINVAL;
        if (strchr(".-", value[0]) || strchr(".-", value[n - 1]) || strstr(value, ".."))
                return -EINVAL;
        r = value_read_any(ret, value);
        if (r < 0)
                return r;
        for (char *p = *ret; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p += 'a' - 'A';
        return 0;
}

int value_read_client_id(char **ret, const char *value) {
        size_t n = strlen(value);

        if (n < 1 || n > 64 || strspn(value, LETTERS DIGITS "-") != n || value[0] == '-')
                return -EINVAL;
        return value_read_any(ret, value);
}

/* An absolute URI (RFC 3986, section 4.3), kept as it is: Entra compares it byte by byte. */
int value_read_resource(char **ret, const char *value) {
        size_t scheme = strspn(value, LETTERS DIGITS "+.-");

        if (strlen(value) > URL_LENGTH_MAX || !text_is_printable_ascii(value) ||
            strpbrk(value, " \"'<>\\^`{|}"))
                return -EINVAL;
        if (!strchr(LETTERS, value[0]) || value[scheme] != ':' || !value[scheme + 1])
                return -EINVAL;
        return value_read_any(ret, value);
}

/* A name or an id; az gets it as an argument, which no option may look like. */
int value_read_subscription(char **ret, const char *value) {
        size_t n = strlen(value);

        if (n < 1 || n > SUBSCRIPTION_LENGTH_MAX || !text_is_clean(value))
                return -EINVAL;
        if (value[0] == '-' || value[0] == ' ' || value[n - 1] == ' ')
                return -EINVAL;
        return value_read_any(ret, value);
}

int value_read_path(char **ret, const char *value) {
        if (value[0] != '/' || strlen(value) > PATH_LENGTH_MAX || !text_is_clean(value))
                return -EINVAL;
        return value_read_any(ret, value);
}
