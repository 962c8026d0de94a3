/* SPDX-License-Identifier: MIT */
/*
 * Hosts and URLs as people write them, made comparable: an application is "host" or "host:port" in
 * lower case, without trailing dot and default port, and with "http://" in front if it speaks that.
 * A selector, the setting `apps` and the host of any URL are this one grammar. Pure text; nothing
 * is resolved.
 */
#pragma once

#include <iotc-util.h>

/* Bytes of a URL or URI in a setting or a selector. */
#define URL_LENGTH_MAX 2048

/*
 * A host name, host:port, or an https URL (http on loopback only) with any path and query, to
 * "host" or "host:port", for an http URL to "http://host" or "http://host:port"; the port is left
 * out when it is 443, or 80 of an http URL. IPv6 in brackets. What it made, it reads as the same.
 * 0 and *ret (caller frees); -EINVAL for everything else: user information, other schemes, control
 * characters, empty labels, over 253 characters.
 */
int host_normalize(char **ret, const char *text);
/* A normalized host without "http://". Borrowed. */
const char *host_name(const char *host);
/* Are two normalized hosts the same name and port? Only one of http and https is spoken there, and
 * who leaves the scheme out means either. */
bool host_equal(const char *a, const char *b);
bool host_in(char *const *hosts, const char *host); /* a list that ends with NULL, or NULL */
/* Is the normalized host suffix itself or below it at a dot? suffix is compared in lower case, a
 * leading dot is ignored. Hosts with a port are never under a suffix. */
bool host_under(const char *host, const char *suffix);
/* localhost, *.localhost, 127.0.0.0/8 or [::1], with or without a port. */
bool host_is_loopback(const char *host);
/*
 * A URL that may be spoken to: https, or http on loopback; no user information, query, fragment or
 * control characters. *ret is without trailing slashes (caller frees). 0 or -EINVAL.
 */
int host_check_url(char **ret, const char *url);
/* May this URL be spoken to as it stands, with whatever path, query and fragment? As above: https,
 * or http to loopback, no user information; and nothing in it that has to be quoted. */
bool host_url_is_safe(const char *url);
/* The host of a URL, without its port, for a text: "the server" when it is none. Caller frees. */
char *host_of_url(const char *url);
