/* SPDX-License-Identifier: MIT */
/*
 * The roles of an application, built-in and custom, by name or id: people know the names, the API
 * takes the ids.
 */
#pragma once

#include "api/pages.h"

/* GET /api/roles: an array of {id, displayName}, freed by json_object_put(). 0 or an exit code. */
int roles_load(Session *s, json_object **ret);
/*
 * The id of a role given by its id or, upper and lower case alike, its name ("Operator", "App
 * Operator"). Borrowed from roles. NULL when there is none, or more than one, which has been said
 * together with what there is.
 */
const char *roles_find(json_object *roles, const char *host, const char *word);
/* The name of a role, or its id when roles (may be NULL) doesn't have it. Borrowed. */
const char *roles_name(json_object *roles, const char *id);
/* A member that is a string, or "". Borrowed. */
const char *member_string(json_object *object, const char *name);
