/* SPDX-License-Identifier: MIT */
/*
 * See edit.h. A GKeyFile of one group holds the settings because it escapes values and keeps
 * their order; it isn't used on the file itself, because it takes comments that lie between two
 * groups along with the first, and respells every line.
 */
#include "io/config/edit.h"
#include "common/config-scan.h"

#define SETTINGS_GROUP "settings"

/* The lines of one group: its header, and its last setting or else its header again. 0: no group.
 */
typedef struct ConfigExtent {
        unsigned header;
        unsigned last;
} ConfigExtent;

ConfigSettings *config_settings_new(void) {
        return g_key_file_new();
}

ConfigSettings *config_settings_free(ConfigSettings *s) {
        if (s)
                g_key_file_free(s);
        return NULL;
}

void config_settings_add(ConfigSettings *s, const char *key, const char *const *values, bool list) {
        g_autofree char *raw = NULL;

        if (!list) {
                g_key_file_set_string(s, SETTINGS_GROUP, key, values[0]);
                return;
        }
        g_key_file_set_string_list(s, SETTINGS_GROUP, key, values, g_strv_length((GStrv)values));
        /* GKeyFile ends a list with a semicolon, as no person does. */
        raw = g_key_file_get_value(s, SETTINGS_GROUP, key, NULL);
        if (g_str_has_suffix(raw, ";")) {
                raw[strlen(raw) - 1] = 0;
                g_key_file_set_value(s, SETTINGS_GROUP, key, raw);
        }
}

static char *settings_get(const ConfigSettings *s, const char *key) {
        return g_key_file_get_value((GKeyFile *)s, SETTINGS_GROUP, key, NULL);
}

static ConfigExtent config_find_extent(ConfigScan scan, const char *group) {
        ConfigExtent extent = { 0 };
        ConfigLine line;

        while (config_scan_next(&scan, &line)) {
                if (line.kind == CONFIG_LINE_GROUP && extent.header)
                        break;
                if (config_line_is(&line, CONFIG_LINE_GROUP, group))
                        extent.header = extent.last = line.number;
                else if (line.kind == CONFIG_LINE_KEY && extent.header)
                        extent.last = line.number;
        }
        return extent;
}

/* The line's end that the file has. */
static const char *config_line_end(const char *data, size_t n) {
        const char *end = memchr(data, '\n', n);

        return end && end > data && end[-1] == '\r' ? "\r\n" : "\n";
}

static void out_end_line(GString *out, const char *eol) {
        if (out->len > 0 && out->str[out->len - 1] != '\n')
                g_string_append(out, eol);
}

static bool out_ends_empty(const GString *out) {
        return out->len == 0 || g_str_has_suffix(out->str, "\n\n") ||
               g_str_has_suffix(out->str, "\n\r\n") || streq(out->str, "\n");
}

/* All of new that isn't done yet. */
static void out_add_settings(GString *out, const ConfigSettings *new, GHashTable *done,
                             const char *eol) {
        g_auto(GStrv) keys = g_key_file_get_keys((GKeyFile *)new, SETTINGS_GROUP, NULL, NULL);

        for (char **key = keys; key && *key; key++) {
                g_autofree char *value = settings_get(new, *key);

                if (g_hash_table_contains(done, *key))
                        continue;
                out_end_line(out, eol);
                g_string_append_printf(out, "%s=%s%s", *key, value, eol);
        }
}

/* One setting's line: as it was, respelled or left out. */
static void out_change_line(GString *out, const ConfigLine *line, const ConfigSettings *old,
                            const ConfigSettings *new, GHashTable *done, const char *eol) {
        g_autofree char *key = g_strndup(line->name, line->n_name);
        g_autofree char *before = settings_get(old, key);
        g_autofree char *after = settings_get(new, key);

        if (g_strcmp0(before, after) == 0)
                g_string_append_len(out, line->text, line->n_text);
        else if (after)
                g_string_append_printf(out, "%s=%s%s", key, after, eol);
        if (after)
                g_hash_table_add(done, g_steal_pointer(&key));
}

static void out_add_group(GString *out, const char *group, const char *eol) {
        out_end_line(out, eol);
        if (!out_ends_empty(out))
                g_string_append(out, eol);
        g_string_append_printf(out, "[%s]%s", group, eol);
}

GString *config_edit_group(const char *data, size_t n, const char *group, const ConfigSettings *old,
                           const ConfigSettings *new) {
        g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        GString *out = g_string_sized_new(n + 256);
        ConfigScan scan = CONFIG_SCAN_INIT(data, n);
        const char *eol = config_line_end(data, n);
        ConfigExtent extent;
        ConfigLine line;

        extent = config_find_extent(scan, group);
        while (config_scan_next(&scan, &line)) {
                if (line.kind == CONFIG_LINE_KEY && line.number > extent.header &&
                    line.number <= extent.last)
                        out_change_line(out, &line, old, new, done, eol);
                else
                        g_string_append_len(out, line.text, line.n_text);
                if (line.number == extent.last)
                        out_add_settings(out, new, done, eol);
        }
        if (!extent.header) {
                out_add_group(out, group, eol);
                out_add_settings(out, new, done, eol);
        }
        return out;
}

GString *config_edit_remove(const char *data, size_t n, const char *group) {
        GString *out = g_string_sized_new(n);
        ConfigScan scan = CONFIG_SCAN_INIT(data, n);
        bool squeeze = false;
        ConfigExtent extent;
        ConfigLine line;

        extent = config_find_extent(scan, group);
        while (config_scan_next(&scan, &line)) {
                if (extent.header && line.number >= extent.header && line.number <= extent.last) {
                        squeeze = out_ends_empty(out);
                        continue;
                }
                /* No two empty lines where the group was between them. */
                squeeze = squeeze && line.kind == CONFIG_LINE_EMPTY;
                if (!squeeze)
                        g_string_append_len(out, line.text, line.n_text);
        }
        return out;
}
