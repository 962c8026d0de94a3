/* SPDX-License-Identifier: MIT */
/*
 * One grant taken to the token endpoint. It is tried again here only when the request surely never
 * left: a server that rotates strictly takes a second use of the same refresh token for theft and
 * revokes the whole chain, a code works once, so a lost answer is the keeper's to judge.
 */
#pragma once

#include "fetch/event.h"
#include "fetch/http.h"
#include "fetch/request.h"

/* How the answer is read: oauth_read_token() or oauth_read_client(). */
typedef int (*RedeemFn)(Answer *answer, const HttpReply *reply, const char *authority);

/* An Http on the request's way that hides the request's secrets. 0 or -ENOMEM. */
int redeem_http(Http **ret, const Request *request);
/*
 * POST form (borrowed, may be NULL: memory was short) and read the answer, within the request's
 * deadline. secrets: what the form has beside the request's own, ended by NULL; or NULL. 0 with
 * *answer, or -ENOMEM.
 */
int redeem_form(Answer *answer, const Request *request, const char *form,
                const char *const *secrets, RedeemFn read);
