/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "io/config/values.h"

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
