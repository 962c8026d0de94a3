/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/lock.h"

static char top[] = "/tmp/test-lock-XXXXXX";
static char folder[64];

static char *in_folder(const char *name) {
        char *path;

        assert(asprintf(&path, "%s/%s", folder, name) > 0);
        return path;
}

static void test_one_at_a_time(void) {
        CLEANUP(freep) char *path = in_folder("a.lock");
        int first = -1, second = -1, other = -1;
        struct stat st;

        assert(lock_take(&first, folder, "a.lock") == 0 && first >= 0);
        assert(lock_take(&second, folder, "a.lock") == -EAGAIN && second == -1);
        assert(lock_take(&other, folder, "b.lock") == 0);
        assert(stat(path, &st) == 0 && (st.st_mode & 077) == 0);
        first = fd_close(first);
        assert(lock_take(&second, folder, "a.lock") == 0);
        (void)fd_close(second);
        (void)fd_close(other);
}

static void test_the_dead_hold_nothing(void) {
        int fds[2], fd = -1;
        pid_t pid;
        char c;

        assert(pipe(fds) == 0);
        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                assert(lock_take(&fd, folder, "a.lock") == 0);
                assert(write(fds[1], "x", 1) == 1);
                for (;;)
                        (void)pause();
        }
        assert(read(fds[0], &c, 1) == 1);
        assert(lock_take(&fd, folder, "a.lock") == -EAGAIN);
        assert(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
        assert(lock_take(&fd, folder, "a.lock") == 0);
        (void)fd_close(fd);
        close(fds[0]);
        close(fds[1]);
}

/* What one holder leaves, also one that dies, the next finds. */
static void test_what_is_left_for_the_next(void) {
        char data[8];
        int fd = -1;
        pid_t pid;

        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                assert(lock_take(&fd, folder, "c.lock") == 0);
                assert(lock_read(fd, data, sizeof(data)) == 0);
                lock_write(fd, "123456", 6);
                raise(SIGKILL);
        }
        assert(waitpid(pid, NULL, 0) == pid);
        assert(lock_take(&fd, folder, "c.lock") == 0);
        assert(lock_read(fd, data, sizeof(data)) == 6 && memcmp(data, "123456", 6) == 0);
        lock_write(fd, "ab", 2);
        assert(lock_read(fd, data, sizeof(data)) == 6 && memcmp(data, "ab3456", 6) == 0);
        assert(lock_read(fd, data, 3) == 3);
        (void)fd_close(fd);
        assert(lock_read(-1, data, sizeof(data)) == 0);
}

static void test_what_can_not_be_locked(void) {
        CLEANUP(freep) char *link = in_folder("link.lock");
        CLEANUP(freep) char *target = in_folder("target");
        int fd = -1;

        assert(lock_take(&fd, "/nowhere", "a.lock") == -ENOENT);
        assert(symlink(target, link) == 0);
        assert(lock_take(&fd, folder, "link.lock") == -ELOOP);
        assert(access(target, F_OK) < 0 && fd == -1);
}

int main(void) {
        char command[64];

        assert(mkdtemp(top));
        snprintf(folder, sizeof(folder), "%s/iotc-token", top);
        assert(mkdir(folder, 0700) == 0);
        test_one_at_a_time();
        test_the_dead_hold_nothing();
        test_what_is_left_for_the_next();
        test_what_can_not_be_locked();
        snprintf(command, sizeof(command), "rm -r %s", top);
        assert(system(command) == 0);
        return 0;
}
