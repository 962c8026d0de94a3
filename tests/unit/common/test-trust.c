/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "common/trust.h"

/* A folder of this test's own, which only its user can write to. */
static char top[64];

static const char *path_of(const char *name) {
        static char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        return path;
}

static void make_folder(const char *name, mode_t mode) {
        assert(mkdir(path_of(name), 0700) == 0 && chmod(path_of(name), mode) == 0);
}

static void make_file(const char *name, const char *text, mode_t mode) {
        int fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        assert(fchmod(fd, mode) == 0);
        close(fd);
}

static void make_link(const char *name, const char *target) {
        assert(symlink(target, path_of(name)) == 0);
}

static void give_away(const char *name, uid_t uid, gid_t gid) {
        assert(lchown(path_of(name), uid, gid) == 0);
}

/* want: 0, -errno, or TRUST_E_UNSAFE because of `culprit`. */
static void expect(TrustRule rule, const char *name, int want, const char *culprit) {
        CLEANUP(fd_closep) int fd = -1;
        Distrust distrust;

        assert(trust_open(&fd, &distrust, path_of(name), rule) == want);
        assert((fd >= 0) == (want == 0));
        assert(streq(distrust.path, culprit ? path_of(culprit) : NULL));
        distrust_clear(&distrust);
}

static void test_what_was_looked_at_is_what_is_read(void) {
        CLEANUP(fd_closep) int fd = -1, file = -1;
        Distrust distrust;
        char buf[8];

        make_folder("conf", 0755);
        make_file("conf/first", "first", 0644);
        assert(trust_open(&fd, &distrust, path_of("conf/first"), TRUST_FILE) == 0);
        assert(unlink(path_of("conf/first")) == 0);
        make_file("conf/first", "other", 0644);
        file = trust_reopen(fd, O_RDONLY);
        assert(file >= 0 && read(file, buf, sizeof(buf)) == 5 && memcmp(buf, "first", 5) == 0);
}

static void test_what_is_not_there(void) {
        make_link("conf/dangling", "nowhere");
        make_link("conf/loop", "loop");
        make_folder("open", 0777);
        expect(TRUST_FILE, "conf/absent", -ENOENT, NULL);
        expect(TRUST_FILE, "absent/absent", -ENOENT, NULL);
        expect(TRUST_FILE, "conf/first/x", -ENOTDIR, NULL);
        expect(TRUST_FILE, "conf/first/", -ENOTDIR, NULL);
        expect(TRUST_FILE, "conf/dangling", -ENOENT, NULL);
        expect(TRUST_FILE, "conf/loop", -ELOOP, NULL);
        /* What is not there yet, others could put there. */
        expect(TRUST_FILE, "open/absent", TRUST_E_UNSAFE, "open");
}

static void test_others_may_not_write(void) {
        make_file("conf/worldly", "", 0646);
        make_file("open/mine", "", 0644);
        make_folder("sticky", 01777);
        make_file("sticky/mine", "", 0644);
        expect(TRUST_FILE, "conf/first", 0, NULL);
        expect(TRUST_FILE, "conf/worldly", TRUST_E_UNSAFE, "conf/worldly");
        expect(TRUST_FILE, "open/mine", TRUST_E_UNSAFE, "open");
        expect(TRUST_FILE, "sticky/mine", TRUST_E_UNSAFE, "sticky");
        expect(TRUST_FILE, "conf", 0, NULL);
        expect(TRUST_FILE, "open", TRUST_E_UNSAFE, "open");
}

/* As stow, chezmoi and people make them: a link of the file, or of the folder. */
static void test_links(void) {
        make_folder("dotfiles", 0755);
        make_file("dotfiles/file", "", 0644);
        make_link("conf/stowed", "../dotfiles/file");
        make_link("folded", "dotfiles");
        make_link("conf/twice", "../folded/file");
        make_link("conf/outward", "../open/mine");
        make_link("open/link", "../dotfiles/file");
        make_link("open/folder", "../dotfiles");
        expect(TRUST_FILE, "conf/stowed", 0, NULL);
        expect(TRUST_FILE, "folded/file", 0, NULL);
        expect(TRUST_FILE, "conf/twice", 0, NULL);
        expect(TRUST_FILE, "conf/outward", TRUST_E_UNSAFE, "open");
        expect(TRUST_FILE, "open/link", TRUST_E_UNSAFE, "open");
        expect(TRUST_FILE, "open/folder/file", TRUST_E_UNSAFE, "open");
}

