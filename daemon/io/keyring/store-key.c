/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "common/secret.h"
#include "common/text.h"
#include "common/trust.h"
#include "io/keyring/store-key.h"

#define MAKE_ONE "head -c 32 /dev/urandom > FILE && chmod 600 FILE"
#define THEN     "Then run: iotc-token unlock"

PRINTF_LIKE(2, 3) static int refuse(char **ret_why, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(ret_why, format, args);
        va_end(args);
        return r < 0 ? -ENOMEM : STORE_KEY_E_REFUSED;
}

void store_key_clear(StoreKey *key) {
        secret_wipe(key, sizeof(*key));
}

/* systemd shows a credential of another user's service as readable by the group: that is the mask
 * of an access list. */
static int key_check(const struct stat *st, const char *path, bool credential, char **ret_why) {
        mode_t open_to = st->st_mode & (credential ? 0027 : 0077);

        if (!S_ISREG(st->st_mode))
                return refuse(ret_why, "The key file %s is no regular file.", path);
        if (st->st_uid != geteuid() && st->st_uid != 0)
                return refuse(ret_why,
                              "The key file %s belongs to another user, who can read it: it is not "
                              "used. Name another one by key-file in [iotc-token].",
                              path);
        if (open_to)
                return refuse(ret_why,
                              "The key file %s is open to other users (mode %03o): it is not used. "
                              "If nobody has read it: chmod 600 it. " THEN,
                              path, st->st_mode & 0777);
        if (st->st_size < STORE_KEY_MIN)
                return refuse(ret_why,
                              "The key file %s is too short: %lld bytes, and at least %d are "
                              "needed. To make one: " MAKE_ONE ". " THEN,
                              path, (long long)st->st_size, STORE_KEY_MIN);
        if (st->st_size > STORE_KEY_MAX)
                return refuse(ret_why,
                              "The key file %s is no key: it is longer than %d bytes. To make "
                              "one: " MAKE_ONE ". " THEN,
                              path, STORE_KEY_MAX);
        return 0;
}

/* What a crash or a sparse file leaves: one byte over and over. */
static bool key_is_blank(const StoreKey *key) {
        for (size_t i = 1; i < key->n; i++)
                if (key->bytes[i] != key->bytes[0])
                        return false;
        return true;
}

static int key_fill(StoreKey *key, int fd, const char *path, char **ret_why) {
        ssize_t k;

        while (key->n < sizeof(key->bytes)) {
                k = read(fd, key->bytes + key->n, sizeof(key->bytes) - key->n);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return refuse(ret_why, "The key file %s can't be read: %s. " THEN, path,
                                      strerror(errno));
                if (k == 0)
                        break;
                key->n += k;
        }
        if (key->n < STORE_KEY_MIN || key_is_blank(key))
                return refuse(ret_why,
                              "The key file %s holds no random bytes. To make one: " MAKE_ONE
                              ". " THEN,
                              path);
        return 0;
}

/* Who may write to its folder could put a key there that he knows. */
static int key_check_folder(const char *path, char **ret_why) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        CLEANUP(freep) char *why = NULL;
        CLEANUP(fd_closep) int fd = -1;

        if (trust_open(&fd, &distrust, path, TRUST_FOLDER) != TRUST_E_UNSAFE)
                return 0;
        why = distrust_text(&distrust);
        return refuse(ret_why, "The key file %s is not used: %s. " THEN, path, why ? why : "");
}

static int key_read(StoreKey *ret, const char *path, bool credential, char **ret_why) {
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;
        int r;

        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return refuse(ret_why,
                              "The key file %s is not there. Put it back; or, if it never was, "
                              "make one: " MAKE_ONE ". " THEN,
                              path);
        if (fd < 0)
                return refuse(ret_why, "The key file %s can't be read: %s. " THEN, path,
                              errno == ELOOP ? "it is a symbolic link" : strerror(errno));
        if (fstat(fd, &st) < 0)
                return refuse(ret_why, "The key file %s can't be read: %s. " THEN, path,
                              strerror(errno));
        r = key_check(&st, path, credential, ret_why);
        if (r == 0)
                r = key_check_folder(path, ret_why);
        return r == 0 ? key_fill(ret, fd, path, ret_why) : r;
}

/* systemd copies a credential when it starts the service: reading it again finds the same. */
static int key_name_restart(char **why) {
        char *then = strstr(*why, THEN), *text;

        if (!then)
                return STORE_KEY_E_REFUSED;
        if (asprintf(&text, "%.*sThen run: systemctl --user restart iotc-tokend",
                     (int)(then - *why), *why) < 0)
                return -ENOMEM;
        free(*why);
        *why = text;
        return STORE_KEY_E_REFUSED;
}

int store_key_read(StoreKey *ret, const char *path, char **ret_why) {
        const char *folder = getenv("CREDENTIALS_DIRECTORY");
        CLEANUP(freep) char *credential = NULL;
        int r;

        *ret = (StoreKey){ .n = 0 };
        if (!path && folder && *folder == '/' && text_is_clean(folder)) {
                if (asprintf(&credential, "%s/" STORE_KEY_CREDENTIAL, folder) < 0) {
                        credential = NULL;
                        return -ENOMEM;
                }
                if (access(credential, F_OK) == 0)
                        path = credential;
        }
        if (!path)
                return refuse(
                        ret_why,
                        "The setting store=file needs a key, and there is none. Make one: " MAKE_ONE
                        ", and name it by key-file=FILE in [iotc-token] of "
                        "accounts.conf; or give the service the credential " STORE_KEY_CREDENTIAL
                        ".");
        r = key_read(ret, path, path == credential, ret_why);
        if (r != 0)
                store_key_clear(ret);
        return r == STORE_KEY_E_REFUSED && path == credential ? key_name_restart(ret_why) : r;
}
