/* SPDX-License-Identifier: MIT */
/*
 * The way to the daemon, as the library and the command both need it: opening it, and telling a
 * person what to do when it or the daemon is not there. Linked into each; nothing of it is
 * exported.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

#define CONNECTION_FOREIGN                                                                        \
        N_("the session bus is another user's; run this as the user that it belongs to, without " \
           "sudo")

/* How long the daemon behind its socket may take to answer before the session bus is asked. */
#define CONNECTION_READY_USEC (2 * USEC_PER_SEC)

/*
 * Connect to the daemon: by its socket ($IOTC_TOKEN_SOCKET; $XDG_RUNTIME_DIR/iotc-token/bus;
 * /run/user/UID/iotc-token/bus), else by the session bus. wait: if the socket was taken, but nobody
 * answers, wait for that, CONNECTION_READY_USEC at most, and go to the bus then. 0 and *ret, to be
 * freed by sd_bus_close_unref(), or a negative errno with error set.
 */
int connection_open(sd_bus **ret, bool wait, sd_bus_error *error);
/* By the daemon's own socket: signals have no sender there, the end of the connection is the
 * daemon's, and there is nobody else on it. */
bool connection_is_direct(sd_bus *bus);
/* Does the daemon run, wherever it is served? Starts nothing. */
bool connection_daemon_runs(void);
/*
 * Connect to the user's bus: $DBUS_SESSION_BUS_ADDRESS; without it $XDG_RUNTIME_DIR/bus, else
 * /run/user/UID/bus, where folder and bus are of this user. 0 and *ret, to be freed by
 * sd_bus_close_unref(), or a negative errno with error set.
 */
int connection_open_session(sd_bus **ret, sd_bus_error *error);
/* The same as if DBUS_SESSION_BUS_ADDRESS were not set. 0 and *ret, or -errno. */
int connection_open_default(sd_bus **ret);
/*
 * Call and wait, by way of an Ask: see there. m is the caller's. ret may be NULL. 0, or a negative
 * errno as IOTC_ERROR_MAP has it, with error set.
 */
int connection_call(sd_bus *bus, sd_bus_message *m, bool secret, uint64_t timeout_usec,
                    sd_bus_error *error, sd_bus_message **ret);
/* Reword an error of the bus or the connection, which knows nothing of us: say what helps. Its
 * negative errno, as IOTC_ERROR_MAP has it; -EHOSTUNREACH: the daemon can't be started. */
int connection_explain(sd_bus_error *error);
/* Did the daemon or the connection go away before the reply? Not: it took too long. */
bool connection_went_away(const sd_bus_error *error);
/* The connection itself failed with r: in words, to *ret, and as a negative errno. */
int connection_broken(int r, sd_bus_error *ret);
