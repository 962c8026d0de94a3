/* SPDX-License-Identifier: MIT */
/*
 * The public library: one lazily opened connection, one call each. It owns the client with the
 * last error in it, and the results, which are wiped when they are freed.
 */
#include <unistd.h>

#include "lib/ask.h"
#include "lib/connection.h"
#include "lib/libiotc-token-private.h"

#define DAEMON_TIMEOUT_SEC UINT64_C(20) /* what GetToken takes when no timeout is given */
#define ANSWER_SLACK_SEC   UINT64_C(10) /* how much longer we wait for the daemon to say so */
#define NO_WAIT_AGAIN_SEC  UINT64_C(2)  /* for who does not wait, to ask a daemon that restarts */
#define FLAGS_KNOWN        (IOTC_TOKEN_FORCE | IOTC_TOKEN_NO_WAIT | IOTC_TOKEN_WAIT_FOR_SIGN_IN)

struct iotc_token {
        char *value;
        char *type;
        uint64_t expires_at;
};

int iotc_token_open(iotc_token_client **ret) {
        iotc_token_client *client;

        client = calloc(1, sizeof(*client));
        if (!client)
                return -ENOMEM;
        *ret = client;
        return 0;
}

void client_drop(iotc_token_client *client, int r) {
        client->bus = sd_bus_close_unref(client->bus);
        client->lost = r;
}

/* sd-bus does nothing at all with a connection that was opened before a fork(2); what exactly, each
 * version decides anew. So it is left alone, but for the socket, which would outlive the parent. */
void client_leave_parent(iotc_token_client *client) {
        if (!client->bus || client->opened == getpid())
                return;
        (void)close(client->fd);
        client->bus = NULL;
        client->lost = -ECHILD;
}

const char *iotc_token_error_name(const iotc_token_client *client) {
        return client->error.name;
}

const char *iotc_token_error_text(const iotc_token_client *client) {
        return client->error.message ?: client->error.name ?: "no error";
}

int client_failed(iotc_token_client *client, int r) {
        if (r == -EINVAL)
                sd_bus_error_set(&client->error, SD_BUS_ERROR_INVALID_ARGS,
                                 "the selector or an option is malformed");
        else
                sd_bus_error_set_errno(&client->error, r);
        return r;
}

void client_use(iotc_token_client *client, sd_bus *bus) {
        client->bus = bus;
        client->opened = getpid();
        client->fd = sd_bus_get_fd(bus);
        client->ready_end =
                connection_is_direct(bus) && str_empty(secure_getenv("IOTC_TOKEN_SOCKET"))
                        ? ask_now_usec() + CONNECTION_READY_USEC
                        : UINT64_MAX;
}

int client_call_new(iotc_token_client *client, sd_bus_message **ret, const char *member,
                    bool wait) {
        sd_bus *bus;
        int r;

        sd_bus_error_free(&client->error);
        client_leave_parent(client);

        /* Late answers of calls that timed out, and whether the bus is still there. What answers
         * calls that are under way is iotc_token_process()'s. */
        while (client->bus && !client->calls && !client->processing) {
                r = sd_bus_process(client->bus, NULL);
                if (r < 0)
                        client->bus = sd_bus_close_unref(client->bus);
                if (r == 0)
                        break;
        }
        if (!client->bus) {
                r = connection_open(&bus, wait, &client->error);
                if (r < 0)
                        return r;
                client_use(client, bus);
        }
        r = sd_bus_message_new_method_call(client->bus, ret, IOTC_BUS_NAME, IOTC_PATH,
                                           IOTC_INTERFACE_MANAGER, member);
        return r < 0 ? client_failed(client, r) : 0;
}

static int options_append_uint(sd_bus_message *m, const char *key, uint32_t value) {
        return sd_bus_message_append(m, "{sv}", key, "u", value);
}

static int options_append(sd_bus_message *m, const Request *request) {
        const iotc_token_options *o = &request->options;
        uint32_t timeout = o->timeout;
        int r;

        if (request->again) /* what is left of it */
                timeout = (uint32_t)((request->end_usec - MIN(ask_now_usec(), request->end_usec)) /
                                     USEC_PER_SEC) +
                          1;
        if (o->flags & IOTC_TOKEN_NO_WAIT)
                timeout = 0;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && o->min_valid)
                r = options_append_uint(m, "min-valid", o->min_valid);
        if (r >= 0 && (o->flags & IOTC_TOKEN_NO_WAIT || timeout))
                r = options_append_uint(m, "timeout", timeout);
        if (r >= 0 && o->flags & IOTC_TOKEN_FORCE)
                r = sd_bus_message_append(m, "{sv}", "force", "b", 1);
        if (r >= 0 && o->resource)
                r = sd_bus_message_append(m, "{sv}", "resource", "s", o->resource);
        if (r >= 0 && o->claims)
                r = sd_bus_message_append(m, "{sv}", "claims", "s", o->claims);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r;
}

/* What the caller set, as the kernel's copy_struct_from_user() reads it: a field that this version
 * does not know must be zero. */
static int options_read(iotc_token_options *o, const iotc_token_options *options) {
        const unsigned char *bytes = (const unsigned char *)options;

        *o = (iotc_token_options){ .size = sizeof(*o) };
        if (!options)
                return 0;
        if (options->size < sizeof(*o))
                return -EINVAL;
        for (size_t i = sizeof(*o); i < options->size; i++)
                if (bytes[i])
                        return -EINVAL;
        *o = *options;
        return o->flags & ~(uint32_t)FLAGS_KNOWN ? -EINVAL : 0;
}

