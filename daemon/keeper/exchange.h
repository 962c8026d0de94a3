/* SPDX-License-Identifier: MIT */
/*
 * One exchange with the source, of what the account has for a token: lock the account against the
 * user's other daemons, read the keyring's record again, fetch, store the new refresh token, and
 * only then hand the token up. It knows no keeper: who started it is told, once.
 */
#pragma once

#include "env.h"
#include "io/fetch/fetch.h"
#include "model/account.h"
#include "model/token.h"
#include "vault/vault.h"

typedef struct Exchange Exchange;

/* Its end; each is called from the loop, never inside exchange_new(), and frees the exchange. */
typedef struct ExchangeHandler {
        /* Under the lock, before each request: may it leave? It is counted then. lock: -1, there is
         * none. */
        bool (*may_send)(int lock, void *userdata);
        /* Here it is, borrowed. saved: the keyring's outcome (vault.h) for its refresh token; 0:
         * nothing had to be stored. */
        void (*token)(Token *token, int saved, void *userdata);
        /* The source has none. */
        void (*failed)(const FetchError *error, void *userdata);
        /* There is nothing to ask with: somebody deleted the account's item from the keyring. */
        void (*gone)(void *userdata);
        void (*outdated)(void *userdata);  /* of exchange_outdate(): there was an answer */
        void (*denied)(void *userdata);    /* may_send() said no */
        void (*postponed)(void *userdata); /* the fetcher could not be started */
} ExchangeHandler;

/* What is asked for. Borrowed until exchange_new() returns. */
typedef struct ExchangeTask {
        const char *resource;
        const char *claims; /* or NULL */
        Token *held;        /* the token of before, or NULL */
        bool forced;        /* a token that another daemon has fetched won't do */
} ExchangeTask;

/* 0 or -errno. */
int exchange_new(Exchange **ret, Env *env, const Account *account, Vault *vault,
                 const ExchangeTask *task, const ExchangeHandler *handler, void *userdata);
/* Ends it; nobody is told. NULL is fine. Returns NULL. */
Exchange *exchange_free(Exchange *x);

/* Has a request left? */
bool exchange_is_sent(const Exchange *x);
/* Is a refresh token on its way that may be the only one that is good? A service with strict
 * rotation has spent the one that it was got with. NULL is fine. */
bool exchange_owes_secret(const Exchange *x);
/* Its answer is not to be used, but whoever gives it is not to be ended. */
void exchange_outdate(Exchange *x);
/* The lock, while its handler is called; -1: there is none. */
int exchange_lock(const Exchange *x);

CLEANUP_FUNC(Exchange, exchange_free)
