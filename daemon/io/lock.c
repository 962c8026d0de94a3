/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "io/lock.h"

int lock_take(int *ret_fd, const char *dir, const char *name) {
        CLEANUP(fd_closep) int dir_fd = -1;
        CLEANUP(fd_closep) int fd = -1;

        dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EAGAIN : -errno;
        *ret_fd = fd;
        fd = -1;
        return 0;
}

size_t lock_read(int fd, void *data, size_t n) {
        ssize_t k = pread(fd, data, n, 0);

        return k < 0 ? 0 : (size_t)k;
}

void lock_write(int fd, const void *data, size_t n) {
        (void)!pwrite(fd, data, n, 0);
}
