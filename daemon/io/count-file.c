/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "io/count-file.h"

int count_file_open(const char *dir, const char *name) {
        CLEANUP(fd_closep) int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return dir_fd < 0 ? -1
                          : openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

size_t count_file_read(int fd, void *data, size_t n) {
        ssize_t k = fd < 0 ? 0 : pread(fd, data, n, 0);

        return k < 0 ? 0 : (size_t)k;
}

void count_file_write(int fd, const void *data, size_t n) {
        if (fd >= 0)
                (void)!pwrite(fd, data, n, 0);
}
