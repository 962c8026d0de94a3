/* SPDX-License-Identifier: MIT */
/*
 * See file.h. The temporary file lies beside the real one, because rename() does not cross a mount.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "common/secret.h"
#include "io/file.h"

#define FILE_CHUNK 4096
/* What a person would not name a file. */
#define TEMPORARY  ".iotc-"

/* fd: of O_PATH. */
static int file_read_fd(char **ret, size_t *ret_n, int path_fd, size_t max) {
        CLEANUP(fd_closep) int fd = -1;
        CLEANUP(freep) char *data = NULL;
        size_t n = 0, size = 0;
        struct stat st;
        ssize_t k;

        if (fstat(path_fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EBADFD;
        fd = trust_reopen(path_fd, O_RDONLY);
        if (fd < 0)
                return fd;
        for (;;) {
                if (size - n < FILE_CHUNK) {
                        char *grown;

                        size = MAX(size * 2, (size_t)2 * FILE_CHUNK);
                        grown = realloc(data, size);
                        if (!grown)
                                return -ENOMEM;
                        data = grown;
                }
                k = read(fd, data + n, size - n - 1);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += k;
                if (n > max)
                        return -EFBIG;
        }

        data[n] = 0;
        *ret = STEAL(data);
        *ret_n = n;
        return 0;
}

int file_read(char **ret, size_t *ret_n, const char *path, size_t max) {
        CLEANUP(fd_closep) int fd = open(path, O_PATH | O_CLOEXEC);

        return fd < 0 ? -errno : file_read_fd(ret, ret_n, fd, max);
}

int file_read_own(char **ret, size_t *ret_n, Distrust *distrust, const char *path, size_t max) {
        CLEANUP(fd_closep) int fd = -1;
        int r;

        r = trust_open(&fd, distrust, path, TRUST_FILE);
        return r == 0 ? file_read_fd(ret, ret_n, fd, max) : r;
}

bool file_leads_nowhere(const char *path) {
        CLEANUP(freep) char *part = strdup(path);
        struct stat st;

        for (char *end = part; end && *end;) {
                char next;

                end += 1 + strcspn(end + 1, "/");
                next = *end;
                *end = 0;
                if (stat(part, &st) < 0)
                        return errno == ENOENT && lstat(part, &st) == 0;
                *end = next;
        }
        return false;
}

bool file_is_temporary(const char *name) {
        const char *end = strrchr(name, '.');

        return end && end > name && str_starts(end, TEMPORARY) &&
               strlen(end) == strlen(TEMPORARY) + 6;
}

int file_make_folders(const char *path) {
        CLEANUP(freep) char *folder = NULL;

        folder = strdup(path);
        if (!folder)
                return -ENOMEM;
        for (char *p = folder + 1; (p = strchr(p, '/')); p++) {
                *p = 0;
                if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                        return -errno;
                *p = '/';
        }
        return 0;
}

/* Where the file really is, or would be. */
static int file_resolve(char **ret, const char *path) {
        struct stat st;

        *ret = realpath(path, NULL);
        if (*ret)
                return 0;
        if (errno != ENOENT || lstat(path, &st) == 0)
                return -errno;
        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

static int file_fill(int fd, const char *data, size_t n) {
        ssize_t k;

        if (fchmod(fd, 0600) < 0)
                return -errno;
        for (size_t at = 0; at < n; at += k) {
                k = write(fd, data + at, n - at);
                if (k < 0 && errno == EINTR)
                        k = 0;
                if (k < 0)
                        return -errno;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

/* The new name itself on the disk; the file is in place already, so a failure changes nothing. */
static void file_sync_folder(const char *path) {
        CLEANUP(freep) char *folder = strdup(path);
        CLEANUP(fd_closep) int fd = -1;
        char *slash;

        slash = folder ? strrchr(folder, '/') : NULL;
        if (!slash)
                return;
        slash[slash == folder] = 0;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                (void)fsync(fd);
}

/* Does the file have these bytes? One that is not there has none. */
static bool file_has(const char *path, const FileBytes *expected) {
        char *data = NULL;
        size_t n = 0;
        bool same;
        int r;

        r = file_read(&data, &n, path, expected->n);
        same = (r == 0 || r == -ENOENT) && n == expected->n &&
               (n == 0 || memcmp(data, expected->data, n) == 0);
        if (data)
                secret_wipe(data, n);
        free(data);
        return same;
}

/*
 * Put the temporary file in the place of the real one if that has the bytes that are expected. What
 * somebody writes between the look and the exchange is found in the temporary file then, and goes
 * back. Where the file system can't exchange two files, that moment stays.
 */
static int file_exchange(const char *temporary, const char *real, const FileBytes *expected) {
        if (!file_has(real, expected))
                return FILE_E_CHANGED;
        if (renameat2(AT_FDCWD, temporary, AT_FDCWD, real, RENAME_EXCHANGE) == 0) {
                if (file_has(temporary, expected))
                        return unlink(temporary) < 0 ? -errno : 0;
                if (renameat2(AT_FDCWD, temporary, AT_FDCWD, real, RENAME_EXCHANGE) < 0)
                        return -errno;
                return FILE_E_CHANGED;
        }
        if (errno == ENOENT && expected->n == 0) {
                if (renameat2(AT_FDCWD, temporary, AT_FDCWD, real, RENAME_NOREPLACE) == 0)
                        return 0;
                if (errno == EEXIST)
                        return FILE_E_CHANGED;
        }
        if (errno != EINVAL && errno != ENOSYS)
                return errno == ENOENT ? FILE_E_CHANGED : -errno;
        return rename(temporary, real) < 0 ? -errno : 0;
}

int file_replace(const char *path, const char *data, size_t n) {
        return file_replace_if(path, data, n, NULL);
}

int file_replace_if(const char *path, const char *data, size_t n, const FileBytes *expected) {
        CLEANUP(freep) char *real = NULL, *temporary = NULL;
        CLEANUP(fd_closep) int fd = -1;
        int r;

        r = file_make_folders(path);
        if (r < 0)
                return r;
        r = file_resolve(&real, path);
        if (r < 0)
                return r;
        if (asprintf(&temporary, "%s" TEMPORARY "XXXXXX", real) < 0)
                return -ENOMEM;
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return -errno;

        r = file_fill(fd, data, n);
        if (r == 0 && expected)
                r = file_exchange(temporary, real, expected);
        else if (r == 0 && rename(temporary, real) < 0)
                r = -errno;
        if (r != 0) {
                (void)unlink(temporary);
                return r;
        }
        file_sync_folder(real);
        return 0;
}
