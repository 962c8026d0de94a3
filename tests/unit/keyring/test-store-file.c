/* SPDX-License-Identifier: MIT */
/*
 * The file store as the keyring's thread uses it: what was stored is there or is said to be
 * unreadable; nothing that can't be read is overwritten; no key but a good one is used.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/secret.h"
#include "io/keyring/store-file.h"
#include "io/keyring/store-key.h"
#include "util-config.h"

/* A store in a folder of its own, and a key file beside it. */
typedef struct Shop {
        Folder f;
        char secrets[128], key[128], work[160];
        void *impl;
        int unlocked; /* what the callback said */
} Shop;

static const KeyringBackend *const b = &store_file_backend;

static void shop_reopen(Shop *s) {
        b->free(s->impl);
        assert(store_file_new(&s->impl, s->secrets) == 0);
}

static void shop_init(Shop *s) {
        *s = (Shop){ 0 };
        folder_init(&s->f);
        snprintf(s->secrets, sizeof(s->secrets), "%s/a/secrets", s->f.path);
        snprintf(s->key, sizeof(s->key), "%s/key", s->f.path);
        snprintf(s->work, sizeof(s->work), "%s/work", s->secrets);
        put(s->key, "0123456789abcdef0123456789abcdef");
        shop_reopen(s);
}

static void shop_deinit(Shop *s) {
        b->free(s->impl);
        folder_remove(&s->f);
}

static void on_unlocked(int outcome, void *userdata) {
        assert(outcome == 0);
        ((Shop *)userdata)->unlocked++;
}

static int unlock(Shop *s, const char *key) {
        int r;

        s->unlocked = 0;
        r = b->unlock(s->impl, key, on_unlocked, s);
        assert(s->unlocked == (r == 0));
        return r;
}

static int store(Shop *s, const char *account, const char *text) {
        return b->store(s->impl, NULL, NULL, false, account, "label", text);
}

/* want NULL: whatever it is. */
static int load_as(Shop *s, const char *account, const char *want) {
        CLEANUP(secret_freep) char *text = NULL;
        int r;

        r = b->load(s->impl, NULL, account, &text);
        assert((r == 0) == (text != NULL));
        assert(r != 0 || !want || streq(text, want));
        return r;
}

static void expect_complaint(Shop *s, const char *a, const char *c) {
        CLEANUP(freep) char *why = b->complaint(s->impl);

        if (!why || !strstr(why, a) || !strstr(why, c)) {
                fprintf(stderr, "got: %s\nwant: %s ... %s\n", why ?: "(nothing)", a, c);
                abort();
        }
}

static void test_stored_loaded_deleted(void) {
        struct stat st;
        Shop s;

        shop_init(&s);
        assert(unlock(&s, s.key) == 0);
        assert(load_as(&s, "work", NULL) == KEYRING_E_NOT_FOUND);
        assert(store(&s, "work", "one") == 0);
        assert(store(&s, "home", "two") == 0);
        assert(store(&s, "work", "three") == 0);
        assert(load_as(&s, "work", "three") == 0 && load_as(&s, "home", "two") == 0);
        assert(stat(s.work, &st) == 0 && (st.st_mode & 07777) == 0600);
        assert(stat(s.secrets, &st) == 0 && (st.st_mode & 07777) == 0700);

        shop_reopen(&s);
        assert(load_as(&s, "work", NULL) == KEYRING_E_LOCKED);
        assert(store(&s, "work", "four") == KEYRING_E_LOCKED);
        assert(chmod(s.secrets, 0755) == 0);
        assert(unlock(&s, s.key) == 0);
        assert(stat(s.secrets, &st) == 0 && (st.st_mode & 07777) == 0700);
        assert(load_as(&s, "work", "three") == 0);
        assert(b->erase(s.impl, NULL, NULL, "work") == 0);
        assert(b->erase(s.impl, NULL, NULL, "work") == 0);
        assert(load_as(&s, "work", NULL) == KEYRING_E_NOT_FOUND);
        /* never a path */
        assert(load_as(&s, "../key", NULL) == KEYRING_E_FAILED);
        assert(store(&s, "..", "x") == KEYRING_E_FAILED);
        shop_deinit(&s);
}

