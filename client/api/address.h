/* SPDX-License-Identifier: MIT */
/*
 * Pure: where a request goes. An application as people write it becomes the origin of its URLs, a
 * path a URL on it; and whether a URL that somebody else named is still the same application.
 */
#pragma once

#include <iotc-util.h>

enum {
        ADDRESS_E_HOST = 256, /* no application: neither a host nor a URL that may be spoken to */
        ADDRESS_E_PATH,       /* "//..." or what looks like a host */
        ADDRESS_E_OTHER,      /* a URL on another host */
        ADDRESS_E_CONTROL,    /* a control character */
        ADDRESS_E_FRAGMENT,   /* a "#", behind which nothing is ever sent */
};

typedef struct Address {
        char *origin; /* "https://host[:port]": as a selector, and in front of paths */
        char *host;   /* "host[:port]", lower case, for texts */
} Address;

/*
 * A host, host:port, or a URL with any path and query: https, or http on loopback; no user
 * information. 0 and *ret, to be emptied by address_deinit(); ADDRESS_E_HOST; -ENOMEM.
 */
int address_parse(Address *ret, const char *text);
void address_deinit(Address *address);
/* Was it not said that it speaks http, which on loopback it may? */
bool address_may_speak_http(const Address *address);
/* Is an entry of Account.Apps this application? */
bool address_is_app(const Address *address, const char *app);
/* Is this a URL and not a path? */
bool address_is_url(const char *text);
/*
 * The URL of a path, which may have a query, or of a URL on this application; "/api/", or its first
 * slash, may be left out. What has no place in a URL (RFC 3986) is percent-encoded, what is
 * already, stays. version: the api-version, unless one is there; NULL: none. 0 and *ret (freed by
 * free()), an ADDRESS_E_*, or -ENOMEM.
 */
int address_url(char **ret, const Address *address, const char *path, const char *version);
/* Is an api-version in the query? */
bool address_has_version(const char *path);
/* A path with one more field in its query, name and value encoded. To be freed by free(), NULL when
 * memory is short. */
char *address_add_field(const char *path, const char *name, const char *value);
/* Where a link leads, absolute or relative to base, a URL. As address_url(). */
int address_follow(char **ret, const Address *address, const char *base, const char *link);
