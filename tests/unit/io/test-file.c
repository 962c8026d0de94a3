/* SPDX-License-Identifier: MIT */
/*
 * A file is the old one or the new one, whatever stands in the way. The full disk is a real one
 * where the machine lets a user mount it.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util-config.h"

static int replace(const char *path, const char *text) {
        return file_replace(path, text, strlen(text));
}

static void test_reading_has_a_limit(void) {
        CLEANUP(freep) char *data = NULL, *rest = NULL;
        char text[10001];
        size_t n;
        Folder f;

        folder_init(&f);
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        put(f.user, text);
        assert(file_read(&data, &n, f.user, 10000) == 0);
        assert(n == 10000 && streq(data, text));
        assert(file_read(&rest, &n, f.user, 9999) == -EFBIG && !rest);
        assert(file_read(&rest, &n, "/dev/zero", 9999) == -EBADFD);
        assert(file_read(&rest, &n, f.system, 10000) == -ENOENT);
        assert(file_read(&rest, &n, f.path, 10000) == -EISDIR);
        /* A pipe that nobody writes to is no reason to wait, nor an empty file. */
        assert(mkfifo(f.system, 0600) == 0);
        assert(file_read(&rest, &n, f.system, 10000) == -EBADFD && !rest);
        folder_remove(&f);
}

static void test_a_path_that_leads_nowhere(void) {
        char folder[128], path[160];
        Folder f;

        folder_init(&f);
        snprintf(folder, sizeof(folder), "%s/dotfiles", f.path);
        snprintf(path, sizeof(path), "%s/accounts.conf", folder);
        assert(!file_leads_nowhere(path) && !file_leads_nowhere("/"));
        assert(symlink("not-mounted", folder) == 0);
        assert(file_leads_nowhere(path) && file_leads_nowhere(folder));
        put(f.system, "");
        assert(unlink(folder) == 0 && symlink("system.conf", folder) == 0);
        assert(!file_leads_nowhere(folder) && !file_leads_nowhere(path));
        folder_remove(&f);
}

static void test_the_new_file_is_private(void) {
        char path[128];
        struct stat st;
        Folder f;

        folder_init(&f);
        snprintf(path, sizeof(path), "%s/a/b/c", f.path);
        assert(replace(path, "one") == 0);
        assert(chmod(path, 0644) == 0);
        assert(replace(path, "two") == 0);
        expect_text(path, "two");
        assert(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
        *strrchr(path, '/') = 0;
        assert(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700);
        assert(replace(path, "x") == -EISDIR);

        put(f.user, "old");
        snprintf(path, sizeof(path), "%s/user.conf/c", f.path);
        assert(replace(path, "x") == -ENOTDIR);
        folder_remove(&f);
}

static void test_a_link_stays_a_link(void) {
        struct stat st;
        Folder f;

        folder_init(&f);
        assert(symlink("system.conf", f.user) == 0);
        assert(replace(f.user, "new") == -ENOENT);
        put(f.system, "old");
        assert(replace(f.user, "new") == 0);
        assert(lstat(f.user, &st) == 0 && S_ISLNK(st.st_mode));
        expect_text(f.system, "new");
        folder_remove(&f);
}

/* In a child: try to write more than there is room for, and tell the errno. */
static int write_too_much(const Folder *f) {
        static char much[64 * 1024];
        int r;

        memset(much, 'x', sizeof(much));
        r = file_replace(f->user, much, sizeof(much));
        expect_text(f->user, "old");
        assert(unlink(f->user) == 0);
        return -r;
}

static int write_beyond_the_limit(const Folder *f) {
        struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };

        signal(SIGXFSZ, SIG_IGN);
        assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        return write_too_much(f);
}

/* 0 when nobody lets us mount: user_namespaces(7). */
static int write_to_a_full_disk(const Folder *f) {
        char uid[32], gid[32];

        snprintf(uid, sizeof(uid), "0 %u 1", geteuid());
        snprintf(gid, sizeof(gid), "0 %u 1", getegid());
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return 0;
        put("/proc/self/setgroups", "deny");
        put("/proc/self/uid_map", uid);
        put("/proc/self/gid_map", gid);
        if (mount("tmpfs", f->path, "tmpfs", 0, "size=16k") < 0)
                return 0;
        put(f->user, "old");
        return write_too_much(f);
}

static int run_in_child(int (*fn)(const Folder *f), const Folder *f) {
        int status;
        pid_t pid;

        pid = fork();
        assert(pid >= 0);
        if (pid == 0)
                _exit(fn(f));
        assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_no_room_leaves_the_old_file(void) {
        Folder f;
        int r;

        folder_init(&f);
        put(f.user, "old");
        assert(run_in_child(write_beyond_the_limit, &f) == EFBIG);
        /* Nothing was left behind: the folder is empty. */
        assert(rmdir(f.path) == 0 && mkdir(f.path, 0700) == 0);

        r = run_in_child(write_to_a_full_disk, &f);
        assert(r == 0 || r == ENOSPC);
        if (r == 0)
                fprintf(stderr, "no user namespace here: the full disk was left out\n");
        folder_remove(&f);
}

static void test_names_of_temporary_files(void) {
        assert(file_is_temporary("work.iotc-a1B2c3"));
        assert(!file_is_temporary("work.iotc-a1B2c") && !file_is_temporary("work.iotc-a1B2c34"));
        assert(!file_is_temporary("work.backup") && !file_is_temporary("work"));
        assert(!file_is_temporary(".iotc-a1B2c3") && !file_is_temporary(""));
}

int main(void) {
        test_reading_has_a_limit();
        test_a_path_that_leads_nowhere();
        test_the_new_file_is_private();
        test_names_of_temporary_files();
        test_a_link_stays_a_link();
        test_no_room_leaves_the_old_file();
        return 0;
}
