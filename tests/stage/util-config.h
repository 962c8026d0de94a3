/* SPDX-License-Identifier: MIT */
/*
 * A folder of its own for each test, with a user's and a system's settings file in it, and the few
 * words that the tests of the settings files are written in. All of them abort.
 */
#pragma once

#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/config/config.h"
#include "io/file.h"
#include "model/limits.h"

typedef struct Folder {
        char path[64];
        char user[128];
        char system[128];
} Folder;

static inline void folder_init(Folder *f) {
        snprintf(f->path, sizeof(f->path), "%s", "/tmp/test-config-XXXXXX");
        assert(mkdtemp(f->path));
        snprintf(f->user, sizeof(f->user), "%s/user.conf", f->path);
        snprintf(f->system, sizeof(f->system), "%s/system.conf", f->path);
}

static inline void folder_remove(Folder *f) {
        char command[128];

        snprintf(command, sizeof(command), "rm -r %s", f->path);
        assert(system(command) == 0);
}

static inline void put_bytes(const char *path, const char *data, size_t n) {
        CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert(fd >= 0 && write(fd, data, n) == (ssize_t)n);
}

static inline void put(const char *path, const char *text) {
        put_bytes(path, text, strlen(text));
}

static inline void expect_text(const char *path, const char *want) {
        CLEANUP(freep) char *data = NULL;
        size_t n;

        assert(file_read(&data, &n, path, CONFIG_FILE_MAX) == 0);
        if (!streq(data, want)) {
                fprintf(stderr, "got:\n%s\nwant:\n%s\n", data, want);
                abort();
        }
}

static inline Account *find(Config *c, const char *name) {
        for (size_t i = 0; i < c->n_accounts; i++)
                if (streq(c->accounts[i]->name, name))
                        return c->accounts[i];
        return NULL;
}

static inline Config *load(const char *system, const char *user) {
        Config *c = NULL;

        assert(config_load(&c, system, user) == 0);
        assert(c->app_suffixes);
        return c;
}
