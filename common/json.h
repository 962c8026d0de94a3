/* SPDX-License-Identifier: MIT */
/*
 * JSON that may hold secrets, both ways: every buffer that is freed is wiped first. Not json-c's,
 * which leaves copies behind as it grows, and drops a member without a word when memory is short.
 */
#pragma once

#include <iotc-util.h>

typedef struct Json Json;
typedef struct JsonWriter JsonWriter;

/* A text under construction, wiped when it grows; or one that goes to a stream as it is written, so
 * that no copy of a secret is made. Zeroed at first, but for f. */
struct JsonWriter {
        FILE *f;     /* or NULL: into buf */
        char *buf;   /* NUL-terminated once something was written */
        size_t n;    /* bytes written */
        size_t size; /* bytes allocated */
        bool comma;  /* the next member wants a comma before it */
};

/*
 * Parse text[0..n) as exactly one JSON object (RFC 8259, see json-grammar.h; at most 16 deep, white
 * space around it allowed). 0 and *ret, to be freed by json_free(); -EBADMSG when it is anything
 * else. Half a pair of surrogates is read as U+FFFD.
 */
int json_parse(Json **ret, const char *text, size_t n);
/* Wipe every string inside and free. NULL is fine. Returns NULL. */
Json *json_free(Json *object);
/* Is there such a member, and not null? */
bool json_has(const Json *object, const char *key);
/* Borrowed string member; NULL when absent, no string, or with an embedded NUL. */
const char *json_string(const Json *object, const char *key);
/*
 * A number of whole units: an integer, a float (cut off) or a string of digits, as some Entra
 * endpoints send it. 0 and *ret; -ENOENT when absent or null; -EBADMSG when negative or no number.
 */
int json_uint(const Json *object, const char *key, uint64_t *ret);
/* Is there such a member, and is it the literal false? */
bool json_is_false(const Json *object, const char *key);
/* The first element of an array member, and the one after an element; NULL when there is none. What
 * is no object has no members. */
const Json *json_first(const Json *object, const char *key);
const Json *json_next(const Json *element);

/*
 * Write members in order; key is NULL inside an array and for the outermost bracket. What would do
 * something to a terminal (text_is_control()) is escaped. Invalid UTF-8 is the caller's bug: the
 * bytes go out as they are.
 */
void json_writer_open(JsonWriter *w, const char *key, char bracket);
void json_writer_close(JsonWriter *w, char bracket);
/* A NULL value writes nothing. */
void json_writer_string(JsonWriter *w, const char *key, const char *value);
void json_writer_string_or_null(JsonWriter *w, const char *key, const char *value);
void json_writer_uint(JsonWriter *w, const char *key, uint64_t value);
void json_writer_int(JsonWriter *w, const char *key, int64_t value);
void json_writer_bool(JsonWriter *w, const char *key, bool value);
/* The end of a line. */
void json_writer_end(JsonWriter *w);
/* The text (free by secret_free()) and its length (ret_n may be NULL). Empties the writer. */
char *json_writer_finish(JsonWriter *w, size_t *ret_n);

CLEANUP_FUNC(Json, json_free)
