/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/program.h"

/* A folder of this test's own, which only its user can write to. */
static char top[64];

static char *path_of(const char *name) {
        char *path;

        assert(asprintf(&path, "%s/%s", top, name) >= 0);
        return path;
}

static void make_folder(const char *name, mode_t mode) {
        CLEANUP(freep) char *path = path_of(name);

        assert(mkdir(path, 0700) == 0 && chmod(path, mode) == 0);
}

static void make_file(const char *name, mode_t mode) {
        CLEANUP(freep) char *path = path_of(name);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert(fd >= 0 && fchmod(fd, mode) == 0);
        close(fd);
}

static void make_link(const char *name, const char *target) {
        CLEANUP(freep) char *path = path_of(name);

        assert(symlink(target, path) == 0);
}

static void expect_check(const char *name, int want) {
        CLEANUP(freep) char *path = path_of(name);

        assert(program_check(path, NULL) == want);
}

static void give_away(const char *name, uid_t uid, gid_t gid) {
        CLEANUP(freep) char *path = path_of(name);

        assert(chown(path, uid, gid) == 0);
}

static void test_what_only_the_user_can_change(void) {
        make_folder("bin", 0755);
        make_file("bin/az", 0755);
        expect_check("bin/az", 0);
        make_file("bin/private", 0700);
        expect_check("bin/private", 0);
        make_link("bin/link", "az");
        expect_check("bin/link", 0);
        assert(program_check("/bin/sh", NULL) == 0);
}

static void test_what_is_no_program(void) {
        CLEANUP(freep) char *pipe = path_of("bin/pipe");

        make_file("bin/data", 0644);
        make_link("bin/dangling", "nowhere");
        make_link("bin/loop", "loop");
        assert(mkfifo(pipe, 0700) == 0);
        expect_check("bin/absent", PROGRAM_E_MISSING);
        expect_check("bin/data", PROGRAM_E_MISSING);
        expect_check("bin/dangling", PROGRAM_E_MISSING);
        expect_check("bin/loop", PROGRAM_E_MISSING);
        expect_check("bin/pipe", PROGRAM_E_MISSING);
        expect_check("bin", PROGRAM_E_MISSING);
        expect_check("bin/az/", PROGRAM_E_MISSING);
        expect_check("absent/az", PROGRAM_E_MISSING);
        assert(program_check("/", NULL) == PROGRAM_E_MISSING);
}

static void test_what_others_can_change(void) {
        make_file("bin/worldly", 0757);
        expect_check("bin/worldly", PROGRAM_E_UNSAFE);
        make_folder("open", 0777);
        make_file("open/az", 0755);
        expect_check("open/az", PROGRAM_E_UNSAFE);
        make_folder("sticky", 01777); /* others may put a file there before the user does */
        make_file("sticky/az", 0755);
        expect_check("sticky/az", PROGRAM_E_UNSAFE);
        /* The folder of the link and the folder of its target both count. */
        make_link("open/link", "../bin/az");
        expect_check("open/link", PROGRAM_E_UNSAFE);
        make_link("bin/outward", "../open/az");
        expect_check("bin/outward", PROGRAM_E_UNSAFE);

        assert(program_check("az", NULL) == PROGRAM_E_UNSAFE);
        assert(program_check("./az", NULL) == PROGRAM_E_UNSAFE);
        assert(program_check("", NULL) == PROGRAM_E_UNSAFE);
}

/* Only root can give files away. */
static void test_what_is_somebody_elses(void) {
        if (geteuid() != 0)
                return;
        make_file("bin/foreign", 0755);
        give_away("bin/foreign", 65534, 0);
        expect_check("bin/foreign", PROGRAM_E_UNSAFE);
        make_file("bin/shared", 0775);
        give_away("bin/shared", 0, 65534);
        expect_check("bin/shared", PROGRAM_E_UNSAFE);
        make_folder("theirs", 0755);
        make_file("theirs/az", 0755);
        give_away("theirs", 65534, 0);
        expect_check("theirs/az", PROGRAM_E_UNSAFE);
}

/* search with the test's folder for each %, which no path of the system has. */
static int find(char **ret, const char *search) {
        char buf[1024], *p = buf;

        for (; *search; search++)
                p = *search == '%' ? stpcpy(p, top) : (*p = *search, p + 1);
        *p = '\0';
        return program_find(ret, "az", buf);
}

static void expect_found(const char *search, int want, const char *name) {
        CLEANUP(freep) char *found = NULL;
        CLEANUP(freep) char *path = name ? path_of(name) : NULL;

        assert(find(&found, search) == want);
        assert(streq(found, path));
}

static void test_the_first_safe_one_of_a_path(void) {
        make_folder("second", 0755);
        make_file("second/az", 0755);
        expect_found("%/bin", 0, "bin/az");
        expect_found("%/second:%/bin", 0, "second/az");
        expect_found("%/absent:%/second", 0, "second/az");
        expect_found("%/open:%/second", 0, "second/az");
        expect_found("%/open", PROGRAM_E_UNSAFE, "open/az");
        expect_found("%/sticky:%/open:/absent", PROGRAM_E_UNSAFE, "sticky/az");
        expect_found("/absent", PROGRAM_E_MISSING, NULL);
        expect_found("", PROGRAM_E_MISSING, NULL);
        expect_found(":", PROGRAM_E_MISSING, NULL);
}

static void test_relative_entries_are_passed_over(void) {
        char *folder = path_of("second");

        assert(chdir(folder) == 0);
        expect_found(".", PROGRAM_E_MISSING, NULL);
        expect_found(":::", PROGRAM_E_MISSING, NULL);
        expect_found("../bin", PROGRAM_E_MISSING, NULL);
        expect_found("::.:../second:%/bin:", 0, "bin/az");
        free(folder);
}

static void test_without_a_path_the_system_is_searched(void) {
        CLEANUP(freep) char *found = NULL;

        assert(program_find(&found, "sh", NULL) == 0);
        assert(*found == '/' && access(found, X_OK) == 0);
}

int main(void) {
        char command[96];

        snprintf(top, sizeof(top), "/tmp/test-program-XXXXXX");
        assert(mkdtemp(top));
        test_what_only_the_user_can_change();
        test_what_is_no_program();
        test_what_others_can_change();
        test_what_is_somebody_elses();
        test_the_first_safe_one_of_a_path();
        test_relative_entries_are_passed_over();
        test_without_a_path_the_system_is_searched();
        snprintf(command, sizeof(command), "rm -r %s", top);
        assert(chdir("/") == 0 && system(command) == 0);
        return 0;
}
