/* SPDX-License-Identifier: MIT */
/*
 * See config-scan.h. What counts as a header, a key and white space is what GKeyFile's parser says
 * (Desktop Entry Specification, "Basic format of the file").
 */
#include "common/config-scan.h"
#include "common/utf8.h"

#define BOM "\xef\xbb\xbf"

static bool config_is_space(char c) {
        return c == ' ' || c == '\t';
}

/* Cut white space off both ends of s[0..n). */
static void config_trim(const char **s, size_t *n) {
        while (*n > 0 && config_is_space(**s)) {
                (*s)++;
                (*n)--;
        }
        while (*n > 0 && config_is_space((*s)[*n - 1]))
                (*n)--;
}

static void config_line_read_group(ConfigLine *line, const char *s, size_t n) {
        line->kind = CONFIG_LINE_GROUP;
        if (n > 2 && s[n - 1] == ']') {
                line->name = s + 1;
                line->n_name = n - 2;
        }
}

static void config_line_read_key(ConfigLine *line, const char *s, size_t n) {
        const char *equals = memchr(s, '=', n);

        if (memchr(s, 0, n)) {
                line->problem = "a NUL byte is in it";
        } else if (!utf8_is_valid(s, n)) {
                line->problem = "it is not UTF-8";
        } else if (!equals || equals == s) {
                line->problem = "expected KEY=VALUE";
        } else {
                line->kind = CONFIG_LINE_KEY;
                line->name = s;
                line->n_name = equals - s;
                config_trim(&line->name, &line->n_name);
                line->value = equals + 1;
                line->n_value = s + n - line->value;
                config_trim(&line->value, &line->n_value);
        }
}

bool config_scan_next(ConfigScan *scan, ConfigLine *ret) {
        ConfigLine line = { .kind = CONFIG_LINE_BAD, .text = scan->data + scan->at };
        const char *end, *s = line.text;
        size_t n;

        if (scan->at >= scan->n)
                return false;
        end = memchr(s, '\n', scan->n - scan->at);
        n = end ? (size_t)(end - s) : scan->n - scan->at;
        line.n_text = end ? n + 1 : n;
        scan->at += line.n_text;
        line.number = ++scan->number;

        if (n > 0 && s[n - 1] == '\r')
                n--;
        if (line.number == 1 && n >= strlen(BOM) && memcmp(s, BOM, strlen(BOM)) == 0) {
                s += strlen(BOM);
                n -= strlen(BOM);
        }
        config_trim(&s, &n);

        if (n == 0)
                line.kind = CONFIG_LINE_EMPTY;
        else if (s[0] == '#')
                line.kind = CONFIG_LINE_COMMENT;
        else if (s[0] == '[')
                config_line_read_group(&line, s, n);
        else if (n > CONFIG_LINE_MAX)
                line.problem = "it is too long";
        else
                config_line_read_key(&line, s, n);
        *ret = line;
        return true;
}

bool config_line_is(const ConfigLine *line, ConfigLineKind kind, const char *name) {
        return line->kind == kind && line->name && line->n_name == strlen(name) &&
               memcmp(line->name, name, line->n_name) == 0;
}
