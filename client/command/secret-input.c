/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <termios.h>

#include "base/i18n.h"
#include "base/say.h"
#include "command/secret-input.h"

char *secret_input_free(char *secret) {
        if (secret)
                explicit_bzero(secret, SECRET_INPUT_MAX + 1);
        free(secret);
        return NULL;
}

static volatile sig_atomic_t secret_input_signal;

static void secret_input_on_signal(int number) {
        secret_input_signal = number;
}

/* Into buf, up to the end of the input, or of the line on a terminal. Bytes or -errno. */
static ssize_t secret_input_fill(char *buf, const sigset_t *terminal) {
        struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
        size_t n = 0;
        ssize_t k;

        while (n < SECRET_INPUT_MAX + 1) {
                /* The signals are let in here alone: none is missed before read() blocks. */
                if (terminal && ppoll(&fd, 1, NULL, terminal) < 0)
                        return -errno;
                k = read(STDIN_FILENO, buf + n, SECRET_INPUT_MAX + 1 - n);
                if (k < 0)
                        return -errno;
                n += (size_t)k;
                if (k == 0 || (terminal && buf[n - 1] == '\n'))
                        break;
        }
        return (ssize_t)n;
}

/* Ask once, without echo. Bytes or -errno. */
static ssize_t secret_input_hide(char *buf, const char *prompt, const struct termios *visible,
                                 const sigset_t *before) {
        struct termios hidden = *visible;
        ssize_t n;

        hidden.c_lflag &= ~(tcflag_t)ECHO;
        if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
                return -errno;
        fputs(_(prompt), stderr);
        n = secret_input_fill(buf, before);
        fputc('\n', stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, visible);
        return n;
}

/* Ctrl-Z: stop here, with the echo on. Whoever lets us go on may have left it so. */
static void secret_input_stop(const struct sigaction *action) {
        sigset_t stop;

        secret_input_signal = 0;
        sigemptyset(&stop);
        sigaddset(&stop, SIGTSTP);
        (void)signal(SIGTSTP, SIG_DFL);
        (void)raise(SIGTSTP);
        (void)sigprocmask(SIG_UNBLOCK, &stop, NULL);
        (void)sigprocmask(SIG_BLOCK, &stop, NULL);
        (void)sigaction(SIGTSTP, action, NULL);
}

/* Ask on the terminal, without echo, which every way out of here gives back. */
static ssize_t secret_input_ask(char *buf, const char *prompt) {
        static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
        struct sigaction action = { .sa_handler = secret_input_on_signal };
        struct termios visible;
        sigset_t blocked, before;
        ssize_t n;

        if (tcgetattr(STDIN_FILENO, &visible) < 0)
                return -errno;
        sigemptyset(&blocked);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                sigaddset(&blocked, numbers[i]);
                (void)sigaction(numbers[i], &action, NULL);
        }
        (void)sigprocmask(SIG_BLOCK, &blocked, &before);
        while ((n = secret_input_hide(buf, prompt, &visible, &before)) == -EINTR &&
               secret_input_signal == SIGTSTP)
                secret_input_stop(&action);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                (void)signal(numbers[i], SIG_DFL);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return n;
}

int secret_input_read(char **ret, const char *prompt) {
        CLEANUP(secret_input_freep) char *buf = NULL;
        ssize_t n;

        buf = calloc(1, SECRET_INPUT_MAX + 2);
        if (!buf)
                return fail_errno(-ENOMEM);
        n = isatty(STDIN_FILENO) ? secret_input_ask(buf, prompt) : secret_input_fill(buf, NULL);
        if (n == -EINTR && secret_input_signal)
                return 128 + secret_input_signal;
        if (n < 0)
                return fail(EXIT_FAILED, "can't read standard input: %s", strerror((int)-n));
        if (n > SECRET_INPUT_MAX)
                return fail(EXIT_FAILED, "more than 64 KiB on standard input: not a secret");
        if (n > 0 && buf[n - 1] == '\n')
                buf[--n] = '\0';
        if (n > 0 && buf[n - 1] == '\r')
                buf[--n] = '\0';
        if (n == 0)
                return fail(EXIT_FAILED, "nothing came on standard input");
        if (strlen(buf) != (size_t)n)
                return fail(EXIT_FAILED, "a NUL byte on standard input: not a secret");
        *ret = STEAL(buf);
        return 0;
}
