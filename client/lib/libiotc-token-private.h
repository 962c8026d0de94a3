/* SPDX-License-Identifier: MIT */
/*
 * What the library's synchronous and asynchronous halves share: the client, and the calls as
 * messages.
 */
#pragma once

#include <iotc-dbus.h>
#include <iotc-token.h>
#include <iotc-util.h>

struct iotc_token_client {
        sd_bus *bus;        /* NULL until the first call, and after the connection was lost */
        int fd;             /* its socket; borrowed */
        pid_t opened;       /* who opened it: in the child of a fork(2) it is of no use */
        uint64_t ready_end; /* CLOCK_MONOTONIC: nobody answers at the daemon's socket */
        int lost; /* why the last one was lost: -errno, for the calls that went out on it */
        sd_bus_error error;
        iotc_token_call *calls; /* under way, or lost and not yet told so */
        bool processing;        /* inside iotc_token_process() */
        bool closed;            /* by a callback: freed when that returns */
};

/*
 * A call that only asks, so that it may be made once more when the daemon or the connection went
 * away before the reply.
 */
typedef struct Request {
        const char *member; /* GetToken, GetAuthorization, FindAccount; NULL: none of them */
        const char *selector;
        iotc_token_options options;
        uint64_t end_usec; /* of the caller's time, CLOCK_MONOTONIC */
        bool wait;         /* for the connection, too */
        bool again;
} Request;

/* Texts are borrowed. 0 or -EINVAL. */
int request_init(Request *request, const char *member, const char *selector,
                 const iotc_token_options *options);
/* The answer to it, with error, was that it can't be had: may it be asked once more, now? */
bool request_again(Request *request, const sd_bus_error *error);

/* A failure on our side of the wire. Returns r. */
int client_failed(iotc_token_client *client, int r);
/* The connection is lost, because of r: calls that went out on it are told so, or made again. */
void client_drop(iotc_token_client *client, int r);
/* Use this connection from now on. */
void client_use(iotc_token_client *client, sd_bus *bus);
/* After a fork(2): the parent's connection is the parent's. */
void client_leave_parent(iotc_token_client *client);
/* Start a call: forget the last error, and see to it that there is a connection. 0, or a negative
 * errno that has been told to the client, as from the three below. */
int client_call_new(iotc_token_client *client, sd_bus_message **ret, const char *member, bool wait);
/* The request, ready to be sent, and how long to wait for its answer, in µs. */
int client_get_new(iotc_token_client *client, sd_bus_message **ret, uint64_t *ret_timeout_usec,
                   const Request *request);
int client_report_new(iotc_token_client *client, sd_bus_message **ret, const char *selector,
                      const char *token, const char *www_authenticate, bool wait);
/* The token in a reply to GetToken (typed) or GetAuthorization. 0 or -errno. */
int token_read(iotc_token **ret, sd_bus_message *reply, bool typed);

CLEANUP_FUNC(iotc_token, iotc_token_free)