int request_init(Request *request, const char *member, const char *selector,
                 const iotc_token_options *options) {
        int r;

        *request = (Request){ .member = member, .selector = selector ?: "" };
        r = options_read(&request->options, options);
        request->end_usec =
                ask_now_usec() + (request->options.timeout ?: DAEMON_TIMEOUT_SEC) * USEC_PER_SEC;
        return r;
}

bool request_again(Request *request, const sd_bus_error *error) {
        uint64_t now = ask_now_usec();

        if (!request->member || request->again || !connection_went_away(error))
                return false;
        request->again = true;
        if (request->options.flags & IOTC_TOKEN_NO_WAIT)
                request->end_usec = now + NO_WAIT_AGAIN_SEC * USEC_PER_SEC;
        return request->end_usec > now;
}

int token_read(iotc_token **ret, sd_bus_message *reply, bool typed) {
        CLEANUP(iotc_token_freep) iotc_token *token = NULL;
        const char *value, *type = NULL;
        int r;

        token = calloc(1, sizeof(*token));
        if (!token)
                return -ENOMEM;
        if (typed)
                r = sd_bus_message_read(reply, "sst", &value, &type, &token->expires_at);
        else
                r = sd_bus_message_read(reply, "st", &value, &token->expires_at);
        if (r < 0)
                return r;
        token->value = strdup(value);
        token->type = type ? strdup(type) : NULL;
        if (!token->value || (type && !token->type))
                return -ENOMEM;

        *ret = STEAL(token);
        return 0;
}

int client_get_new(iotc_token_client *client, sd_bus_message **ret, uint64_t *ret_timeout_usec,
                   const Request *request) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        bool no_wait = request->options.flags & IOTC_TOKEN_NO_WAIT;
        uint64_t now;
        int r;

        r = client_call_new(client, &m, request->member, request->wait);
        if (r < 0) /* no way back: that the connection was lost says more than that there is none */
                return request->again ? connection_broken(-ECONNRESET, &client->error) : r;
        r = sd_bus_message_append(m, "s", request->selector);
        if (r >= 0 && !streq(request->member, "FindAccount"))
                r = options_append(m, request);
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(
                        m, !!(request->options.flags & IOTC_TOKEN_WAIT_FOR_SIGN_IN));
        if (r < 0)
                return client_failed(client, r);

        now = ask_now_usec();
        *ret_timeout_usec = request->end_usec - MIN(now, request->end_usec) + 1;
        if (!no_wait || !request->again)
                *ret_timeout_usec += ANSWER_SLACK_SEC * USEC_PER_SEC;
        *ret = STEAL(m);
        return 0;
}

static int client_ask(iotc_token_client *client, sd_bus_message **ret, const Request *request) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t timeout;
        int r;

        r = client_get_new(client, &m, &timeout, request);
        return r < 0 ? r : connection_call(client->bus, m, true, timeout, &client->error, ret);
}

/* Ask, and once more if the daemon or the connection went away before it answered. */
static int client_get(iotc_token_client *client, sd_bus_message **ret, const char *member,
                      const char *selector, const iotc_token_options *options) {
        Request request;
        int r;

        sd_bus_error_free(&client->error);
        r = request_init(&request, member, selector, options);
        if (r < 0)
                return client_failed(client, r);
        request.wait = true;
        r = client_ask(client, ret, &request);
        if (r < 0 && request_again(&request, &client->error)) {
                if (sd_bus_is_open(client->bus) <= 0)
                        client_drop(client, -ECONNRESET);
                r = client_ask(client, ret, &request);
        }
        return r;
}

static int client_get_token(iotc_token_client *client, const char *member, const char *selector,
                            const iotc_token_options *options, iotc_token **ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = client_get(client, &reply, member, selector, options);
        if (r < 0)
                return r;
        r = token_read(ret, reply, streq(member, "GetToken"));
        return r < 0 ? client_failed(client, r) : 0;
}

int iotc_token_get(iotc_token_client *client, const char *selector,
                   const iotc_token_options *options, iotc_token **ret) {
        return client_get_token(client, "GetToken", selector, options, ret);
}

int iotc_token_get_authorization(iotc_token_client *client, const char *selector,
                                 const iotc_token_options *options, iotc_token **ret) {
        return client_get_token(client, "GetAuthorization", selector, options, ret);
}

int client_report_new(iotc_token_client *client, sd_bus_message **ret, const char *selector,
                      const char *token, const char *www_authenticate, bool wait) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_call_new(client, &m, "ReportRejected", wait);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "sss", selector ?: "", token, www_authenticate ?: "");
        if (r < 0)
                return client_failed(client, r);
        *ret = STEAL(m);
        return 0;
}

int iotc_token_report_rejected(iotc_token_client *client, const char *selector, const char *token,
                               const char *www_authenticate) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_report_new(client, &m, selector, token, www_authenticate, true);
        return r < 0 ? r : connection_call(client->bus, m, true, 0, &client->error, NULL);
}

int iotc_token_find_account(iotc_token_client *client, const char *selector, char **ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(freep) char *name = NULL;
        const char *path;
        int r;

        r = client_get(client, &reply, "FindAccount", selector, NULL);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = sd_bus_path_decode(path, IOTC_PATH_ACCOUNT, &name);
        if (r <= 0)
                return client_failed(client, r < 0 ? r : -EBADMSG);

        *ret = STEAL(name);
        return 0;
}

const char *iotc_token_value(const iotc_token *token) {
        return token->value;
}

const char *iotc_token_type(const iotc_token *token) {
        return token->type;
}

uint64_t iotc_token_expires_at(const iotc_token *token) {
        return token->expires_at;
}

iotc_token *iotc_token_free(iotc_token *token) {
        if (token) {
                if (token->value)
                        explicit_bzero(token->value, strlen(token->value));
                free(token->value);
                free(token->type);
                free(token);
        }
        return NULL;
}
