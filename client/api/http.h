/* SPDX-License-Identifier: MIT */
/*
 * The one place of libcurl: one request and its answer. It owns TLS, proxy, time and size limits
 * and knows nothing of IoT Central. No redirect is followed, nothing but https is spoken (http to
 * loopback only, then past any proxy), nothing is logged.
 */
#pragma once

#include <iotc-util.h>

#include "base/args.h"

enum {
        HTTP_BODY_MAX = 64 * 1024 * 1024,
        HTTP_HEAD_MAX = 256 * 1024,
        HTTP_CONNECT_MAX = 15,       /* seconds to connect */
        HTTP_TIME_MAX = 300,         /* seconds a request */
        HTTP_TIME_END_MAX = 30,      /* seconds of one that signals do not interrupt */
        HTTP_RETRY_AFTER_MAX = 3600, /* seconds: a server's wish is believed up to this */
        HTTP_ERROR_MAX = 256,
};

/* How a request ended that got no answer. */
enum {
        _HTTP_E_SUCCESS,
        HTTP_E_NO_HOST, /* nobody is called so */
        HTTP_E_UNSENT, /* no request left this machine whole: trying again can't do a thing twice */
        HTTP_E_LOST,   /* it may have been received, the answer was not */
        HTTP_E_SETTING,     /* never works with this proxy or these certificates */
        HTTP_E_TOO_LARGE,   /* more than HTTP_BODY_MAX or HTTP_HEAD_MAX */
        HTTP_E_INTERRUPTED, /* one of loop.h's signals has come while they are blocked */
};

typedef struct Http Http;

typedef struct HttpRequest {
        const char *method;
        const char *url;           /* https, or http on loopback */
        const char *authorization; /* the header's value */
        const char *content_type;  /* NULL: none, or among headers */
        const StringList *headers; /* "Name: value" more, or NULL */
        const char *body;          /* NULL: none */
        size_t n_body;
        bool once; /* on a connection of its own: on one that is kept, libcurl may send it twice */
        bool to_its_end; /* signals that wait do not interrupt it */
} HttpRequest;

/* Plain data, so that what reads it is pure. Zeroed at first; HTTP_E_* in outcome. */
typedef struct HttpReply {
        int outcome;
        char error[HTTP_ERROR_MAX]; /* for a person; when outcome is not 0 */
        long status;
        char *head; /* status line and headers as they came, NUL-terminated */
        size_t n_head;
        char *body; /* NUL-terminated */
        size_t n_body;
        char *content_type, *www_authenticate, *location; /* or NULL */
        uint64_t retry_after; /* seconds, at most HTTP_RETRY_AFTER_MAX; 0 = none */
        bool has_retry_after;
} HttpReply;

/* proxy and ca_bundle may be NULL: then the environment's proxy, the system's CAs. 0 or -ENOMEM. */
int http_new(Http **ret, const char *proxy, const char *ca_bundle);
/* NULL is fine. Returns NULL. */
Http *http_free(Http *http);
/*
 * Blocks until the answer is there. 0 with *reply filled, to be emptied by http_reply_deinit(),
 * also when it came to an HTTP_E_*; or -ENOMEM. A connection is kept for the next request.
 */
int http_send(Http *http, HttpReply *reply, const HttpRequest *request);
/* Wipes it: an answer may hold secrets. */
void http_reply_deinit(HttpReply *reply);

CLEANUP_FUNC(Http, http_free)