static void test_every_folder_above_a_program(void) {
        make_folder("open/safe", 0755);
        make_file("open/safe/az", "", 0755);
        make_folder("sticky/safe", 0755);
        make_file("sticky/safe/az", "", 0755);
        make_link("conf/az", "../open/safe/az");
        expect(TRUST_FILE, "open/safe/az", 0, NULL);
        expect(TRUST_PROGRAM, "open/safe/az", TRUST_E_UNSAFE, "open");
        expect(TRUST_PROGRAM, "conf/az", TRUST_E_UNSAFE, "open");
        expect(TRUST_PROGRAM, "open/safe/../../dotfiles/file", TRUST_E_UNSAFE, "open");
        /* Nobody else can take a folder of the user's out of it, as out of /tmp. */
        expect(TRUST_PROGRAM, "sticky/safe/az", 0, NULL);
}

/* Only root can give files away. */
static void test_what_is_somebody_elses(void) {
        if (geteuid() != 0)
                return;
        make_file("conf/foreign", "", 0644);
        give_away("conf/foreign", 65534, 0);
        expect(TRUST_FILE, "conf/foreign", TRUST_E_UNSAFE, "conf/foreign");
        make_folder("theirs", 0755);
        make_file("theirs/mine", "", 0644);
        make_folder("theirs/bin", 0755);
        make_file("theirs/bin/az", "", 0755);
        give_away("theirs", 65534, 0);
        expect(TRUST_FILE, "theirs/mine", TRUST_E_UNSAFE, "theirs");
        expect(TRUST_PROGRAM, "theirs/bin/az", TRUST_E_UNSAFE, "theirs");
        make_link("sticky/planted", "../conf/first");
        give_away("sticky/planted", 65534, 0);
        make_link("conf/through", "../sticky/planted");
        expect(TRUST_PROGRAM, "sticky/planted", TRUST_E_UNSAFE, "sticky");
        make_link("sticky/folder", "../dotfiles");
        give_away("sticky/folder", 65534, 0);
        expect(TRUST_FILE, "sticky/folder/file", TRUST_E_UNSAFE, "sticky/folder");
        /* A group of others; and /nix/store, where only the package manager's may. */
        make_file("conf/shared", "", 0664);
        give_away("conf/shared", 0, 65534);
        expect(TRUST_FILE, "conf/shared", TRUST_E_UNSAFE, "conf/shared");
        make_folder("store", 0755);
        give_away("store", 0, 65534);
        assert(chmod(path_of("store"), 01775) == 0);
        make_file("store/file", "", 0444);
        make_link("conf/nix", "../store/file");
        expect(TRUST_FILE, "conf/nix", 0, NULL);
        expect(TRUST_PROGRAM, "conf/nix", 0, NULL);
}

typedef struct AclEntry {
        uint16_t tag, permissions;
        uint32_t id;
} AclEntry;

/* A file that its group may write by its mode, and this list says who else. */
static bool make_acl(const char *name, uint32_t user, uint32_t group, uint16_t permissions) {
        struct {
                uint32_t version;
                AclEntry entries[6];
        } acl = { htole32(2),
                  { { htole16(0x01), htole16(6), ~0U },
                    { htole16(0x02), htole16(permissions), htole32(user) },
                    { htole16(0x04), htole16(4), ~0U },
                    { htole16(0x08), htole16(permissions), htole32(group) },
                    { htole16(0x10), htole16(7), ~0U },
                    { htole16(0x20), htole16(4), ~0U } } };

        make_file(name, "", 0640);
        return setxattr(path_of(name), "system.posix_acl_access", &acl, sizeof(acl), 0) == 0;
}

static void test_access_lists(void) {
        if (!make_acl("conf/read", 12345, 12345, 4))
                return; /* the file system has none */
        expect(TRUST_FILE, "conf/read", 0, NULL);
        make_acl("conf/user", 12345, 0, 6);
        expect(TRUST_FILE, "conf/user", TRUST_E_UNSAFE, "conf/user");
        make_acl("conf/group", 0, 12345, 6);
        expect(TRUST_FILE, "conf/group", TRUST_E_UNSAFE, "conf/group");
        make_acl("conf/ours", geteuid(), 0, 6);
        expect(TRUST_FILE, "conf/ours", 0, NULL);
}

