/* SPDX-License-Identifier: MIT */
/*
 * A program under a time limit: what it wrote is all there, and of what it started nothing is left,
 * whether it ended, was ended, or would not be ended.
 */
#undef NDEBUG
#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "fetch/child.h"

static void run(Child *child, const char *script, uint64_t usec) {
        char *const argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
        char *const envp[] = { (char *)"PATH=/usr/bin:/bin", (char *)"GREETING=hello", NULL };

        assert(child_run(child, argv, envp, clock_usec() + usec) == 0);
}

/* All processes with it open have ended when the other end of a pipe says so. */
static void assert_all_gone(int pipe_fd) {
        struct pollfd p = { .fd = pipe_fd, .events = POLLIN };

        assert(poll(&p, 1, 10000) == 1);
        assert(p.revents & POLLHUP);
}

static void test_output_and_status(void) {
        Child child = { 0 };

        run(&child, "echo $GREETING; echo oh >&2; umask; read x || echo eof; exit 3",
            10 * USEC_PER_SEC);
        assert(!child.timed_out);
        assert(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 3);
        assert(streq(child.out, "hello\n0077\neof\n"));
        assert(streq(child.err, "oh\n"));
        child_deinit(&child);
}

static void test_both_streams_are_drained(void) {
        Child child = { 0 };

        run(&child,
            "head -c 1000000 /dev/zero | tr '\\0' e >&2; head -c 1000000 /dev/zero | tr '\\0' o",
            30 * USEC_PER_SEC);
        assert(!child.timed_out && child.status == 0);
        assert(child.n_out == CHILD_OUTPUT_MAX && child.n_err == CHILD_OUTPUT_MAX);
        assert(child.out[CHILD_OUTPUT_MAX - 1] == 'o' && child.out[CHILD_OUTPUT_MAX] == '\0');
        assert(child.err[CHILD_OUTPUT_MAX - 1] == 'e' && child.err[CHILD_OUTPUT_MAX] == '\0');
        child_deinit(&child);
}

/* It writes faster than we read: its time is over all the same. */
static void test_output_without_end(void) {
        uint64_t start = clock_usec();
        Child child = { 0 };

        run(&child, "yes & yes >&2 & yes", USEC_PER_SEC);
        assert(child.timed_out && clock_usec() - start < 20 * USEC_PER_SEC);
        assert(child.n_out == CHILD_OUTPUT_MAX && child.n_err == CHILD_OUTPUT_MAX);
        child_deinit(&child);
}

static void test_default_signals(void) {
        Child child = { 0 };

        /* A shell can't reset what was ignored when it started. */
        assert(signal(SIGTERM, SIG_IGN) != SIG_ERR);
        run(&child, "kill -TERM $$; echo alive", 10 * USEC_PER_SEC);
        assert(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGTERM);
        assert(streq(child.out, ""));
        child_deinit(&child);
}

static void test_what_cannot_be_executed(void) {
        char *const argv[] = { (char *)"/nonexistent/az", NULL };
        char *const envp[] = { NULL };
        Child child = { 0 };

        assert(child_run(&child, argv, envp, clock_usec() + 10 * USEC_PER_SEC) == 0);
        assert(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 127);
        child_deinit(&child);
}

/* The descriptor that the guard holds is not the program's: it is there for locks. */
static void test_nothing_is_left_behind(void) {
        static const char *const scripts[] = {
                /* ends, and leaves a child that holds its output */
                "trap '' INT TERM; (trap '' INT TERM; tail -f /dev/null) & echo done",
                /* ends when it is asked to */
                "tail -f /dev/null",
                /* does not, and neither does its child */
                "trap '' INT TERM; (trap '' INT TERM; tail -f /dev/null) & tail -f /dev/null",
        };

        for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
                CLEANUP(freep) char *script = NULL;
                Child child = { 0 };
                int fds[2];

                assert(pipe(fds) == 0);
                /* They inherit it by a number below 3: what is above is closed for them. */
                assert(asprintf(&script, "exec 9>/proc/%d/fd/%d; %s", getpid(), fds[1],
                                scripts[i]) > 0);
                run(&child, script, i == 0 ? 20 * USEC_PER_SEC : USEC_PER_SEC);
                close(fds[1]);
                assert(child.timed_out == (i > 0));
                assert(i > 0 || streq(child.out, "done\n"));
                assert_all_gone(fds[0]);
                close(fds[0]);
                child_deinit(&child);
        }
}

/* We are killed: the program's end follows. */
static void test_it_does_not_outlive_us(void) {
        int fds[2], ready[2];
        pid_t pid;
        char c;

        assert(pipe(fds) == 0 && pipe(ready) == 0);
        pid = fork();
        if (pid == 0) {
                CLEANUP(freep) char *script = NULL;
                Child child = { 0 };

                close(fds[0]);
                if (asprintf(&script,
                             "exec 9>/proc/%d/fd/%d 8>/proc/%d/fd/%d; trap '' INT TERM; "
                             "echo >&8; exec 8>&-; tail -f /dev/null",
                             getpid(), fds[1], getpid(), ready[1]) < 0)
                        _exit(1);
                run(&child, script, 60 * USEC_PER_SEC);
                _exit(0);
        }
        close(fds[1]);
        close(ready[1]);
        assert(read(ready[0], &c, 1) == 1);
        assert(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
        assert_all_gone(fds[0]);
        close(fds[0]);
        close(ready[0]);
}

int main(void) {
        test_output_and_status();
        test_both_streams_are_drained();
        test_output_without_end();
        test_default_signals();
        test_what_cannot_be_executed();
        test_nothing_is_left_behind();
        test_it_does_not_outlive_us();
        return 0;
}
