/* SPDX-License-Identifier: MIT */
/*
 * A call that waits for its answer, by way of an Ask.
 */
#include "lib/ask.h"
#include "lib/connection.h"

int connection_call(sd_bus *bus, sd_bus_message *m, bool secret, uint64_t timeout_usec,
                    sd_bus_error *error, sd_bus_message **ret) {
        CLEANUP(ask_deinit) Ask ask = { 0 };
        const char *name;
        bool let_in;
        int r;

        /* It has a name of ours: the call waits for that, too. */
        let_in = connection_is_direct(bus) || sd_bus_is_ready(bus) > 0 ||
                 sd_bus_get_unique_name(bus, &name) >= 0;

        r = ask_init(&ask, m, secret, timeout_usec);
        if (r < 0)
                return sd_bus_error_set_errno(error, r);
        do {
                CLEANUP(sd_bus_message_unrefp) sd_bus_message *next = NULL, *reply = NULL;

                r = ask_next(&ask, bus, &next, &timeout_usec);
                if (r < 0)
                        return sd_bus_error_set_errno(error, r);
                (void)sd_bus_call(bus, next, timeout_usec, error, &reply);
                r = ask_reply(&ask, bus, reply, error);
                if (r == 0 && ret)
                        *ret = STEAL(reply);
        } while (r == ASK_E_MORE);

        if (r < 0 && !let_in && sd_bus_is_open(bus) <= 0) {
                sd_bus_error_free(error);
                sd_bus_error_set(error, SD_BUS_ERROR_NO_SERVER, CONNECTION_FOREIGN);
        }
        return r;
}
