/* SPDX-License-Identifier: MIT */
/*
 * Which program on PATH is run with a sign-in in reach, and which is skipped.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "model/program.h"

static char top[64]; /* a folder of this process alone */

static char *at(const char *name) {
        char *path;

        assert(asprintf(&path, "%s/%s", top, name) > 0);
        return path;
}

static void make(const char *name, bool folder, mode_t mode) {
        CLEANUP(freep) char *path = at(name);

        if (folder)
                assert(mkdir(path, 0700) == 0);
        else
                assert(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
        assert(chmod(path, mode) == 0);
}

static int check(const char *name) {
        CLEANUP(freep) char *path = at(name);

        return program_check(path);
}

/* A PATH of folders under top, with what a careless one also has. */
static int find(char **ret, const char *a, const char *b) {
        CLEANUP(freep) char *search = NULL;

        assert(asprintf(&search, ":.:relative/bin:%s/%s:%s/%s:", top, a, top, b) > 0);
        return program_find(ret, "az", search);
}

static void test_check(void) {
        CLEANUP(freep) char *link = at("good/link");
        CLEANUP(freep) char *target = at("open/az");

        assert(check("good/az") == 0);
        assert(check("good/none") == PROGRAM_E_MISSING);
        assert(check("good/data") == PROGRAM_E_MISSING);
        assert(check("good") == PROGRAM_E_MISSING);
        assert(check("good/loose") == PROGRAM_E_UNSAFE);
        assert(check("open/az") == PROGRAM_E_UNSAFE);
        assert(program_check("az") == PROGRAM_E_UNSAFE);
        assert(program_check("./az") == PROGRAM_E_UNSAFE);
        /* A link in a good folder does not make its target's folder good. */
        assert(symlink(target, link) == 0);
        assert(program_check(link) == PROGRAM_E_UNSAFE);
}

static void test_find(void) {
        CLEANUP(freep) char *good = at("good/az");
        CLEANUP(freep) char *open = at("open/az");
        CLEANUP(freep) char *found = NULL, *behind = NULL, *skipped = NULL, *none = NULL;

        assert(find(&found, "good", "empty") == 0 && streq(found, good));
        /* What others may write to is passed over, also when it comes first. */
        assert(find(&behind, "open", "good") == 0 && streq(behind, good));
        assert(find(&skipped, "open", "empty") == PROGRAM_E_UNSAFE && streq(skipped, open));
        assert(find(&none, "empty", "none") == PROGRAM_E_MISSING && !none);
        assert(program_find(&none, "az", "") == PROGRAM_E_MISSING);
}

int main(void) {
        CLEANUP(freep) char *command = NULL;

        (void)umask(0);
        (void)snprintf(top, sizeof(top), "/tmp/iotc-program-%d", getpid());
        assert(mkdir(top, 0700) == 0);
        make("good", true, 0755);
        make("good/az", false, 0755);
        make("good/data", false, 0644);
        make("good/loose", false, 0757);
        make("open", true, 0777);
        make("open/az", false, 0755);
        make("empty", true, 0755);
        /* Found only by an entry that is relative. */
        assert(chdir(top) == 0);
        make("relative", true, 0755);
        make("relative/bin", true, 0755);
        make("relative/bin/az", false, 0755);
        make("az", false, 0755);

        test_check();
        test_find();

        assert(chdir("/") == 0 && asprintf(&command, "rm -r %s", top) > 0);
        return system(command);
}
