/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>

#include "common/secret.h"
#include "common/text.h"
#include "io/file.h"
#include "io/keyring/store-file.h"
#include "io/keyring/store-key.h"
#include "model/account.h"
#include "model/limits.h"

/* A temporary file that is older has no writer any more: it was killed, or the power went. */
#define LEFTOVER_SEC     60
/* How often, and how long each time, an unlock waits for memory. */
#define MEMORY_TRIES     50
#define MEMORY_WAIT_USEC (100 * 1000)
/* More than what store_cipher_check() wants to see. */
#define HEAD_BYTES       128

/* The thread's, but for wake_fd. */
typedef struct StoreFile {
        char *folder;
        int folder_fd; /* as it was unlocked; -1 before */
        int wake_fd;
        StoreKey key;
        int outcome; /* of the last unlock: what stands in the way, or 0 */
        char *shut;  /* why, for a person, or NULL */
        char *why;   /* of the last job that failed */
} StoreFile;

/* Say why, and pass the outcome on. */
PRINTF_LIKE(3, 4)
static int file_fail(StoreFile *f, int outcome, const char *format, ...) {
        va_list args;

        free(f->why);
        va_start(args, format);
        if (vasprintf(&f->why, format, args) < 0)
                f->why = NULL;
        va_end(args);
        return outcome;
}

static int file_fail_errno(StoreFile *f, const char *path, const char *what, int r) {
        return file_fail(f, KEYRING_E_FAILED, "%s can't be %s: %s", path, what, strerror(-r));
}

/* 0, or what the last unlock ended with. */
static int file_ready(StoreFile *f) {
        if (f->outcome == 0)
                return 0;
        free(f->why);
        f->why = f->shut ? strdup(f->shut) : NULL;
        return f->outcome;
}

/* Is the folder still the one that was unlocked? */
static int file_there(StoreFile *f) {
        struct stat then, now;

        if (fstat(f->folder_fd, &then) == 0 && stat(f->folder, &now) == 0 &&
            then.st_dev == now.st_dev && then.st_ino == now.st_ino)
                return 0;
        return file_fail(f, KEYRING_E_ABSENT,
                         "The folder %s, where secrets are kept, is gone. When its disk is back, "
                         "or to begin with an empty one: iotc-token unlock",
                         f->folder);
}

static int file_path(StoreFile *f, char **ret, const char *account) {
        *ret = NULL;
        if (!account_name_valid(account))
                return KEYRING_E_FAILED; /* it would be a path */
        if (asprintf(ret, "%s/%s", f->folder, account) >= 0)
                return 0;
        *ret = NULL;
        return KEYRING_E_FAILED;
}

static int file_read_record(StoreFile *f, char **ret, const char *path, const char *account) {
        CLEANUP(freep) char *data = NULL;
        size_t n;
        int r;

        r = file_read(&data, &n, path, LIMIT_STORE_FILE);
        if (r == -ENOENT)
                return file_there(f) ?: KEYRING_E_NOT_FOUND;
        if (r == -EFBIG || r == -EISDIR || r == -EBADFD)
                r = STORE_CIPHER_E_DAMAGED;
        else if (r < 0)
                return file_fail_errno(f, path, "read", r);
        else
                r = store_cipher_open(ret, &f->key, account, (const uint8_t *)data, n);
        if (r > 0)
                return file_fail(f, KEYRING_E_UNREADABLE,
                                 "The file %s %s. With the right key or a good copy in place, run: "
                                 "iotc-token unlock. To do without it: iotc-token logout %s, and "
                                 "set the account up again",
                                 path,
                                 r == STORE_CIPHER_E_OTHER_KEY
                                         ? "was encrypted with another key, or is damaged"
                                         : "is damaged",
                                 account);
        return r < 0 ? file_fail_errno(f, path, "decrypted", r) : 0;
}

