/* SPDX-License-Identifier: MIT */
/*
 * JSON, written as it goes to a stream: nothing to build, no copy of a secret left behind, and
 * no library to load for the sake of `iotc-token get`. One object or array is one line.
 */
#pragma once

#include <iotc-util.h>

typedef struct JsonOut {
        FILE *f;
        bool comma; /* the next member wants a comma before it */
} JsonOut;

/* Members in order; key is NULL inside an array and for the outermost bracket. */
void json_out_open(JsonOut *out, const char *key, char bracket);
void json_out_close(JsonOut *out, char bracket);
/* value NULL is written as null; text is UTF-8. */
void json_out_string(JsonOut *out, const char *key, const char *value);
void json_out_uint(JsonOut *out, const char *key, uint64_t value);
void json_out_int(JsonOut *out, const char *key, int64_t value);
void json_out_bool(JsonOut *out, const char *key, bool value);
/* A time in seconds since 1970, and beside it KEY_iso in RFC 3339, null for 0. */
void json_out_time(JsonOut *out, const char *key, uint64_t value);
/* The end of the line. */
void json_out_end(JsonOut *out);
