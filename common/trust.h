/* SPDX-License-Identifier: MIT */
/*
 * What may only root and the user change? The one rule for settings files, which name programs and
 * where passwords go, and for the programs themselves (contract, section 5). A path is walked step
 * by step, links included, and what was looked at is what is opened.
 *
 * Being writable by a group counts as by others, unless the group is the user's private one, or
 * root's, and no access list (acl(5)) adds a name.
 */
#pragma once

#include <iotc-util.h>

enum {
        _TRUST_E_SUCCESS,
        TRUST_E_UNSAFE, /* somebody else could change what is there, or put something there */
};

typedef enum TrustRule {
        /* The file, the folder that it lies in, and the folder of each link on the way. */
        TRUST_FILE,
        /* The same, and every folder above. */
        TRUST_PROGRAM,
        /* A folder of the user's own: as TRUST_FILE, but it may lie in one like /tmp, where nobody
         * can touch what is another's. */
        TRUST_FOLDER,
} TrustRule;

/* Where a path is not safe, and why. */
typedef struct Distrust {
        char *path;   /* of the file, link or folder; freed by distrust_clear(). NULL: none, but a
                         relative path */
        uid_t owner;  /* of it */
        bool foreign; /* the owner is neither root nor the user; else others may write to it */
} Distrust;

/*
 * Open an absolute path as an O_PATH descriptor (trust_reopen() makes one to read from). 0 and
 * *ret_fd, which may be a folder or a device; TRUST_E_UNSAFE and *ret, also when nothing is there
 * yet but others could put it there; -ENOENT, -ENOTDIR, -EACCES, -ELOOP ...; -EINVAL for a relative
 * path.
 */
int trust_open(int *ret_fd, Distrust *ret, const char *path, TrustRule rule);
/* Make the folder (0700) when it is missing. 0; TRUST_E_UNSAFE and *ret when somebody else owns it
 * or may write to it (TRUST_FOLDER); -errno. */
int trust_make_folder(const char *dir, Distrust *ret);
/* The same file, from its O_PATH descriptor, by open(2)'s flags. A descriptor or -errno. */
int trust_reopen(int fd, int flags);

/* "PATH belongs to another user. Mend it: COMMAND", for a person; the command alone, for a shell.
 * Freed by free(); the command is NULL when there is no path. */
char *distrust_text(const Distrust *d);
char *distrust_command(const Distrust *d);
void distrust_clear(Distrust *d);

/* May somebody but root and the user write to what fd (O_PATH will do) is? */
bool trust_others_write(int fd, mode_t mode, gid_t group);
/* Has this group only root and the user in it, by these files (passwd(5), group(5))? */
bool trust_group_is_private(gid_t group, const char *passwd, const char *groups);
