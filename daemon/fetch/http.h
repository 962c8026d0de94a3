/* SPDX-License-Identifier: MIT */
/*
 * The one place of libcurl: an HTTP POST of a form, its answer in memory that is wiped. It owns
 * TLS, proxy, time and size limits and knows nothing of OAuth. No redirect is followed, nothing
 * but https is spoken (http to loopback only, then past any proxy), nothing is logged.
 */
#pragma once

#include <iotc-util.h>

enum {
        HTTP_BODY_MAX = 1024 * 1024,
        HTTP_TIME_MAX = 30,    /* seconds a request */
        HTTP_CONNECT_MAX = 15, /* seconds of them to connect */
        HTTP_ERROR_MAX = 512,
        HTTP_SECRETS_MAX = 8, /* of http_hide() */
};

/* Named outcomes of http_post(). */
enum {
        _HTTP_E_SUCCESS,
        HTTP_E_UNSENT, /* no request left this machine whole: trying again can't do a thing twice */
        HTTP_E_LOST,   /* it may have been received, the answer was not */
        HTTP_E_SETTING, /* never works with this proxy, its credentials or this CA bundle */
};

typedef struct Http Http;
typedef struct HttpWay HttpWay;
typedef struct HttpReply HttpReply;

/* The way to a server: borrowed for as long as the Http lives, each may be NULL. */
struct HttpWay {
        const char *proxy;             /* NULL: as the environment says */
        const char *proxy_credentials; /* path of a file, see common/credentials.h */
        const char *ca_bundle;         /* path of a file; NULL: the system's */
};

/* Plain data, so that what reads it is pure. Zeroed at first. */
struct HttpReply {
        int outcome;                /* 0 or HTTP_E_* */
        char error[HTTP_ERROR_MAX]; /* for a person, clean; when outcome is not 0 */
        long status;                /* HTTP status; 0 when outcome is not 0 */
        char *body;                 /* NUL-terminated, never NULL when outcome is 0 */
        size_t n_body;
        uint64_t sent_usec;   /* CLOCK_BOOTTIME, just before the request went out */
        uint64_t date;        /* the server's Date, seconds since 1970; 0 = none */
        uint64_t retry_after; /* seconds, at most LIMIT_RETRY_AFTER_SECONDS; 0 = none */
};

/* 0 or -ENOMEM. A way that can't be gone is told by http_post(). */
int http_new(Http **ret, const HttpWay *way);
/* NULL is fine. Returns NULL. */
Http *http_free(Http *http);
/* Take this secret (borrowed, may be NULL), in whatever form, out of any answer but a success. */
void http_hide(Http *http, const char *secret);
/*
 * POST an application/x-www-form-urlencoded form (borrowed) to a URL that passed
 * http_url_is_safe(). Blocks until the answer is there, at most until deadline_usec. 0 with *reply
 * filled, to be emptied by http_reply_deinit(), also when it came to an HTTP_E_*; or -ENOMEM.
 */
int http_post(Http *http, HttpReply *reply, const char *url, const char *form,
              uint64_t deadline_usec);
void http_reply_deinit(HttpReply *reply);
/* Of http_post()'s result: may the server have seen the request? */
bool http_was_sent(int r, const HttpReply *reply);

/*
 * Seconds that a Retry-After asks for (RFC 9110 section 10.2.3): digits, or a date as seen from
 * `date`, the server's own clock. 0 when it is neither or in the past; at most
 * LIMIT_RETRY_AFTER_SECONDS.
 */
uint64_t http_retry_after(const char *value, uint64_t date);
/* https, or http to localhost, 127.0.0.0/8 or ::1; no user information, nothing to be quoted. */
bool http_url_is_safe(const char *url);
/* The host of a URL, clean, for a text; "the server" when there is none. Into text, returned. */
const char *http_url_host(const char *url, char text[HTTP_ERROR_MAX]);

CLEANUP_FUNC(Http, http_free)
