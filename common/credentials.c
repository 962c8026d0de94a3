/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>

#include "common/credentials.h"
#include "common/memory.h"
#include "common/secret.h"
#include "common/text.h"

enum {
        CREDENTIALS_MAX = 1024, /* bytes */
};

static const char *file_fault(int fd) {
        struct stat st;

        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? "is missing" : "can't be read";
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return "is no file";
        if (st.st_uid != geteuid())
                return "is not yours";
        return st.st_mode & 077 ? "may be read by others than you: chmod 600" : NULL;
}

static const char *text_fault(const char *text, size_t n) {
        const char *colon = strchr(text, ':');

        if (n == 0)
                return "is empty";
        if (n > CREDENTIALS_MAX)
                return "is too long for one line with USER:PASSWORD";
        if (strchr(text, '\r'))
                return "has the line ends of Windows (CR LF)";
        if (strlen(text) < n || strchr(text, '\n') || !text_is_clean(text))
                return "has more than one line with USER:PASSWORD in it";
        return !colon || colon == text ? "has no line USER:PASSWORD in it" : NULL;
}

char *credentials_read(const char *path, const char **ret_why) {
        CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        char buf[CREDENTIALS_MAX + 2], *text;
        ssize_t n;

        *ret_why = file_fault(fd);
        if (*ret_why)
                return NULL;
        n = read(fd, buf, sizeof(buf) - 1);
        buf[MAX(n, 0)] = '\0';
        if (n > 0 && buf[n - 1] == '\n')
                buf[--n] = '\0';
        *ret_why = n < 0 ? "can't be read" : text_fault(buf, (size_t)n);
        text = *ret_why ? NULL : xstrdup(buf);
        secret_wipe(buf, sizeof(buf));
        return text;
}
