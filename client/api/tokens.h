/* SPDX-License-Identifier: MIT */
/*
 * API tokens at the application: the calls of its REST API for them. Each function says what
 * failed.
 */
#pragma once

#include "api/pages.h"

typedef struct CreatedToken {
        char *secret;   /* the token; wiped by created_token_deinit() */
        char *expiry;   /* as the service wrote it, or "" */
        bool may_exist; /* it was created, or may have been: to be put away if it can't be kept */
} CreatedToken;

void created_token_deinit(CreatedToken *token);

/* All of them: an array of {id, roles, expiry}, freed by json_object_put(). 0 or an exit code. */
int tokens_load(Session *s, json_object **ret);
/* One of them, or NULL. Borrowed from tokens. */
json_object *tokens_find(json_object *tokens, const char *id);
/*
 * Create one. roles is the array of {role, organization} (borrowed), expiry RFC 3339 or NULL. 0, or
 * an exit code; ret->may_exist tells then, too, whether there may be one now.
 */
int tokens_create(Session *s, CreatedToken *ret, const char *id, json_object *roles,
                  const char *expiry);
/* Does the application take it? A GET with it; patient, because a token may need a moment. */
int tokens_prove(Session *s, const char *secret);
/* Delete one. 0, also when there was none and to_its_end; or an exit code. */
int tokens_delete(Session *s, const char *id, bool to_its_end);
/* Put away what was created in vain, and say what has become of it. Returns code. */
int tokens_undo(Session *s, const char *id, int code);
/* "/api/apiTokens/ID", freed by free(); NULL without memory. */
char *tokens_path(const char *id);
