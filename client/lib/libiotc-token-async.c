/* SPDX-License-Identifier: MIT */
/*
 * The public library in a main loop: calls that are under way, and what the loop has to know. One
 * connection serves them all.
 */
#include <poll.h>

#include "lib/connection.h"
#include "lib/libiotc-token-private.h"

/* Of one iotc_token_process(): a loop has other work, too. */
enum {
        PROCESS_MESSAGES_MAX = 64
};

struct iotc_token_call {
        iotc_token_client *client; /* NULL once it has ended */
        iotc_token_call *next;     /* iotc_token_client.calls */
        sd_bus_slot *slot;
        bool gets, typed; /* what the answer is: a token, with its type */
        bool floating;    /* nobody has the handle: freed when it ends */
        iotc_token_callback callback;
        void *userdata;
};

/* Off the client's list, and no answer will reach it. */
static void call_end(iotc_token_call *call) {
        iotc_token_call **p = &call->client->calls;

        while (*p != call)
                p = &(*p)->next;
        *p = call->next;
        call->client = NULL;
        call->slot = sd_bus_slot_unref(call->slot);
}

iotc_token_call *iotc_token_call_free(iotc_token_call *call) {
        if (call) {
                if (call->client)
                        call_end(call);
                free(call);
        }
        return NULL;
}

CLEANUP_FUNC(iotc_token_call, iotc_token_call_free)

void calls_forget(iotc_token_client *client) {
        while (client->calls) {
                iotc_token_call *call = client->calls;

                call_end(call);
                if (call->floating)
                        free(call);
        }
}

static void call_answer(iotc_token_call *call, int result, iotc_token *token) {
        iotc_token_callback callback = call->callback;
        void *userdata = call->userdata;

        call_end(call);
        if (call->floating)
                free(call);
        if (callback)
                callback(result, token, userdata);
        else
                iotc_token_free(token);
}

static int call_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        iotc_token_call *call = userdata;
        iotc_token_client *client = call->client;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        iotc_token *token = NULL;
        int r = 0;

        (void)sd_bus_message_sensitive(reply);
        sd_bus_error_free(&client->error);
        if (error) {
                r = connection_failed(client->bus, error, &client->error);
        } else if (call->gets) {
                r = token_read(&token, reply, call->typed);
                if (r < 0)
                        (void)client_failed(client, r);
        }
        call_answer(call, r, token);
        /* "Nothing done" would stop iotc_token_process() in the midst of a lost connection. */
        return 1;
}

static int call_start(iotc_token_client *client, iotc_token_call **ret, sd_bus_message *m,
                      uint64_t timeout_usec, const iotc_token_call *from) {
        CLEANUP(iotc_token_call_freep) iotc_token_call *call = NULL;
        int r;

        call = malloc(sizeof(*call));
        if (!call)
                return client_failed(client, -ENOMEM);
        *call = *from;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_call_async(client->bus, &call->slot, m, call_on_reply, call,
                                      timeout_usec);
        if (r == -ENOTCONN)
                r = -ECONNRESET;
        if (r < 0)
                return client_failed(client, r);

        call->client = client;
        call->next = client->calls;
        call->floating = !ret;
        client->calls = call;
        if (ret)
                *ret = call;
        call = NULL;
        return 0;
}

static int call_get(iotc_token_client *client, iotc_token_call **ret, const char *member,
                    const char *selector, const iotc_token_options *options,
                    iotc_token_callback callback, void *userdata) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t timeout;
        int r;

        r = client_get_new(client, &m, &timeout, member, selector, options);
        if (r < 0)
                return r;
        return call_start(client, ret, m, timeout,
                          &(iotc_token_call){ .gets = true,
                                              .typed = streq(member, "GetToken"),
                                              .callback = callback,
                                              .userdata = userdata });
}

int iotc_token_get_async(iotc_token_client *client, iotc_token_call **ret, const char *selector,
                         const iotc_token_options *options, iotc_token_callback callback,
                         void *userdata) {
        return call_get(client, ret, "GetToken", selector, options, callback, userdata);
}

int iotc_token_get_authorization_async(iotc_token_client *client, iotc_token_call **ret,
                                       const char *selector, const iotc_token_options *options,
                                       iotc_token_callback callback, void *userdata) {
        return call_get(client, ret, "GetAuthorization", selector, options, callback, userdata);
}

int iotc_token_report_rejected_async(iotc_token_client *client, iotc_token_call **ret,
                                     const char *selector, const char *token,
                                     const char *www_authenticate, iotc_token_callback callback,
                                     void *userdata) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_report_new(client, &m, selector, token, www_authenticate);
        if (r < 0)
                return r;
        return call_start(client, ret, m, 0,
                          &(iotc_token_call){ .callback = callback, .userdata = userdata });
}

/* A call that went out on a connection that is lost, or NULL. */
static iotc_token_call *call_lost(const iotc_token_client *client) {
        for (iotc_token_call *call = client->calls; call; call = call->next)
                if (sd_bus_slot_get_bus(call->slot) != client->bus)
                        return call;
        return NULL;
}

int iotc_token_get_fd(iotc_token_client *client) {
        client_leave_parent(client);
        if (!client->calls)
                return -ENOTCONN;
        return client->bus ? sd_bus_get_fd(client->bus) : -ECONNRESET;
}

int iotc_token_get_events(iotc_token_client *client) {
        int events;

        client_leave_parent(client);
        events = client->calls && client->bus ? sd_bus_get_events(client->bus) : 0;
        return events < 0 ? POLLIN : events;
}

uint64_t iotc_token_get_timeout(iotc_token_client *client) {
        uint64_t usec = UINT64_MAX;

        client_leave_parent(client);
        if (call_lost(client) || (client->calls && sd_bus_get_timeout(client->bus, &usec) < 0))
                return 0; /* it was lost: that is to be told */
        return usec;
}

/* When the bus went sd-bus has answered every call by now, but not when it never let us in, or
 * spoke nonsense, or is the parent's. A callback may make calls: on the next connection. */
static int client_tell_lost(iotc_token_client *client) {
        iotc_token_call *call;
        int r = 0;

        while (!client->closed && (call = call_lost(client))) {
                r = connection_broken(client->lost, &client->error);
                call_answer(call, r, NULL);
        }
        return r;
}

int iotc_token_process(iotc_token_client *client) {
        CLEANUP(sd_bus_unrefp) sd_bus *bus = NULL;
        int r = 0, lost;

        if (client->processing)
                return -EBUSY;
        client_leave_parent(client);
        client->processing = true;
        bus = client->bus ? sd_bus_ref(client->bus) : NULL;
        for (int n = 0; bus && n < PROCESS_MESSAGES_MAX && !client->closed; n++) {
                r = sd_bus_process(bus, NULL);
                if (r <= 0)
                        break;
        }
        if (r < 0 && !client->closed && client->bus == bus) {
                client->bus = sd_bus_close_unref(client->bus);
                client->lost = r;
        }
        lost = client_tell_lost(client);
        client->processing = false;
        if (client->closed) {
                (void)iotc_token_close(client);
                return 0;
        }
        return r < 0 || lost < 0 ? -ECONNRESET : 0;
}
