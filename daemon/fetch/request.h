/* SPDX-License-Identifier: MIT */
/*
 * What the fetcher is asked: the one line of JSON on standard input, as contract section 6 names
 * its fields. Strict: a field that is there has the right type and can do no harm where it goes
 * (a URL, a form, an argument of az). Which fields a source needs, the source says itself.
 */
#pragma once

#include <iotc-util.h>

enum {
        REQUEST_TIME_DEFAULT = 900, /* seconds */
        REQUEST_TIME_MAX = 3600,
        REQUEST_REASON_MAX = 256,
};

typedef struct Request Request;

/* Every string may be NULL: the request did not name it, or named it empty. */
struct Request {
        char *source;
        char *method;
        char *authority; /* without a slash at the end */
        char *tenant;
        char *client_id;
        char *resource;
        char *refresh_token;
        char *client_secret;
        char *claims; /* the text of one JSON object */
        char *config_dir;
        char *az;
        char *subscription;
        char *proxy;
        char *proxy_credentials; /* path */
        char *ca_bundle;
        uint64_t deadline_usec; /* CLOCK_BOOTTIME: its `deadline` seconds from the parsing on */
};

/*
 * Parse a line of n bytes. 0 and *ret, to be freed by request_free(); -EBADMSG and in reason
 * a clean text without any value of the request.
 */
int request_parse(Request **ret, char reason[REQUEST_REASON_MAX], const char *line, size_t n);
/* Wipes all of it. NULL is fine. Returns NULL. */
Request *request_free(Request *request);

CLEANUP_FUNC(Request, request_free)
