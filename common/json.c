/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "common/json-grammar.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/secret.h"
#include "common/text.h"
#include "common/utf8.h"

enum {
        JSON_DEPTH_MAX = 16, /* arrays and objects */
};

/* What a value is, its first character says. */
struct Json {
        char *name; /* of a member of an object */
        char kind;  /* { [ " t f n, or 0 for a number */
        char *text; /* of a string: without its escapes; of a number: as it came */
        size_t n;   /* bytes of text, which may have a NUL in it */
        Json *members, *next;
};

/* ---- reading: of text that json_is_value() has let pass ----------------------------------- */

static uint32_t json_read_hex(const char *s) {
        char digits[5] = { s[0], s[1], s[2], s[3] };

        return (uint32_t)strtoul(digits, NULL, 16);
}

/* What stands behind a backslash, to *out; half a pair of surrogates is U+FFFD. */
static const char *json_read_escape(char **out, const char *s) {
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *name = strchr(names, *s);
        uint32_t c, low;

        if (name) {
                *(*out)++ = values[name - names];
                return s + 1;
        }
        c = json_read_hex(s + 1);
        s += 5;
        if (c >= 0xd800 && c <= 0xdbff && s[0] == '\\' && s[1] == 'u') {
                low = json_read_hex(s + 2);
                if (low >= 0xdc00 && low <= 0xdfff) {
                        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                        s += 6;
                }
        }
        *out += utf8_encode(*out, c >= 0xd800 && c <= 0xdfff ? 0xfffd : c);
        return s;
}

static const char *json_read_string(char **ret, size_t *ret_n, const char *s) {
        const char *end = s + 1;
        char *out;

        while (*end != '"')
                end += *end == '\\' ? 2 : 1;
        out = *ret = xmalloc((size_t)(end - s)); /* no escape is shorter than what it stands for */
        for (s++; s < end;)
                if (*s == '\\')
                        s = json_read_escape(&out, s + 1);
                else
                        *out++ = *s++;
        *out = '\0';
        *ret_n = (size_t)(out - *ret);
        return end + 1;
}

static const char *json_skip_blank(const char *s) {
        return s + strspn(s, " \t\r\n");
}

static const char *json_read_value(Json **ret, const char *s) {
        Json *value = *ret = xcalloc(1, sizeof(*value)), **tail = &value->members;
        size_t n;

        switch (*s) {
        case '{':
        case '[':
                value->kind = *s;
                for (s = json_skip_blank(s + 1); *s != '}' && *s != ']';) {
                        char *name = NULL;

                        if (value->kind == '{') {
                                s = json_read_string(&name, &n, s);
                                s = json_skip_blank(json_skip_blank(s) + 1);
                        }
                        s = json_skip_blank(json_read_value(tail, s));
                        (*tail)->name = name;
                        tail = &(*tail)->next;
                        if (*s == ',')
                                s = json_skip_blank(s + 1);
                }
                return s + 1;
        case '"':
                value->kind = *s;
                return json_read_string(&value->text, &value->n, s);
        case 't':
        case 'f':
        case 'n':
                value->kind = *s;
                return s + strspn(s, "truefalsn");
        default:
                value->n = strspn(s, "+-.0123456789eE");
                value->text = xstrndup(s, value->n);
                return s + value->n;
        }
}

int json_parse(Json **ret, const char *text, size_t n) {
        if (!json_is_value(text, n, JSON_DEPTH_MAX) || *json_skip_blank(text) != '{')
                return -EBADMSG;
        (void)json_read_value(ret, json_skip_blank(text));
        return 0;
}

Json *json_free(Json *value) {
        while (value) {
                Json *next = value->next;

                (void)json_free(value->members);
                secret_wipe(value->text, value->n);
                free(value->text);
                free(value->name);
                free(value);
                value = next;
        }
        return NULL;
}

