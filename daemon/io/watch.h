/* SPDX-License-Identifier: MIT */
/*
 * Is there a network? Told by the kernel (rtnetlink): an interface other than loopback that is up
 * and has an address. NetworkManager and networkd (io/network.h) add what the kernel can't see. A
 * hint only: it decides when to try again early, never that a try is in vain.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Watch Watch;

/* fn is called from the loop when the answer changed, or when while online an address came (another
 * network) or the network got better: when nothing has happened for a second, or at the latest
 * after five. 0 or -errno. */
int watch_new(Watch **ret, sd_event *event, void (*fn)(bool online, void *userdata),
              void *userdata);
bool watch_is_online(const Watch *w);
/* NULL is fine. Returns NULL. */
Watch *watch_free(Watch *w);

CLEANUP_FUNC(Watch, watch_free)
