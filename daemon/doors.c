/* SPDX-License-Identifier: MIT */
#include "doors.h"
#include "bus/socket.h"
#include "common/memory.h"
#include "instance.h"
#include "io/log.h"
#include "io/notify.h"
#include "io/timer.h"

#define NAME_WAIT_USEC (2 * USEC_PER_SEC)
#define NAME_LOOK_USEC 20000

struct Doors {
        Bus *bus;
        bool session; /* there is a session bus */
        Socket *socket;
        Notify *arrival; /* of a session bus, while there is none */
        DoorsFn end;
        void *userdata;
};

/* Its keyring is gone with it, but files can still be written. */
static void doors_on_lost(void *userdata) {
        Doors *d = userdata;

        log_info("The session bus is gone");
        d->end(EXIT_SUCCESS, d->userdata);
}

/* With it may come a keyring and a desktop: that is another start. */
static void doors_on_arrival(bool changing, void *userdata) {
        Doors *d = userdata;

        if (changing)
                return;
        log_info("A session bus is there: ending, to be started again with it");
        d->end(EXIT_FAILURE, d->userdata);
}

/* The bus may see the end of the former owner's connection a moment after the process is gone. */
static int doors_replace_owner(Doors *d, bool replace) {
        pid_t pid;
        int r;

        r = bus_find_owner(d->bus, &pid);
        if (r < 0 || pid == 0)
                return r;
        if (!replace) {
                log_error("Another iotc-tokend runs on this bus: process %d. To have it here "
                          "instead: iotc-tokend --replace",
                          (int)pid);
                return -EEXIST;
        }
        if (instance_end(pid) < 0)
                return -EEXIST;
        for (uint64_t end = clock_boottime() + NAME_WAIT_USEC; r >= 0 && pid;) {
                r = clock_boottime() < end ? bus_find_owner(d->bus, &pid) : -ETIMEDOUT;
                (void)usleep(pid ? NAME_LOOK_USEC : 0);
        }
        return r;
}

static void doors_make_socket(Doors *d, Env *env, const char *folder, int activated) {
        int r;

        if (!folder && activated < 0) {
                log_info("Without a runtime folder there is no direct socket");
                return;
        }
        r = socket_new(&d->socket, d->bus, env->event, folder, activated);
        if (r == -EBUSY)
                log_warning("%s/bus is systemd's, which has not started this daemon: it has no "
                            "direct socket, and who connects there has the service take its place",
                            folder);
        else if (r < 0)
                log_warning("There is no direct socket at %s/bus: %s", folder ?: "", strerror(-r));
}

/* Where the bus of a user will be when there is one (pam_systemd(8)). */
static void doors_await_bus(Doors *d, Env *env) {
        const char *dir = getenv("XDG_RUNTIME_DIR");
        CLEANUP(freep) char *path = NULL;

        if (!dir || *dir != '/' || getenv("DBUS_SESSION_BUS_ADDRESS"))
                return;
        path = xasprintf("%s/bus", dir);
        (void)notify_new(&d->arrival, env->event, path, doors_on_arrival, d);
}

int doors_new(Doors **ret, Env *env, const char *folder, int activated, bool replace, DoorsFn end,
              void *userdata) {
        CLEANUP(doors_freep) Doors *d = xcalloc(1, sizeof(*d));
        int r;

        d->end = end;
        d->userdata = userdata;
        d->bus = bus_new(env);
        doors_make_socket(d, env, folder, activated);
        r = bus_connect(d->bus, doors_on_lost, d);
        d->session = r >= 0;
        if (r >= 0)
                r = doors_replace_owner(d, replace);
        if (!d->session && d->socket) {
                log_warning("There is no session bus (%s): only the direct socket is served",
                            strerror(-r));
                doors_await_bus(d, env);
        } else if (r < 0) {
                if (r != -EEXIST)
                        log_error("Can't reach the session bus (is DBUS_SESSION_BUS_ADDRESS "
                                  "set?): %s",
                                  strerror(-r));
                return r;
        }
        *ret = STEAL(d);
        return 0;
}

Bus *doors_bus(const Doors *d) {
        return d->bus;
}

int doors_open(Doors *d) {
        int r = 0;

        if (d->session)
                r = bus_take_name(d->bus);
        if (r < 0)
                log_error("Can't take the bus name org.iotc.Token1: %s", strerror(-r));
        else if (d->socket) {
                r = socket_begin(d->socket);
                if (r < 0)
                        log_error("Can't accept at the direct socket: %s", strerror(-r));
        }
        return r;
}

void doors_stop(Doors *d) {
        bus_stop(d->bus);
        d->socket = socket_free(d->socket);
}

Doors *doors_free(Doors *d) {
        if (d) {
                notify_free(d->arrival);
                socket_free(d->socket);
                bus_free(d->bus);
                free(d);
        }
        return NULL;
}
