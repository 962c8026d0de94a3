/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "common/memory.h"
#include "common/text.h"
#include "common/trust.h"

enum {
        LINKS_MAX = 40, /* as the kernel has it */
        ACL_SIZE_MAX = 4 + 8 * 128,
        /* acl(5) as the kernel keeps it in system.posix_acl_access: a version, then entries. */
        ACL_ENTRIES = 4,
        ACL_ENTRY_SIZE = 8,
        ACL_TAG_USER = 0x02,
        ACL_TAG_GROUP_OBJ = 0x04,
        ACL_TAG_GROUP = 0x08,
        ACL_WRITE = 2,
};

/* ---- groups and access lists -------------------------------------------------------------- */

static bool uid_is_ours(uid_t uid) {
        return uid == 0 || uid == geteuid();
}

/*
 * Only the files are asked: other sources (LDAP, SSSD) may take their time, and don't list who is
 * in a group. A user whom the file does not have is one of theirs; the private group has the
 * number of the user there, as systemd-homed makes it.
 */
bool trust_group_is_private(gid_t group, const char *passwd, const char *groups) {
        CLEANUP(file_closep) FILE *users = fopen(passwd, "re");
        CLEANUP(file_closep) FILE *members = fopen(groups, "re");
        const struct passwd *p;
        const struct group *g;
        gid_t primary = geteuid() == getegid() ? getegid() : (gid_t)-1;

        while (users && (p = fgetpwent(users))) {
                if (p->pw_gid == group && !uid_is_ours(p->pw_uid))
                        return false;
                if (p->pw_uid == geteuid())
                        primary = p->pw_gid;
        }
        if (group != 0 && group != primary)
                return false;
        while (members && (g = fgetgrent(members))) {
                if (g->gr_gid != group)
                        continue;
                for (char **name = g->gr_mem; *name; name++) {
                        bool ours = false;

                        if (users)
                                rewind(users);
                        while (users && (p = fgetpwent(users)))
                                ours = ours || (streq(p->pw_name, *name) && uid_is_ours(p->pw_uid));
                        if (!ours)
                                return false;
                }
        }
        return true;
}

static bool group_is_private(gid_t group) {
        return trust_group_is_private(group, "/etc/passwd", "/etc/group");
}

bool trust_others_write(int fd, mode_t mode, gid_t group) {
        unsigned char acl[ACL_SIZE_MAX];
        char path[32];
        ssize_t n;

        if (mode & S_IWOTH)
                return true;
        /* With an access list these bits are its mask: no name in it may do more. */
        if (!(mode & S_IWGRP))
                return false;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = getxattr(path, "system.posix_acl_access", acl, sizeof(acl));
        if (n < 0)
                return (errno != ENODATA && errno != EOPNOTSUPP) || !group_is_private(group);
        for (ssize_t i = ACL_ENTRIES; i + ACL_ENTRY_SIZE <= n; i += ACL_ENTRY_SIZE) {
                uint16_t tag, permissions;
                uint32_t id;

                memcpy(&tag, acl + i, sizeof(tag));
                memcpy(&permissions, acl + i + 2, sizeof(permissions));
                memcpy(&id, acl + i + 4, sizeof(id));
                tag = le16toh(tag);
                id = tag == ACL_TAG_GROUP_OBJ ? group : le32toh(id);
                if (!(le16toh(permissions) & ACL_WRITE))
                        continue;
                if (tag == ACL_TAG_USER && !uid_is_ours(id))
                        return true;
                if ((tag == ACL_TAG_GROUP || tag == ACL_TAG_GROUP_OBJ) && !group_is_private(id))
                        return true;
        }
        return false;
}

/* In a user namespace without a number for root, root's files belong to the overflow uid, like
 * those of everybody else outside. */
static bool uid_stands_for_root(uid_t uid) {
        CLEANUP(file_closep) FILE *map = fopen("/proc/self/uid_map", "re");
        CLEANUP(file_closep) FILE *overflow = fopen("/proc/sys/fs/overflowuid", "re");
        unsigned first, outside, count, number;

        if (!map || !overflow || fscanf(overflow, "%u", &number) != 1 || uid != number)
                return false;
        while (fscanf(map, "%u %u %u", &first, &outside, &count) == 3)
                if (first == 0)
                        return false;
        return true;
}