static int file_load(void *impl, KeyringCancel *cancel, const char *account, char **ret_secret) {
        CLEANUP(freep) char *path = NULL;
        StoreFile *f = impl;
        int r;

        r = file_ready(f) ?: file_path(f, &path, account);
        return r ?: file_read_record(f, ret_secret, path, account);
}

/* What can't be read now may be readable with the right key: it is not overwritten. */
static int file_store(void *impl, KeyringCancel *cancel, KeyringQuestion *question, bool beside,
                      const char *account, const char *label, const char *secret) {
        CLEANUP(secret_freep) char *old = NULL;
        CLEANUP(freep) char *path = NULL;
        CLEANUP(freep) uint8_t *data = NULL;
        StoreFile *f = impl;
        size_t n;
        int r;

        r = file_ready(f) ?: file_path(f, &path, account);
        r = r ?: file_there(f);
        if (r == 0) {
                r = file_read_record(f, &old, path, account);
                r = r == KEYRING_E_NOT_FOUND ? 0 : r;
        }
        if (r != 0)
                return r;
        r = store_cipher_seal(&data, &n, &f->key, account, secret);
        if (r == 0)
                r = n <= LIMIT_STORE_FILE ? file_replace(path, (char *)data, n) : -EFBIG;
        return r < 0 ? file_fail_errno(f, path, "written", r) : 0;
}

/* This needs no key. */
static int file_delete(void *impl, KeyringCancel *cancel, KeyringQuestion *question,
                       const char *account) {
        CLEANUP(freep) char *path = NULL;
        StoreFile *f = impl;
        int r;

        r = f->folder_fd < 0 ? file_ready(f) : 0;
        r = r ?: file_path(f, &path, account);
        if (r != 0)
                return r;
        if (unlink(path) < 0)
                return errno == ENOENT ? file_there(f)
                                       : file_fail_errno(f, path, "deleted", -errno);
        (void)fsync(f->folder_fd);
        return 0;
}

static int folder_fail(StoreFile *f, const char *why) {
        return file_fail(f, KEYRING_E_ABSENT,
                         "The folder %s, where secrets are to be kept, can't be used: %s. Mend "
                         "that, then run: iotc-token unlock",
                         f->folder, why);
}

static int folder_open(StoreFile *f) {
        CLEANUP(freep) char *inside = NULL;
        struct stat st;
        int r;

        f->folder_fd = fd_close(f->folder_fd);
        if (asprintf(&inside, "%s/", f->folder) < 0) {
                inside = NULL;
                return -ENOMEM;
        }
        r = file_make_folders(inside);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return folder_fail(f, strerror(-r));
        f->folder_fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f->folder_fd < 0 || fstat(f->folder_fd, &st) < 0)
                return folder_fail(f, strerror(errno));
        if (st.st_uid != geteuid())
                return folder_fail(f, "it belongs to another user");
        if ((st.st_mode & 0077) && fchmod(f->folder_fd, 0700) < 0)
                return folder_fail(f, strerror(errno));
        return 0;
}

