/* SPDX-License-Identifier: MIT */
/*
 * Where the session bus is, and what to say where there is none. The environment decides; where it
 * says nothing (cron, su -, env -i), the bus that systemd and logind make for a user is taken, if
 * nobody else can have put it there.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/connection.h"

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

/* FOLDER/bus of a folder that nobody else may have made: -ENOENT where there is none, -EACCES where
 * it is another user's. */
static int bus_open_in(sd_bus **ret, const char *folder) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(freep) char *path = NULL;
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;
        int r;

        if (stat(folder, &st) < 0)
                return -errno;
        if (st.st_uid != geteuid() || st.st_mode & 022)
                return -EACCES;
        if (asprintf(&path, "%s/bus", folder) < 0) {
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
                r = sd_bus_set_bus_client(bus, true);
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
                r = bus_open_in(ret, runtime);
        if (!is_absent(r))
                return r;
        (void)snprintf(folder, sizeof(folder), "/run/user/%u", geteuid());
        last = bus_open_in(ret, folder);
        if (last >= 0)
                return 0;
        return is_absent(last) && str_empty(runtime) ? -ENOMEDIUM : is_absent(last) ? r : last;
}

int connection_open(sd_bus **ret, sd_bus_error *error) {
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
