/* SPDX-License-Identifier: MIT */
/*
 * Who calls, as far as one can know: a Flatpak or a Snap program may get tokens, and nothing else
 * (contract, section 3). Only other calls ask, and only a sender's first: it costs round trips to
 * the bus daemon, behind all that others have sent.
 *
 * A sandbox is known by what it can't change: the label that the bus has of it, its control group,
 * its pid namespace, its file tree. Whatever can't be read there counts as one. Only the file tree
 * may be closed to us, because iotc-token itself is not dumpable; then the list of its mounts,
 * which is open to everybody, tells whether it is the one that we see.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <iotc-dbus.h>

#include "bus/link.h"
#include "model/limits.h"

#define FLATPAK_INFO ".flatpak-info"
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#define FDS_MAX 4096 /* of one process, that are looked at */

typedef struct Caller {
        uint32_t pid; /* 0: unknown */
        int pidfd;
        bool is_sure; /* pidfd is of the process that connected */
        bool snap;    /* by the label that the bus, or the socket, has of it */
} Caller;

static void caller_deinit(Caller *c) {
        c->pidfd = fd_close(c->pidfd);
}

static FILE *proc_open(int proc, const char *file) {
        CLEANUP(fd_closep) int fd = openat(proc, file, O_RDONLY | O_CLOEXEC);
        FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

        if (f)
                fd = -1;
        return f;
}

/* Does its control group, of any hierarchy, have one of these names? 1, 0, or -errno. */
static int cgroup_is_sandbox(int proc) {
        CLEANUP(file_closep) FILE *f = proc_open(proc, "cgroup");
        CLEANUP(freep) char *line = NULL;
        bool sandbox = false, any = false;
        size_t size = 0;

        while (f && getline(&line, &size, f) >= 0) {
                any = true;
                sandbox = sandbox || strstr(line, "/app-flatpak-") || strstr(line, "/snap.");
        }
        return any ? sandbox : -EIO;
}

/* For a bus that gives no label. A kernel without them has nothing to read here. */
static bool label_is_snap(int proc) {
        CLEANUP(file_closep) FILE *f = proc_open(proc, "attr/current");
        char label[sizeof("snap.")];

        return f && fgets(label, sizeof(label), f) && streq(label, "snap.");
}

/* In how many pid namespaces it has a number, from ours on; a process that has ended: -ESRCH. */
static int proc_depth(int proc) {
        CLEANUP(file_closep) FILE *f = proc_open(proc, "status");
        CLEANUP(freep) char *line = NULL;
        bool any = false;
        size_t size = 0;
        int depth = 0;

        while (f && getline(&line, &size, f) >= 0) {
                any = true;
                if (str_starts(line, "State:") && strpbrk(line + strlen("State:"), "ZX"))
                        return -ESRCH;
                if (!str_starts(line, "NSpid:"))
                        continue;
                for (const char *p = line; (p = strpbrk(p, "\t ")); p += strspn(p, "\t "))
                        depth++;
        }
        return any ? depth : -EIO;
}

/* The device and the folder in it that is mounted at its /, as "MAJOR:MINOR FOLDER". 0; 1: there
 * is Flatpak's mount as well; -errno. */
static int proc_root(int proc, char **ret) {
        CLEANUP(file_closep) FILE *f = proc_open(proc, "mountinfo");
        CLEANUP(freep) char *line = NULL, *root = NULL;
        size_t size = 0;

        while (f && getline(&line, &size, f) >= 0) {
                CLEANUP(freep) char *device = NULL, *from = NULL, *at = NULL;

                if (sscanf(line, "%*s %*s %ms %ms %ms", &device, &from, &at) != 3)
                        continue;
                if (streq(at, "/" FLATPAK_INFO))
                        return 1;
                if (!streq(at, "/"))
                        continue;
                free(root);
                if (asprintf(&root, "%s %s", device, from) < 0) {
                        root = NULL;
                        return -ENOMEM;
                }
        }
        if (!root)
                return -EIO;
        *ret = STEAL(root);
        return 0;
}