/* Of two of one name the last one counts. */
static const Json *json_member(const Json *object, const char *name) {
        const Json *found = NULL;

        if (object && object->kind == '{')
                for (const Json *member = object->members; member; member = member->next)
                        if (streq(member->name, name))
                                found = member;
        return found;
}

bool json_has(const Json *object, const char *name) {
        const Json *value = json_member(object, name);

        return value && value->kind != 'n';
}

const char *json_string(const Json *object, const char *name) {
        const Json *value = json_member(object, name);

        return value && value->kind == '"' && strlen(value->text) == value->n ? value->text : NULL;
}

bool json_is_false(const Json *object, const char *name) {
        const Json *value = json_member(object, name);

        return value && value->kind == 'f';
}

int json_uint(const Json *object, const char *name, uint64_t *ret) {
        const Json *value = json_member(object, name);
        char *end;
        double d;

        if (!json_has(object, name))
                return -ENOENT;
        if (!value->text)
                return -EBADMSG;
        if (!value->kind && strpbrk(value->text, ".eE")) {
                d = strtod(value->text, NULL);
                if (!(d >= 0 && d < 1e18))
                        return -EBADMSG;
                *ret = (uint64_t)d;
                return 0;
        }
        if (*value->text < '0' || *value->text > '9')
                return -EBADMSG;
        errno = 0;
        *ret = strtoull(value->text, &end, 10);
        return (value->kind && errno) || *end ? -EBADMSG : 0;
}

const Json *json_first(const Json *object, const char *name) {
        const Json *value = json_member(object, name);

        return value && value->kind == '[' ? value->members : NULL;
}

const Json *json_next(const Json *value) {
        return value->next;
}

/* ---- writing ------------------------------------------------------------------------------ */

static void writer_append(JsonWriter *w, const char *s, size_t n) {
        if (w->f) {
                (void)fwrite(s, 1, n, w->f);
                return;
        }
        if (w->n + n + 1 > w->size) {
                size_t size = MAX(2 * w->size, w->n + n + 256);
                char *buf = xmalloc(size);

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

static void writer_text(JsonWriter *w, const char *s) {
        writer_append(w, s, strlen(s));
}

static void writer_quoted(JsonWriter *w, const char *s) {
        char escape[8];
        uint32_t c;
        size_t n;

        writer_append(w, "\"", 1);
        for (; *s; s += n ?: 1) {
                n = utf8_decode(s, 4, &c);
                if (n && text_is_control(c)) {
                        (void)snprintf(escape, sizeof(escape), "\\u%04x", c);
                        writer_text(w, escape);
                } else {
                        if (*s == '"' || *s == '\\')
                                writer_append(w, "\\", 1);
                        writer_append(w, s, n ?: 1);
                }
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
        if (value) {
                writer_key(w, key);
                writer_quoted(w, value);
        }
}

void json_writer_string_or_null(JsonWriter *w, const char *key, const char *value) {
        writer_key(w, key);
        if (value)
                writer_quoted(w, value);
        else
                writer_text(w, "null");
}

void json_writer_uint(JsonWriter *w, const char *key, uint64_t value) {
        char text[24];

        writer_key(w, key);
        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
        writer_text(w, text);
}

void json_writer_int(JsonWriter *w, const char *key, int64_t value) {
        char text[24];

        writer_key(w, key);
        (void)snprintf(text, sizeof(text), "%" PRIi64, value);
        writer_text(w, text);
}

void json_writer_bool(JsonWriter *w, const char *key, bool value) {
        writer_key(w, key);
        writer_text(w, value ? "true" : "false");
}

void json_writer_end(JsonWriter *w) {
        writer_append(w, "\n", 1);
        w->comma = false;
}

char *json_writer_finish(JsonWriter *w, size_t *ret_n) {
        char *text = w->buf;

        if (ret_n)
                *ret_n = w->n;
        *w = (JsonWriter){ 0 };
        return text;
}
