/* SPDX-License-Identifier: MIT */
/*
 * What a keyring can be kept in: the Secret Service (secret.c) or encrypted files
 * (store-file.c), each a table of blocking calls for the keyring's worker thread. Nobody above
 * keyring.c knows which one it is.
 */
#pragma once

#include "io/keyring/keyring.h"

typedef struct KeyringBackend KeyringBackend;
typedef struct KeyringCancel KeyringCancel;

/* How an unlock ended: an outcome of keyring_unlock(). Called on the thread. */
typedef void (*KeyringUnlockFn)(int outcome, void *userdata);

/* What a job has to ask a person before it can be done. */
typedef struct KeyringQuestion {
        char *prompt; /* out, with KEYRING_E_ASKS: the service's object that asks it; free() */
        char *about;  /* in and out: the object that it is about, which is asked for once; free() */
} KeyringQuestion;

/* What is about an item that is still to be made; most services then ask nobody. */
#define KEYRING_ABOUT_NEW "/"

struct KeyringBackend {
        const char *name; /* as keyring_store_name() says it */

        /* The thread's first call, and its last one: it gives up an unlock that is under way. */
        void (*enter)(void *impl);
        void (*leave)(void *impl);
        /* Block until wake(), which may be called from any thread; may return early. A wake before
         * the wait is not lost. */
        void (*wait)(void *impl);
        void (*wake)(void *impl);

        /* One job each, blocking; an outcome of keyring.h. *ret_secret is the caller's to
         * secret_free(). Deleting what is not there is success. */
        int (*load)(void *impl, KeyringCancel *cancel, const char *account, char **ret_secret);
        int (*store)(void *impl, KeyringCancel *cancel, KeyringQuestion *question, bool beside,
                     const char *account, const char *label, const char *secret);
        int (*erase)(void *impl, KeyringCancel *cancel, KeyringQuestion *question,
                     const char *account);
        /* Start one unlock; other jobs may run meanwhile. fn is called once, from here or from
         * wait(), unless leave() comes first. 0, or an outcome and no call of fn. key_file is the
         * setting of that name, or NULL. */
        int (*unlock)(void *impl, const char *key_file, KeyringUnlockFn fn, void *userdata);
        /* Show a dialog, of a KeyringQuestion, as unlock() does; after its end the job is done once
         * more. There is one at a time, an unlock included. NULL: there are none. */
        int (*show)(void *impl, const char *prompt, KeyringUnlockFn fn, void *userdata);
        /* Take a dialog away: this one, which is not shown, or (NULL) the one that is, of which
         * nothing is told then. */
        void (*dismiss)(void *impl, const char *prompt);
        /* Why the job before went wrong, for a person (caller frees); NULL: the outcome says it. */
        char *(*complaint)(void *impl);

        /* From any thread, once the worker's has left. NULL is fine. */
        void (*free)(void *impl);
};
