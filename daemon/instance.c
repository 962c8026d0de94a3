/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/memory.h"
#include "common/text.h"
#include "common/trust.h"
#include "instance.h"
#include "io/log.h"

#define PROGRAM     "iotc-tokend"
#define PLACE_MAX   256 /* bytes of what a holder says of where it is */
#define TRIES_MAX   10  /* each time somebody else was faster, or the file was removed */
#define END_WAIT_MS 10000

struct Instance {
        char *folder; /* NULL: there is no lock */
        char *path;
        int fd;
        sd_event_source *watch, *folder_watch;
        void (*lost)(void *userdata);
        void *userdata;
};

/* Does the path lead to the file that is open? */
static bool lock_is_there(const Instance *i) {
        struct stat ours, theirs;

        return fstat(i->fd, &ours) == 0 && lstat(i->path, &theirs) == 0 &&
               ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* 0: we have it; 1: *ret_holder has it (0: a process that can't be seen from here); -errno. */
static int lock_try(int fd, pid_t *ret_holder) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        while (fcntl(fd, F_SETLK, &lock) < 0) {
                if (errno != EAGAIN && errno != EACCES)
                        return -errno;
                if (fcntl(fd, F_GETLK, &lock) < 0)
                        return -errno;
                if (lock.l_type != F_UNLCK) {
                        *ret_holder = MAX(lock.l_pid, 0);
                        return 1;
                }
                lock.l_type = F_WRLCK;
        }
        return 0;
}

/* For a person who starts another one: on which bus this one is. */
static void lock_describe(int fd) {
        const char *bus = getenv("DBUS_SESSION_BUS_ADDRESS") ?: "";

        if (ftruncate(fd, 0) == 0)
                (void)!pwrite(fd, bus, MIN(strcspn(bus, ",;"), (size_t)PLACE_MAX), 0);
}

static void holder_tell(int fd, pid_t holder) {
        CLEANUP(freep) char *place = NULL;
        char text[PLACE_MAX + 1] = "", process[32] = "in another container";

        (void)!pread(fd, text, PLACE_MAX, 0);
        place = text_clean(text, PLACE_MAX);
        if (holder > 0)
                (void)snprintf(process, sizeof(process), "process %d", (int)holder);
        log_error("Another iotc-tokend of this user runs: %s%s%s. To have it here instead: "
                  "iotc-tokend --replace",
                  process, str_empty(place) ? "" : ", on the bus ", place ?: "");
}

/* The name of a process's program: of its executable for root; for all others that of a daemon is
 * closed, because it is not dumpable, and there is its comm. 0 or -errno. */
static int program_name(pid_t pid, char *buf, size_t n) {
        CLEANUP(file_closep) FILE *f = NULL;
        char path[64], exe[PATH_MAX];
        ssize_t len;

        (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
        len = readlink(path, exe, sizeof(exe) - 1);
        if (len >= 0) {
                exe[len] = '\0';
                /* " (deleted)" follows when another version was installed meanwhile. */
                (void)snprintf(buf, n, "%.*s", (int)strcspn(basename(exe), " "), basename(exe));
                return 0;
        }
        (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
        f = fopen(path, "re");
        if (!f || !fgets(buf, (int)n, f))
                return errno ? -errno : -EIO;
        buf[strcspn(buf, "\n")] = '\0';
        return 0;
}

/* The effective user of a process; the folder's owner is root for one that is not dumpable. */
static int program_user(pid_t pid, unsigned *ret) {
        CLEANUP(file_closep) FILE *f = NULL;
        CLEANUP(freep) char *line = NULL;
        char path[64];
        size_t size = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        f = fopen(path, "re");
        while (f && getline(&line, &size, f) >= 0)
                if (sscanf(line, "Uid: %*u %u", ret) == 1)
                        return 0;
        return f ? -EIO : -errno;
}

/* Is it a daemon like this one, of whatever version? */
static int process_check(pid_t pid) {
        char name[NAME_MAX + 1];
        unsigned user;
        int r;

        r = program_user(pid, &user);
        if (r >= 0)
                r = user == geteuid() ? program_name(pid, name, sizeof(name)) : -EPERM;
        if (r < 0)
                return r;
        return streq(name, PROGRAM) ? 0 : -EXDEV;
}

int instance_end(pid_t pid) {
        struct pollfd pfd = { .fd = -1, .events = POLLIN };
        CLEANUP(fd_closep) int pidfd = -1;
        int r;

        /* Who ends after this is the one that was looked at, whatever its number is then. */
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0U);
        r = pidfd < 0 ? -errno : process_check(pid);
        if (r >= 0) {
                log_info("Replacing the running daemon (process %d)", (int)pid);
                r = syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0U) < 0 ? -errno : 0;
        }
        if (r == -ESRCH || r == -ENOENT)
                return 0;
        if (r < 0) {
                log_error("Process %d is not replaced: %s", (int)pid,
                          r == -EXDEV   ? "it is another program than this one"
                          : r == -EPERM ? "it is another user's"
                                        : strerror(-r));
                return r;
        }
        pfd.fd = pidfd;
        if (poll(&pfd, 1, END_WAIT_MS) > 0)
                return 0;
        log_error("The running daemon does not end. To end it: kill -9 %d", (int)pid);
        return -ETIMEDOUT;
}

/* 0: locked; 1: to be tried once more; -EEXIST, being said, when another daemon stays; -errno. */
static int instance_try(Instance *i, bool replace) {
        pid_t holder = 0;
        int r;

        (void)fd_close(i->fd);
        i->fd = open(i->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        r = i->fd < 0 ? -errno : lock_try(i->fd, &holder);
        if (r < 0)
                return r;
        if (r == 0)
                return lock_is_there(i) ? 0 : 1;
        if (replace && holder > 0)
                return instance_end(holder) < 0 ? -EEXIST : 1;
        holder_tell(i->fd, holder);
        return -EEXIST;
}

/* The runtime folder, and the lock in it. 0, also without any; or -EEXIST. */
static int instance_lock(Instance *i, bool replace) {
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        const char *dir = getenv("XDG_RUNTIME_DIR");
        int r = 1;

        if (!dir || *dir != '/') {
                log_warning("XDG_RUNTIME_DIR %s: nothing keeps another iotc-tokend of this user "
                            "from running on another bus",
                            str_empty(dir) ? "is not set" : "is no absolute path");
                return 0;
        }
        i->folder = xasprintf("%s/iotc-token", dir);
        i->path = xasprintf("%s/lock", i->folder);
        r = trust_make_folder(i->folder, &distrust);
        if (r == TRUST_E_UNSAFE)
                log_warning("%s is not used: %s %s", i->folder, distrust.path,
                            distrust.foreign ? "belongs to another user"
                                             : "can be written by other users");
        else if (r < 0)
                log_warning("Can't use %s: %s", i->folder, strerror(-r));
        if (r == 0) {
                r = 1;
                for (int n = 0; r > 0 && n < TRIES_MAX; n++)
                        r = instance_try(i, replace);
                if (r == 0) {
                        lock_describe(i->fd);
                        return 0;
                }
                if (r == -EEXIST)
                        return r;
                log_warning("Can't take the lock %s: %s", i->path,
                            r > 0 ? "it is removed again and again" : strerror(-r));
        }
        free(i->folder);
        i->folder = NULL;
        return 0;
}

int instance_new(Instance **ret, bool replace) {
        CLEANUP(instance_freep) Instance *i = xcalloc(1, sizeof(*i));
        int r;

        i->fd = -1;
        r = instance_lock(i, replace);
        if (r < 0)
                return r;
        *ret = STEAL(i);
        return 0;
}

static int instance_on_event(sd_event_source *source, const struct inotify_event *e,
                             void *userdata) {
        Instance *i = userdata;

        if (lock_is_there(i))
                return 0;
        i->watch = sd_event_source_disable_unref(i->watch);
        i->folder_watch = sd_event_source_disable_unref(i->folder_watch);
        i->lost(i->userdata);
        return 0;
}

int instance_watch(Instance *i, sd_event *event, void (*lost)(void *userdata), void *userdata) {
        int r;

        i->lost = lost;
        i->userdata = userdata;
        if (!i->folder)
                return 0;
        /* An unlink is IN_ATTRIB while we have it open. */
        r = sd_event_add_inotify(event, &i->watch, i->path, IN_ATTRIB | IN_MOVE_SELF,
                                 instance_on_event, i);
        if (r >= 0)
                r = sd_event_add_inotify(event, &i->folder_watch, i->folder, IN_MOVE_SELF,
                                         instance_on_event, i);
        return r < 0 ? r : 0;
}

const char *instance_folder(const Instance *i) {
        return i->folder;
}

Instance *instance_free(Instance *i) {
        if (i) {
                sd_event_source_disable_unref(i->watch);
                sd_event_source_disable_unref(i->folder_watch);
                (void)fd_close(i->fd);
                free(i->folder);
                free(i->path);
                free(i);
        }
        return NULL;
}
