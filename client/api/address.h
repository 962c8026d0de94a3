/* SPDX-License-Identifier: MIT */
/*
 * Pure: where a request goes. An application as people write it becomes the origin of its URLs, a
 * path a URL on it; and whether a URL that somebody else named is still the same application.
 */
#pragma once

#include <iotc-util.h>

enum {
        ADDRESS_E_HOST = 256, /* no application: neither a host nor a URL that may be spoken to */
        ADDRESS_E_PATH,       /* neither a path that begins with "/" nor a URL */
        ADDRESS_E_OTHER,      /* a URL on another host */
        ADDRESS_E_VERSION,    /* an api-version is in the query already */
};

typedef struct Address {
        char *origin; /* "https://host[:port]": as a selector, and in front of paths */
        char *host;   /* "host[:port]", lower case, as Account.Apps has it, and for texts */
} Address;

/*
 * A host, host:port, or a URL with any path and query: https, or http on loopback; no user
 * information. 0 and *ret, to be emptied by address_deinit(); ADDRESS_E_HOST; -ENOMEM.
 */
int address_parse(Address *ret, const char *text);
void address_deinit(Address *address);
/* Is this a URL and not a path? */
bool address_is_url(const char *text);
/*
 * The URL of a path (which may have a query), or a URL as it is if it is on this application, with
 * api-version in its query: version, or what is there already. version_asked: it has to be version.
 * 0 and *ret (freed by free()), an ADDRESS_E_*, or -ENOMEM.
 */
int address_url(char **ret, const Address *address, const char *path, const char *version,
                bool version_asked);
/* Is url one of this very origin, without user information? What follows is trusted with a token.
 */
bool address_has(const Address *address, const char *url);