static bool file_put(const char *path, const char *text) {
        CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* In a user namespace without root (PrivateUsers=yes), root's files are nobody's: those of /etc
 * count as root's all the same. */
static void test_without_a_number_for_root(void) {
        CLEANUP(freep) char *map = NULL;
        int status;
        pid_t pid;

        assert(asprintf(&map, "4711 %u 1", geteuid()) >= 0);
        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                CLEANUP(fd_closep) int fd = -1, other = -1;
                Distrust distrust;

                if (unshare(CLONE_NEWUSER) < 0 || !file_put("/proc/self/uid_map", map))
                        _exit(0); /* not here */
                assert(geteuid() == 4711);
                assert(trust_open(&fd, &distrust, "/etc/passwd", TRUST_FILE) == 0);
                /* A runner who is root has become 4711, and what was root's with it. */
                if (streq(strchr(map, ' '), " 0 1"))
                        _exit(0);
                assert(trust_open(&other, &distrust, "/usr/bin/env", TRUST_FILE) == TRUST_E_UNSAFE);
                assert(distrust.foreign);
                distrust_clear(&distrust);
                _exit(0);
        }
        assert(waitpid(pid, &status, 0) == pid && status == 0);
}

/* mine: this user is in passwd, with that primary group; more: other lines of it. */
static void expect_private(bool want, int mine, const char *more, const char *groups) {
        CLEANUP(freep) char *users = NULL, *passwd = strdup(path_of("passwd"));

        assert(asprintf(&users, "me:x:%u:%d::/:/bin/sh\n%s", geteuid(), mine, more) >= 0);
        make_file("passwd", mine ? users : more, 0600);
        make_file("group", groups, 0600);
        assert(trust_group_is_private(500, passwd, path_of("group")) == want);
        assert(unlink(passwd) == 0 && unlink(path_of("group")) == 0);
}

static void test_a_private_group(void) {
        static const char *const you = "you:x:4711:500::/:/bin/sh\n";
        static const char *const apart = "you:x:4711:4711::/:/bin/sh\n";

        expect_private(true, 500, "", "me:x:500:\n");
        expect_private(true, 500, apart, "me:x:500:me\n");
        expect_private(true, 500, "", "");
        expect_private(false, 500, apart, "me:x:500:me,you\n");
        expect_private(false, 500, "", "x:x:501:\nme:x:500:\nalias:x:500:you\n");
        expect_private(false, 500, you, "me:x:500:\n");
        expect_private(false, 100, apart, "me:x:500:me\n");
        /* Of a directory service: the number is not this user's. */
        expect_private(false, 0, "", "me:x:500:\n");
        assert(!trust_group_is_private(500, "/nonexistent", "/nonexistent"));
}

static void test_a_folder_of_ones_own(void) {
        Distrust distrust;
        struct stat st;

        assert(trust_make_folder(path_of("own"), &distrust) == 0);
        assert(stat(path_of("own"), &st) == 0 && (st.st_mode & 07777) == 0700);
        assert(trust_make_folder(path_of("own"), &distrust) == 0);
        assert(trust_make_folder(path_of("sticky/own"), &distrust) == 0);
        assert(trust_make_folder(path_of("conf/first"), &distrust) == -ENOTDIR);
        assert(trust_make_folder("/nowhere/iotc-token", &distrust) == -ENOENT);
        assert(trust_make_folder(path_of("open/own"), &distrust) == TRUST_E_UNSAFE);
        assert(streq(distrust.path, path_of("open")) && access(path_of("open/own"), F_OK) < 0);
        distrust_clear(&distrust);
}

static void test_words(void) {
        Distrust distrust = { .path = (char *)"/opt/my folder", .owner = geteuid() };
        CLEANUP(freep) char *mine = distrust_command(&distrust), *home = NULL, *other = NULL;
        CLEANUP(freep) char *text = distrust_text(&distrust);

        assert(streq(mine, "chmod go-w '/opt/my folder'"));
        assert(streq(text, "/opt/my folder can be written by other users. Mend it: chmod go-w "
                           "'/opt/my folder'"));
        distrust.foreign = true;
        other = distrust_command(&distrust);
        assert(streq(other, "sudo chown -h root '/opt/my folder'"));
        assert(setenv("HOME", "/opt", true) == 0);
        home = distrust_command(&distrust);
        assert(streq(home, "sudo chown -h $(id -u) '/opt/my folder'"));
}

int main(void) {
        char command[96];

        (void)snprintf(top, sizeof(top), "/tmp/test-trust-XXXXXX");
        assert(mkdtemp(top));
        test_what_was_looked_at_is_what_is_read();
        test_what_is_not_there();
        test_others_may_not_write();
        test_links();
        test_every_folder_above_a_program();
        test_what_is_somebody_elses();
        test_access_lists();
        test_without_a_number_for_root();
        test_a_private_group();
        test_a_folder_of_ones_own();
        test_words();
        (void)snprintf(command, sizeof(command), "rm -r %s", top);
        assert(system(command) == 0);
        return 0;
}
