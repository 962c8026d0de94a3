/* SPDX-License-Identifier: MIT */
/*
 * The settings file while somebody else writes it, too: what either has written stays.
 */
#include <dirent.h>
#include <sys/wait.h>

#include "util-config.h"

static void expect_files(const char *folder, unsigned n) {
        DIR *dir = opendir(folder);

        assert(dir);
        for (struct dirent *e; (e = readdir(dir));)
                n -= e->d_name[0] != '.';
        assert(closedir(dir) == 0 && n == 0);
}

enum {
        EDITS = 60,
};

/* A person's editor, which looks before it saves: a comment for each time. */
static void edit(const char *path) {
        for (unsigned i = 0; i < EDITS; i++) {
                CLEANUP(freep) char *data = NULL, *text = NULL;
                int r;

                do {
                        FileBytes before = { 0 };

                        free(data);
                        free(text);
                        data = NULL;
                        (void)file_read(&data, &before.n, path, CONFIG_FILE_MAX);
                        before.data = data;
                        assert(asprintf(&text, "%s# edit %u\n", data ? data : "", i) > 0);
                        r = file_replace_if(path, text, strlen(text), &before);
                        assert(r >= 0);
                } while (r == FILE_E_CHANGED);
        }
}

static unsigned count(const char *text, const char *what) {
        unsigned n = 0;

        while ((text = strstr(text, what))) {
                text += strlen(what);
                n++;
        }
        return n;
}

/* Two write the file at once: nothing of either is lost. */
static void test_an_editor_at_the_same_time(void) {
        CLEANUP(freep) char *data = NULL;
        int status;
        size_t n;
        Folder f;

        folder_init(&f);
        if (fork() == 0) {
                edit(f.user);
                _exit(0);
        }
        for (unsigned i = 0; i < EDITS; i++) {
                CLEANUP(account_freep) Account *a = NULL;
                CLEANUP(freep) char *problem = NULL;
                char name[16];

                snprintf(name, sizeof(name), "n%u", i);
                assert(account_new(&a, name, ACCOUNT_SOURCE_ENTRA) == 0);
                assert(config_put_account(f.user, a, &problem) == 0 && !problem);
        }
        assert(wait(&status) > 0 && status == 0);
        assert(file_read(&data, &n, f.user, CONFIG_FILE_MAX) == 0);
        assert(count(data, "# edit ") == EDITS && count(data, "[account n") == EDITS);
        folder_remove(&f);
}

/* It is saved between the reading and the writing: what that saved is changed, in its turn. */
static void test_a_file_that_is_not_what_was_expected(void) {
        const FileBytes none = { 0 }, old = { .data = "old", .n = 3 };
        Folder f;

        folder_init(&f);
        assert(file_replace_if(f.user, "new", 3, &old) == FILE_E_CHANGED);
        assert(access(f.user, F_OK) < 0);
        assert(file_replace_if(f.user, "old", 3, &none) == 0);
        assert(file_replace_if(f.user, "new", 3, &none) == FILE_E_CHANGED);
        expect_text(f.user, "old");
        assert(file_replace_if(f.user, "newer", 5, &old) == 0);
        expect_text(f.user, "newer");
        assert(file_replace_if(f.user, "new", 3, &old) == FILE_E_CHANGED);
        expect_text(f.user, "newer");
        expect_files(f.path, 1); /* nothing is left behind */
        folder_remove(&f);
}

int main(void) {
        test_an_editor_at_the_same_time();
        test_a_file_that_is_not_what_was_expected();
        return 0;
}
