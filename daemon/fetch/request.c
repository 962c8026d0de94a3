/* SPDX-License-Identifier: MIT */
/*
 * See request.h. One table says where each field goes, how long it may be and what it may hold;
 * the reasons name a field and never its content, which may be a secret in the wrong place.
 */
#include <stdarg.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/secret.h"
#include "common/text.h"
#include "fetch/request.h"
#include "model/limits.h"

typedef struct Field Field;

struct Field {
        const char *name;
        size_t offset;
        size_t max; /* bytes */
        bool (*valid)(const char *value);
        const char *what; /* it must be */
};

static bool request_is_word(const char *s) {
        return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s);
}

/* One segment of a URL's path. */
static bool request_is_tenant(const char *s) {
        return *s != '.' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789.-") == strlen(s);
}

/* A blank would make two scopes of it, a dash an option of az. */
static bool request_is_solid(const char *s) {
        return text_is_printable_ascii(s) && !strchr(s, ' ') && *s != '-';
}

static bool request_is_argument(const char *s) {
        return text_is_clean(s) && *s != '-';
}

static bool request_is_path(const char *s) {
        return *s == '/' && text_is_clean(s);
}

static bool request_is_object(const char *s) {
        CLEANUP(json_freep) Json *object = NULL;

        return json_parse(&object, s, strlen(s)) == 0;
}

#define FIELD(f, max_, valid_, what_) \
        { #f, offsetof(Request, f), max_, valid_, what_ }

static const Field fields[] = {
        FIELD(source, 64, request_is_word, "a word"),
        FIELD(method, 64, request_is_word, "a word"),
        FIELD(authority, URL_LENGTH_MAX, request_is_solid, "an https URL"),
        FIELD(tenant, 255, request_is_tenant, "a tenant's id or domain"),
        FIELD(client_id, 255, text_is_printable_ascii, "printable ASCII"),
        FIELD(resource, URL_LENGTH_MAX, request_is_solid, "a URI"),
        FIELD(refresh_token, LIMIT_REFRESH_TOKEN, text_is_printable_ascii, "printable ASCII"),
        FIELD(client_secret, LIMIT_SECRET, text_is_clean, "clean text"),
        FIELD(claims, LIMIT_CLAIMS, request_is_object, "the text of a JSON object"),
        FIELD(config_dir, PATH_LENGTH_MAX, request_is_path, "an absolute path"),
        FIELD(az, PATH_LENGTH_MAX, request_is_path, "an absolute path"),
        FIELD(subscription, SUBSCRIPTION_LENGTH_MAX, request_is_argument,
              "a subscription's name or id"),
        FIELD(proxy, URL_LENGTH_MAX, request_is_solid, "a proxy's URL"),
        FIELD(proxy_credentials, PATH_LENGTH_MAX, request_is_path, "an absolute path"),
        FIELD(ca_bundle, PATH_LENGTH_MAX, request_is_path, "an absolute path"),
};

static int PRINTF_LIKE(2, 3) request_refuse(char *reason, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(reason, REQUEST_REASON_MAX, format, ap);
        va_end(ap);
        return -EBADMSG;
}

static int request_read_field(Request *request, const Field *field, const Json *object,
                              char *reason) {
        char **target = (char **)((char *)request + field->offset);
        const char *value;

        if (!json_has(object, field->name))
                return 0;
        value = json_string(object, field->name);
        if (!value)
                return request_refuse(reason, "the request's %s is no string", field->name);
        if (!*value)
                return 0;
        if (strlen(value) > field->max)
                return request_refuse(reason, "the request's %s is longer than %zu bytes",
                                      field->name, field->max);
        if (!field->valid(value))
                return request_refuse(reason, "the request's %s is not %s", field->name,
                                      field->what);
        *target = xstrdup(value);
        return 0;
}

static int request_read(Request *request, const Json *object, char *reason) {
        uint64_t number;
        int r;

        r = json_uint(object, "protocol", &number);
        if (r < 0 || number != 1)
                return request_refuse(reason, "the request's protocol is not 1, which is all that "
                                              "iotc-token-fetch " IOTC_VERSION " speaks");

        r = json_uint(object, "deadline", &number);
        if (r == -ENOENT)
                number = REQUEST_TIME_DEFAULT;
        else if (r < 0 || number == 0)
                return request_refuse(reason, "the request's deadline is no number of seconds");
        number = MIN(number, (uint64_t)REQUEST_TIME_MAX);
        request->deadline_usec = clock_usec() + number * USEC_PER_SEC;

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                r = request_read_field(request, &fields[i], object, reason);
                if (r < 0)
                        return r;
        }
        if (!request->source)
                return request_refuse(reason, "the request names no source");
        for (size_t n = request->authority ? strlen(request->authority) : 0;
             n > 0 && request->authority[n - 1] == '/'; n--)
                request->authority[n - 1] = '\0';
        return 0;
}

int request_parse(Request **ret, char reason[REQUEST_REASON_MAX], const char *line, size_t n) {
        CLEANUP(request_freep) Request *request = NULL;
        CLEANUP(json_freep) Json *object = NULL;
        int r;

        request = xcalloc(1, sizeof(*request));
        if (n > LIMIT_FETCH_LINE)
                return request_refuse(reason, "the request is longer than %d bytes",
                                      LIMIT_FETCH_LINE);
        r = json_parse(&object, line, n);
        if (r < 0)
                return request_refuse(reason, "the request is not one line with one JSON object");
        r = request_read(request, object, reason);
        if (r < 0)
                return r;

        *ret = STEAL(request);
        return 0;
}

Request *request_free(Request *request) {
        if (request) {
                for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                        secret_free(*(char **)((char *)request + fields[i].offset));
                free(request);
        }
        return NULL;
}
