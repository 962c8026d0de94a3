/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "child.h"
#include "say.h"

static void signals_passed_on(sigset_t *ret) {
        static const int signals[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                       SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH };

        (void)sigemptyset(ret);
        (void)sigaddset(ret, SIGCHLD);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                (void)sigaddset(ret, signals[i]);
}

void child_block_signals(void) {
        sigset_t mask;

        signals_passed_on(&mask);
        (void)sigprocmask(SIG_BLOCK, &mask, NULL);
}

_Noreturn void child_exec(char **argv) {
        sigset_t none;
        int error;

        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGPIPE, SIG_DFL);
        (void)execvp(argv[0], argv);
        error = errno;
        (void)fail(0, "can't run %s: %s", argv[0], strerror(error));
        _exit(error == ENOENT ? CHILD_EXIT_NOT_FOUND : CHILD_EXIT_NOT_EXECUTABLE);
}

void child_leave_pipes(void) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        for (int fd = 0; null >= 0 && fd < STDERR_FILENO; fd++)
                (void)dup2(null, fd);
        (void)fd_close(null);
}

int child_wait(pid_t pid) {
        siginfo_t info;
        sigset_t mask;
        int status;

        signals_passed_on(&mask);
        for (;;) {
                int signal = sigwaitinfo(&mask, &info);

                /* A key of the terminal reaches the child by itself: the kernel sent it to both. So
                 * does what the child sends to its process group, which we are in. */
                if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL &&
                    info.si_pid != pid)
                        (void)kill(pid, signal);
                if (waitpid(pid, &status, WNOHANG) == pid)
                        return status;
        }
}

int child_pass_on(int status) {
        const struct rlimit no_core = { 0 };
        sigset_t mask;

        if (WIFEXITED(status))
                return WEXITSTATUS(status);
        /* The core, if any, is the child's. */
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, WTERMSIG(status));
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
        (void)sigprocmask(SIG_UNBLOCK, &mask, NULL);
        return 128 + WTERMSIG(status);
}
