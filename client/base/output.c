/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "base/display.h"
#include "base/i18n.h"
#include "base/output.h"
#include "base/say.h"

enum {
        OUTPUT_COLUMNS = 80
};

static char output_buffer[16384];
static int
        output_errno; /* why a write failed: stdio tells it to whoever happens to fill the buffer */

static ssize_t output_write(void *cookie, const char *data, size_t size) {
        for (size_t n = 0; n < size;) {
                ssize_t r = write(STDOUT_FILENO, data + n, size - n);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        output_errno = errno;
                if (r <= 0)
                        return (ssize_t)n;
                n += (size_t)r;
        }
        return (ssize_t)size;
}

void output_open(void) {
        /* Opened the wrong way round, so that using it fails as on the closed one. */
        static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };
        FILE *f;

        for (int fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
                        _exit(EXIT_FAILED);

        i18n_open();
        (void)signal(SIGPIPE, SIG_IGN);
        /* Whoever started us may ignore it, and children's ends would be lost to us. */
        (void)signal(SIGCHLD, SIG_DFL);
        f = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = output_write });
        if (!f)
                _exit(EXIT_FAILED);
        stdout = f;
        (void)setvbuf(stdout, output_buffer, _IOFBF, sizeof(output_buffer));
}

int output_reader_gone(void) {
        explicit_bzero(output_buffer, sizeof(output_buffer));
        (void)signal(SIGPIPE, SIG_DFL);
        (void)raise(SIGPIPE);
        return 128 + SIGPIPE; /* it is blocked */
}

/* Said once: what is left in the buffer fails again at the end. */
static int output_failed(int error) {
        static bool said;

        if (error == EPIPE)
                return output_reader_gone();
        if (!said)
                fail(EXIT_FAILED, "can't write to standard output: %s", strerror(error));
        said = true;
        return EXIT_FAILED;
}

int output_flush(void) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        return output_failed(output_errno ?: EIO);
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

size_t output_columns(void) {
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return OUTPUT_COLUMNS;
        return MAX(size.ws_col, 40);
}

const TableLook *output_look(TableLook *look) {
        if (!output_is_terminal())
                return NULL;
        *look = (TableLook){ .columns = output_columns(),
                             .colour = output_has_colour(),
                             .utf8 = output_has_utf8() };
        return look;
}

bool output_has_utf8(void) {
        if (!setlocale(LC_CTYPE, ""))
                return false;
        return streq(nl_langinfo(CODESET), "UTF-8");
}

/* In what is no UTF-8, any byte that is not ASCII may do something else. */
void output_lines(const char *s, bool utf8) {
        while (*s) {
                bool odd = !utf8 && !isascii((unsigned char)*s);
                size_t n = odd ? 1 : *s == '\n' || *s == '\t' ? 0 : display_unsafe(s);

                if (*s == '\r' && s[1] == '\n') /* as the protocol has it */
                        n = 1;
                else
                        putc(n ? '?' : *s, stdout);
                s += n ?: 1;
        }
}
