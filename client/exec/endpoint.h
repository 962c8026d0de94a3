/* SPDX-License-Identifier: MIT */
/*
 * A managed-identity endpoint in App Service form (api-version 2019-08-01) on loopback, for one
 * command: libraries that know it get the account's tokens without a change. It asks the daemon at
 * each request and keeps nothing. Microsoft Learn, "How to use managed identities for App Service
 * and Azure Functions", REST endpoint reference.
 */
#pragma once

#include <iotc-util.h>

typedef struct Endpoint Endpoint;

enum {
        ENDPOINT_SECRET_SIZE = 2 * 32 + 1 /* 256 bits in hexadecimal, and a NUL */
};

/*
 * Listen on a port of the kernel's choice, with a secret of its own; nothing is answered before
 * endpoint_serve(). account is an account's name, client_id what answers name (both borrowed). 0,
 * or -errno.
 */
int endpoint_new(Endpoint **ret, const char *account, const char *client_id);
/* Answer from now on, from threads of its own. 0 or -errno. */
int endpoint_serve(Endpoint *e);
/* The socket; borrowed. */
int endpoint_fd(const Endpoint *e);
/* Stops to listen; whoever is being answered is cut off. Wipes. NULL is fine. Returns NULL. */
Endpoint *endpoint_free(Endpoint *e);

/* "http://127.0.0.1:PORT/msi/token"; borrowed. */
const char *endpoint_url(const Endpoint *e);
/* What the header X-IDENTITY-HEADER has to say; borrowed. */
const char *endpoint_secret(const Endpoint *e);

CLEANUP_FUNC(Endpoint, endpoint_free)
