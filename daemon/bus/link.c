/* SPDX-License-Identifier: MIT */
#include "bus/link.h"
#include "common/memory.h"
#include "model/limits.h"

/* A handler's userdata may be what a find callback gave; that of the vtable's slot is ours. */
Link *link_of(sd_bus_message *m) {
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(m)));
}

const char *link_sender(const Link *l, sd_bus_message *m) {
        return l->is_peer ? l->peer.name : sd_bus_message_get_sender(m);
}

static int link_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Link *l = userdata;

        l->gone(l);
        return 0;
}

/* Replies that the bus has not taken yet are memory of ours: who asks faster than that waits. */
static int link_on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Link *l = userdata;
        uint64_t n;

        if (sd_bus_get_n_queued_write(l->sd, &n) >= 0 && n > LIMIT_REPLIES)
                (void)sd_bus_flush(l->sd);
        return 0;
}

int link_new(Link **ret, Bus *b, void (*gone)(Link *l)) {
        CLEANUP(link_freep) Link *l = NULL;
        int r;

        l = xcalloc(1, sizeof(*l));
        l->bus = b;
        l->gone = gone;
        r = sd_bus_open_user_with_description(&l->sd, "iotc-tokend");
        if (r < 0)
                return r;
        r = sd_bus_match_signal(l->sd, NULL, "org.freedesktop.DBus.Local",
                                "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                "Disconnected", link_on_disconnected, l);
        if (r >= 0)
                r = sd_bus_add_filter(l->sd, NULL, link_on_message, l);
        if (r >= 0)
                r = sd_bus_attach_event(l->sd, b->env->event, SD_EVENT_PRIORITY_NORMAL);
        /* The name stays until link_free(): main() lets go of the lock first. */
        if (r >= 0)
                r = sd_bus_set_close_on_exit(l->sd, false);
        if (r < 0)
                return r;
        *ret = STEAL(l);
        return 0;
}

Link *link_free(Link *l) {
        if (l) {
                /* A peer could keep us waiting; what it reads has been written already. */
                if (l->is_peer)
                        sd_bus_close_unref(l->sd);
                else
                        sd_bus_flush_close_unref(l->sd);
                sd_event_source_disable_unref(l->peer.later);
                free(l);
        }
        return NULL;
}