static void test_a_key_is_checked(void) {
        char path[200];
        Shop s;

        shop_init(&s);
        assert(unsetenv("CREDENTIALS_DIRECTORY") == 0);
        assert(unlock(&s, NULL) == KEYRING_E_LOCKED);
        expect_complaint(&s, "key-file=", "head -c 32 /dev/urandom");
        snprintf(path, sizeof(path), "%s/none", s.f.path);
        assert(unlock(&s, path) == KEYRING_E_LOCKED);
        expect_complaint(&s, "/none is not there", "iotc-token unlock");
        assert(symlink(s.key, path) == 0);
        assert(unlock(&s, path) == KEYRING_E_LOCKED);
        expect_complaint(&s, "symbolic link", "");
        assert(unlock(&s, s.f.path) == KEYRING_E_LOCKED);
        expect_complaint(&s, "no regular file", "");
        assert(unlock(&s, "/dev/urandom") == KEYRING_E_LOCKED);
        expect_complaint(&s, "no regular file", "");
        for (mode_t bit = 1; bit <= 040; bit <<= 1) {
                assert(chmod(s.key, 0600 | bit) == 0);
                assert(unlock(&s, s.key) == KEYRING_E_LOCKED);
                expect_complaint(&s, "open to other users", "chmod 600");
        }
        assert(chmod(s.key, 0400) == 0);
        assert(unlock(&s, s.key) == 0);
        if (geteuid() == 0) {
                assert(chown(s.key, 12345, 0) == 0);
                assert(unlock(&s, s.key) == KEYRING_E_LOCKED);
                expect_complaint(&s, "belongs to another user", "key-file");
                assert(chown(s.key, 0, 0) == 0);
        }
        assert(chmod(s.key, 0600) == 0);
        put(s.key, "0123456789abcdef0123456789abcde");
        assert(unlock(&s, s.key) == KEYRING_E_LOCKED);
        expect_complaint(&s, "31 bytes", "head -c 32 /dev/urandom > FILE && chmod 600 FILE");
        put(s.key, "                                ");
        assert(unlock(&s, s.key) == KEYRING_E_LOCKED);
        expect_complaint(&s, "no random bytes", "");
        assert(truncate(s.key, STORE_KEY_MAX + 1) == 0);
        assert(unlock(&s, s.key) == KEYRING_E_LOCKED);
        expect_complaint(&s, "longer than 4096", "");
        /* the complaint stands while it is locked */
        assert(load_as(&s, "work", NULL) == KEYRING_E_LOCKED);
        expect_complaint(&s, "longer than 4096", "");
        shop_deinit(&s);
}

static void test_a_credential(void) {
        char path[200];
        Shop s;

        shop_init(&s);
        assert(setenv("CREDENTIALS_DIRECTORY", s.f.path, 1) == 0);
        assert(unlock(&s, NULL) == KEYRING_E_LOCKED);
        expect_complaint(&s, "the credential iotc-token-key", "");
        snprintf(path, sizeof(path), "%s/" STORE_KEY_CREDENTIAL, s.f.path);
        assert(rename(s.key, path) == 0);
        assert(unlock(&s, NULL) == 0);
        assert(chmod(path, 0440) == 0); /* as systemd shows an access list */
        assert(unlock(&s, NULL) == 0);
        assert(chmod(path, 0444) == 0);
        assert(unlock(&s, NULL) == KEYRING_E_LOCKED);
        assert(unsetenv("CREDENTIALS_DIRECTORY") == 0);
        shop_deinit(&s);
}

