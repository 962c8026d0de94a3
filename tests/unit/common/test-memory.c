/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/memory.h"

/* Run fn in a process of its own, which may have no more memory than it has: its status, and what
 * it said. */
static int run(void (*prepare)(void), void (*fn)(void), char said[256]) {
        const struct rlimit none = { 1, 1 };
        int fds[2], status;
        ssize_t n;
        pid_t pid;

        assert(pipe2(fds, O_CLOEXEC) == 0);
        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                assert(dup2(fds[1], STDERR_FILENO) >= 0);
                prepare();
                assert(setrlimit(RLIMIT_AS, &none) == 0);
                fn();
                _exit(0);
        }
        (void)fd_close(fds[1]);
        n = read(fds[0], said, 255);
        said[MAX(n, 0)] = '\0';
        (void)fd_close(fds[0]);
        assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void nothing(void) {
}

static void take_much(void) {
        free(xmalloc(64 * 1024 * 1024));
}

static void reserve(void) {
        memory_reserve(1024 * 1024);
}

/* As an answer of a server is read: a buffer that grows, and many small things. */
static void take_the_reserve(void) {
        for (size_t size = 4096; size <= 256 * 1024; size *= 2)
                free(xcalloc(1, size));
        for (int i = 0; i < 4000; i++)
                (void)xasprintf("%0100d", i);
}

int main(void) {
        char said[256];

#ifdef __SANITIZE_ADDRESS__ /* which has an allocator of its own */
        puts("a build with sanitizers");
        return 77;
#endif
        assert(run(nothing, take_much, said) == MEMORY_EXIT);
        assert(streq(said, "test-memory: out of memory\n"));
        assert(run(reserve, take_the_reserve, said) == 0);
        assert(run(reserve, take_much, said) == MEMORY_EXIT);
        assert(!xstrdup(NULL));
        return 0;
}
