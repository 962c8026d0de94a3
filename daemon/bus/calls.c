/* SPDX-License-Identifier: MIT */
/*
 * Calls that are answered later, and what becomes of them when their caller leaves. A caller is
 * watched once, however many of its calls wait: to begin with it costs a round trip to the bus
 * daemon, behind all that others have sent.
 */
#include "bus/calls.h"
#include "model/limits.h"

/* A connection with calls that wait; it goes with the last of them. */
struct Client {
        Link *link;
        Client *next; /* Link.clients */
        Call *calls;  /* Call.next */
        size_t n_calls;
        sd_bus_track *track; /* NULL: a peer, whose connection ends with it */
};

static Client *client_free(Client *client) {
        for (Client **p = &client->link->clients; *p; p = &(*p)->next)
                if (*p == client) {
                        *p = client->next;
                        break;
                }
        sd_bus_track_unref(client->track);
        free(client);
        return NULL;
}

static int client_on_gone(sd_bus_track *track, void *userdata) {
        Client *client = userdata;

        client->n_calls++; /* it stays until they are all gone */
        while (client->calls)
                call_drop(client->calls);
        client_free(client);
        return 0;
}

static int client_new(Client **ret, Link *l, sd_bus_message *message) {
        Client *client;
        int r;

        client = calloc(1, sizeof(*client));
        if (!client)
                return -ENOMEM;
        client->link = l;
        client->next = l->clients;
        l->clients = client;
        if (l->is_peer) {
                *ret = client;
                return 0;
        }
        r = sd_bus_track_new(l->sd, &client->track, client_on_gone, client);
        if (r >= 0)
                r = sd_bus_track_add_sender(client->track, message);
        if (r < 0) {
                client_free(client);
                return r;
        }
        *ret = client;
        return 0;
}

static Client *client_find(const Link *l, const char *sender) {
        Client *client = l->clients;

        while (client && !l->is_peer && !sd_bus_track_contains(client->track, sender))
                client = client->next;
        return client;
}

int call_new(Call **ret, Link *l, sd_bus_message *message, Problem *problem) {
        Client *client = client_find(l, sd_bus_message_get_sender(message));
        CLEANUP(freep) Call *c = NULL;
        int r;

        if (client && client->n_calls >= LIMIT_CALLS_PER_CLIENT)
                return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                   "This program has %d calls waiting already. Try again when one "
                                   "of them is answered.",
                                   LIMIT_CALLS_PER_CLIENT);
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        if (!client) {
                r = client_new(&client, l, message);
                if (r < 0)
                        return r;
        }
        c->link = l;
        c->client = client;
        c->message = sd_bus_message_ref(message);
        c->next = client->calls;
        client->calls = c;
        client->n_calls++;
        *ret = STEAL(c);
        return 0;
}

Call *call_drop(Call *c) {
        Client *client;

        if (!c)
                return NULL;
        client = c->client;
        for (Call **p = &client->calls; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        if (--client->n_calls == 0)
                client_free(client);
        waiter_free(c->waiter);
        keeper_op_free(c->keeper_op);
        manager_op_free(c->manager_op);
        keyring_op_free(c->keyring_op);
        sd_bus_message_unref(c->message);
        free(c);
        return NULL;
}

void call_fail(Call *c, const Problem *problem) {
        (void)sd_bus_reply_method_errorf(c->message, outcome_to_error_name(problem->outcome), "%s",
                                         problem_text(problem));
        call_drop(c);
}

void call_done(Call *c) {
        (void)sd_bus_reply_method_return(c->message, NULL);
        call_drop(c);
}

void calls_end(Link *l, const Problem *problem) {
        while (l->clients)
                if (problem && !l->clients->calls->waiter)
                        call_fail(l->clients->calls, problem);
                else
                        call_drop(l->clients->calls);
}
