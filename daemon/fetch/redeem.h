/* SPDX-License-Identifier: MIT */
/*
 * One grant taken to the token endpoint. It is tried again here only when the request surely never
 * left: a server that rotates strictly takes a second use of the same refresh token for theft and
 * revokes the whole chain, a code works once, so a lost answer is the keeper's to judge.
 */
#pragma once

#include "common/http.h"
#include "fetch/event.h"
#include "fetch/request.h"

/* How the answer is read: oauth_read_token() or oauth_read_client(). */
typedef void (*RedeemFn)(Answer *answer, const HttpReply *reply, const char *authority);

/* An Http on the request's way that hides the request's secrets. */
Http *redeem_http(const Request *request);
/*
 * POST an application/x-www-form-urlencoded form once, within the request's deadline. *reply is to
 * be emptied by http_reply_deinit(); the secrets are out of an answer that is no success.
 */
void redeem_post(Http *http, HttpReply *reply, const Request *request, const char *url,
                 const char *form);
/*
 * POST the form to the token endpoint, as often as it is not sent, and read the answer into
 * *answer. secrets: what the form has beside the request's own, ended by NULL; or NULL.
 */
void redeem_form(Answer *answer, const Request *request, const char *form,
                 const char *const *secrets, RedeemFn read);