static void test_another_key_destroys_nothing(void) {
        char other[200], broken[200];
        Shop s;

        shop_init(&s);
        snprintf(other, sizeof(other), "%s/other", s.f.path);
        put(other, "another key, of thirty-six characters");
        assert(unlock(&s, s.key) == 0 && store(&s, "work", "one") == 0);

        assert(unlock(&s, other) == KEYRING_E_LOCKED);
        expect_complaint(&s, other, s.secrets);
        assert(load_as(&s, "work", NULL) == KEYRING_E_LOCKED);
        assert(store(&s, "work", "two") == KEYRING_E_LOCKED);
        assert(store(&s, "home", "two") == KEYRING_E_LOCKED);
        assert(unlock(&s, s.key) == 0 && load_as(&s, "work", "one") == 0);

        /* One file of another key among our own is that account's trouble alone. */
        assert(store(&s, "home", "two") == 0);
        snprintf(broken, sizeof(broken), "%s/broken", s.secrets);
        put(broken, "something else");
        assert(unlock(&s, s.key) == 0);
        assert(load_as(&s, "home", "two") == 0);
        assert(load_as(&s, "broken", NULL) == KEYRING_E_UNREADABLE);
        assert(store(&s, "broken", "three") == KEYRING_E_UNREADABLE);
        expect_complaint(&s, broken, "damaged");
        expect_text(broken, "something else");
        assert(b->erase(s.impl, NULL, NULL, "broken") == 0);
        assert(store(&s, "broken", "three") == 0);

        /* What is locked can be deleted, and then the other key will do. */
        assert(unlock(&s, other) == KEYRING_E_LOCKED);
        assert(b->erase(s.impl, NULL, NULL, "work") == 0 &&
               b->erase(s.impl, NULL, NULL, "home") == 0 &&
               b->erase(s.impl, NULL, NULL, "broken") == 0);
        assert(unlock(&s, other) == 0 && store(&s, "work", "four") == 0);
        shop_deinit(&s);
}

static void test_every_damage_is_seen(void) {
        CLEANUP(freep) char *data = NULL;
        char home[160];
        size_t n;
        Shop s;

        shop_init(&s);
        snprintf(home, sizeof(home), "%s/home", s.secrets);
        assert(unlock(&s, s.key) == 0 && store(&s, "work", "the record") == 0);
        assert(file_read(&data, &n, s.work, 4096) == 0);
        for (size_t i = 0; i < n; i++) {
                put_bytes(s.work, data, i);
                assert(load_as(&s, "work", NULL) == KEYRING_E_UNREADABLE);
                data[i] ^= 0x10;
                put_bytes(s.work, data, n);
                assert(load_as(&s, "work", NULL) == KEYRING_E_UNREADABLE);
                assert(store(&s, "work", "x") == KEYRING_E_UNREADABLE);
                data[i] ^= 0x10;
        }
        put_bytes(s.work, data, n);
        assert(load_as(&s, "work", "the record") == 0);

        /* Another account's, a folder, and one that is far too long. */
        put_bytes(home, data, n);
        assert(load_as(&s, "home", NULL) == KEYRING_E_UNREADABLE);
        assert(unlink(home) == 0 && mkdir(home, 0700) == 0);
        assert(load_as(&s, "home", NULL) == KEYRING_E_UNREADABLE);
        assert(truncate(s.work, LIMIT_STORE_FILE + 1) == 0);
        assert(load_as(&s, "work", NULL) == KEYRING_E_UNREADABLE);
        shop_deinit(&s);
}

