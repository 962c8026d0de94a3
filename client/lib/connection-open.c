/* SPDX-License-Identifier: MIT */
/*
 * The two doors of the daemon: its own socket in a runtime folder of this user's, and the session
 * bus; and what to say where there is none. The environment decides; where it says nothing (cron,
 * su -, env -i), the folder that systemd and logind make for a user is looked into. What another
 * user can have put there is not used.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/ask.h"
#include "lib/connection.h"
#include "lib/start.h"

#define CONNECTION_NOWHERE                                                                     \
        N_("there is no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is " \
           "set, and none is in /run/user; log in to a session ('sudo loginctl enable-linger " \
           "\"$(id -un)\"' gives one without a desktop), or run the program under "            \
           "'dbus-run-session'")
#define CONNECTION_ABSENT                                                                       \
        N_("the session bus can't be reached: nobody answers there; log in to a session "       \
           "('sudo loginctl enable-linger \"$(id -un)\"' gives one without a desktop), or run " \
           "the program under 'dbus-run-session'")
#define CONNECTION_DEAD                                                                        \
        N_("nobody answers at DBUS_SESSION_BUS_ADDRESS: the session that it is of has ended; " \
           "log in again, or run 'unset DBUS_SESSION_BUS_ADDRESS' or 'dbus-run-session'")
#define CONNECTION_SUDO                                                                          \
        N_("root has no session bus here, and iotc-tokend runs for each user; run this without " \
           "sudo, or as the user whose token it is: 'sudo -u USER iotc-token ...'")

static int socket_open(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        CLEANUP(fd_closep) int fd = -1;
        int r;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        r = fd;
        fd = -1;
        return r;
}

static bool is_ours(int fd) {
        struct ucred peer;
        socklen_t n = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == geteuid();
}

/* FOLDER/NAME of a folder that nobody else may have made, as a bus or as the daemon's own socket
 * (direct): -ENOENT where there is none, -EACCES where it is another user's. */
static int open_in(sd_bus **ret, const char *folder, const char *name, bool direct) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(freep) char *path = NULL;
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;
        int r;

        if (stat(folder, &st) < 0)
                return -errno;
        if (st.st_uid != geteuid() || st.st_mode & (direct ? 077 : 022))
                return -EACCES;
        if (asprintf(&path, "%s/%s", folder, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = socket_open(path);
        if (fd < 0)
                return fd;
        if (!is_ours(fd))
                return -EACCES;
        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, !direct);
        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0)
                return r;
        fd = -1;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = STEAL(bus);
        return 0;
}

static bool is_absent(int r) {
        return r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR;
}

int connection_open_default(sd_bus **ret) {
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
        char folder[sizeof("/run/user/4294967295")];
        int r = -ENOENT, last;

        if (!str_empty(runtime))
                r = open_in(ret, runtime, "bus", false);
        if (!is_absent(r))
                return r;
        (void)snprintf(folder, sizeof(folder), "/run/user/%u", geteuid());
        last = open_in(ret, folder, "bus", false);
        if (last >= 0)
                return 0;
        return is_absent(last) && str_empty(runtime) ? -ENOMEDIUM : is_absent(last) ? r : last;
}

int connection_open_session(sd_bus **ret, sd_bus_error *error) {
        bool named = !str_empty(secure_getenv("DBUS_SESSION_BUS_ADDRESS"));
        const char *text = NULL;
        int r;

        r = named ? sd_bus_open_user(ret) : connection_open_default(ret);
        if (r >= 0)
                return 0;
        if (r == -EACCES || r == -EPERM)
                text = CONNECTION_FOREIGN;
        else if (named && (is_absent(r) || r == -EINVAL))
                text = CONNECTION_DEAD;
        else if (!named && geteuid() == 0 && secure_getenv("SUDO_UID"))
                text = CONNECTION_SUDO;
        else if (r == -ENOMEDIUM)
                text = CONNECTION_NOWHERE;
        else if (is_absent(r))
                text = CONNECTION_ABSENT;
        if (text)
                sd_bus_error_set(error, SD_BUS_ERROR_NO_SERVER, text);
        else
                sd_bus_error_setf(error, SD_BUS_ERROR_NO_SERVER,
                                  "the session bus can't be reached: %s", strerror(-r));
        return is_absent(r) || r == -EINVAL ? -ENOMEDIUM : r;
}

