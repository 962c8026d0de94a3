/* SPDX-License-Identifier: MIT */
#include "util-launch.h"

#include "model/limits.h"

static void test_a_filter_in_a_session_of_its_own(void) {
        char buf[256];
        Started s;
        Fetcher f;

        fetcher_init(&f, "while read -r line; do echo \"got $line\"; done");
        start_well(&f, &s);
        assert(write(s.in, "one\n", 4) == 4);
        assert(streq(read_line(s.out, buf, sizeof(buf)), "got one"));
        assert(getsid(s.pid) == s.pid && getpgid(s.pid) == s.pid);
        s.in = fd_close(s.in);
        expect_end(s.out);
        ended(&s);
        until_childless(&f);
        fetcher_deinit(&f);
}

/* Nothing of the daemon is handed down: masks, handlers, descriptors. */
static void test_a_clean_slate(void) {
        struct {
                const char *want;
        } lines[] = { { "0077" }, { "SigBlk:\t0000000000000000" }, { "fds 0 1 2 " } };
        sigset_t term, before;
        char buf[256];
        Started s;
        Fetcher f;
        int leak;

        (void)sigemptyset(&term);
        (void)sigaddset(&term, SIGTERM);
        (void)sigaddset(&term, SIGINT);
        (void)sigprocmask(SIG_BLOCK, &term, &before);
        leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
        fetcher_init(&f, "umask; grep SigBlk /proc/self/status\n"
                         "printf 'fds '; for i in 0 1 2 3 4 5 6 7 8 9 11 12 13 14 15 16; do\n"
                         "test -e /proc/$$/fd/$i && printf '%s ' $i; done; echo\n"
                         "kill -TERM $$; echo 'TERM does nothing'");
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        /* The shell's own script is at 10 or so. */
        start_well(&f, &s);
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                assert(streq(read_line(s.out, buf, sizeof(buf)), lines[i].want));
        expect_end(s.out);
        ended(&s);
        close(leak);
        fetcher_deinit(&f);
}

static void test_what_can_not_be_started(void) {
        Started s;
        Fetcher f;

        fetcher_init(&f, "exit 0");
        assert(chmod(f.script, 0600) == 0);
        start(&f, &s);
        assert(s.error == -EACCES && s.in == -1 && s.out == -1);
        assert(unlink(f.script) == 0);
        start(&f, &s);
        assert(s.error == -ENOENT);
        assert(children_of(f.launcher_pid, NULL) == 0);

        /* It is installed again: nothing has to be restarted. */
        fetcher_write(&f, "echo back");
        start_well(&f, &s);
        ended(&s);
        fetcher_deinit(&f);
}

static void test_term_first_then_kill(void) {
        uint64_t before;
        char buf[64];
        Started s;
        Fetcher f;

        /* TERM goes to the group and to the process, which may not have made its group yet. */
        fetcher_init(&f, "trap 'trap \"\" TERM; echo bye; exit' TERM; echo ready\n"
                         "while :; do read -r x; done");
        start_well(&f, &s);
        assert(streq(read_line(s.out, buf, sizeof(buf)), "ready"));
        launcher_end(f.launcher, s.pid);
        assert(streq(read_line(s.out, buf, sizeof(buf)), "bye"));
        expect_end(s.out);
        launcher_end(f.launcher, s.pid); /* harmless */
        ended(&s);
        until_childless(&f);

        fetcher_write(&f, "trap '' TERM; cat & echo ready; cat; wait");
        start_well(&f, &s);
        assert(streq(read_line(s.out, buf, sizeof(buf)), "ready"));
        before = clock_boottime();
        launcher_end(f.launcher, s.pid);
        launcher_end(f.launcher, s.pid); /* does not begin the two seconds anew */
        expect_end(s.out);
        assert(clock_boottime() - before >= 1900 * 1000);
        assert(clock_boottime() - before < 10 * USEC_PER_SEC);
        ended(&s);
        until_childless(&f);
        fetcher_deinit(&f);
}

static void test_what_it_leaves_behind_goes_with_it(void) {
        Started s;
        Fetcher f;

        fetcher_init(&f, "trap '' TERM; (trap '' TERM HUP; sleep 1000) & exit 0");
        start_well(&f, &s);
        expect_end(s.out); /* the grandchild held it open */
        ended(&s);
        until_childless(&f);
        fetcher_deinit(&f);
}

static void test_a_launch_that_is_taken_back(void) {
        Started s = { 0 };
        Fetcher f;

        fetcher_init(&f, "exec sleep 1000");
        for (unsigned i = 0; i < 5; i++) {
                assert(launcher_start(f.launcher, &s.launch, NULL, on_launched, &s) == 0);
                s.launch = launch_free(s.launch);
        }
        assert(!launch_free(NULL));
        /* One more, so that the answers of those five have come. */
        start_well(&f, &s);
        launcher_end(f.launcher, s.pid);
        ended(&s);
        until_childless(&f);
        assert(s.n == 1);
        fetcher_deinit(&f);
}

