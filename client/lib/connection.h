/* SPDX-License-Identifier: MIT */
/*
 * The session bus, as the library and the command both need it: opening it, and telling a person
 * what to do when it or the daemon is not there. Linked into each; nothing of it is exported.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

/* The name of an error that says why the daemon could not be started. */
#define CONNECTION_NOT_STARTED "org.freedesktop.DBus.Error.Spawn.Failed"
#define CONNECTION_FOREIGN                                                                        \
        N_("the session bus is another user's; run this as the user that it belongs to, without " \
           "sudo")

/*
 * Connect to the user's bus: $DBUS_SESSION_BUS_ADDRESS; without it $XDG_RUNTIME_DIR/bus, else
 * /run/user/UID/bus, where folder and bus are of this user. 0 and *ret, to be freed by
 * sd_bus_close_unref(), or a negative errno with error set.
 */
int connection_open(sd_bus **ret, sd_bus_error *error);
/* The same as if DBUS_SESSION_BUS_ADDRESS were not set. 0 and *ret, or -errno. */
int connection_open_default(sd_bus **ret);
/*
 * Call, and put what went wrong into words. m is the caller's; it and the reply are wiped when
 * freed if secret. timeout_usec 0 is sd-bus' 25 s. ret may be NULL. A daemon that does not run is
 * started by connection_start(). 0, or a negative errno as IOTC_ERROR_MAP has it, with error set.
 */
int connection_call(sd_bus *bus, sd_bus_message *m, bool secret, uint64_t timeout_usec,
                    sd_bus_error *error, sd_bus_message **ret);
/*
 * An error that came as a reply, copied to *ret in the words that connection_call() uses; bus is
 * where it came from. Its negative errno, as IOTC_ERROR_MAP has it.
 */
int connection_failed(sd_bus *bus, const sd_bus_error *reply, sd_bus_error *ret);
/* The connection itself failed with r: in words, to *ret, and as a negative errno. */
int connection_broken(int r, sd_bus_error *ret);
/* Reword an error of the bus or the connection, which knows nothing of us: say what helps. */
void connection_explain(sd_bus_error *error);
/*
 * Have the bus start the daemon, and wait until it is there: 30 s at most, less if systemd has
 * given it up. timeout_usec is the caller's, 0 for none. 0; or a negative errno with error set,
 * -EHOSTUNREACH where that says in words why it can't be started.
 */
int connection_start(sd_bus *bus, uint64_t timeout_usec, sd_bus_error *error);
/* A bus's or systemd's error, reworded so: -EHOSTUNREACH; 0 and as it was when it is another. */
int connection_start_failed(sd_bus_error *error);
/* What mends such an error, for a shell; NULL where there is no one command for it. */
const char *connection_start_command(const sd_bus_error *error);
