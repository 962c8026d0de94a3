/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>

#include "bus/bus-private.h"
#include "io/log.h"
#include "model/limits.h"

/* A handler's userdata may be what a find callback gave; that of the vtable's slot is ours. */
Bus *bus_of(sd_bus_message *m) {
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(m)));
}

static void bus_on_account_added(Keeper *k, void *userdata) {
        CLEANUP(freep) char *path = NULL;
        Bus *b = userdata;

        if (b->manager && account_path(k, &path) >= 0)
                (void)sd_bus_emit_object_added(b->bus, path);
}

static void bus_on_account_changed(Keeper *k, unsigned what, void *userdata) {
        Bus *b = userdata;

        if (b->manager)
                account_emit(b, k, what);
}

static void bus_on_account_removed(Keeper *k, void *userdata) {
        CLEANUP(freep) char *path = NULL;
        Bus *b = userdata;

        if (b->manager && account_path(k, &path) >= 0)
                (void)sd_bus_emit_object_removed(b->bus, path);
}

static void bus_on_signin_added(SignIn *s, void *userdata) {
        CLEANUP(freep) char *path = NULL;
        Bus *b = userdata;

        if (b->manager && signin_path(s, &path) >= 0)
                (void)sd_bus_emit_object_added(b->bus, path);
}

static void bus_on_signin_changed(SignIn *s, void *userdata) {
        Bus *b = userdata;

        if (b->manager)
                signin_emit(b, s);
}

static void bus_on_signin_removed(SignIn *s, void *userdata) {
        CLEANUP(freep) char *path = NULL;
        Bus *b = userdata;

        if (b->manager && signin_path(s, &path) >= 0)
                (void)sd_bus_emit_object_removed(b->bus, path);
}

static void bus_on_manager_changed(unsigned what, void *userdata) {
        Bus *b = userdata;

        if (b->manager)
                manager_emit(b, what);
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

static int bus_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bus *b = userdata;

        b->lost(b->userdata);
        return 0;
}

/* Replies that the bus has not taken yet are memory of ours: who asks faster than that waits. */
static int bus_on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bus *b = userdata;
        uint64_t n;

        if (sd_bus_get_n_queued_write(b->bus, &n) >= 0 && n > LIMIT_REPLIES)
                (void)sd_bus_flush(b->bus);
        return 0;
}

int bus_new(Bus **ret, Env *env, void (*lost)(void *userdata), void *userdata) {
        CLEANUP(bus_freep) Bus *b = NULL;
        int r;

        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        b->env = env;
        b->lost = lost;
        b->userdata = userdata;
        r = sd_bus_open_user_with_description(&b->bus, "iotc-tokend");
        if (r < 0)
                return r;
        r = sd_bus_match_signal(b->bus, NULL, "org.freedesktop.DBus.Local",
                                "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                "Disconnected", bus_on_disconnected, b);
        if (r < 0)
                return r;
        r = sd_bus_add_filter(b->bus, NULL, bus_on_message, b);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(b->bus, env->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        *ret = STEAL(b);
        return 0;
}

void bus_stop(Bus *b) {
        Problem problem = { 0 };

        (void)problem_set(&problem, OUTCOME_UNAVAILABLE,
                          "The token daemon stops. Ask again: it is started anew.");
        calls_fail(b, &problem);
        problem_clear(&problem);
        b->manager = NULL;
}

Bus *bus_free(Bus *b) {
        if (b) {
                bus_stop(b);
                sd_bus_flush_close_unref(b->bus);
                free(b);
        }
        return NULL;
}

int bus_serve(Bus *b, Manager *manager) {
        int r;

        b->manager = manager;
        r = sd_bus_add_object_manager(b->bus, NULL, IOTC_PATH);
        if (r < 0)
                return r;
        r = manager_serve(b);
        if (r < 0)
                return r;
        r = account_serve(b);
        if (r < 0)
                return r;
        return signin_serve(b);
}

int bus_find_owner(Bus *b, pid_t *ret) {
        CLEANUP(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        int r;

        *ret = 0;
        r = sd_bus_get_name_creds(b->bus, IOTC_BUS_NAME, SD_BUS_CREDS_PID, &creds);
        if (r == -ENXIO)
                return 0;
        return r < 0 ? r : sd_bus_creds_get_pid(creds, ret);
}

int bus_take_name(Bus *b) {
        int r;

        r = sd_bus_request_name(b->bus, IOTC_BUS_NAME, 0);
        return r < 0 ? r : 0;
}
