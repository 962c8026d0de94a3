/* SPDX-License-Identifier: MIT */
/*
 * Fetchers of a test's own: small shell scripts in a folder of this process, a launcher that starts
 * them, the loop that both are seen from, and a look at the processes and descriptors that are
 * left. All of them abort.
 */
#pragma once

#undef NDEBUG
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/fetch/launcher.h"
#include "io/timer.h"

typedef struct Fetcher {
        char folder[64];
        char script[96];
        sd_event *event;
        Launcher *launcher;
        pid_t launcher_pid;
} Fetcher;

static inline char *fetcher_file(const Fetcher *f, const char *name) {
        char *path;

        assert(asprintf(&path, "%s/%s", f->folder, name) > 0);
        return path;
}

static inline void fetcher_write(const Fetcher *f, const char *body) {
        int fd = open(f->script, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

        assert(fd >= 0);
        assert(dprintf(fd, "#!/bin/sh\n%s\n", body) > 0);
        close(fd);
}

/* The children of a process, with zombies; the last one's id in *ret when it is not NULL. */
static inline unsigned children_of(pid_t pid, pid_t *ret) {
        char path[64];
        unsigned n = 0;
        FILE *file;
        int child;

        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
        file = fopen(path, "re");
        assert(file);
        while (fscanf(file, "%d", &child) == 1) {
                if (ret)
                        *ret = child;
                n++;
        }
        fclose(file);
        return n;
}

static inline unsigned descriptors_of(pid_t pid) {
        char path[64];
        unsigned n = 0;
        DIR *dir;

        snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        dir = opendir(path);
        assert(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static inline void fetcher_init(Fetcher *f, const char *body) {
        *f = (Fetcher){ 0 };
        assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
        snprintf(f->folder, sizeof(f->folder), "/tmp/test-fetch-XXXXXX");
        assert(mkdtemp(f->folder));
        snprintf(f->script, sizeof(f->script), "%s/fetcher", f->folder);
        fetcher_write(f, body);
        assert(launcher_fork(&f->launcher, f->script) == 0);
        assert(children_of(getpid(), &f->launcher_pid) == 1);
        assert(sd_event_new(&f->event) == 0);
        assert(launcher_attach(f->launcher, f->event, NULL, NULL) >= 0);
}

static inline void fetcher_deinit(Fetcher *f) {
        char command[96];

        launcher_free(f->launcher);
        sd_event_unref(f->event);
        assert(children_of(getpid(), NULL) == 0);
        snprintf(command, sizeof(command), "rm -r %s", f->folder);
        assert(system(command) == 0);
}

/* Turn the loop until holds() does; 20 s are a failure. */
static inline void until(Fetcher *f, bool (*holds)(void *), void *userdata) {
        uint64_t end = clock_boottime() + 20 * USEC_PER_SEC;

        while (!holds(userdata)) {
                assert(clock_boottime() < end);
                assert(sd_event_run(f->event, 10 * 1000) >= 0);
        }
}

static inline bool is_childless(void *userdata) {
        return children_of(*(pid_t *)userdata, NULL) == 0;
}

/* No process of a fetcher is left, no zombie either. */
static inline void until_childless(Fetcher *f) {
        until(f, is_childless, &f->launcher_pid);
}
