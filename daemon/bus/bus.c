/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>

#include "bus/calls.h"
#include "bus/objects.h"
#include "common/memory.h"
#include "model/limits.h"

/* Each connection that hears of what has changed. */
#define FOR_EACH_LINK(l, userdata)                                                          \
        for (Link *l = ((Bus *)(userdata))->manager ? ((Bus *)(userdata))->links : NULL; l; \
             l = l->next)                                                                   \
                if (!l->is_peer || peer_hears(l))

static void bus_on_account_added(Keeper *k, void *userdata) {
        CLEANUP(freep) char *path = NULL;

        if (account_path(k, &path) >= 0)
                FOR_EACH_LINK(l, userdata)
        (void)sd_bus_emit_object_added(l->sd, path);
}

static void bus_on_account_changed(Keeper *k, unsigned what, void *userdata) {
        FOR_EACH_LINK(l, userdata)
        account_emit(l, k, what);
}

static void bus_on_account_removed(Keeper *k, void *userdata) {
        CLEANUP(freep) char *path = NULL;

        if (account_path(k, &path) >= 0)
                FOR_EACH_LINK(l, userdata)
        (void)sd_bus_emit_object_removed(l->sd, path);
}

static void bus_on_signin_added(SignIn *s, void *userdata) {
        CLEANUP(freep) char *path = NULL;

        if (signin_path(s, &path) >= 0)
                FOR_EACH_LINK(l, userdata)
        (void)sd_bus_emit_object_added(l->sd, path);
}

static void bus_on_signin_changed(SignIn *s, void *userdata) {
        FOR_EACH_LINK(l, userdata)
        signin_emit(l, s);
}

static void bus_on_signin_removed(SignIn *s, void *userdata) {
        CLEANUP(freep) char *path = NULL;

        if (signin_path(s, &path) >= 0)
                FOR_EACH_LINK(l, userdata)
        (void)sd_bus_emit_object_removed(l->sd, path);
}

static void bus_on_manager_changed(unsigned what, void *userdata) {
        FOR_EACH_LINK(l, userdata)
        manager_emit(l, what);
}

const Listener bus_listener = {
        .account_added = bus_on_account_added,
        .account_changed = bus_on_account_changed,
        .account_removed = bus_on_account_removed,
        .signin_added = bus_on_signin_added,
        .signin_changed = bus_on_signin_changed,
        .signin_removed = bus_on_signin_removed,
        .manager_changed = bus_on_manager_changed,
};

Bus *bus_new(Env *env) {
        Bus *b = xcalloc(1, sizeof(*b));

        b->env = env;
        return b;
}

/* Put up the objects on a new connection, which is the Bus's from here on. */
static int bus_add(Bus *b, Link *l) {
        int r;

        l->next = b->links;
        b->links = l;
        r = sd_bus_add_object_manager(l->sd, NULL, IOTC_PATH);
        if (r >= 0)
                r = manager_serve(l);
        if (r >= 0)
                r = account_serve(l);
        return r < 0 ? r : signin_serve(l);
}

static void bus_remove(Bus *b, Link *l) {
        for (Link **p = &b->links; *p; p = &(*p)->next)
                if (*p == l) {
                        *p = l->next;
                        break;
                }
        calls_end(l, NULL);
        link_free(l);
}

static void bus_on_session_gone(Link *l) {
        l->bus->lost(l->bus->userdata);
}

int bus_connect(Bus *b, void (*lost)(void *userdata), void *userdata) {
        int r;

        b->lost = lost;
        b->userdata = userdata;
        r = link_new(&b->session, b, bus_on_session_gone);
        return r < 0 ? r : bus_add(b, b->session);
}

static void bus_on_peer_gone(Link *l) {
        bus_remove(l->bus, l);
}

int bus_accept(Bus *b, int fd) {
        unsigned n = 0, n_same = 0;
        Link *peer;
        int r;

        r = peer_new(&peer, b, fd, bus_on_peer_gone);
        if (r < 0)
                return r;
        for (const Link *l = b->links; l; l = l->next) {
                n += l->is_peer;
                n_same += l->is_peer && l->peer.pid == peer->peer.pid;
        }
        r = bus_add(b, peer);
        if (n >= LIMIT_PEERS || n_same >= LIMIT_PEERS_PER_PROCESS)
                r = -EUSERS;
        if (r < 0)
                bus_remove(b, peer);
        return r;
}

void bus_serve(Bus *b, Manager *manager) {
        b->manager = manager;
}

void bus_stop(Bus *b) {
        Problem problem = { 0 };

        (void)problem_set(&problem, OUTCOME_UNAVAILABLE,
                          "The token daemon stops. Ask again: it is started anew.");
        for (Link *l = b->links; l; l = l->next)
                calls_end(l, &problem);
        problem_clear(&problem);
        b->manager = NULL;
}

Bus *bus_free(Bus *b) {
        if (b) {
                bus_stop(b);
                /* The name before the peers: who loses the direct socket asks at the bus next. */
                if (b->session)
                        bus_remove(b, b->session);
                while (b->links)
                        bus_remove(b, b->links);
                free(b);
        }
        return NULL;
}

int bus_find_owner(Bus *b, pid_t *ret) {
        CLEANUP(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        int r;

        *ret = 0;
        r = sd_bus_get_name_creds(b->session->sd, IOTC_BUS_NAME, SD_BUS_CREDS_PID, &creds);
        if (r == -ENXIO)
                return 0;
        return r < 0 ? r : sd_bus_creds_get_pid(creds, ret);
}

int bus_take_name(Bus *b) {
        int r;

        r = sd_bus_request_name(b->session->sd, IOTC_BUS_NAME, 0);
        return r < 0 ? r : 0;
}
