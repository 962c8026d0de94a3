/* SPDX-License-Identifier: MIT */
#include "api/json-text.h"
#include "base/display.h"
#include "common/utf8.h"

static void pretty_line(JsonPretty *p) {
        fprintf(p->f, "\n%*s", (int)(2 * p->depth), "");
}

/* One character of a string; its length. */
static size_t pretty_in_string(JsonPretty *p, const char *s, size_t n) {
        char c[8] = "";
        size_t unsafe;

        memcpy(c, s, MIN(n, sizeof(c) - 1));
        unsafe = p->escaped ? 0 : display_unsafe(c);
        if (unsafe) {
                uint32_t code = 0;

                (void)utf8_decode(c, unsafe, &code);
                fprintf(p->f, "\\u%04x", code);
                return unsafe;
        }
        putc(*s, p->f);
        if (p->escaped)
                p->escaped = false;
        else if (*s == '\\')
                p->escaped = true;
        else if (*s == '"') {
                p->in_string = false;
                fputs(p->colour ? "\033[0m" : "", p->f);
        }
        return 1;
}

static void pretty_outside(JsonPretty *p, char c) {
        bool closes = c == '}' || c == ']', opens = c == '{' || c == '[';

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
                return;
        if (closes && p->depth)
                p->depth--;
        if (closes ? !p->opened : p->opened)
                pretty_line(p);
        p->opened = opens;
        if (c == '"' && p->colour)
                fputs(p->name ? "\033[34;1m" : "\033[32m", p->f);
        putc(c, p->f);
        if (opens) {
                if (p->depth < JSON_PRETTY_DEPTH)
                        p->objects[p->depth] = c == '{';
                p->depth++;
        } else if (c == ',')
                pretty_line(p);
        else if (c == ':')
                putc(' ', p->f);
        else if (c == '"')
                p->in_string = true;
        if (opens || closes || c == ',' || c == ':')
                p->name = c != ':' && p->depth && p->depth <= JSON_PRETTY_DEPTH &&
                          p->objects[p->depth - 1];
}

void json_pretty_feed(JsonPretty *p, const char *text, size_t n) {
        for (size_t i = 0; i < n;) {
                if (p->in_string)
                        i += pretty_in_string(p, text + i, n - i);
                else
                        pretty_outside(p, text[i++]);
        }
}

static bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Past the value that begins at i, or the end. */
static size_t value_end(const char *s, size_t n, size_t i) {
        bool in_string = false;
        unsigned depth = 0;

        for (; i < n; i++) {
                if (in_string) {
                        if (s[i] == '\\')
                                i++;
                        else if (s[i] == '"')
                                in_string = false;
                } else if (s[i] == '"')
                        in_string = true;
                else if (s[i] == '{' || s[i] == '[')
                        depth++;
                else if (depth == 0 && (s[i] == ',' || s[i] == '}' || s[i] == ']'))
                        return i;
                else if (s[i] == '}' || s[i] == ']')
                        depth--;
        }
        return n;
}

bool json_text_member(const char *s, size_t n, const char *name, const char **ret, size_t *ret_n) {
        size_t n_name = strlen(name), i = 0;
        bool any = false;

        while (i < n && is_space(s[i]))
                i++;
        if (i >= n || s[i] != '{')
                return false;
        for (i++; i < n; i++) {
                size_t key, end;
                bool found;

                while (i < n && s[i] != '"' && s[i] != '}')
                        i++;
                if (i >= n || s[i] == '}')
                        return any;
                for (key = ++i; i < n && s[i] != '"'; i++)
                        if (s[i] == '\\')
                                i++;
                found = i < n && i - key == n_name && memcmp(s + key, name, n_name) == 0;
                while (i < n && s[i] != ':')
                        i++;
                if (i++ >= n)
                        return any;
                end = value_end(s, n, i);
                if (found) {
                        while (i < end && is_space(s[i]))
                                i++;
                        *ret = s + i;
                        *ret_n = end - i;
                        while (*ret_n && is_space(s[i + *ret_n - 1]))
                                (*ret_n)--;
                        any = true;
                }
                i = end;
                if (i < n && s[i] == '}')
                        return any;
        }
        return any;
}

bool json_text_inside(const char **text, size_t *n) {
        const char *s = *text;
        size_t end = *n;

        if (end < 2 || s[0] != '[' || s[end - 1] != ']')
                return false;
        s++;
        end -= 2;
        while (end && is_space(*s)) {
                s++;
                end--;
        }
        while (end && is_space(s[end - 1]))
                end--;
        *text = s;
        *n = end;
        return true;
}

/* The character that the escape behind a backslash stands for, and its length; 0: none of ASCII. */
static char escape_undo(const char *s, size_t n, size_t *ret_n) {
        static const char hex[] = "0123456789abcdef";
        unsigned code = 0;

        *ret_n = 1;
        if (n && strchr("\"\\/", *s))
                return *s;
        if (n < 5 || *s != 'u')
                return '\0';
        for (size_t i = 1; i <= 4; i++) {
                const char *digit = memchr(hex, s[i] | 0x20, 16);

                if (!digit)
                        return '\0';
                code = code << 4 | (unsigned)(digit - hex);
        }
        *ret_n = 5;
        return code < 0x7f ? (char)code : '\0';
}

bool json_text_ascii(const char *value, size_t n, char *ret) {
        char *out = ret;
        size_t used;

        *ret = '\0';
        if (n < 2 || value[0] != '"' || value[n - 1] != '"')
                return false;
        for (size_t i = 1; i < n - 1; i += used) {
                char c = value[i];

                used = 1;
                if (c == '\\') {
                        c = escape_undo(value + i + 1, n - i - 2, &used);
                        used++;
                }
                if (c < 0x20 || c > 0x7e) {
                        explicit_bzero(ret, (size_t)(out - ret));
                        return false;
                }
                *out++ = c;
        }
        *out = '\0';
        return true;
}
