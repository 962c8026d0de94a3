/* SPDX-License-Identifier: MIT */
/*
 * The sign-ins of one account: at most one under way, its tokens stored before they are handed out,
 * its end shown for a minute.
 */
#pragma once

#include "keeper/signin.h"
#include "model/token.h"
#include "vault/vault.h"

typedef struct SigninsHandler {
        /* Its tokens have come, and are about to be stored in place of all that was there. */
        void (*arrived)(void *userdata);
        /* They are stored, or (saved: the keyring's outcome) kept in memory. Borrowed. */
        void (*done)(Token *token, const char *resource, int saved, void *userdata);
        /* Declined, expired, cancelled. signin_end() is the handler's. */
        void (*failed)(SignIn *s, const Problem *cause, void *userdata);
} SigninsHandler;

typedef struct Signins {
        SignIn *first; /* signin_next(); newest first */
        char *claims;  /* what the next one is to prove, or NULL */
        Env *env;
        Vault *vault;
        AccountSource source;
        const SigninsHandler *handler;
        void *userdata;
        /* The one whose tokens wait for the keyring. */
        SignIn *finishing;
        VaultOp *save;
        Token *token;
} Signins;

void signins_init(Signins *l, Env *env, Vault *vault, const SigninsHandler *handler,
                  void *userdata);
/* All go, and the listener is told. */
void signins_deinit(Signins *l);

/* There must be none pending. 0, -E2BIG: too many within a minute, or -errno. */
int signins_begin(Signins *l, Keeper *keeper, const Account *account, const char *method,
                  SignIn **ret);
/* NULL: none. */
SignIn *signins_pending(const Signins *l);
/* Its tokens wait for the keyring. */
bool signins_is_saving(const Signins *l);
/* End the one under way, also when its tokens are on their way to the keyring. */
void signins_cancel(Signins *l, const char *name);
/* A person is needed, and has to prove this (copied; NULL says nothing new). */
void signins_want_claims(Signins *l, const char *claims);
void signins_drop_claims(Signins *l);