/* Is this one of the files that file_replace() made and had no time to put in place? */
static bool is_leftover(const StoreFile *f, const char *name) {
        struct stat st;

        return file_is_temporary(name) &&
               fstatat(f->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
               st.st_mtime < time(NULL) - LEFTOVER_SEC;
}

static int head_check(const StoreFile *f, const char *name) {
        CLEANUP(fd_closep) int fd = -1;
        uint8_t head[HEAD_BYTES];
        ssize_t n;

        fd = openat(f->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        n = fd < 0 ? -1 : read(fd, head, sizeof(head));
        return n < 0 ? -EIO : store_cipher_check(&f->key, head, n);
}

static void dirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* Sweep the folder, and see whether anything in it was written with this key; 0 as well when there
 * is nothing that says no. */
static int folder_check(StoreFile *f, const char *key_file) {
        CLEANUP(dirp) DIR *dir = NULL;
        bool ours = false, others = false;
        struct dirent *entry;
        int r;

        dir = opendir(f->folder);
        if (!dir)
                return folder_fail(f, strerror(errno));
        while ((entry = readdir(dir))) {
                if (is_leftover(f, entry->d_name))
                        (void)unlinkat(f->folder_fd, entry->d_name, 0);
                if (ours || !account_name_valid(entry->d_name))
                        continue;
                r = head_check(f, entry->d_name);
                ours = r == 0;
                others = others || r == STORE_CIPHER_E_OTHER_KEY;
        }
        if (ours || !others)
                return 0;
        return file_fail(
                f, KEYRING_E_LOCKED,
                "The key in %s is not the one that the secrets in %s were encrypted with. "
                "Put that one back and run: iotc-token unlock. If it is lost: remove the "
                "files there, run iotc-token unlock, and sign in again (iotc-token login NAME)",
                key_file ?: "the credential " STORE_KEY_CREDENTIAL, f->folder);
}

static int key_take(StoreFile *f, const char *key_file) {
        char *why = NULL;
        int r;

        r = store_key_read(&f->key, key_file, &why);
        if (r == 0)
                return folder_check(f, key_file);
        if (r < 0)
                return r;
        free(f->why);
        f->why = why;
        return KEYRING_E_LOCKED;
}

static int file_unlock(void *impl, const char *key_file, KeyringUnlockFn fn, void *userdata) {
        StoreFile *f = impl;

        store_key_clear(&f->key);
        f->outcome = folder_open(f) ?: key_take(f, key_file);
        /* It stays as it is found here: memory that is short for a moment is waited for. */
        for (unsigned i = 0; f->outcome == -ENOMEM && i < MEMORY_TRIES; i++) {
                (void)usleep(MEMORY_WAIT_USEC);
                f->outcome = folder_open(f) ?: key_take(f, key_file);
        }
        if (f->outcome == -ENOMEM)
                f->outcome = KEYRING_E_ABSENT;
        free(f->shut);
        f->shut = NULL;
        if (f->outcome != 0) {
                store_key_clear(&f->key);
                f->shut = f->why ? strdup(f->why) : NULL;
                return f->outcome;
        }
        fn(0, userdata);
        return 0;
}

static char *file_complaint(void *impl) {
        StoreFile *f = impl;
        CLEANUP(freep) char *why = STEAL(f->why);

        return text_clean(why, LIMIT_TEXT); /* a folder's name may be any bytes */
}

static void file_free(void *impl) {
        StoreFile *f = impl;

        if (!f)
                return;
        store_key_clear(&f->key);
        (void)fd_close(f->folder_fd);
        (void)fd_close(f->wake_fd);
        free(f->folder);
        free(f->shut);
        free(f->why);
        free(f);
}

static void file_enter(void *impl) {
}

/* The key is not needed any more, and may be wiped while another thread still holds the rest. */
static void file_leave(void *impl) {
        store_key_clear(&((StoreFile *)impl)->key);
}

static void file_wait(void *impl) {
        eventfd_t n;

        (void)eventfd_read(((StoreFile *)impl)->wake_fd, &n);
}

static void file_wake(void *impl) {
        (void)eventfd_write(((StoreFile *)impl)->wake_fd, 1);
}

const KeyringBackend store_file_backend = {
        .name = "file",
        .enter = file_enter,
        .leave = file_leave,
        .wait = file_wait,
        .wake = file_wake,
        .load = file_load,
        .store = file_store,
        .erase = file_delete,
        .unlock = file_unlock,
        .complaint = file_complaint,
        .free = file_free,
};

int store_file_new(void **ret, const char *folder) {
        StoreFile *f;
        int r;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->outcome = KEYRING_E_LOCKED; /* not unlocked yet */
        f->folder_fd = -1;
        f->folder = strdup(folder);
        f->wake_fd = eventfd(0, EFD_CLOEXEC);
        r = !f->folder ? -ENOMEM : f->wake_fd < 0 ? -errno : store_cipher_init();
        if (r < 0) {
                file_free(f);
                return r;
        }
        *ret = f;
        return 0;
}
