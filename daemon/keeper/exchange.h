/* SPDX-License-Identifier: MIT */
/*
 * One exchange with the source, of what the account has for a token: fetch, store the new refresh
 * token, and only then hand the token up. It knows no keeper: who started it is told, once.
 */
#pragma once

#include "env.h"
#include "io/fetch/fetch.h"
#include "model/account.h"
#include "model/token.h"
#include "vault/vault.h"

typedef struct Exchange Exchange;

/* All but may_send() are its end, called from the loop, never inside exchange_new(); they free the
 * exchange. */
typedef struct ExchangeHandler {
        /* Before each request: may it leave? It is counted then. */
        bool (*may_send)(void *userdata);
        /* Here it is, borrowed. saved: the keyring's outcome (vault.h) for its refresh token; 0:
         * nothing had to be stored. */
        void (*token)(Token *token, int saved, void *userdata);
        /* The source has none. */
        void (*failed)(const FetchError *error, void *userdata);
        void (*outdated)(void *userdata); /* of exchange_outdate(): there was an answer */
} ExchangeHandler;

enum {
        _EXCHANGE_E_SUCCESS,
        EXCHANGE_E_DENIED, /* may_send() said no */
};

/* claims: or NULL. 0, EXCHANGE_E_DENIED, or -errno: the fetcher could not be started. */
int exchange_new(Exchange **ret, Env *env, const Account *account, Vault *vault,
                 const char *resource, const char *claims, const ExchangeHandler *handler,
                 void *userdata);
/* Ends it; nobody is told. NULL is fine. Returns NULL. */
Exchange *exchange_free(Exchange *x);

/* Is a refresh token on its way that may be the only one that is good? A service with strict
 * rotation has spent the one that it was got with. NULL is fine. */
bool exchange_expects_secret(const Exchange *x);
/* Its answer is not to be used, but whoever gives it is not to be ended. */
void exchange_outdate(Exchange *x);

CLEANUP_FUNC(Exchange, exchange_free)
