/* SPDX-License-Identifier: MIT */
/*
 * One question to the daemon, message by message: the call; where the daemon does not run, the
 * request to start it and, if that takes long, a look at what systemd says of its unit; then the
 * call again. It sends nothing itself: who waits for the replies, in a loop or without, is the
 * caller's affair.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

enum {
        ASK_E_MORE = 1, /* there is another message to send */
};

typedef enum AskStep {
        ASK_CALL,
        ASK_START,
        ASK_LOOK,
} AskStep;

typedef struct Ask {
        sd_bus_message *call;
        bool secret;
        AskStep step;
        unsigned n_starts;
        bool start_timed_out;
        sd_bus_error start_error; /* what the request to start it gave, while systemd is asked */
        /* CLOCK_MONOTONIC: for the reply to the message that was sent last; for the daemon to be
         * there; for everything */
        uint64_t reply_end, start_end, end;
} Ask;

/* CLOCK_MONOTONIC, in µs. */
uint64_t ask_now_usec(void);
/* Call, and have the answer in timeout_usec at most, 0 for sd-bus' 25 s. secret: the message and
 * its reply are wiped when they are freed. 0 or -errno; free it by ask_deinit() in both cases. */
int ask_init(Ask *a, sd_bus_message *call, bool secret, uint64_t timeout_usec);
void ask_deinit(Ask *a);
/* The next message to send on bus, and how long to wait for its reply. 0 and *ret, to be unref'ed,
 * or -errno. */
int ask_next(Ask *a, sd_bus *bus, sd_bus_message **ret, uint64_t *ret_timeout_usec);
/*
 * What came of it: reply, or the error that is set in *error. ASK_E_MORE; 0 when reply answers the
 * call; or a negative errno as IOTC_ERROR_MAP has it, with *error in words for a person.
 * -EHOSTUNREACH: the daemon can't be started.
 */
int ask_reply(Ask *a, sd_bus *bus, sd_bus_message *reply, sd_bus_error *error);
