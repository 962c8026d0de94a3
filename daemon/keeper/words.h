/* SPDX-License-Identifier: MIT */
/*
 * What a person is told who can't have a token: what happened, and what to do next.
 */
#pragma once

#include "keeper/slot.h"
#include "model/account.h"
#include "vault/vault.h"

/* Why a caller gets no token now. */
typedef enum Refusal {
        REFUSAL_SIGN_IN,       /* there is nothing to ask the source with */
        REFUSAL_API_TOKEN,     /* it has ended, or does soon */
        REFUSAL_TOO_SHORT,     /* no token lives as long as was asked for */
        REFUSAL_TOO_OFTEN,     /* the budget is spent */
        REFUSAL_UNTRIED,       /* a person's wish for a new one, too soon after the last try */
        REFUSAL_FAILURE,       /* the last attempt failed */
        REFUSAL_MISCONFIGURED, /* a bad line in the settings */
        REFUSAL_NOT_YET,       /* of who does not wait: it is being fetched */
        REFUSAL_TIMED_OUT,
        REFUSAL_CHANGED, /* the settings allow its resource no more */
} Refusal;

typedef struct RefusalFacts {
        const Account *account;
        Vault *vault;
        const Slot *slot;
        PolicyWish wish;
        uint64_t timeout_usec;
        bool again; /* the last attempt is repeated after a while */
        uint64_t now, sent_usec;
} RefusalFacts;

void words_refuse(Refusal why, const RefusalFacts *f, Problem *ret);
/* What the fetcher said of a failure, with the account before it and the command after that helps.
 */
void words_explain(const Account *a, const Vault *vault, const Problem *cause, Problem *ret);
/* What the keyring's outcome of a change (vault.h) means for who asked for it. Returns the
 * outcome; 0: it is done. */
int words_keyring(const Account *a, const Keyring *keyring, int outcome, Problem *ret);
/* The outcome of a save: why tokens are kept in memory. False: they are not, or it will be. */
bool words_unsaved(const Account *a, const Keyring *keyring, int outcome, Problem *ret);
/* An API token ends then, s since 1970. */
void words_ends_soon(const Account *a, uint64_t ends_at, Problem *ret);
/* The same as of a refusal; each returns the outcome. */
int words_misconfigured(const Account *a, Problem *ret);
int words_closed(const Account *a, Problem *ret);
int words_challenges(const Account *a, Problem *ret);
int words_resource(const Account *a, const char *resource, Problem *ret);
void words_sign_in(const Account *a, const Vault *vault, Problem *ret);

/* Of name, text, name: many tenants block device codes, and the refresh tokens that came by one. */
#define BLOCKED_FORMAT                                                                             \
        "%s: %s If it is device codes that are blocked, sign in by the browser: iotc-token login " \
        "%s --browser"
