/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>

#include "lib/connection.h"
#include "lib/start.h"

#define CONNECTION_LOST N_("the connection to iotc-tokend was closed; try again")
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

int connection_explain(sd_bus_error *error) {
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
                { "System.Error.ENOTCONN", CONNECTION_LOST },
                { "System.Error.EPIPE", CONNECTION_LOST },
                { SD_BUS_ERROR_UNKNOWN_METHOD,
                  N_("the running iotc-tokend is another version that does not know this call; "
                     "restart it with 'systemctl --user restart iotc-tokend'") },
        };

        int r = connection_errno(error);

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (streq(error->name, texts[i].name)) {
                        connection_reword(error, texts[i].text);
                        return r;
                }
        return start_explain_error(error) ? -EHOSTUNREACH : r;
}

bool connection_went_away(const sd_bus_error *error) {
        return sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_DISCONNECTED,
                                      "System.Error.ENOTCONN", "System.Error.EPIPE");
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
