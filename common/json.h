/* SPDX-License-Identifier: MIT */
/*
 * JSON that may hold secrets, both ways. Reading is json-c's, with every buffer wiped;
 * writing is a small writer of our own, because json-c's leaves copies behind as it grows.
 */
#pragma once

#include <iotc-util.h>

typedef struct json_object Json;
typedef struct JsonWriter JsonWriter;

/* A text under construction: one object or array, wiped when it grows and when it is freed. */
struct JsonWriter {
        char *buf;   /* NUL-terminated once something was written */
        size_t n;    /* bytes written */
        size_t size; /* bytes allocated */
        bool comma;  /* the next member wants a comma before it */
        bool failed; /* memory was short: json_writer_finish() says so */
};

/*
 * Parse text[0..n) as exactly one JSON object (RFC 8259, see json-grammar.h; at most 16 deep, white
 * space around it allowed). 0 and *ret, to be freed by json_free(); -EBADMSG when it is anything
 * else; -ENOMEM.
 */
int json_parse(Json **ret, const char *text, size_t n);
/* Wipe every string inside and free. NULL is fine. Returns NULL. */
Json *json_free(Json *object);
/* Is there such a member, and not null? */
bool json_has(Json *object, const char *key);
/* Borrowed string member; NULL when absent, no string, or with an embedded NUL. */
const char *json_string(Json *object, const char *key);
/*
 * A number of whole units: an integer, a float (cut off) or a string of digits, as some Entra
 * endpoints send it. 0 and *ret; -ENOENT when absent or null; -EBADMSG when negative or no number.
 */
int json_uint(Json *object, const char *key, uint64_t *ret);
/* Is there such a member, and is it the literal false? */
bool json_is_false(Json *object, const char *key);
/* Borrowed array member's length (0 when absent or no array) and its i-th object (else NULL). */
size_t json_array_length(Json *object, const char *key);
Json *json_array_object(Json *object, const char *key, size_t i);

/* Write members in order; key NULL inside an array. Failure is kept and told by _finish(). */
void json_writer_open(JsonWriter *w, const char *key, char bracket);
void json_writer_close(JsonWriter *w, char bracket);
/* A NULL value writes nothing. Invalid UTF-8 is the caller's bug: the bytes go out as they are. */
void json_writer_string(JsonWriter *w, const char *key, const char *value);
void json_writer_uint(JsonWriter *w, const char *key, uint64_t value);
void json_writer_false(JsonWriter *w, const char *key);
/* The text (free by secret_free()) and its length (may be NULL); 0 or -ENOMEM. Empties the writer.
 */
int json_writer_finish(JsonWriter *w, char **ret, size_t *ret_n);
/* Wipe and free what was written. */
void json_writer_deinit(JsonWriter *w);

CLEANUP_FUNC(Json, json_free)
