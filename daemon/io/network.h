/* SPDX-License-Identifier: MIT */
/*
 * What NetworkManager and systemd-networkd know of the network beyond the kernel's addresses: that
 * a captive portal stands before it and when that has let the person through, and when a network is
 * up for good (org.freedesktop.NetworkManager; org.freedesktop.network1(5)). A client of the system
 * bus that never waits. Without the bus, or either service, nothing is known, and nothing is lost.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Network Network;

/*
 * fn is called from the loop: with better when the network has become one that it was not before,
 * so that a try is worth while; without when only network_has_portal() may have changed. 0 or
 * -ENOMEM; a machine without a system bus is no error.
 */
int network_new(Network **ret, sd_event *event, void (*fn)(bool better, void *userdata),
                void *userdata);
/* Does a captive portal stand before the network, as NetworkManager has it? */
bool network_has_portal(const Network *n);
/* NULL is fine. Returns NULL. */
Network *network_free(Network *n);

CLEANUP_FUNC(Network, network_free)
