/* SPDX-License-Identifier: MIT */
/*
 * Starting the daemon over the session bus, and why it does not start. A bus waits up to two
 * minutes for a service that systemd gave up within a second, and says no more than "timed out"
 * then: so systemd is asked what became of the unit.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

/* The name of an error that says why the daemon could not be started. */
#define START_ERROR "org.freedesktop.DBus.Error.Spawn.Failed"

/* Have the bus start the daemon: it answers when the daemon is there. 0 and *ret, or -errno. */
int start_message(sd_bus *bus, sd_bus_message **ret);
/* Ask systemd for the unit; nothing is started for it. 0 and *ret, or -errno. */
int start_look_message(sd_bus *bus, sd_bus_message **ret);
/*
 * The start failed with *error, or it is not done yet (timed_out) and will not be waited for any
 * longer (over). unit: the reply of systemd, or NULL. True when it is known why: then *error says
 * so, in words for a person.
 */
bool start_explain(sd_bus_message *unit, bool timed_out, bool over, sd_bus_error *error);
/* How long the daemon may take to be there. */
#define START_USEC (30 * USEC_PER_SEC)

/* It took longer: -EHOSTUNREACH, with *error in words. */
int start_timed_out(sd_bus_error *error);
/* A bus's or systemd's error alone, in the same words: true; false and as it was if it is another.
 */
bool start_explain_error(sd_bus_error *error);
/* What mends such an error, for a shell; NULL where there is no one command for it. */
const char *start_command(const sd_bus_error *error);
