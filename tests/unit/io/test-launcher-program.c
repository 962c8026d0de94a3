/* SPDX-License-Identifier: MIT */
/*
 * A program of the user's in the fetcher's place: which ones are run, and what is said of the rest.
 */
#include "util-launch.h"

#include "model/limits.h"

/* A script of the user's in the fetcher's folder, which is the user's alone. */
static char *program_new(const Fetcher *f, const char *name, const char *text, mode_t mode) {
        char *path = fetcher_file(f, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

        assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        assert(fchmod(fd, mode) == 0);
        close(fd);
        return path;
}

static void test_another_program(void) {
        CLEANUP(freep) char *program = NULL;
        Fetcher f;
        Started s;
        char line[256];

        fetcher_init(&f, "echo the fetcher");
        program = program_new(&f, "it's mine", "#!/bin/sh\necho mine $#\nexec sleep 1000\n", 0755);
        start_program(&f, &s, program);
        assert(s.error == 0 && s.pid > 0);
        assert(streq(read_line(s.out, line, sizeof(line)), "mine 0"));
        launcher_end(f.launcher, s.pid);
        ended(&s);
        start_well(&f, &s);
        assert(streq(read_line(s.out, line, sizeof(line)), "the fetcher"));
        ended(&s);
        until_childless(&f);
        fetcher_deinit(&f);
}

/* What it can't say itself is said in its place, as an event. */
static void test_a_program_that_is_not_run(void) {
        static const struct {
                const char *text;
                mode_t mode;
                const char *says;
        } rows[] = {
                { "#!/bin/sh\n", 0777, "can be written by other users. Mend it: chmod go-w" },
                { "#!/bin/sh\n", 0644, "is no program that can be run" },
                { "#!/no/such/interpreter\n", 0755, "can't be run: No such file" },
                { "", 0755, "can't be run: Exec format error" },
                { NULL, 0, "is no program that can be run" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(freep) char *program = NULL;
                char line[512];
                Fetcher f;
                Started s;

                fetcher_init(&f, "exit 1");
                program = rows[i].text ? program_new(&f, "mine", rows[i].text, rows[i].mode)
                                       : fetcher_file(&f, "nothing");
                start_program(&f, &s, program);
                assert(s.error == 0);
                (void)read_line(s.out, line, sizeof(line));
                assert(str_starts(line, "{\"event\":\"error\",\"kind\":\"source-missing\","));
                assert(strstr(line, program) && strstr(line, rows[i].says));
                assert(streq(read_line(s.out, line, sizeof(line)), ""));
                ended(&s);
                until_childless(&f);
                fetcher_deinit(&f);
        }
}

static void test_a_path_that_is_too_long(void) {
        char program[PATH_LENGTH_MAX + 2];
        Launch *launch;
        Fetcher f;

        memset(program, 'x', sizeof(program) - 1);
        program[sizeof(program) - 1] = '\0';
        fetcher_init(&f, "exit 0");
        assert(launcher_start(f.launcher, &launch, program, on_launched, NULL) == -ENAMETOOLONG);
        fetcher_deinit(&f);
}

int main(void) {
        test_another_program();
        test_a_program_that_is_not_run();
        test_a_path_that_is_too_long();
        return 0;
}
