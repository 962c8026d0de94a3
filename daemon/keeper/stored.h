/* SPDX-License-Identifier: MIT */
/*
 * Tokens into the keyring's record, and out of it: how long each one still lives, which depends on
 * what time it is taken to be, and so is judged again when the clock is set.
 */
#pragma once

#include "env.h"
#include "io/fetch/fetch.h"
#include "model/account.h"
#include "model/record.h"
#include "model/token.h"
#include "vault/vault.h"

/* One of the record. 0; -ESTALE when it is over; -errno. */
int stored_read_token(const Env *env, Token **ret, const RecordToken *t);
/* The account's API token, which is its secret. 0 or -errno. */
int stored_read_api_token(const Env *env, Token **ret, const char *secret);
/* How long ago it was issued, by what is known, µs; UINT64_MAX for what a wrong clock has written.
 */
uint64_t stored_age(const Env *env, const RecordToken *t, uint64_t now);

/* Put a new refresh token (NULL: none came) into the record. True when it is one. */
bool stored_put_secret(Vault *vault, AccountSource source, const char *refresh_token);
/* Put what a fetch brought into the record, and make a token of it. True when the refresh token is
 * a new one, which is to be saved. */
bool stored_put_fetched(Env *env, Vault *vault, AccountSource source, const char *resource,
                        const FetchToken *fetched, Token **ret);
