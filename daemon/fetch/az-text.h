/* SPDX-License-Identifier: MIT */
/*
 * az's bytes, before anybody asks what they mean. Python, extensions and libraries write into the
 * same streams, and az repeats names that people have chosen: none of that is az's word. Pure.
 */
#pragma once

#include "common/json.h"

/*
 * The one JSON object with a member of this name in what az printed, whatever is written around it
 * (escape sequences of a terminal, warnings). 0 and *ret, to be freed by json_free(); -ENOENT:
 * there is none; -EEXIST: there are several.
 */
int az_text_object(Json **ret, const char *out, size_t n, const char *member);
/*
 * What az printed in place of an object: its first line, for a person, without anything that may be
 * a token. To be freed by free(); NULL when there is nothing to show.
 */
char *az_text_excerpt(const char *out);
/*
 * The messages in what az wrote to standard error, one a line: without the frames and the code of a
 * traceback and the warnings of Python, and with '' for quoted names, and nothing for addresses and
 * paths. To be freed by free().
 */
char *az_text_messages(const char *err);
