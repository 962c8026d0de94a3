/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/settings.h"

static bool read_text(Settings *settings, const char *text) {
        return settings_parse(settings, text, strlen(text));
}

static void test_both(void) {
        CLEANUP(settings_deinit) Settings settings = { 0 };

        assert(read_text(&settings,
                         "# [iotc-token]\n[account x]\nproxy=http://wrong\n\n[iotc-token]\n"
                         " proxy = http://p:1 \r\n#ca-bundle=/wrong\nca-bundle=/a b.pem\nnonsense\n"
                         "proxy-credentials=/c\n"
                         "[account y]\nca-bundle=/wrong\naz = /opt/az\n[account z]\naz=/b\n"));
        assert(streq(settings.proxy, "http://p:1"));
        assert(streq(settings.ca_bundle, "/a b.pem"));
        assert(streq(settings.proxy_credentials, "/c"));
        assert(streq(settings.az, "/opt/az"));
}

static void test_none(void) {
        CLEANUP(settings_deinit) Settings settings = { 0 };

        assert(!read_text(&settings, "az=/w\n[account x]\nproxy=http://wrong\n[iotc]\naz=/w\n"));
        assert(!settings.proxy && !settings.ca_bundle && !settings.az);
        assert(read_text(&settings, "[iotc-token]\nproxy=\n"));
        assert(!settings.proxy);
}

/* `api` and the others ask by what the daemon would read, and by nothing that it would not. */
static void test_a_file_that_others_may_write(void) {
        char folder[] = "/tmp/test-settings-XXXXXX", path[64];
        CLEANUP(settings_deinit) Settings before = { 0 }, after = { 0 };
        int fd;

        assert(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/iotc-token", folder);
        assert(mkdir(path, 0700) == 0);
        snprintf(path, sizeof(path), "%s/iotc-token/accounts.conf", folder);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert(fd >= 0 && dprintf(fd, "[iotc-token]\nproxy=http://p:1\n") > 0);
        settings_load_files(&before, path);
        assert(streq(before.proxy, "http://p:1"));
        assert(fchmod(fd, 0666) == 0);
        settings_load_files(&after, path);
        assert(!after.proxy);
        assert(close(fd) == 0 && unlink(path) == 0);
        *strrchr(path, '/') = '\0';
        assert(rmdir(path) == 0 && rmdir(folder) == 0);
}

int main(void) {
        test_both();
        test_none();
        test_a_file_that_others_may_write();
        return 0;
}
