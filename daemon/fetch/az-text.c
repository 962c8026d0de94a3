/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "common/json-grammar.h"
#include "common/memory.h"
#include "common/text.h"
#include "fetch/az-text.h"

enum {
        OBJECT_DEPTH = 16,
        EXCERPT_MAX = 120,
        WORD_MAX = 24, /* what is longer in an excerpt may be a token */
};

/* ---- standard output ---------------------------------------------------------------------- */

int az_text_object(Json **ret, const char *out, size_t n, const char *member) {
        CLEANUP(json_freep) Json *found = NULL;
        size_t length;

        for (size_t i = 0; i < n; i += length) {
                CLEANUP(json_freep) Json *object = NULL;

                length = out[i] == '{' ? json_value_length(out + i, n - i, OBJECT_DEPTH) : 0;
                if (length == 0) {
                        length = 1;
                        continue;
                }
                if (json_parse(&object, out + i, length) < 0)
                        continue;
                if (!json_has(object, member))
                        continue;
                if (found)
                        return -EEXIST;
                found = STEAL(object);
        }
        if (!found)
                return -ENOENT;
        *ret = STEAL(found);
        return 0;
}

char *az_text_excerpt(const char *out) {
        const char *line = out + strspn(out, " \t\r\n");
        /* Of an object that was cut off, the members' values are nobody's to see. */
        size_t n_line = strcspn(line, *line == '{' ? "\"\r\n" : "\r\n");
        CLEANUP(freep) char *copy = xstrndup(line, MIN(n_line, (size_t)4096));
        char *to = copy, *shown;

        for (const char *from = copy; *from;) {
                size_t n = strcspn(from, " \"'=:,;<>()[]{}");

                if (n <= WORD_MAX)
                        memmove(to, from, n);
                else
                        memcpy(to, "...", 3);
                to += n <= WORD_MAX ? n : 3;
                from += n;
                if (*from)
                        *to++ = *from++;
        }
        *to = '\0';
        shown = text_clean(copy, EXCERPT_MAX);
        explicit_bzero(copy, strlen(copy));
        if (str_empty(shown)) {
                free(shown);
                return NULL;
        }
        return shown;
}

/* ---- standard error ----------------------------------------------------------------------- */

/* A frame of a traceback, its code and the marks below it; a warning of Python's with its code. */
static bool line_is_noise(const char *line, size_t n) {
        const char *warning = memmem(line, n, "Warning: ", strlen("Warning: "));

        return n == 0 || *line == ' ' || *line == '\t' || (*line == '/' && warning) ||
               str_starts(line, "WARNING: ");
}

/* The modules before the name of an exception: "requests.exceptions.SSLError" is "SSLError". */
static size_t modules_length(const char *line, size_t n) {
        size_t end =
                strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.");

        if (end > n || (end < n && line[end] != ':'))
                return 0;
        while (end && line[end - 1] != '.')
                end--;
        return end;
}

/* A user, an address or a path. */
static bool word_is_name(const char *s, size_t n) {
        return *s == '/' || memchr(s, '@', n) || memmem(s, n, "://", 3);
}

/* The closing quote of what begins at s, if that is a name; else NULL. What Python shows of an
 * exception (behind a bracket or a comma), and a command for a person, are words of az. */
static const char *name_end(const char *line, const char *s, const char *end) {
        const char *before = s;

        /* Behind anything else it closes: "('Cannot connect to proxy.', OSError('Tunnel ...". */
        if (*s != '\'' || (s > line && !strchr(" =:([{<\"", s[-1])) || str_starts(s, "'az "))
                return NULL;
        while (before > line && before[-1] == ' ')
                before--;
        if (before > line && strchr("(,", before[-1]))
                return NULL;
        for (s++; s < end; s++)
                if (*s == '\'' && (s + 1 == end || !isalnum((unsigned char)s[1])))
                        return s;
        return NULL;
}

/* Append a line to *to, without the names in it. */
static void line_append(char **to, const char *line, const char *end) {
        const char *s = line + modules_length(line, (size_t)(end - line)), *close;

        while (s < end) {
                size_t n = 0;

                close = name_end(line, s, end);
                if (close) {
                        *(*to)++ = '\'';
                        s = close;
                }
                while (s + n < end && !strchr(" '\"(),", s[n]))
                        n++;
                if (n == 0)
                        *(*to)++ = *s++;
                else if (!word_is_name(s, n)) {
                        memcpy(*to, s, n);
                        *to += n;
                }
                s += n;
        }
        *(*to)++ = '\n';
}

char *az_text_messages(const char *err) {
        char *messages = xmalloc(strlen(err) + 2), *to = messages;

        for (const char *line = err; *line;) {
                size_t n = strcspn(line, "\n");

                if (!line_is_noise(line, n))
                        line_append(&to, line, line + n);
                line += n + (line[n] == '\n');
        }
        *to = '\0';
        return messages;
}
