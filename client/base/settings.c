/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/i18n.h"
#include "base/settings.h"

void settings_deinit(Settings *settings) {
        free(settings->proxy);
        free(settings->proxy_credentials);
        free(settings->ca_bundle);
        free(settings->az);
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

static int settings_take(Settings *settings, bool global, const char *key, const char *value) {
        if (global && streq(key, "proxy"))
                return setting_take(&settings->proxy, value);
        if (global && streq(key, "proxy-credentials"))
                return setting_take(&settings->proxy_credentials, value);
        if (global && streq(key, "ca-bundle"))
                return setting_take(&settings->ca_bundle, value);
        if (!global && streq(key, "az") && !settings->az)
                return setting_take(&settings->az, value);
        return 0;
}

int settings_read(Settings *settings, FILE *f) {
        CLEANUP(freep) char *line = NULL;
        bool global = false, account = false;
        size_t size = 0;
        int r = 0, found = 0;

        while (r == 0 && getline(&line, &size, f) >= 0) {
                char *text = trimmed(line), *value = strchr(text, '=');

                if (*text == '[') {
                        global = streq(text, "[iotc-token]");
                        account = str_starts(text, "[account ");
                        found |= global;
                }
                if ((!global && !account) || !value || *text == '#')
                        continue;
                *value++ = '\0';
                r = settings_take(settings, global, trimmed(text), trimmed(value));
        }
        return r < 0 ? r : found;
}

/* fd: of O_PATH, or -errno. */
static FILE *open_regular(int fd, off_t max) {
        CLEANUP(fd_closep) int file = -1;
        struct stat st;
        FILE *f;

        if (fd < 0 || fstat(fd, &st) < 0) {
                errno = fd < 0 ? -fd : errno;
                return NULL;
        }
        if (!S_ISREG(st.st_mode) || st.st_size > max) {
                errno = S_ISREG(st.st_mode) ? EFBIG : S_ISDIR(st.st_mode) ? EISDIR : EBADFD;
                return NULL;
        }
        file = trust_reopen(fd, O_RDONLY);
        if (file < 0) {
                errno = -file;
                return NULL;
        }
        f = fdopen(file, "r");
        file = f ? -1 : file;
        return f;
}

FILE *settings_open(const char *path, off_t max) {
        CLEANUP(fd_closep) int fd = open(path, O_PATH | O_CLOEXEC);

        return open_regular(fd < 0 ? -errno : fd, max);
}

FILE *settings_open_own(const char *path, Distrust *ret) {
        CLEANUP(fd_closep) int fd = -1;
        int r;

        r = trust_open(&fd, ret, path, TRUST_FILE);
        return open_regular(r == TRUST_E_UNSAFE ? -EPERM : r < 0 ? r : fd, SETTINGS_FILE_MAX);
}

const char *settings_open_fault(int r) {
        switch (r) {
        case EBADFD:
                return N_("it is no regular file");
        case EFBIG:
                return N_("it is too large");
        case EISDIR:
                return N_("it is a folder");
        case ENOENT:
                return N_("it is a link whose target is not there");
        default:
                return strerror(r);
        }
}

static int settings_read_path(Settings *settings, const char *path) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        CLEANUP(file_closep) FILE *f = settings_open_own(path, &distrust);

        return f ? settings_read(settings, f) : 0;
}

int settings_user_path(char **ret, char *const *files) {
        const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        int n = 0;

        *ret = NULL;
        for (size_t i = 0; files && files[i]; i++)
                if (!streq(files[i], SETTINGS_SYSTEM_PATH)) {
                        *ret = strdup(files[i]);
                        return *ret ? 0 : -ENOMEM;
                }
        if (files && *files)
                return 0;
        if (base && *base == '/')
                n = asprintf(ret, "%s/iotc-token/accounts.conf", base);
        else if (home && *home == '/')
                n = asprintf(ret, "%s/.config/iotc-token/accounts.conf", home);
        if (n < 0)
                *ret = NULL;
        return n < 0 ? -ENOMEM : 0;
}

int settings_load_files(Settings *ret, const char *user_path) {
        CLEANUP(settings_deinit) Settings user = { 0 }, system = { 0 };
        int r, found = 0;

        if (user_path)
                found = settings_read_path(&user, user_path);
        r = MIN(found, 0);
        if (r == 0)
                r = settings_read_path(&system, SETTINGS_SYSTEM_PATH);
        if (r < 0)
                return r;
        *ret = (Settings){
                .proxy = STEAL((found ? &user : &system)->proxy),
                .proxy_credentials = STEAL((found ? &user : &system)->proxy_credentials),
                .ca_bundle = STEAL((found ? &user : &system)->ca_bundle),
                .az = user.az ? STEAL(user.az) : STEAL(system.az),
        };
        return 0;
}

int settings_load(Settings *ret, const char *user_path) {
        CLEANUP(settings_deinit) Settings settings = { 0 };
        int r;

        r = settings_load_files(&settings, user_path);
        if (r == 0 && !settings.ca_bundle)
                r = setting_take(&settings.ca_bundle,
                                 getenv("CURL_CA_BUNDLE") ?: getenv("SSL_CERT_FILE") ?: "");
        if (r < 0)
                return r;
        *ret = settings;
        settings = (Settings){ 0 };
        return 0;
}
