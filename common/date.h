/* SPDX-License-Identifier: MIT */
/*
 * A server's dates. Not by curl_getdate(): a time_t of libcurl's need not be one of ours (on i386
 * its has 32 bits, ours 64: see meson.build). Pure.
 */
#pragma once

#include <iotc-util.h>

/* HTTP-date in its three forms (RFC 9110 section 5.6.7): s since 1970, 0: it is none, or earlier.
 */
uint64_t date_from_http(const char *text);
