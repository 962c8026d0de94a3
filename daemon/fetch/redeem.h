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

/*
 * POST form (borrowed, may be NULL: memory was short) and read the answer, within the request's
 * deadline. 0 with *answer, or -ENOMEM.
 */
int redeem_form(Answer *answer, const Request *request, const char *form, RedeemFn read);
