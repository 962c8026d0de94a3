/* SPDX-License-Identifier: MIT */
/*
 * Who has sent a signal of the system bus? A broadcast was matched by the bus against the sender
 * that our rule names. One that somebody addressed to us alone was not, and sd-bus takes any unique
 * name for the owner of a well-known one: any user of the machine may send it.
 */
#pragma once

#include <systemd/sd-bus.h>

#include <iotc-util.h>

static inline bool signal_is_broadcast(sd_bus_message *m) {
        return !sd_bus_message_get_destination(m);
}