/* Flatpak puts /.flatpak-info into the sandbox's root; its calls come through xdg-dbus-proxy, whose
 * own root has it too. */
static int root_is_sandbox(int proc, int self) {
        CLEANUP(fd_closep) int root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP(freep) char *theirs = NULL, *ours = NULL;
        struct stat st;
        int r;

        if (root >= 0) {
                if (fstatat(root, FLATPAK_INFO, &st, AT_SYMLINK_NOFOLLOW) == 0)
                        return 1;
                return errno == ENOENT ? 0 : -errno;
        }
        r = proc_root(proc, &theirs);
        if (r == 0)
                r = proc_root(self, &ours);
        return r == 0 ? !streq(theirs, ours) : r;
}

static int process_is_sandbox(int proc, int self) {
        int r, depth;

        r = cgroup_is_sandbox(proc);
        if (r != 0)
                return r;
        if (label_is_snap(proc))
                return 1;
        depth = proc_depth(proc);
        if (depth < 0)
                return depth;
        r = proc_depth(self);
        if (r < 0 || depth != r)
                return r < 0 ? r : 1;
        return root_is_sandbox(proc, self);
}

/*
 * A bus that gives no ProcessFD knows a number alone, which may be another process's by now, while
 * a child of the caller's goes on with the connection. Who has no socket open does not call; that
 * is all that can be known of it, and of one that is not dumpable not even that.
 */
static bool proc_cannot_call(int proc) {
        int fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        char target[sizeof("socket:")] = "";
        bool found = false;

        if (!dir) {
                (void)fd_close(fd);
                return false;
        }
        for (int i = 0; i < FDS_MAX && !found && (entry = readdir(dir)); i++) {
                if (*entry->d_name == '.')
                        continue;
                /* Those of a process that can't be looked into count as one. */
                found = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target)) < 0 ||
                        memcmp(target, "socket:", strlen("socket:")) == 0;
        }
        (void)closedir(dir);
        return !found;
}

static int caller_take(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        const void *label;
        Caller *c = userdata;
        size_t n;
        int r, fd;

        if (streq(key, "ProcessID"))
                return sd_bus_message_read(m, "v", "u", &c->pid);
        if (streq(key, "ProcessFD")) {
                r = sd_bus_message_read(m, "v", "h", &fd);
                if (r >= 0 && c->pidfd < 0)
                        c->pidfd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                c->is_sure = c->pidfd >= 0;
                return r;
        }
        if (!streq(key, "LinuxSecurityLabel"))
                return sd_bus_message_skip(m, "v");
        r = sd_bus_message_enter_container(m, 'v', "ay");
        if (r >= 0)
                r = sd_bus_message_read_array(m, 'y', &label, &n);
        if (r < 0)
                return r;
        c->snap = n >= strlen("snap.") && memcmp(label, "snap.", strlen("snap.")) == 0;
        return sd_bus_message_exit_container(m);
}

static int caller_ask_bus(Caller *c, sd_bus *bus, const char *sender) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "GetConnectionCredentials", NULL, &reply,
                               "s", sender);
        return r < 0 ? r : dict_read(reply, caller_take, c, NULL);
}

/* A descriptor of the process that connected, whatever has become of it; -ENOPROTOOPT: before Linux
 * 6.5. */
static int socket_pidfd(int fd) {
        int pidfd = -1;
        socklen_t n = sizeof(pidfd);

        return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) < 0 ? -errno : pidfd;
}

/* When a process began, in ticks of the machine's clock; 0: it is gone. */
static uint64_t process_started(pid_t pid) {
        CLEANUP(file_closep) FILE *f = NULL;
        char path[32], line[1024];
        uint64_t started = 0;
        const char *p;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        f = fopen(path, "re");
        /* What is before the last parenthesis has a name of the process's own choice in it. */
        if (!f || !fgets(line, sizeof(line), f) || !(p = strrchr(line, ')')))
                return 0;
        (void)sscanf(p + 1,
                     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                     "%*d %*d %" SCNu64,
                     &started);
        return started;
}