static void test_the_end_of_the_launcher_is_the_end_of_all(void) {
        Started s[3];
        Launch *pending;
        Fetcher f;
        char buf[64];

        fetcher_init(&f, "trap '' TERM; echo ready; (trap '' TERM; sleep 1000) & sleep 1000");
        for (size_t i = 0; i < ARRAY_SIZE(s); i++) {
                start_well(&f, &s[i]);
                assert(streq(read_line(s[i].out, buf, sizeof(buf)), "ready"));
        }
        assert(launcher_start(f.launcher, &pending, NULL, on_launched, NULL) == 0);
        f.launcher = launcher_free(f.launcher);
        launch_free(pending);
        for (size_t i = 0; i < ARRAY_SIZE(s); i++) {
                expect_end(s[i].out);
                ended(&s[i]);
        }
        fetcher_deinit(&f);
}

/* As when the daemon is killed: nobody is there to say goodbye. */
static void test_a_killed_daemon_leaves_nothing_running(void) {
        char buf[64], folder[64];
        int alive, fds[2];
        pid_t daemon;
        Fetcher f;

        assert(pipe2(fds, O_CLOEXEC) == 0);
        daemon = fork();
        assert(daemon >= 0);
        if (daemon == 0) {
                CLEANUP(freep) char *fifo = NULL;
                Started s;

                fetcher_init(&f, "exec 3>\"$(dirname $0)/alive\"; echo ready >&3\n"
                                 "sleep 1000 & sleep 1000");
                fifo = fetcher_file(&f, "alive");
                assert(mkfifo(fifo, 0600) == 0);
                assert(write(fds[1], f.folder, sizeof(folder)) == sizeof(folder));
                start_well(&f, &s);
                (void)poll(NULL, 0, -1);
                _exit(1);
        }
        assert(read(fds[0], f.folder, sizeof(folder)) == sizeof(folder));
        snprintf(buf, sizeof(buf), "%.40s/alive", f.folder);
        alive = open(buf, O_RDONLY | O_CLOEXEC); /* waits for its writer */
        assert(alive >= 0);
        assert(streq(read_line(alive, buf, sizeof(buf)), "ready"));
        assert(kill(daemon, SIGKILL) == 0);
        assert(waitpid(daemon, NULL, 0) == daemon);
        expect_end(alive);
        close(alive);
        close(fds[0]);
        close(fds[1]);
        snprintf(buf, sizeof(buf), "rm -r %.40s", f.folder);
        assert(system(buf) == 0);
}

static void on_gone(void *userdata) {
        *(bool *)userdata = true;
}

static bool is_true(void *userdata) {
        return *(bool *)userdata;
}

static void test_a_launcher_that_died(void) {
        bool gone = false;
        Launcher *launcher;
        Launch *late;
        pid_t pid;
        Started s = { 0 };
        Fetcher f;

        fetcher_init(&f, "exec sleep 1000");
        assert(launcher_fork(&launcher, f.script) == 0);
        assert(children_of(getpid(), &pid) == 2 && pid != f.launcher_pid);
        assert(launcher_attach(launcher, f.event, on_gone, &gone) >= 0);
        assert(kill(pid, SIGSTOP) == 0);
        assert(launcher_start(launcher, &s.launch, NULL, on_launched, &s) == 0);
        assert(kill(pid, SIGKILL) == 0);
        until(&f, is_true, &gone);
        /* Who waited for it is told. */
        assert(s.n == 1 && s.error == -ECONNRESET && s.in == -1);
        assert(launcher_start(launcher, &late, NULL, on_launched, &s) < 0);
        launcher_free(launcher);
        fetcher_deinit(&f);
}

static void test_no_more_than_the_limit(void) {
        Started s[LIMIT_FETCHES], more;
        Fetcher f;

        fetcher_init(&f, "exec cat");
        for (size_t i = 0; i < ARRAY_SIZE(s); i++)
                start_well(&f, &s[i]);
        start(&f, &more);
        assert(more.error == -EAGAIN);
        ended(&s[7]);
        for (;;) { /* its place is free as soon as it has ended */
                start(&f, &more);
                if (more.error == 0)
                        break;
                assert(more.error == -EAGAIN);
        }
        ended(&more);
        for (size_t i = 0; i < ARRAY_SIZE(s); i++)
                ended(&s[i]);
        until_childless(&f);
        fetcher_deinit(&f);
}

static void test_nothing_leaks(void) {
        unsigned ours, theirs;
        Started s;
        Fetcher f;

        fetcher_init(&f, "echo x");
        start_well(&f, &s);
        ended(&s);
        until_childless(&f);
        ours = descriptors_of(getpid());
        theirs = descriptors_of(f.launcher_pid);
        for (unsigned i = 0; i < 200; i++) {
                start_well(&f, &s);
                if (i % 3 == 0)
                        launcher_end(f.launcher, s.pid);
                ended(&s);
        }
        until_childless(&f);
        assert(descriptors_of(getpid()) == ours);
        assert(descriptors_of(f.launcher_pid) == theirs);
        fetcher_deinit(&f);
}

int main(void) {
        test_a_filter_in_a_session_of_its_own();
        test_a_clean_slate();
        test_what_can_not_be_started();
        test_term_first_then_kill();
        test_what_it_leaves_behind_goes_with_it();
        test_a_launch_that_is_taken_back();
        test_the_end_of_the_launcher_is_the_end_of_all();
        test_a_killed_daemon_leaves_nothing_running();
        test_a_launcher_that_died();
        test_no_more_than_the_limit();
        test_nothing_leaks();
        return 0;
}
