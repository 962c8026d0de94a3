/* SPDX-License-Identifier: MIT */
/*
 * The keyring's thread: jobs in, answers out, in order, with an eventfd that wakes the loop. All
 * functions here are the loop's; what both sides share is counted, so that a thread that hangs in
 * the service can be left behind without being waited for and without touching freed memory.
 */
#pragma once

#include <sys/queue.h>

#include "io/keyring/secret.h"

typedef struct KeyringWorker KeyringWorker;

typedef enum KeyringJobKind {
        KEYRING_JOB_LOAD,
        KEYRING_JOB_STORE,
        KEYRING_JOB_DELETE,
        KEYRING_JOB_UNLOCK,
        KEYRING_JOB_DIALOG,
} KeyringJobKind;

typedef enum KeyringJobPlace {
        KEYRING_JOB_NEW, /* not handed over */
        KEYRING_JOB_QUEUED,
        KEYRING_JOB_RUNNING,
        KEYRING_JOB_DONE,
} KeyringJobPlace;

typedef struct KeyringJob {
        TAILQ_ENTRY(KeyringJob) link;
        KeyringJobKind kind;
        KeyringJobPlace place; /* under the worker's lock, once handed over */
        bool abandoned;        /* the same */
        char *account;
        char *label;
        char *secret;             /* in for a store, out for a load */
        bool beside;              /* in for a store */
        KeyringQuestion question; /* of a store and a delete; in for a dialog */
        char *key_file;           /* in for an unlock, or NULL */
        char *complaint;          /* out, when it went wrong: keyring_complaint(), or NULL */
        int outcome;
        KeyringCancel *cancel;
        void *owner; /* for the loop's side */
} KeyringJob;

/* The strings are copied; label and secret may be NULL. 0 or -ENOMEM. */
int keyring_job_new(KeyringJob **ret, KeyringJobKind kind, const char *account, const char *label,
                    const char *secret);
/* Of a job that the worker does not hold. NULL is fine. Returns NULL. */
KeyringJob *keyring_job_free(KeyringJob *job);

/* Start the thread; all signals are blocked in it. impl is taken over in every case. 0 or -errno.
 */
int keyring_worker_new(KeyringWorker **ret, const KeyringBackend *backend, void *impl);
/* Drop a prompt and all that is queued, and end the thread: within 1.5 s, or leave it behind. Drop
 * the job that runs first: else that is what is waited for. */
KeyringWorker *keyring_worker_free(KeyringWorker *w);

/* Readable while answers may wait: then call keyring_worker_take(). Borrowed. */
int keyring_worker_fd(KeyringWorker *w);
/* Hand a job over; its pointer stays good until taken or dropped. */
void keyring_worker_submit(KeyringWorker *w, KeyringJob *job);
/* The next job that is done, the caller's again, or NULL. */
KeyringJob *keyring_worker_take(KeyringWorker *w);
/* Take a job out, wherever it is, and free it: a queued one never runs, a running one is cancelled
 * (the service may still do it), its dialog taken away. */
void keyring_worker_drop(KeyringWorker *w, KeyringJob *job);
/* Take away the dialog of a KEYRING_JOB_DIALOG that was not handed over; job is taken over. */
void keyring_worker_dismiss(KeyringWorker *w, KeyringJob *job);

CLEANUP_FUNC(KeyringJob, keyring_job_free)
CLEANUP_FUNC(KeyringWorker, keyring_worker_free)
