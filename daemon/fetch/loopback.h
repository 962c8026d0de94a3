/* SPDX-License-Identifier: MIT */
/*
 * The one place of libmicrohttpd: an HTTP server on this machine's loopback, at a port that the
 * kernel picks, for the redirect at the end of a sign-in (RFC 8252 section 7.3). It answers GET
 * requests whose Host is its own and refuses the rest; it runs only inside loopback_run(), on the
 * caller's thread, so that no callback needs a lock.
 */
#pragma once

#include <iotc-util.h>

enum {
        LOOPBACK_CONNECTIONS_MAX = 64,   /* at once, for each of 127.0.0.1 and ::1 */
        LOOPBACK_HEADER_MAX = 32 * 1024, /* bytes of a request: a code has 1 to 2 kB */
        LOOPBACK_IDLE_MAX = 10,          /* seconds that a client may do nothing */
};

typedef struct Loopback Loopback;
typedef struct LoopbackRequest LoopbackRequest;
typedef struct LoopbackPage LoopbackPage;

/* The answer. Zeroed at first, which is 500 with nothing in it. */
struct LoopbackPage {
        unsigned int status;  /* HTTP */
        char *html;           /* free()able; taken over */
        const char *location; /* a path, or NULL: the browser is sent there (303), and awaited */
        bool last;            /* loopback_run() ends once the browser has it */
};

/* May block: everybody else waits meanwhile. */
typedef void (*LoopbackFn)(LoopbackPage *page, const LoopbackRequest *request, void *userdata);

/* Listen on 127.0.0.1 and, where there is IPv6, on ::1, at one port. 0 or -errno. */
int loopback_new(Loopback **ret, LoopbackFn fn, void *userdata);
/* NULL is fine. Returns NULL. */
Loopback *loopback_free(Loopback *l);
uint16_t loopback_port(const Loopback *l);
/*
 * Serve until a page was the last one, or until that moment of CLOCK_BOOTTIME. 0 or -errno of
 * poll(2).
 */
int loopback_run(Loopback *l, uint64_t until_usec);

/* The path, decoded; borrowed. */
const char *loopback_path(const LoopbackRequest *request);
/* A parameter of the query, decoded; borrowed; NULL when it is not there. */
const char *loopback_query(const LoopbackRequest *request, const char *name);

CLEANUP_FUNC(Loopback, loopback_free)
