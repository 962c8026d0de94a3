/* SPDX-License-Identifier: MIT */
/*
 * What the sources of tokens differ in, as far as a keeper has to know: which secret they are asked
 * with, and the request to the fetcher that it goes into.
 */
#pragma once

#include "env.h"
#include "io/fetch/fetch.h"
#include "model/account.h"
#include "model/problem.h"

/* What the keyring's record holds as the account's secret. */
typedef enum SourceSecret {
        SOURCE_SECRET_NONE,          /* azure-cli: its program has its own */
        SOURCE_SECRET_REFRESH_TOKEN, /* entra, command: spent, and often renewed, by an exchange */
        SOURCE_SECRET_CLIENT,        /* client-credentials: the client's own, handed in */
        SOURCE_SECRET_TOKEN,         /* api-token: the token itself, handed in */
} SourceSecret;

SourceSecret source_secret(AccountSource source);
/* Is there nothing to ask with as long as it has none? command may have none, or get one. */
bool source_needs_secret(AccountSource source);
/*
 * Is this a secret that somebody may hand in for an account? now: s since 1970. 0, or an Outcome
 * with *problem.
 */
int source_check_secret(const Account *a, const char *secret, uint64_t now, Problem *problem);
/*
 * The request for a token of the account's own resource, without method and deadline. secret may be
 * NULL. All in *ret is borrowed from the arguments.
 */
void source_request(FetchRequest *ret, const Env *env, const Account *a, const char *secret);
