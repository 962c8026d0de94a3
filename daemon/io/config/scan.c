/* SPDX-License-Identifier: MIT */
/*
 * See config-scan.h. What counts as a header, a key and white space is what GKeyFile's parser says
 * (Desktop Entry Specification, "Basic format of the file"); it decodes the values, too.
 */
#include <glib.h>

#include "io/config/scan.h"
#include "model/limits.h"

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
        } else if (!g_utf8_validate_len(s, n, NULL)) {
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

/* GKeyFile only warns of an escape that it doesn't know, and reads on. */
static bool config_line_escapes(const ConfigLine *line, bool list) {
        const char *known = list ? "sntr\\;" : "sntr\\";

        for (size_t i = 0; i < line->n_value; i++)
                if (line->value[i] == '\\' &&
                    (++i == line->n_value || !strchr(known, line->value[i])))
                        return false;
        return true;
}

int config_line_values(char ***ret, const ConfigLine *line, bool list) {
        g_autoptr(GKeyFile) file = g_key_file_new();
        g_autofree char *text = NULL;
        g_auto(GStrv) values = NULL;
        size_t n = 0;

        if (!config_line_escapes(line, list))
                return -EINVAL;
        text = g_strdup_printf("[group]\nkey=%.*s\n", (int)line->n_value, line->value);
        if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
                return -EINVAL;
        if (list) {
                values = g_key_file_get_string_list(file, "group", "key", NULL, NULL);
        } else {
                values = g_new0(char *, 2);
                values[0] = g_key_file_get_string(file, "group", "key", NULL);
        }
        if (!values || (!list && !values[0]))
                return -EINVAL;

        for (char **p = values; *p; p++) {
                char *value = g_strstrip(*p);

                *p = NULL;
                if (list && !*value)
                        g_free(value);
                else
                        values[n++] = value;
        }
        *ret = STEAL(values);
        return 0;
}
