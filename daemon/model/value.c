/* SPDX-License-Identifier: MIT */
/*
 * See value.h. Each check names the characters that may be there, never those that may not.
 */
#include "model/value.h"
#include "common/memory.h"
#include "common/text.h"
#include "model/limits.h"

#define DIGITS  "0123456789"
#define HEX     DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

int value_read_any(char **ret, const char *value) {
        *ret = xstrdup(value);
        return 0;
}

int value_read_sign_in(char **ret, const char *value) {
        if (!streq(value, "auto") && !streq(value, "browser") && !streq(value, "device-code"))
                return -EINVAL;
        return value_read_any(ret, value);
}

/* It becomes a segment of a URL's path: "." and ".." are none. */
int value_read_tenant(char **ret, const char *value) {
        size_t n = strlen(value);

        if (n < 1 || n > 253 || strspn(value, LETTERS DIGITS ".-") != n)
                return -EINVAL;
        if (strchr(".-", value[0]) || strchr(".-", value[n - 1]) || strstr(value, ".."))
                return -EINVAL;
        *ret = xstrdup(value);
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

static bool value_is_guid(const char *value) {
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

        for (size_t i = 0; i < strlen(form); i++)
                if (form[i] == '-' ? value[i] != '-' : !value[i] || !strchr(HEX, value[i]))
                        return false;
        return !value[strlen(form)];
}

/* An absolute URI (RFC 3986, section 4.3) is kept as it is: Entra compares it byte by byte. */
int value_read_resource(char **ret, const char *value) {
        static const char scope[] = "/.default";
        CLEANUP(freep) char *resource = NULL;
        size_t n = strnlen(value, URL_LENGTH_MAX + 1), n_scheme;

        if (n > URL_LENGTH_MAX)
                return -EINVAL;
        if (n > strlen(scope) && streq(value + n - strlen(scope), scope))
                n -= strlen(scope);
        resource = xstrndup(value, n);
        if (value_is_guid(resource)) {
                for (char *p = resource; *p; p++)
                        if (*p >= 'A' && *p <= 'F')
                                *p += 'a' - 'A';
        } else {
                n_scheme = strspn(resource, LETTERS DIGITS "+.-");
                if (!text_is_printable_ascii(resource) || strpbrk(resource, " \"'<>\\^`{|}") ||
                    !strchr(LETTERS, resource[0]) || resource[n_scheme] != ':' ||
                    !resource[n_scheme + 1])
                        return -EINVAL;
        }
        *ret = STEAL(resource);
        return 0;
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
