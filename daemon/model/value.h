/* SPDX-License-Identifier: MIT */
/*
 * What the value of one setting may be. The values end in URLs, in arguments of az and in messages
 * on a bus, so each is checked where it comes in, and put into its one spelling, so that two that
 * mean the same compare equal. Hosts and URLs are in host.h.
 */
#pragma once

#include <iotc-util.h>

/* All: a checked copy in *ret (caller frees); 0 or -EINVAL. */
int value_read_any(char **ret, const char *value);
/* auto, browser, device-code. */
int value_read_sign_in(char **ret, const char *value);
/* A GUID, a domain, common, organizations or consumers: [A-Za-z0-9.-]{1,253}, to lower case. */
int value_read_tenant(char **ret, const char *value);
/* [A-Za-z0-9-]{1,64} */
int value_read_client_id(char **ret, const char *value);
/*
 * What a token is for: an absolute URI (RFC 3986, section 4.3) of printable ASCII, at most
 * URL_LENGTH_MAX bytes, or a GUID, to lower case. "/.default" at its end, which makes a scope of a
 * resource, is taken off; any other scope can't be told from a resource.
 */
int value_read_resource(char **ret, const char *value);
/* Text for a person, at most SUBSCRIPTION_LENGTH_MAX bytes, fit to be an argument. */
int value_read_subscription(char **ret, const char *value);
/* An absolute path of clean text. Nothing is looked up. */
int value_read_path(char **ret, const char *value);
