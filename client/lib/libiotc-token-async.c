/* SPDX-License-Identifier: MIT */
/*
 * The public library in a main loop: calls that are under way, and what the loop has to know. One
 * connection serves them all.
 */
#include <poll.h>

#include "lib/ask.h"
#include "lib/connection.h"
#include "lib/libiotc-token-private.h"

/* Of one iotc_token_process(): a loop has other work, too. */
enum {
        PROCESS_MESSAGES_MAX = 64
};

struct iotc_token_call {
        iotc_token_client *client; /* NULL once it has ended */
        iotc_token_call *next;     /* iotc_token_client.calls */
        sd_bus_slot *slot;         /* of the message that is under way */
        Ask ask;
        Request request; /* its texts are the call's own */
        bool floating;   /* nobody has the handle: freed when it ends */
        iotc_token_callback callback;
        void *userdata;
};

static iotc_token_call *call_free(iotc_token_call *call) {
        sd_bus_slot_unref(call->slot);
        ask_deinit(&call->ask);
        free((char *)call->request.selector);
        free((char *)call->request.options.resource);
        free((char *)call->request.options.claims);
        free(call);
        return NULL;
}

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
                call_free(call);
        }
        return NULL;
}

/* Take back every call that is under way; their handles stay to be freed. */
static void calls_forget(iotc_token_client *client) {
        while (client->calls) {
                iotc_token_call *call = client->calls;

                call_end(call);
                if (call->floating)
                        call_free(call);
        }
}

iotc_token_client *iotc_token_close(iotc_token_client *client) {
        if (client) {
                client_leave_parent(client);
                calls_forget(client);
                if (client->processing) {
                        client->closed = true; /* iotc_token_process() goes on from here */
                        return NULL;
                }
                sd_bus_error_free(&client->error);
                sd_bus_close_unref(client->bus);
                free(client);
        }
        return NULL;
}

static void call_answer(iotc_token_call *call, int result, iotc_token *token) {
        iotc_token_callback callback = call->callback;
        void *userdata = call->userdata;

        call_end(call);
        if (call->floating)
                call_free(call);
        if (callback)
                callback(result, token, userdata);
        else
                iotc_token_free(token);
}

static int call_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error);

/* Send its next message. 0 or -errno. */
static int call_send(iotc_token_call *call) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t timeout;
        int r;

        r = ask_next(&call->ask, call->client->bus, &m, &timeout);
        if (r < 0)
                return r;
        call->slot = sd_bus_slot_unref(call->slot);
        r = sd_bus_call_async(call->client->bus, &call->slot, m, call_on_reply, call, timeout);
        return r == -ENOTCONN ? -ECONNRESET : r < 0 ? r : 0;
}

/* It failed with r, as client->error says. 0 if it is made once more, or what is to be told. */
static int call_again(iotc_token_call *call, int r) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t timeout;

        if (!request_again(&call->request, &call->client->error))
                return r;
        r = client_get_new(call->client, &m, &timeout, &call->request);
        if (r < 0)
                return r;
        ask_deinit(&call->ask);
        r = ask_init(&call->ask, m, true, timeout);
        if (r >= 0)
                r = call_send(call);
        return r < 0 ? client_failed(call->client, r) : 0;
}

static int call_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        iotc_token_call *call = userdata;
        iotc_token_client *client = call->client;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        iotc_token *token = NULL;
        int r;

        /* sd-bus answers what was under way in the daemon's place when the bus goes: what comes of
         * it is client_tell_lost()'s. */
        if (sd_bus_is_open(client->bus) <= 0) {
                client_drop(client, -ECONNRESET);
                return 1;
        }
        sd_bus_error_free(&client->error);
        (void)sd_bus_error_copy(&client->error, error);
        r = ask_reply(&call->ask, client->bus, error ? NULL : reply, &client->error);
        if (r == ASK_E_MORE) {
                r = call_send(call);
                if (r >= 0)
                        return 1;
                (void)client_failed(client, r);
        }
        if (r < 0) {
                r = call_again(call, r);
                if (r == 0)
                        return 1;
        } else if (call->request.member) {
                r = token_read(&token, reply, streq(call->request.member, "GetToken"));
                if (r < 0)
                        (void)client_failed(client, r);
        }
        call_answer(call, r, token);
        /* "Nothing done" would stop iotc_token_process() in the midst of a lost connection. */
        return 1;
}

static int text_copy(const char **text) {
        if (!*text)
                return 0;
        *text = strdup(*text);
        return *text ? 0 : -ENOMEM;
}