/* ---- the walk ----------------------------------------------------------------------------- */

typedef struct Walk {
        TrustRule rule;
        Distrust *distrust;
        int dir;           /* the folder that is reached */
        char at[PATH_MAX]; /* its path; "" is the root */
        char *rest;        /* what is still to be walked */
        unsigned links;
} Walk;

static void walk_deinit(Walk *w) {
        w->dir = fd_close(w->dir);
        free(w->rest);
}

/* The path of name in the folder that is reached. */
static int walk_path(const Walk *w, const char *name, char ret[static PATH_MAX]) {
        int n = snprintf(ret, PATH_MAX, "%s%s%s", w->at, *name ? "/" : "", name);

        return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int walk_distrust(Walk *w, const char *name, uid_t owner, bool foreign) {
        char path[PATH_MAX];
        int r;

        r = walk_path(w, name, path);
        if (r < 0)
                return r;
        *w->distrust = (Distrust){ .path = xstrdup(*path ? path : "/"),
                                   .owner = owner,
                                   .foreign = foreign };
        return TRUST_E_UNSAFE;
}

static int walk_check_owner(Walk *w, const char *name, uid_t owner) {
        if (uid_is_ours(owner))
                return 0;
        if ((streq(w->at, "/etc") || str_starts(w->at, "/etc/")) && uid_stands_for_root(owner))
                return 0;
        return walk_distrust(w, name, owner, true);
}

/*
 * The folder that is reached. Others may write to one with the sticky bit, where they can't touch
 * what is there: whoever comes to it next is looked at. last: it is the folder of what was asked
 * for, where nobody else may put anything; but a package manager's group may (/nix/store).
 */
static int walk_check_folder(Walk *w, bool last) {
        bool sticky;
        struct stat st;
        int r;

        if (fstat(w->dir, &st) < 0)
                return -errno;
        r = walk_check_owner(w, "", st.st_uid);
        if (r != 0)
                return r;
        last = last && w->rule != TRUST_FOLDER;
        sticky = (st.st_mode & S_ISVTX) && (!last || (st.st_uid == 0 && !(st.st_mode & S_IWOTH)));
        if (sticky || !trust_others_write(w->dir, st.st_mode, st.st_gid))
                return 0;
        return walk_distrust(w, "", st.st_uid, false);
}

static int walk_to_root(Walk *w) {
        (void)fd_close(w->dir);
        w->at[0] = '\0';
        w->dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return w->dir < 0 ? -errno : 0;
}

static int walk_into(Walk *w, const char *name, int fd) {
        char path[PATH_MAX];
        int r;

        r = walk_path(w, name, path);
        if (streq(name, "..")) {
                char *slash = strrchr(w->at, '/');

                memcpy(path, w->at, sizeof(path));
                path[slash ? slash - w->at : 0] = '\0';
                r = 0;
        }
        if (r < 0)
                return r;
        memcpy(w->at, path, sizeof(w->at));
        (void)fd_close(w->dir);
        w->dir = fd;
        return 0;
}

/* A link: where it leads, and then the rest. */
static int walk_link(Walk *w, const char *name, int fd, uid_t owner, const char *after) {
        char target[PATH_MAX];
        char *rest;
        ssize_t n;
        int r;

        r = walk_check_folder(w, !*after);
        if (r == 0)
                r = walk_check_owner(w, name, owner);
        if (r != 0)
                return r;
        if (++w->links > LINKS_MAX)
                return -ELOOP;
        n = readlinkat(fd, "", target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        rest = xasprintf("%s%s%s", target, *after ? "/" : "", after);
        free(w->rest);
        w->rest = rest;
        return *target == '/' ? walk_to_root(w) : 0;
}

/* The last step: what was asked for. */
static int walk_end(Walk *w, const char *name, int fd, const struct stat *st) {
        int r;

        r = walk_check_folder(w, true);
        if (r == 0)
                r = walk_check_owner(w, name, st->st_uid);
        /* Of a pipe or a device nobody reads, so it is left to the caller to say what it is. */
        if (r == 0 && (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) &&
            trust_others_write(fd, st->st_mode, st->st_gid))
                r = walk_distrust(w, name, st->st_uid, false);
        return r;
}

/* One step. 0, and *ret_fd when it was the last one. */
static int walk_step(Walk *w, int *ret_fd) {
        const char *p = w->rest + strspn(w->rest, "/"), *after = p + strcspn(p, "/");
        CLEANUP(freep) char *name = xstrndup(p, (size_t)(after - p));
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;
        int r;

        if (w->rule == TRUST_PROGRAM) {
                r = walk_check_folder(w, false);
                if (r != 0)
                        return r;
        }
        /* A folder is asked for as one: that mounts it, where it is mounted on demand. */
        fd = openat(w->dir, *name ? name : ".",
                    O_PATH | O_NOFOLLOW | O_CLOEXEC | (*after ? O_DIRECTORY : 0));
        if (fd < 0 && *after && errno == ENOTDIR)
                fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
                r = -errno;
                return r == -ENOENT && !*after ? walk_check_folder(w, true) ?: r : r;
        }
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode))
                return walk_link(w, name, fd, st.st_uid, after);
        if (!*after)
                r = walk_end(w, name, fd, &st);
        else
                r = S_ISDIR(st.st_mode) ? walk_into(w, name, fd) : -ENOTDIR;
        if (r == 0 && *after)
                memmove(w->rest, after, strlen(after) + 1);
        else if (r == 0)
                *ret_fd = fd;
        if (r == 0)
                fd = -1;
        return r;
}