uint64_t caller_started(int fd, pid_t pid) {
        CLEANUP(fd_closep) int pidfd = socket_pidfd(fd);

        return pidfd >= 0 ? 0 : process_started(pid);
}

static int caller_ask_kernel(Caller *c, const Link *l) {
        int fd = sd_bus_get_fd(l->sd);
        char label[256] = "";
        socklen_t n = sizeof(label) - 1;
        int r;

        c->pid = (uint32_t)l->peer.pid;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, label, &n) == 0)
                c->snap = str_starts(label, "snap.");
        r = socket_pidfd(fd);
        if (r >= 0) {
                c->pidfd = r;
                c->is_sure = true;
                return 0;
        }
        if (r != -ENOPROTOOPT)
                return r;
        c->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)c->pid, 0U);
        if (c->pidfd < 0)
                return -errno;
        return process_started(l->peer.pid) == l->peer.started ? 0 : -ESRCH;
}

/* 1, 0, or -errno when it can't be told. */
static int caller_is_sandbox(const Link *l, const char *sender) {
        CLEANUP(caller_deinit) Caller c = { .pidfd = -1 }, again = { .pidfd = -1 };
        CLEANUP(fd_closep) int proc = -1, self = -1;
        char path[32];
        int r;

        r = l->is_peer ? caller_ask_kernel(&c, l) : caller_ask_bus(&c, l->sd, sender);
        if (r < 0 || c.snap)
                return r < 0 ? r : 1;
        if (c.pidfd < 0)
                c.pidfd = (int)syscall(SYS_pidfd_open, (pid_t)c.pid, 0U);
        if (c.pidfd < 0)
                return -errno;
        (void)snprintf(path, sizeof(path), "/proc/%" PRIu32, c.pid);
        proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0 || self < 0)
                return -errno;
        r = process_is_sandbox(proc, self);
        if (r != 0)
                return r;
        /* What was read is of this process only if it is still there, and still the caller's. */
        if (syscall(SYS_pidfd_send_signal, c.pidfd, 0, NULL, 0U) < 0)
                return -errno;
        if (c.is_sure)
                return 0;
        if (proc_cannot_call(proc))
                return -ESRCH;
        if (l->is_peer)
                return 0;
        r = caller_ask_bus(&again, l->sd, sender);
        return r < 0 ? r : again.pid == c.pid ? 0 : -ESRCH;
}

/* A change is written to the disk while everybody waits: not too many of one program in a row. */
static int caller_count(Link *l, sd_bus_error *error) {
        uint64_t now;
        int r;

        r = sd_event_now(l->bus->env->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;
        if (now - l->manages_usec >= LIMIT_CHANGES_SECONDS * USEC_PER_SEC) {
                l->manages_usec = now;
                l->n_manages = 0;
        }
        if (l->n_manages++ < LIMIT_CHANGES_PER_CLIENT)
                return 0;
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "This program has changed accounts %d times within %d s. Wait for "
                                 "as long and try again.",
                                 LIMIT_CHANGES_PER_CLIENT, LIMIT_CHANGES_SECONDS);
}

int caller_check(Link *l, sd_bus_message *m, sd_bus_error *error) {
        const char *sender = link_sender(l, m);
        int r;

        if (streq(l->manages, sender))
                return 0;
        r = caller_is_sandbox(l, sender);
        if (r == 0) {
                (void)snprintf(l->manages, sizeof(l->manages), "%s", sender);
                l->manages_usec = l->n_manages = 0;
                return 0;
        }
        return sd_bus_error_set(
                error, IOTC_ERROR_DENIED,
                r > 0 ? "Programs in a Flatpak or Snap sandbox may get tokens, but not "
                        "change accounts. Use iotc-token outside of it."
                      : "The calling process could not be identified, so it may get tokens, but "
                        "not change accounts. Use iotc-token.");
}

int caller_check_manage(Link *l, sd_bus_message *m, sd_bus_error *error) {
        int r;

        r = caller_check(l, m, error);
        return r < 0 ? r : caller_count(l, error);
}
