/* SPDX-License-Identifier: MIT */
/*
 * What went wrong at a token endpoint, told from its answer alone: the classification table of
 * OAuth's and Entra's errors, and the words a person reads. Pure. oauth.c reads what went well.
 */
#pragma once

#include "common/http.h"
#include "common/json.h"
#include "fetch/event.h"

/*
 * Fill *answer from a reply that is no success. object is its body, NULL when that is no JSON
 * object; authority is a URL, its host is named in the text. Always leaves an answer.
 */
void oauth_read_error(Answer *answer, const HttpReply *reply, const Json *object,
                      const char *authority);
/*
 * A client with a secret of its own was refused, by invalid_client or unauthorized_client: say so,
 * instead of what helps a person's client. Leaves any other answer alone.
 */
void oauth_blame_client(Answer *answer, const HttpReply *reply, const char *authority);
/*
 * The same as oauth_read_error() from a redirect (RFC 6749 section 4.1.2.1): its error and its
 * error_description, which may be NULL.
 */
void oauth_read_redirect(Answer *answer, const char *error, const char *description,
                         const char *authority);
/* The answer was a success and holds something that can't be used: `what` says which part. */
void oauth_unusable(Answer *answer, const char *authority, const char *what);
/*
 * "AADSTS50173: The grant has expired." of an error_description that goes on with trace ids: the
 * first sentence, clean, to be freed by free(). NULL for NULL and for nothing.
 */
char *oauth_sentence(const char *description);
