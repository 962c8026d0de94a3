/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>
#include <time.h>

#include "lib/ask.h"
#include "lib/connection.h"
#include "lib/start.h"

#define CALL_USEC        (25 * USEC_PER_SEC)
#define LOOK_USEC        (2 * USEC_PER_SEC) /* how long a start may take before systemd is asked */
#define START_USEC       (30 * USEC_PER_SEC)
/* systemd answers from memory; it is asked although the time is up, because it knows why. */
#define SYSTEMD_USEC     (2 * USEC_PER_SEC)
#define SYSTEMD_MIN_USEC (USEC_PER_SEC / 5)

enum {
        ASK_STARTS_MAX = 3, /* a daemon that ends as soon as it is there is not started for ever */
};

uint64_t ask_now_usec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

int ask_init(Ask *a, sd_bus_message *call, bool secret, uint64_t timeout_usec) {
        uint64_t now = ask_now_usec();

        *a = (Ask){ .call = sd_bus_message_ref(call),
                    .secret = secret,
                    .end = now + (timeout_usec ?: CALL_USEC) };
        a->start_end = MIN(a->end, now + START_USEC);
        /* So that it can be told why it does not start. */
        if (streq(sd_bus_message_get_destination(call), IOTC_BUS_NAME))
                (void)sd_bus_message_set_auto_start(call, false);
        return secret ? sd_bus_message_sensitive(call) : 0;
}

void ask_deinit(Ask *a) {
        sd_bus_error_free(&a->start_error);
        a->call = sd_bus_message_unref(a->call);
}

int ask_next(Ask *a, sd_bus *bus, sd_bus_message **ret, uint64_t *ret_timeout_usec) {
        uint64_t now = ask_now_usec(), left = a->end > now ? a->end - now : 1;
        int r = 0;

        switch (a->step) {
        case ASK_CALL:
                *ret = sd_bus_message_ref(a->call);
                break;
        case ASK_START:
                r = start_message(bus, ret);
                left = a->start_end > now ? MIN(LOOK_USEC, a->start_end - now) : 1;
                break;
        case ASK_LOOK:
                r = start_look_message(bus, ret);
                left = MAX(SYSTEMD_MIN_USEC, MIN(SYSTEMD_USEC, left));
                break;
        }
        a->reply_end = now + left;
        *ret_timeout_usec = left;
        return r;
}

static int ask_on_start(Ask *a, sd_bus *bus, bool timed_out, sd_bus_error *error) {
        if (!sd_bus_error_is_set(error)) {
                a->step = ASK_CALL;
                return ASK_E_MORE;
        }
        if (sd_bus_is_open(bus) <= 0)
                return connection_explain(error);
        a->start_timed_out = timed_out;
        a->start_error = *error;
        *error = SD_BUS_ERROR_NULL;
        a->step = ASK_LOOK;
        return ASK_E_MORE;
}

/* What systemd says of the unit, or NULL where there is no systemd. */
static int ask_on_look(Ask *a, sd_bus_message *unit, sd_bus_error *error) {
        bool over = ask_now_usec() >= a->start_end;

        sd_bus_error_free(error);
        *error = a->start_error;
        a->start_error = SD_BUS_ERROR_NULL;
        if (start_explain(unit, a->start_timed_out, over, error))
                return -EHOSTUNREACH;
        if (!a->start_timed_out)
                return connection_explain(error);
        sd_bus_error_free(error);
        a->step = ASK_START;
        return ASK_E_MORE;
}

int ask_reply(Ask *a, sd_bus *bus, sd_bus_message *reply, sd_bus_error *error) {
        bool timed_out =
                sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT) &&
                ask_now_usec() >= a->reply_end;

        switch (a->step) {
        case ASK_START:
                return ask_on_start(a, bus, timed_out, error);
        case ASK_LOOK:
                return ask_on_look(a, reply, error);
        case ASK_CALL:
                break;
        }
        if (!sd_bus_error_is_set(error)) {
                if (a->secret)
                        (void)sd_bus_message_sensitive(reply);
                return 0;
        }
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                   SD_BUS_ERROR_SERVICE_UNKNOWN) &&
            a->n_starts++ < ASK_STARTS_MAX) {
                sd_bus_error_free(error);
                a->step = ASK_START;
                return ASK_E_MORE;
        }
        if (timed_out) { /* sd-bus has two names for it, one of them the bus's for another thing */
                sd_bus_error_free(error);
                sd_bus_error_set(error, SD_BUS_ERROR_TIMEOUT, NULL);
        }
        return connection_explain(error);
}
