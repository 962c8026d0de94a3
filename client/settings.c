/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "settings.h"

void settings_deinit(Settings *settings) {
        free(settings->proxy);
        free(settings->ca_bundle);
        *settings = (Settings){ 0 };
}

/* Without the white space around it; in place. */
static char *trimmed(char *s) {
        size_t n;

        while (isspace((unsigned char)*s))
                s++;
        n = strlen(s);
        while (n && isspace((unsigned char)s[n - 1]))
                s[--n] = '\0';
        return s;
}

static int setting_take(char **setting, const char *value) {
        free(*setting);
        *setting = *value ? strdup(value) : NULL;
        return *value && !*setting ? -ENOMEM : 0;
}

int settings_read(Settings *settings, FILE *f) {
        CLEANUP(freep) char *line = NULL;
        bool inside = false;
        size_t size = 0;
        int r = 0, found = 0;

        while (r == 0 && getline(&line, &size, f) >= 0) {
                char *text = trimmed(line), *value = strchr(text, '=');

                if (*text == '[') {
                        inside = streq(text, "[iotc-token]");
                        found |= inside;
                }
                if (!inside || !value || *text == '#')
                        continue;
                *value++ = '\0';
                if (streq(trimmed(text), "proxy"))
                        r = setting_take(&settings->proxy, trimmed(value));
                else if (streq(trimmed(text), "ca-bundle"))
                        r = setting_take(&settings->ca_bundle, trimmed(value));
        }
        return r < 0 ? r : found;
}

static int settings_read_path(Settings *settings, const char *path) {
        CLEANUP(file_closep) FILE *f = fopen(path, "re");

        return f ? settings_read(settings, f) : 0;
}

int settings_user_path(char **ret) {
        const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        int n = 0;

        *ret = NULL;
        if (base && *base == '/')
                n = asprintf(ret, "%s/iotc-token/accounts.conf", base);
        else if (home && *home == '/')
                n = asprintf(ret, "%s/.config/iotc-token/accounts.conf", home);
        if (n < 0)
                *ret = NULL;
        return n < 0 ? -ENOMEM : 0;
}

int settings_load_files(Settings *ret) {
        CLEANUP(settings_deinit) Settings settings = { 0 };
        CLEANUP(freep) char *path = NULL;
        int r;

        r = settings_user_path(&path);
        if (r == 0 && path)
                r = settings_read_path(&settings, path);
        if (r == 0)
                r = settings_read_path(&settings, SETTINGS_SYSTEM_PATH);
        if (r < 0)
                return r;
        *ret = settings;
        settings = (Settings){ 0 };
        return 0;
}

int settings_load(Settings *ret) {
        CLEANUP(settings_deinit) Settings settings = { 0 };
        int r;

        r = settings_load_files(&settings);
        if (r == 0 && !settings.ca_bundle)
                r = setting_take(&settings.ca_bundle,
                                 getenv("CURL_CA_BUNDLE") ?: getenv("SSL_CERT_FILE") ?: "");
        if (r < 0)
                return r;
        *ret = settings;
        settings = (Settings){ 0 };
        return 0;
}
