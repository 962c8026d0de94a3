/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/count-file.h"

static char folder[] = "/tmp/test-count-file-XXXXXX";

static char *in_folder(const char *name) {
        char *path;

        assert(asprintf(&path, "%s/%s", folder, name) > 0);
        return path;
}

/* What one life of the daemon leaves, also one that is killed, the next finds. */
static void test_what_is_left_for_the_next(void) {
        CLEANUP(freep) char *path = in_folder("c");
        struct stat st;
        char data[8];
        pid_t pid;
        int fd;

        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                fd = count_file_open(folder, "c");
                assert(fd >= 0 && count_file_read(fd, data, sizeof(data)) == 0);
                count_file_write(fd, "123456", 6);
                raise(SIGKILL);
        }
        assert(waitpid(pid, NULL, 0) == pid);
        assert(stat(path, &st) == 0 && (st.st_mode & 077) == 0);
        fd = count_file_open(folder, "c");
        assert(count_file_read(fd, data, sizeof(data)) == 6 && memcmp(data, "123456", 6) == 0);
        count_file_write(fd, "ab", 2);
        assert(count_file_read(fd, data, sizeof(data)) == 6 && memcmp(data, "ab3456", 6) == 0);
        assert(count_file_read(fd, data, 3) == 3);
        (void)fd_close(fd);
}

static void test_there_is_no_file(void) {
        CLEANUP(freep) char *link = in_folder("link");
        CLEANUP(freep) char *target = in_folder("target");
        char data[8];

        assert(count_file_open("/nowhere", "c") == -1);
        assert(symlink(target, link) == 0);
        assert(count_file_open(folder, "link") == -1 && access(target, F_OK) < 0);
        assert(count_file_read(-1, data, sizeof(data)) == 0);
        count_file_write(-1, "12", 2);
}

int main(void) {
        char command[64];

        assert(mkdtemp(folder));
        test_what_is_left_for_the_next();
        test_there_is_no_file();
        snprintf(command, sizeof(command), "rm -r %s", folder);
        assert(system(command) == 0);
        return 0;
}
