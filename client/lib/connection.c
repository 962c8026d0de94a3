/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>

#include "lib/connection.h"

#define CONNECTION_LOST N_("the session bus closed the connection; try again")
#define CONNECTION_FORKED                                                                          \
        N_("the call was the parent process's, which alone gets its answer; after fork() make it " \
           "again")
#define DAEMON_ABSENT \
        N_("iotc-tokend is not running; start it with 'systemctl --user start iotc-tokend'")

static const sd_bus_error_map connection_errors[] = { IOTC_ERROR_MAP };

/* Not by sd_bus_error_add_map(): it is global, unlocked, and outlives a library that is unloaded.
 */
static int connection_errno(const sd_bus_error *error) {
        for (size_t i = 0; i < ARRAY_SIZE(connection_errors); i++)
                if (streq(connection_errors[i].name, error->name))
                        return -connection_errors[i].code;
        return -sd_bus_error_get_errno(error);
}

static void connection_reword(sd_bus_error *error, const char *text) {
        sd_bus_error reworded = SD_BUS_ERROR_NULL;

        sd_bus_error_set(&reworded, error->name, text);
        sd_bus_error_free(error);
        *error = reworded;
}

void connection_explain(sd_bus_error *error) {
        static const struct {
                const char *name;
                const char *text;
        } texts[] = {
                { SD_BUS_ERROR_NAME_HAS_NO_OWNER, DAEMON_ABSENT },
                { SD_BUS_ERROR_NO_REPLY,
                  N_("iotc-tokend went away or did not answer in time; try again, and look at "
                     "'journalctl --user -u iotc-tokend'") },
                { SD_BUS_ERROR_TIMEOUT, N_("iotc-tokend did not answer in time; look at 'systemctl "
                                           "--user status iotc-tokend'") },
                { SD_BUS_ERROR_DISCONNECTED, CONNECTION_LOST },
                { "System.Error.ECONNRESET", CONNECTION_LOST },
                { "System.Error.ENOTCONN", CONNECTION_LOST },
                { SD_BUS_ERROR_UNKNOWN_METHOD,
                  N_("the running iotc-tokend is another version that does not know this call; "
                     "restart it with 'systemctl --user restart iotc-tokend'") },
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (streq(error->name, texts[i].name)) {
                        connection_reword(error, texts[i].text);
                        return;
                }
        (void)connection_start_failed(error);
}

int connection_failed(sd_bus *bus, const sd_bus_error *reply, sd_bus_error *ret) {
        int r;

        /* sd-bus answers what was under way in the daemon's place when the bus goes. */
        if (sd_bus_is_open(bus) <= 0) {
                sd_bus_error_set(ret, SD_BUS_ERROR_DISCONNECTED, CONNECTION_LOST);
                return -ECONNRESET;
        }
        (void)sd_bus_error_copy(ret, reply);
        r = connection_errno(ret);
        connection_explain(ret);
        return r;
}

int connection_broken(int r, sd_bus_error *ret) {
        bool refused = r == -EPERM || r == -EACCES;

        sd_bus_error_free(ret);
        sd_bus_error_set(ret, refused ? SD_BUS_ERROR_NO_SERVER : SD_BUS_ERROR_DISCONNECTED,
                         refused        ? CONNECTION_FOREIGN
                         : r == -ECHILD ? CONNECTION_FORKED
                                        : CONNECTION_LOST);
        return refused ? -EACCES : -ECONNRESET;
}

static bool connection_is_absent(const sd_bus_error *error) {
        return sd_bus_error_has_names(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                      SD_BUS_ERROR_SERVICE_UNKNOWN);
}

int connection_call(sd_bus *bus, sd_bus_message *m, bool secret, uint64_t timeout_usec,
                    sd_bus_error *error, sd_bus_message **ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *name;
        bool let_in;
        int r;

        /* So that it can be told why it does not start. */
        if (streq(sd_bus_message_get_destination(m), IOTC_BUS_NAME))
                (void)sd_bus_message_set_auto_start(m, false);
        /* It has a name of ours: the call waits for that, too. */
        let_in = sd_bus_is_ready(bus) > 0 || sd_bus_get_unique_name(bus, &name) >= 0;

        if (secret) {
                r = sd_bus_message_sensitive(m);
                if (r < 0)
                        return sd_bus_error_set_errno(error, r);
        }
        r = sd_bus_call(bus, m, timeout_usec, error, &reply);
        if (r < 0 && connection_is_absent(error)) {
                r = connection_start(bus, timeout_usec, error);
                if (r == -EHOSTUNREACH)
                        return r;
                if (r >= 0)
                        r = sd_bus_call(bus, m, timeout_usec, error, &reply);
        }
        if (r < 0) {
                r = connection_errno(error);
                connection_explain(error);
                if (!let_in && sd_bus_is_open(bus) <= 0) {
                        sd_bus_error_free(error);
                        sd_bus_error_set(error, SD_BUS_ERROR_NO_SERVER, CONNECTION_FOREIGN);
                }
                return r;
        }
        if (secret)
                (void)sd_bus_message_sensitive(reply);
        if (ret)
                *ret = STEAL(reply);
        return 0;
}