/* All three are the call's own or NULL, whatever comes of it. */
static int call_copy_request(iotc_token_call *call, const Request *request) {
        Request *own = &call->request;
        int r, r2, r3;

        *own = *request;
        r = text_copy(&own->selector);
        r2 = text_copy(&own->options.resource);
        r3 = text_copy(&own->options.claims);
        return r < 0 || r2 < 0 || r3 < 0 ? -ENOMEM : 0;
}

static int call_start(iotc_token_client *client, iotc_token_call **ret, sd_bus_message *m,
                      uint64_t timeout_usec, const Request *request, iotc_token_callback callback,
                      void *userdata) {
        iotc_token_call *call;
        int r;

        call = calloc(1, sizeof(*call));
        if (!call)
                return client_failed(client, -ENOMEM);
        call->client = client;
        call->floating = !ret;
        call->callback = callback;
        call->userdata = userdata;
        r = call_copy_request(call, request);
        if (r >= 0)
                r = ask_init(&call->ask, m, true, timeout_usec);
        if (r >= 0)
                r = call_send(call);
        if (r < 0) {
                call_free(call);
                return client_failed(client, r);
        }
        call->next = client->calls;
        client->calls = call;
        if (ret)
                *ret = call;
        return 0;
}

static int call_get(iotc_token_client *client, iotc_token_call **ret, const char *member,
                    const char *selector, const iotc_token_options *options,
                    iotc_token_callback callback, void *userdata) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Request request;
        uint64_t timeout;
        int r;

        sd_bus_error_free(&client->error);
        r = request_init(&request, member, selector, options);
        if (r < 0)
                return client_failed(client, r);
        r = client_get_new(client, &m, &timeout, &request);
        return r < 0 ? r : call_start(client, ret, m, timeout, &request, callback, userdata);
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

        r = client_report_new(client, &m, selector, token, www_authenticate, false);
        return r < 0 ? r : call_start(client, ret, m, 0, &(Request){ 0 }, callback, userdata);
}

/* A call that went out on a connection that is lost, or NULL. */
static iotc_token_call *call_lost(const iotc_token_client *client) {
        for (iotc_token_call *call = client->calls; call; call = call->next)
                if (!call->slot || sd_bus_slot_get_bus(call->slot) != client->bus)
                        return call;
        return NULL;
}

/* systemd has taken the connection, and the daemon does not come for it. */
static bool client_is_unanswered(const iotc_token_client *client) {
        return client->calls && client->ready_end != UINT64_MAX &&
               sd_bus_is_ready(client->bus) == 0;
}

/* The session bus can start it, and say why it does not start. */
static void client_try_session(iotc_token_client *client) {
        CLEANUP(sd_bus_error_free) sd_bus_error ignored = SD_BUS_ERROR_NULL;
        sd_bus *bus;

        if (!client->bus || !client_is_unanswered(client) || ask_now_usec() < client->ready_end)
                return;
        client->ready_end = UINT64_MAX;
        if (connection_open_session(&bus, &ignored) < 0)
                return;
        client_drop(client, -ECONNRESET);
        client_use(client, bus);
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
        return client_is_unanswered(client) ? MIN(usec, client->ready_end) : usec;
}

/* It was there, and is not any more. */
static bool is_reset(int r) {
        return r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE;
}

/* When the bus went sd-bus has answered every call by now, but not when it never let us in, or
 * spoke nonsense, or is the parent's. A callback may make calls: on the next connection. */
static int client_tell_lost(iotc_token_client *client) {
        iotc_token_call *call;
        int r, told = 0;

        while (!client->closed && (call = call_lost(client))) {
                r = connection_broken(client->lost, &client->error);
                if (is_reset(client->lost))
                        r = call_again(call, r);
                if (r < 0)
                        call_answer(call, told = r, NULL);
        }
        return told;
}

int iotc_token_process(iotc_token_client *client) {
        CLEANUP(sd_bus_unrefp) sd_bus *bus = NULL;
        int r = 0, lost;

        if (client->processing)
                return -EBUSY;
        client_leave_parent(client);
        client->processing = true;
        client_try_session(client);
        bus = client->bus ? sd_bus_ref(client->bus) : NULL;
        for (int n = 0; bus && bus == client->bus && n < PROCESS_MESSAGES_MAX && !client->closed;
             n++) {
                r = sd_bus_process(bus, NULL);
                if (r <= 0)
                        break;
        }
        if (r < 0 && !client->closed && client->bus == bus)
                client_drop(client, r);
        lost = client_tell_lost(client);
        client->processing = false;
        if (client->closed) {
                (void)iotc_token_close(client);
                return 0;
        }
        return lost < 0 ? -ECONNRESET : 0;
}
