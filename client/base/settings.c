/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/i18n.h"
#include "base/settings.h"
#include "common/config-scan.h"
#include "common/memory.h"
#include "common/paths.h"

void settings_deinit(Settings *settings) {
        free(settings->proxy);
        free(settings->proxy_credentials);
        free(settings->ca_bundle);
        free(settings->az);
        *settings = (Settings){ 0 };
}

static void setting_read(char **setting, const ConfigLine *line) {
        free(*setting);
        *setting = line->n_value ? xstrndup(line->value, line->n_value) : NULL;
}

bool settings_parse(Settings *settings, const char *text, size_t n) {
        ConfigScan scan = CONFIG_SCAN_INIT(text, n);
        bool global = false, account = false, found = false;
        ConfigLine line;

        while (config_scan_next(&scan, &line)) {
                if (line.kind == CONFIG_LINE_GROUP) {
                        global = config_line_is(&line, CONFIG_LINE_GROUP, "iotc-token");
                        account = line.name && str_starts(line.name, "account ");
                        found |= global;
                } else if (account && !settings->az &&
                           config_line_is(&line, CONFIG_LINE_KEY, "az")) {
                        setting_read(&settings->az, &line);
                } else if (!global) {
                        continue;
                } else if (config_line_is(&line, CONFIG_LINE_KEY, "proxy")) {
                        setting_read(&settings->proxy, &line);
                } else if (config_line_is(&line, CONFIG_LINE_KEY, "proxy-credentials")) {
                        setting_read(&settings->proxy_credentials, &line);
                } else if (config_line_is(&line, CONFIG_LINE_KEY, "ca-bundle")) {
                        setting_read(&settings->ca_bundle, &line);
                }
        }
        return found;
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
        return open_regular(r == TRUST_E_UNSAFE ? -EPERM : r < 0 ? r : fd, CONFIG_FILE_MAX);
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

static bool settings_read_path(Settings *settings, const char *path) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        CLEANUP(file_closep) FILE *f = settings_open_own(path, &distrust);
        CLEANUP(freep) char *text = NULL;

        if (!f)
                return false;
        text = xmalloc(CONFIG_FILE_MAX);
        return settings_parse(settings, text, fread(text, 1, CONFIG_FILE_MAX, f));
}

char *settings_user_path(char *const *files) {
        for (size_t i = 0; files && files[i]; i++)
                if (!streq(files[i], SETTINGS_SYSTEM_PATH))
                        return xstrdup(files[i]);
        if (files && *files)
                return NULL;
        return path_in_home("XDG_CONFIG_HOME", ".config", "accounts.conf");
}

void settings_load_files(Settings *ret, const char *user_path) {
        CLEANUP(settings_deinit) Settings user = { 0 }, system = { 0 };
        bool found = user_path && settings_read_path(&user, user_path);

        (void)settings_read_path(&system, SETTINGS_SYSTEM_PATH);
        *ret = (Settings){
                .proxy = STEAL((found ? &user : &system)->proxy),
                .proxy_credentials = STEAL((found ? &user : &system)->proxy_credentials),
                .ca_bundle = STEAL((found ? &user : &system)->ca_bundle),
                .az = user.az ? STEAL(user.az) : STEAL(system.az),
        };
}

void settings_load(Settings *ret, const char *user_path) {
        const char *ca_bundle = getenv("CURL_CA_BUNDLE") ?: getenv("SSL_CERT_FILE");

        settings_load_files(ret, user_path);
        if (!ret->ca_bundle && !str_empty(ca_bundle))
                ret->ca_bundle = xstrdup(ca_bundle);
}
