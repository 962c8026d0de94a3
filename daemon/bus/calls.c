/* SPDX-License-Identifier: MIT */
/*
 * Calls that are answered later, and what becomes of them when their caller leaves.
 */
#include "bus/bus-private.h"
#include "model/limits.h"

static int call_on_caller_gone(sd_bus_track *track, void *userdata) {
        call_free(userdata);
        return 0;
}

static size_t calls_of(const Bus *b, const char *sender) {
        size_t n = 0;

        for (const Call *c = b->calls; c; c = c->next)
                if (streq(sd_bus_message_get_sender(c->message), sender))
                        n++;
        return n;
}

int call_new(Call **ret, Bus *b, sd_bus_message *message, Problem *problem) {
        const char *sender = sd_bus_message_get_sender(message);
        Call *c;
        int r;

        if (calls_of(b, sender) >= LIMIT_CALLS_PER_CLIENT)
                return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                   "This program has %d calls waiting already.",
                                   LIMIT_CALLS_PER_CLIENT);
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->bus = b;
        c->message = sd_bus_message_ref(message);
        c->next = b->calls;
        b->calls = c;
        r = sd_bus_track_new(b->bus, &c->track, call_on_caller_gone, c);
        if (r >= 0)
                r = sd_bus_track_add_sender(c->track, message);
        if (r < 0) {
                call_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

Call *call_free(Call *c) {
        if (!c)
                return NULL;
        for (Call **p = &c->bus->calls; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        waiter_free(c->waiter);
        keeper_op_free(c->keeper_op);
        manager_op_free(c->manager_op);
        keyring_op_free(c->keyring_op);
        sd_bus_track_unref(c->track);
        sd_bus_message_unref(c->message);
        free(c);
        return NULL;
}

void call_fail(Call *c, const Problem *problem) {
        (void)sd_bus_reply_method_errorf(c->message, outcome_to_error_name(problem->outcome), "%s",
                                         problem_text(problem));
        call_free(c);
}

void call_done(Call *c) {
        (void)sd_bus_reply_method_return(c->message, NULL);
        call_free(c);
}
