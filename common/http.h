/* SPDX-License-Identifier: MIT */
/*
 * The one place of libcurl: one request and its answer, in memory that is wiped. It owns TLS, the
 * proxy, limits of time and size. No redirect is followed, nothing but https is spoken (http to
 * loopback only, then past any proxy), nothing is logged.
 */
#pragma once

#include <iotc-util.h>

enum {
        HTTP_HEAD_MAX = 256 * 1024,  /* bytes of an answer's headers */
        HTTP_CONNECT_MAX = 15,       /* seconds to connect */
        HTTP_RETRY_AFTER_MAX = 3600, /* seconds: a server's wish is believed up to this */
        HTTP_ERROR_MAX = 512,
        HTTP_SECRETS_MAX = 8, /* of http_hide() */
};

/* How a request ended that got no answer. */
enum {
        _HTTP_E_SUCCESS,
        HTTP_E_NO_HOST,     /* nobody has that name (HttpOptions.ask_for_host) */
        HTTP_E_UNSENT,      /* no request left this machine whole: sending it again is harmless */
        HTTP_E_CERTIFICATE, /* the same: the server's certificate is not trusted */
        HTTP_E_LOST,        /* it may have been received, the answer was not */
        HTTP_E_SETTING,     /* never works with this proxy, its credentials or this CA bundle */
        HTTP_E_TOO_LARGE,   /* more than HttpOptions.body_max, or HTTP_HEAD_MAX */
        HTTP_E_INTERRUPTED, /* as HttpOptions.interrupted said */
};

typedef struct Http Http;

/* Borrowed for as long as the Http lives. */
typedef struct HttpOptions {
        const char *proxy;             /* NULL: as the environment says */
        const char *proxy_credentials; /* path of a file, see credentials.h; or NULL */
        const char *ca_bundle;         /* path of a file; NULL: the system's */
        size_t body_max;               /* bytes of an answer */
        bool ask_for_host;             /* of a name that can't be resolved: is it unknown? */
        int (*interrupted)(void);      /* asked while it waits: not 0 ends it; or NULL */
} HttpOptions;

typedef struct HttpRequest {
        const char *method;
        const char *url;            /* one that host_url_is_safe() lets pass */
        const char *authorization;  /* the header's value, or NULL */
        const char *content_type;   /* NULL: none, or among headers */
        const char *const *headers; /* n_headers times "Name: value" */
        size_t n_headers;
        const char *body; /* or NULL */
        size_t n_body;
        uint64_t timeout_msec;
        bool once; /* on a connection of its own: on one that is kept, libcurl may send it twice */
        bool to_its_end; /* HttpOptions.interrupted is not asked */
} HttpRequest;

/* Plain data, so that what reads it is pure. Zeroed at first. */
typedef struct HttpReply {
        int outcome;                /* 0 or HTTP_E_* */
        char error[HTTP_ERROR_MAX]; /* for a person, clean; when outcome is not 0 */
        long status;                /* HTTP status; 0 when outcome is not 0 */
        char *head; /* status line and headers as they came, NUL-terminated; never NULL */
        size_t n_head;
        char *body; /* NUL-terminated, never NULL */
        size_t n_body;
        char *content_type, *www_authenticate, *location; /* or NULL */
        uint64_t sent_usec;   /* CLOCK_BOOTTIME, just before the request went out */
        uint64_t date;        /* the server's Date, seconds since 1970; 0: none */
        uint64_t retry_after; /* seconds, at most HTTP_RETRY_AFTER_MAX; 0: none */
        bool has_retry_after;
} HttpReply;

/* A way that can't be gone is told by http_send(). */
Http *http_new(const HttpOptions *options);
/* NULL is fine. Returns NULL. */
Http *http_free(Http *http);
/* Leave this secret (borrowed, may be NULL) out of HttpReply.error, and of what http_redact()
 * has seen to. */
void http_hide(Http *http, const char *secret);
/*
 * Blocks until the answer is there. Fills *reply, to be emptied by http_reply_deinit(). A
 * connection is kept for the next request.
 */
void http_send(Http *http, HttpReply *reply, const HttpRequest *request);
/* Take the secrets out of an answer's body, for it is to be shown to a person. */
void http_redact(Http *http, HttpReply *reply);
/* Wipes it: an answer may hold secrets. */
void http_reply_deinit(HttpReply *reply);
/* May the server have seen the request? */
bool http_was_sent(const HttpReply *reply);

/*
 * What a Retry-After asks for (RFC 9110 section 10.2.3): digits, or a date as seen from `date`, the
 * server's own clock. True and *ret, seconds, at most HTTP_RETRY_AFTER_MAX; false when it is
 * neither.
 */
bool http_retry_after(uint64_t *ret, const char *value, uint64_t date);

CLEANUP_FUNC(Http, http_free)
