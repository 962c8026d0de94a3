/* SPDX-License-Identifier: MIT */
/*
 * The options -f and -F of iotc-token api, as gh-api(1) has them: KEY=VALUE, KEY[SUB]=VALUE and
 * KEY[]=VALUE, which become a JSON object, or fields of a query.
 */
#pragma once

#include <json-c/json.h>

#include "base/args.h"

/* The name of -f for fields: the value as it is. Of any other option it has a type. */
#define FIELDS_RAW "raw-field"

/*
 * fields: the option's name and its value, by turns (OPTION_NAMED). Typed, true, false, null and
 * whole numbers are such; @FILE and @- are what is in there. 0 and *ret, to be freed by
 * json_object_put(); or an exit code, the reason having been said.
 */
int fields_to_json(const Verb *verb, json_object **ret, const StringList *fields);
/* The same as fields of a query. 0 and *ret, path with them, to be freed by free(). */
int fields_to_query(const Verb *verb, char **ret, const char *path, const StringList *fields);
