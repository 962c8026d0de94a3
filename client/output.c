/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>

#include "i18n.h"
#include "output.h"
#include "say.h"

static char output_buffer[16384];

void output_open(void) {
        /* Opened the wrong way round, so that using it fails as on the closed one. */
        static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

        for (int fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
                        _exit(EXIT_FAILED);

        i18n_open();
        (void)signal(SIGPIPE, SIG_IGN);
        /* Whoever started us may ignore it, and children's ends would be lost to us. */
        (void)signal(SIGCHLD, SIG_DFL);
        (void)setvbuf(stdout, output_buffer, _IOFBF, sizeof(output_buffer));
}

static int output_failed(int error) {
        if (error != EPIPE)
                fail(EXIT_FAILED, "can't write to standard output: %s", strerror(error));
        return EXIT_FAILED;
}

int output_flush(void) {
        errno = 0;
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        return output_failed(errno ?: EIO);
}

int output_close(int code) {
        int r = output_flush();

        explicit_bzero(output_buffer, sizeof(output_buffer));
        if (r == 0 && close(STDOUT_FILENO) < 0)
                r = output_failed(errno);
        return code ?: r;
}

bool output_is_terminal(void) {
        return isatty(STDOUT_FILENO);
}

bool output_has_colour(void) {
        return output_is_terminal() && str_empty(getenv("NO_COLOR")) &&
               !streq(getenv("TERM"), "dumb");
}

bool output_has_utf8(void) {
        if (!setlocale(LC_CTYPE, ""))
                return false;
        return streq(nl_langinfo(CODESET), "UTF-8");
}
