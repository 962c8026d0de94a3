/* SPDX-License-Identifier: MIT */
/*
 * A person at the keyring's dialog: the part of a Secret Service that asks, without secrets (every
 * session is refused as locked). The real dialog needs a display; everything that does not need it
 * is tested with the real keyring.
 */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct UtilSecrets {
        sd_bus *bus;
        bool exists; /* the default collection */
        bool locked;
        bool dismiss;        /* what the person does when asked */
        bool trusts;         /* needs no dialog */
        unsigned n_prompts;  /* shown */
        unsigned n_unlocked; /* objects that Unlock() named */
} UtilSecrets;

/* Serve on the session bus, from this loop. */
void util_secrets_start(UtilSecrets *s, sd_event *event);
/* Lock or unlock the collection, and say so by PropertiesChanged alone. */
void util_secrets_set_locked(UtilSecrets *s, bool locked);
void util_secrets_stop(UtilSecrets *s);
