/* SPDX-License-Identifier: MIT */
#include "common/json-grammar.h"
#include "common/utf8.h"

/* What follows takes where something may begin, and returns where it ends, or NULL. */

static const char *skip_blank(const char *s, const char *end) {
        while (s < end && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r'))
                s++;
        return s;
}

static const char *skip_digits(const char *s, const char *end) {
        const char *from = s;

        while (s < end && *s >= '0' && *s <= '9')
                s++;
        return s > from ? s : NULL;
}

static const char *skip_number(const char *s, const char *end) {
        if (s < end && *s == '-')
                s++;
        s = s < end && *s == '0' ? s + 1 : skip_digits(s, end);
        if (s && s < end && *s == '.')
                s = skip_digits(s + 1, end);
        if (s && s < end && (*s == 'e' || *s == 'E')) {
                s++;
                s = skip_digits(s < end && (*s == '+' || *s == '-') ? s + 1 : s, end);
        }
        return s;
}

static const char *skip_escape(const char *s, const char *end) {
        if (s == end || !*s || !strchr("\"\\/bfnrtu", *s))
                return NULL;
        if (*s != 'u')
                return s + 1;
        if (end - s < 5)
                return NULL;
        for (size_t i = 1; i <= 4; i++)
                if (!s[i] || !strchr("0123456789abcdefABCDEF", s[i]))
                        return NULL;
        return s + 5;
}

static const char *skip_string(const char *s, const char *end) {
        if (s == end || *s++ != '"')
                return NULL;
        while (s && s < end && *s != '"') {
                uint32_t c;
                size_t n = utf8_decode(s, (size_t)(end - s), &c);

                if (n == 0 || (unsigned char)*s < 0x20)
                        return NULL;
                s = *s == '\\' ? skip_escape(s + 1, end) : s + n;
        }
        return s && s < end ? s + 1 : NULL;
}

static const char *skip_word(const char *s, const char *end) {
        static const char *const words[] = { "true", "false", "null" };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if ((size_t)(end - s) >= strlen(words[i]) && str_starts(s, words[i]))
                        return s + strlen(words[i]);
        return NULL;
}

static const char *skip_value(const char *s, const char *end, unsigned depth);

/* The inside of brackets, and the one that closes. */
static const char *skip_members(const char *s, const char *end, unsigned depth, char close) {
        s = skip_blank(s, end);
        if (s < end && *s == close)
                return s + 1;
        for (;; s++) {
                if (close == '}') {
                        s = skip_string(skip_blank(s, end), end);
                        s = s ? skip_blank(s, end) : NULL;
                        if (!s || s == end || *s++ != ':')
                                return NULL;
                }
                s = skip_value(s, end, depth);
                s = s ? skip_blank(s, end) : NULL;
                if (!s || s == end)
                        return NULL;
                if (*s == close)
                        return s + 1;
                if (*s != ',')
                        return NULL;
        }
}

static const char *skip_value(const char *s, const char *end, unsigned depth) {
        s = skip_blank(s, end);
        if (s == end)
                return NULL;
        switch (*s) {
        case '{':
        case '[':
                return depth ? skip_members(s + 1, end, depth - 1, *s == '{' ? '}' : ']') : NULL;
        case '"':
                return skip_string(s, end);
        case 't':
        case 'f':
        case 'n':
                return skip_word(s, end);
        default:
                return skip_number(s, end);
        }
}

size_t json_value_length(const char *text, size_t n, unsigned depth) {
        const char *end = skip_value(text, text + n, depth);

        return end ? (size_t)(end - text) : 0;
}

bool json_is_value(const char *text, size_t n, unsigned depth) {
        const char *end = skip_value(text, text + n, depth);

        return end && skip_blank(end, text + n) == text + n;
}