static void test_a_folder_that_is_gone_is_no_sign_out(void) {
        char moved[128];
        Shop s;

        shop_init(&s);
        snprintf(moved, sizeof(moved), "%s/moved", s.f.path);
        assert(unlock(&s, s.key) == 0 && store(&s, "work", "one") == 0);
        assert(rename(s.secrets, moved) == 0);
        assert(load_as(&s, "work", NULL) == KEYRING_E_ABSENT);
        expect_complaint(&s, s.secrets, "is gone");
        assert(store(&s, "work", "two") == KEYRING_E_ABSENT);
        assert(b->erase(s.impl, NULL, NULL, "work") == KEYRING_E_ABSENT);
        assert(mkdir(s.secrets, 0700) == 0); /* as a mount point is */
        assert(load_as(&s, "work", NULL) == KEYRING_E_ABSENT);
        assert(rmdir(s.secrets) == 0 && rename(moved, s.secrets) == 0);
        assert(load_as(&s, "work", "one") == 0);
        shop_deinit(&s);
}

static void test_a_folder_that_can_t_be_used(void) {
        char a[128];
        Shop s;

        shop_init(&s);
        snprintf(a, sizeof(a), "%s/a", s.f.path);
        put(a, "a file");
        assert(unlock(&s, s.key) == KEYRING_E_ABSENT);
        expect_complaint(&s, "Not a directory", "iotc-token unlock");
        assert(load_as(&s, "work", NULL) == KEYRING_E_ABSENT);
        assert(b->erase(s.impl, NULL, NULL, "work") == KEYRING_E_ABSENT);
        assert(unlink(a) == 0 && mkdir(a, 0755) == 0 && mkdir(s.secrets, 0755) == 0);
        if (geteuid() == 0) {
                assert(chown(s.secrets, 12345, 0) == 0);
                assert(unlock(&s, s.key) == KEYRING_E_ABSENT);
                assert(chown(s.secrets, 0, 0) == 0);
        }
        assert(unlock(&s, s.key) == 0);
        shop_deinit(&s);
}

static void test_leftovers_are_swept(void) {
        struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
        char dead[160], alive[160], backup[160];
        Shop s;

        shop_init(&s);
        snprintf(dead, sizeof(dead), "%s/work.iotc-AbCdEf", s.secrets);
        snprintf(alive, sizeof(alive), "%s/work.iotc-GhIjKl", s.secrets);
        assert(unlock(&s, s.key) == 0 && store(&s, "work", "one") == 0);
        snprintf(backup, sizeof(backup), "%s/work.backup", s.secrets);
        put(dead, "half");
        put(backup, "a person's own");
        put(alive, "half");
        assert(utimensat(AT_FDCWD, backup, old, 0) == 0);
        assert(utimensat(AT_FDCWD, dead, old, 0) == 0 && utimensat(AT_FDCWD, s.work, old, 0) == 0);
        assert(unlock(&s, s.key) == 0);
        assert(access(dead, F_OK) < 0 && access(alive, F_OK) == 0 && access(backup, F_OK) == 0);
        assert(load_as(&s, "work", "one") == 0);
        shop_deinit(&s);
}

/* In a child: there is no room for the new record, and the old one stays. */
static void test_no_room(void) {
        struct rlimit limit = { .rlim_cur = 512, .rlim_max = 512 };
        static char much[4096];
        int status;
        pid_t pid;
        Shop s;

        shop_init(&s);
        memset(much, 'x', sizeof(much) - 1);
        assert(unlock(&s, s.key) == 0 && store(&s, "work", "one") == 0);
        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                signal(SIGXFSZ, SIG_IGN);
                assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
                assert(store(&s, "work", much) == KEYRING_E_FAILED);
                expect_complaint(&s, s.work, "File too large");
                _exit(0);
        }
        assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert(load_as(&s, "work", "one") == 0);
        assert(unlink(s.work) == 0 && rmdir(s.secrets) == 0); /* nothing was left behind */
        shop_deinit(&s);
}

int main(void) {
        test_stored_loaded_deleted();
        test_a_key_is_checked();
        test_a_credential();
        test_another_key_destroys_nothing();
        test_every_damage_is_seen();
        test_a_folder_that_is_gone_is_no_sign_out();
        test_a_folder_that_can_t_be_used();
        test_leftovers_are_swept();
        test_no_room();
        return 0;
}
