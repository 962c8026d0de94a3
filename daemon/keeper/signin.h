/* SPDX-License-Identifier: MIT */
/*
 * One sign-in of a person: a fetch that prompts, and what the world may see of it. A pending
 * sign-in belongs to its keeper; an ended one stays for a minute, so that whoever follows it can
 * read the end.
 */
#pragma once

#include "env.h"
#include "io/fetch/fetch.h"
#include "model/account.h"
#include "model/problem.h"

typedef enum SignInState {
        SIGNIN_STATE_PENDING,
        SIGNIN_STATE_DONE,
        SIGNIN_STATE_FAILED,
        SIGNIN_STATE_CANCELLED,
        _SIGNIN_STATE_MAX,
} SignInState;

/* Borrowed; strings are never NULL. */
typedef struct SignInView {
        uint64_t number;
        Keeper *keeper;
        const char *method, *user_code, *verification_uri, *message;
        uint64_t expires_at; /* wall clock, s; 0: not known yet */
        SignInState state;
        const Problem *error;
} SignInView;

/* What the keeper hears of it. The token is the keeper's to store; it calls signin_end() after. */
typedef struct SignInHandler {
        void (*token)(SignIn *s, const FetchToken *token, void *userdata);
        void (*failed)(SignIn *s, const Problem *problem, void *userdata);
        void (*expired)(SignIn *s, void *userdata); /* its minute is over: free it */
} SignInHandler;

/* Starts the fetch. method is a word of the contract; claims what the person is to prove, or NULL.
 * 0 or -errno. */
int signin_new(SignIn **ret, Env *env, Keeper *keeper, const Account *account, const char *method,
               const char *claims, const SignInHandler *handler, void *userdata);
/* NULL is fine. Returns NULL. Tells the listener that it is gone. */
SignIn *signin_free(SignIn *s);

void signin_view(const SignIn *s, SignInView *ret);
const char *signin_state_to_string(SignInState state);
/* What its token is for: the account's own resource when it was begun. Borrowed. */
const char *signin_resource(const SignIn *s);
bool signin_is_pending(const SignIn *s);
/* The end: OUTCOME_OK is done, OUTCOME_CANCELLED cancelled, else failed. The first one counts. Ends
 * the fetch; tells the listener, not the keeper. */
void signin_end(SignIn *s, const Problem *problem);
/* A person or a program gives it up: ends the fetch and tells the keeper that it failed. Too late,
 * and so nothing, when its token has come. */
void signin_cancel(SignIn *s);

/* The keeper's list. */
SignIn *signin_next(const SignIn *s);
void signin_link(SignIn *s, SignIn *next);

CLEANUP_FUNC(SignIn, signin_free)
