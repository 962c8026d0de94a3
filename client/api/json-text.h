/* SPDX-License-Identifier: MIT */
/*
 * JSON as text: laid out for a person, or a part of it found, without making numbers or objects of
 * it, so that what is shown is what came. The text is valid JSON: common/json-grammar.h says so.
 */
#pragma once

#include <iotc-util.h>

enum {
        JSON_PRETTY_DEPTH =
                160 /* deeper than pages_read_json() takes anything; below it, no colour */
};

/* Lays out what is fed to it, piece by piece. Zeroed at first. */
typedef struct JsonPretty {
        FILE *f;
        bool colour; /* as jq's: names blue, texts green */
        unsigned depth;
        bool in_string, escaped, opened, name;
        bool objects[JSON_PRETTY_DEPTH]; /* of the brackets that are open: is it an object? */
} JsonPretty;

/* White space outside strings goes; what would do something to a terminal is written as \uXXXX. */
void json_pretty_feed(JsonPretty *p, const char *text, size_t n);

/*
 * The value of a member of the outermost object, as it stands in text; of two of one name the last,
 * as json-c has it. True and *ret, *ret_n, or false.
 */
bool json_text_member(const char *text, size_t n, const char *name, const char **ret,
                      size_t *ret_n);
/* The inside of an array's brackets, without the white space at its ends; false for any other. */
bool json_text_inside(const char **text, size_t *n);

/*
 * A string (as json_text_member() gives it, with its quotes) of printable ASCII, its escapes
 * undone: into ret, of n + 1 bytes. False for anything else, and then ret is "". No copy of it is
 * left anywhere.
 */
bool json_text_ascii(const char *value, size_t n, char *ret);
