/* SPDX-License-Identifier: MIT */
/*
 * Talking to one application: who asks (an account, whose authorization is fetched anew for each
 * request), and the patience that the service wants: one more try with a new token after a 401,
 * waits that it asks for, a few more tries after faults of its own.
 */
#pragma once

#include <iotc-token.h>

#include "api/address.h"
#include "api/answer.h"
#include "base/bus.h"
#include "base/settings.h"

#define API_VERSION "2022-07-31"

typedef struct Session {
        Http *http;
        Settings settings; /* whose strings http borrows */
        iotc_token_client *client;
        Address address;
        char *account;   /* the name of who asks */
        bool api_token;  /* it gave an API token */
        bool about_it;   /* see AnswerContext */
        bool answered;   /* the application has answered before */
        uint64_t waited; /* seconds of waits since the last success */
} Session;

typedef struct SessionRequest {
        const char *method;
        const char *path;          /* a path, or a URL on the application */
        const char *version;       /* unless the query has one; NULL: API_VERSION */
        const char *content_type;  /* NULL: as the method and the body want it */
        const StringList *headers; /* or NULL */
        const char *body;          /* or NULL */
        size_t n_body;
        const char *authorization; /* instead of the account's own; a 401 is then an answer */
        bool once;                 /* not sent again when it may have been carried out */
        bool at_once;              /* no waiting: not sent again but after a 401 */
        bool to_its_end;           /* signals that wait do not interrupt it */
} SessionRequest;

/*
 * app is a host or a URL on it. account is who asks: a name, or NULL for whom the daemon thinks the
 * right one for the application, which it has to know in any case: no token goes to a mistyped
 * host. 0 and *ret, to be freed by session_free(); or an exit code, the reason having been said.
 */
int session_new(Session **ret, const Verb *verb, const char *app, const char *account);
/*
 * The same for whoever manages API tokens, which is rather a person than an API token: without
 * account, the application's own account if it gives bearer tokens, else the default account if
 * there is one.
 */
int session_new_manager(Session **ret, const Verb *verb, sd_bus *bus, const char *app,
                        const char *account);
Session *session_free(Session *s);
/*
 * 0 when there is an answer of whatever status, or a failure that is told in reply->outcome; or an
 * exit code after what failed on this side has been said. reply: see http_send().
 */
int session_send(Session *s, HttpReply *reply, const SessionRequest *request);
/* The same, but anything other than success is said, too, and its exit code returned. */
int session_ask(Session *s, HttpReply *reply, const SessionRequest *request);
/* answer_fail() in this session's words. */
int session_fail(const Session *s, const HttpReply *reply);

CLEANUP_FUNC(Session, session_free)
