/* SPDX-License-Identifier: MIT */
/*
 * A peer of the direct socket: a connection that no bus stands between. What a bus would do for the
 * program there is done here: say who it is, hold what it doesn't read, answer the few calls that
 * every D-Bus library makes of a bus.
 */
#include <inttypes.h>
#include <sys/socket.h>

#include "bus/link.h"
#include "common/memory.h"
#include "io/log.h"
#include "model/limits.h"

#define DRIVER_PATH      "/org/freedesktop/DBus"
#define DRIVER_INTERFACE "org.freedesktop.DBus"

static int method_hello(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Link *l = userdata;

        l->peer.hello = true;
        return sd_bus_reply_method_return(m, "s", l->peer.name);
}

/* Which signals it wants is not looked at: who wants any gets all, they are few. */
static int method_match(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Link *l = userdata;

        if (streq(sd_bus_message_get_member(m), "AddMatch"))
                l->peer.n_matches++;
        else if (l->peer.n_matches > 0)
                l->peer.n_matches--;
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable driver_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Hello", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", name), method_hello,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AddMatch", SD_BUS_ARGS("s", rule), SD_BUS_NO_RESULT, method_match,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RemoveMatch", SD_BUS_ARGS("s", rule), SD_BUS_NO_RESULT,
                                method_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* From the loop, when nothing of the connection is on the stack. */
static void peer_end(Link *l) {
        l->peer.ended = true;
        (void)sd_event_source_set_enabled(l->peer.later, SD_EVENT_ONESHOT);
}

static int peer_on_later(sd_event_source *source, void *userdata) {
        Link *l = userdata;
        int r;

        r = l->peer.ended ? -ENOTCONN : sd_bus_process(l->sd, NULL);
        if (r < 0 || l->peer.ended)
                l->gone(l);
        else if (r > 0)
                (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

/* What came in one piece with the end of the authentication is in sd-bus's buffer already, and the
 * loop sees nothing to read: it is processed until nothing is left. */
static int peer_on_connected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Link *l = userdata;

        l->peer.connected = true;
        (void)sd_event_source_set_enabled(l->peer.later, SD_EVENT_ONESHOT);
        return 0;
}

static int peer_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        peer_end(userdata);
        return 0;
}

/* What it does not read is memory of ours. */
static bool peer_reads(Link *l) {
        uint64_t n;

        if (sd_bus_get_n_queued_write(l->sd, &n) < 0 || n <= LIMIT_PEER_REPLIES)
                return true;
        if (!l->peer.ended)
                log_warning("Process %d does not read what it is sent at the direct socket: its "
                            "connection is closed",
                            (int)l->peer.pid);
        peer_end(l);
        return false;
}

static int peer_on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        (void)peer_reads(userdata);
        return 0;
}

bool peer_hears(Link *l) {
        return l->peer.connected && !l->peer.ended && (!l->peer.hello || l->peer.n_matches > 0) &&
               peer_reads(l);
}

static int peer_start(Link *l, int fd) {
        sd_id128_t id;
        int r;

        r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_set_server(l->sd, true, id);
        if (r >= 0)
                r = sd_bus_negotiate_fds(l->sd, false);
        if (r >= 0)
                r = sd_bus_set_connected_signal(l->sd, true);
        if (r >= 0)
                r = sd_bus_match_signal(l->sd, NULL, NULL, NULL, DRIVER_INTERFACE ".Local",
                                        "Connected", peer_on_connected, l);
        if (r >= 0)
                r = sd_bus_match_signal(l->sd, NULL, NULL, NULL, DRIVER_INTERFACE ".Local",
                                        "Disconnected", peer_on_disconnected, l);
        if (r >= 0)
                r = sd_bus_add_filter(l->sd, NULL, peer_on_message, l);
        if (r >= 0)
                r = sd_bus_add_object_vtable(l->sd, NULL, DRIVER_PATH, DRIVER_INTERFACE,
                                             driver_vtable, l);
        if (r >= 0)
                r = sd_bus_start(l->sd);
        if (r >= 0)
                r = sd_bus_attach_event(l->sd, l->bus->env->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_set_close_on_exit(l->sd, false);
        /* sd-bus has made it 8 MiB where it may: what the kernel holds for one that does not read.
         */
        if (r >= 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ LIMIT_PEER_BUFFER },
                                 sizeof(int));
        return r;
}

int peer_new(Link **ret, Bus *b, int fd, void (*gone)(Link *l)) {
        CLEANUP(link_freep) Link *l = NULL;
        CLEANUP(fd_closep) int owned = fd;
        struct ucred credentials;
        socklen_t size = sizeof(credentials);
        static uint64_t n_peers;
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return -errno;
        if (credentials.uid != geteuid())
                return -EPERM;
        l = xcalloc(1, sizeof(*l));
        l->bus = b;
        l->gone = gone;
        l->is_peer = true;
        l->peer.pid = credentials.pid;
        l->peer.started = caller_started(fd, credentials.pid);
        (void)snprintf(l->peer.name, sizeof(l->peer.name), ":peer.%" PRIu64, ++n_peers);
        r = sd_event_add_defer(b->env->event, &l->peer.later, peer_on_later, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->peer.later, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_bus_new(&l->sd);
        if (r >= 0)
                r = sd_bus_set_fd(l->sd, fd, fd);
        if (r < 0)
                return r;
        owned = -1; /* it is the connection's */
        r = peer_start(l, fd);
        if (r < 0)
                return r;
        *ret = STEAL(l);
        return 0;
}
