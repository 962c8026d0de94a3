/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "common/json-grammar.h"
#include "common/json.h"
#include "common/secret.h"

enum {
        JSON_DEPTH_MAX = 16 /* arrays and objects; json-c counts their members as well */
};

static void tokener_freep(struct json_tokener **p) {
        if (!*p)
                return;
        secret_wipe((*p)->pb->buf, (size_t)(*p)->pb->size);
        json_tokener_free(*p);
}

int json_parse(Json **ret, const char *text, size_t n) {
        CLEANUP(tokener_freep) struct json_tokener *tokener = NULL;
        CLEANUP(json_freep) Json *object = NULL;

        if (n > INT32_MAX / 2 || !json_is_value(text, n, JSON_DEPTH_MAX) ||
            text[strspn(text, " \t\r\n")] != '{')
                return -EBADMSG;
        tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        if (!tokener)
                return -ENOMEM;

        /* Grown to its final size at once: no copy of a string is left in a smaller buffer. */
        if (printbuf_memset(tokener->pb, (int)n + 1, 0, 1) < 0)
                return -ENOMEM;
        printbuf_reset(tokener->pb);
        object = json_tokener_parse_ex(tokener, text, (int)n);
        if (!object)
                return -ENOMEM; /* it is one */

        *ret = STEAL(object);
        return 0;
}

static void json_wipe(Json *value) {
        switch (json_object_get_type(value)) {
        case json_type_string:
                secret_wipe((char *)json_object_get_string(value),
                            (size_t)json_object_get_string_len(value));
                break;
        case json_type_array:
                for (size_t i = 0; i < json_object_array_length(value); i++)
                        json_wipe(json_object_array_get_idx(value, i));
                break;
        case json_type_object: {
                json_object_object_foreach(value, key, member) {
                        (void)key;
                        json_wipe(member);
                }
                break;
        }
        default:
                break;
        }
}

Json *json_free(Json *object) {
        if (object) {
                json_wipe(object);
                json_object_put(object);
        }
        return NULL;
}

static Json *json_member(Json *object, const char *key) {
        Json *value;

        return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

bool json_has(Json *object, const char *key) {
        return json_member(object, key) != NULL;
}

const char *json_string(Json *object, const char *key) {
        Json *value = json_member(object, key);
        const char *s;

        if (!json_object_is_type(value, json_type_string))
                return NULL;
        s = json_object_get_string(value);
        return strlen(s) == (size_t)json_object_get_string_len(value) ? s : NULL;
}

static int uint_from_string(const char *s, uint64_t *ret) {
        char *end;

        if (*s < '0' || *s > '9')
                return -EBADMSG;
        errno = 0;
        *ret = strtoull(s, &end, 10);
        return errno || *end ? -EBADMSG : 0;
}

bool json_is_false(Json *object, const char *key) {
        Json *value = json_member(object, key);

        return json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value);
}

int json_uint(Json *object, const char *key, uint64_t *ret) {
        Json *value = json_member(object, key);
        double d;

        switch (json_object_get_type(value)) {
        case json_type_null:
                return -ENOENT;
        case json_type_int:
                if (json_object_get_int64(value) < 0)
                        return -EBADMSG;
                *ret = json_object_get_uint64(value);
                return 0;
        case json_type_double:
                d = json_object_get_double(value);
                if (!(d >= 0 && d < 1e18))
                        return -EBADMSG;
                *ret = (uint64_t)d;
                return 0;
        case json_type_string:
                return uint_from_string(json_object_get_string(value), ret);
        default:
                return -EBADMSG;
        }
}

size_t json_array_length(Json *object, const char *key) {
        Json *value = json_member(object, key);

        return json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
}

Json *json_array_object(Json *object, const char *key, size_t i) {
        Json *value;

        if (i >= json_array_length(object, key))
                return NULL;
        value = json_object_array_get_idx(json_member(object, key), i);
        return json_object_is_type(value, json_type_object) ? value : NULL;
}

static void writer_append(JsonWriter *w, const char *s, size_t n) {
        if (w->failed)
                return;
        if (w->n + n + 1 > w->size) {
                size_t size = MAX(2 * w->size, w->n + n + 256);
                char *buf = malloc(size);

                if (!buf) {
                        w->failed = true;
                        return;
                }
                if (w->n)
                        memcpy(buf, w->buf, w->n);
                secret_wipe(w->buf, w->n);
                free(w->buf);
                w->buf = buf;
                w->size = size;
        }
        memcpy(w->buf + w->n, s, n);
        w->n += n;
        w->buf[w->n] = '\0';
}

static void writer_quoted(JsonWriter *w, const char *s) {
        char escape[8];
        size_t run;

        writer_append(w, "\"", 1);
        for (; *s; s += run) {
                for (run = 0; (unsigned char)s[run] >= 0x20 && s[run] != '"' && s[run] != '\\';)
                        run++;
                writer_append(w, s, run);
                if (!s[run])
                        break;
                writer_append(w, escape,
                              (size_t)snprintf(escape, sizeof(escape),
                                               (unsigned char)s[run] < 0x20 ? "\\u%04x" : "\\%c",
                                               s[run]));
                run++;
        }
        writer_append(w, "\"", 1);
}

static void writer_key(JsonWriter *w, const char *key) {
        if (w->comma)
                writer_append(w, ",", 1);
        w->comma = true;
        if (key) {
                writer_quoted(w, key);
                writer_append(w, ":", 1);
        }
}

void json_writer_open(JsonWriter *w, const char *key, char bracket) {
        writer_key(w, key);
        writer_append(w, &bracket, 1);
        w->comma = false;
}

void json_writer_close(JsonWriter *w, char bracket) {
        writer_append(w, &bracket, 1);
        w->comma = true;
}

void json_writer_string(JsonWriter *w, const char *key, const char *value) {
        if (!value)
                return;
        writer_key(w, key);
        writer_quoted(w, value);
}

void json_writer_uint(JsonWriter *w, const char *key, uint64_t value) {
        char text[24];

        writer_key(w, key);
        writer_append(w, text,
                      (size_t)snprintf(text, sizeof(text), "%llu", (long long unsigned)value));
}

void json_writer_false(JsonWriter *w, const char *key) {
        writer_key(w, key);
        writer_append(w, "false", strlen("false"));
}

int json_writer_finish(JsonWriter *w, char **ret, size_t *ret_n) {
        if (w->failed || !w->buf) {
                json_writer_deinit(w);
                return -ENOMEM;
        }
        if (ret_n)
                *ret_n = w->n;
        *ret = STEAL(w->buf);
        *w = (JsonWriter){ 0 };
        return 0;
}

void json_writer_deinit(JsonWriter *w) {
        secret_wipe(w->buf, w->n);
        free(w->buf);
        *w = (JsonWriter){ 0 };
}