bool connection_is_direct(sd_bus *bus) {
        return sd_bus_is_bus_client(bus) <= 0;
}

/* IOTC_TOKEN_SOCKET. */
static int named_open(sd_bus **ret, const char *path, sd_bus_error *error) {
        const char *slash = strrchr(path, '/');
        CLEANUP(freep) char *folder = slash ? strndup(path, (size_t)(slash - path)) : NULL;
        int r = -EINVAL;

        if (*path == '/' && folder)
                r = open_in(ret, *folder ? folder : "/", slash + 1, true);
        if (r >= 0)
                return r;
        sd_bus_error_setf(error, START_ERROR,
                          "no iotc-tokend can be reached at %s, which IOTC_TOKEN_SOCKET names: %s; "
                          "start it, or run 'unset IOTC_TOKEN_SOCKET'",
                          path,
                          r == -EACCES   ? "its folder is not this user's alone (mode 0700)"
                          : r == -EINVAL ? "it has to be an absolute path"
                                         : strerror(-r));
        return -EHOSTUNREACH;
}

/* The socket in a runtime folder, that of the environment or that of logind. 0 or -errno. */
static int direct_open(sd_bus **ret) {
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
        CLEANUP(freep) char *folder = NULL;
        char ours[sizeof("/run/user/4294967295/iotc-token")];
        int r = -ENOENT;

        if (!str_empty(runtime)) {
                if (asprintf(&folder, "%s/iotc-token", runtime) < 0) {
                        folder = NULL;
                        return -ENOMEM;
                }
                r = open_in(ret, folder, "bus", true);
        }
        if (r >= 0)
                return r;
        (void)snprintf(ours, sizeof(ours), "/run/user/%u/iotc-token", geteuid());
        return open_in(ret, ours, "bus", true);
}

/* systemd takes the connection before the daemon is there: wait until it answers, for a while. 1; 0
 * when the time is up; -errno when the connection is closed. */
static int wait_ready(sd_bus *bus, uint64_t usec) {
        uint64_t now = ask_now_usec(), end = now + usec;
        int r;

        while ((r = sd_bus_process(bus, NULL)) >= 0) {
                if (sd_bus_is_ready(bus) > 0)
                        return 1;
                now = ask_now_usec();
                if (now >= end)
                        return 0;
                if (r == 0 && (r = sd_bus_wait(bus, end - now)) < 0)
                        break;
        }
        return r;
}

int connection_open(sd_bus **ret, bool wait, sd_bus_error *error) {
        CLEANUP(sd_bus_close_unrefp) sd_bus *direct = NULL; /* to flush it would wait for ever */
        const char *named = secure_getenv("IOTC_TOKEN_SOCKET");
        int r;

        if (!str_empty(named)) {
                r = named_open(&direct, named, error);
                if (r < 0)
                        return r;
                if (wait && wait_ready(direct, START_USEC) <= 0)
                        return start_timed_out(error);
                *ret = STEAL(direct);
                return 0;
        }
        if (direct_open(&direct) < 0)
                return connection_open_session(ret, error);
        r = wait ? wait_ready(direct, CONNECTION_READY_USEC) : 1;
        if (r <= 0) {
                /* The session bus can start it, and say why it does not start. */
                if (connection_open_session(ret, error) >= 0)
                        return 0;
                if (r < 0)
                        return -ENOMEDIUM;
                if (wait_ready(direct, START_USEC) <= 0)
                        return start_timed_out(error);
                sd_bus_error_free(error);
        }
        *ret = STEAL(direct);
        return 0;
}

bool connection_daemon_runs(void) {
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
        char ours[sizeof("/run/user/4294967295")];
        bool runs = false;

        (void)snprintf(ours, sizeof(ours), "/run/user/%u", geteuid());
        for (size_t i = 0; i < 2 && !runs; i++) {
                struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
                CLEANUP(freep) char *path = NULL;
                CLEANUP(fd_closep) int fd = -1;

                if (asprintf(&path, "%s/iotc-token/lock", i == 0 ? runtime ?: ours : ours) < 0) {
                        path = NULL;
                        return false;
                }
                fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
                runs = fd >= 0 && fcntl(fd, F_GETLK, &lock) >= 0 && lock.l_type != F_UNLCK;
        }
        return runs;
}