int trust_open(int *ret_fd, Distrust *ret, const char *path, TrustRule rule) {
        CLEANUP(walk_deinit) Walk w = { .rule = rule, .distrust = ret, .dir = -1 };
        int r, fd = -1;

        *ret = (Distrust){ 0 };
        if (*path != '/')
                return -EINVAL;
        w.rest = xstrdup(path);
        r = walk_to_root(&w);
        while (r == 0 && fd < 0)
                r = walk_step(&w, &fd);
        if (r == 0)
                *ret_fd = fd;
        return r;
}

int trust_make_folder(const char *dir, Distrust *ret) {
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;
        int r;

        /* First, whether others could put one there, then whether they did before us. */
        r = trust_open(&fd, ret, dir, TRUST_FOLDER);
        if (r == -ENOENT) {
                if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                        return -errno;
                r = trust_open(&fd, ret, dir, TRUST_FOLDER);
        }
        if (r != 0)
                return r;
        return fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int trust_reopen(int fd, int flags) {
        char path[32];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        return r < 0 ? -errno : r;
}

/* ---- for a person ------------------------------------------------------------------------- */

char *distrust_command(const Distrust *d) {
        const char *home = getenv("HOME");
        CLEANUP(freep) char *quoted = NULL;
        const char *command;

        if (!d->path)
                return NULL;
        if (!d->foreign)
                command = d->owner == geteuid() ? "chmod go-w" : "sudo chmod go-w";
        else if (!str_empty(home) && str_starts(d->path, home) && d->path[strlen(home)] == '/')
                command = "sudo chown -h $(id -u)";
        else
                command = "sudo chown -h root";
        quoted = text_quoted(d->path);
        return xasprintf("%s %s", command, quoted);
}

char *distrust_text(const Distrust *d) {
        CLEANUP(freep) char *command = distrust_command(d);
        CLEANUP(freep) char *text = NULL;

        if (!command)
                return xstrdup("its path does not begin at /");
        text = xasprintf("%s %s. Mend it: %s", d->path,
                         d->foreign ? "belongs to another user" : "can be written by other users",
                         command);
        return text_clean(text, 2 * PATH_MAX);
}

void distrust_clear(Distrust *d) {
        free(d->path);
        *d = (Distrust){ 0 };
}
