/* SPDX-License-Identifier: MIT */
/*
 * What the files of the loop's side share. Each calls those before it: state.c (what others see),
 * op.c (an operation), ask.c (dialogs, and an unlock's), call.c (the calls of others), keyring.c
 * (its life, what comes from the worker and the watcher), file.c (what is no service on the bus).
 */
#pragma once

#include <sys/queue.h>

#include "io/keyring/breaker.h"
#include "io/keyring/watch.h"
#include "io/keyring/worker.h"
#include "io/timer.h"

struct KeyringOp {
        TAILQ_ENTRY(KeyringOp) link;
        Keyring *k;      /* NULL once it has ended */
        KeyringJob *job; /* NULL for an unlock, and when it needs none any more */
        bool held;       /* not handed over: the service is not known yet */
        bool unlocking;  /* waits for Keyring.unlock */
        bool asking;     /* waits for a person: for its dialog, or behind another one */
        KeyringAsk ask;
        unsigned news; /* what Keyring.news was then */
        int outcome;   /* if the timer ends it */
        sd_event_source *timer;
        KeyringFn fn;
        void *userdata;
};

TAILQ_HEAD(KeyringOps, KeyringOp);

/* Asking a person to unlock, or to make, the collection; of a file store: reading its key. */
typedef struct KeyringUnlock {
        KeyringJob *job; /* or NULL */
        bool held;       /* as KeyringOp.held, or it waits for the dialog's end */
        bool again;      /* when it has ended: there is another key */
} KeyringUnlock;

/* What the service asks a person before it does something. */
typedef struct KeyringDialog {
        KeyringJob *job; /* of the operation that owns it, or NULL */
        Timer *due;      /* one that has not ended by then is one that a person sees */
        bool seen;
} KeyringDialog;

/* Telling the state to whoever made the keyring. */
typedef struct KeyringTeller {
        sd_event_source *source; /* runs when fn has something to be told */
        int told;                /* the state that fn knows, or -1 */
        bool due; /* somebody was told to wait for OK: fn is told of it, even again */
        KeyringStateFn fn;
        void *userdata;
} KeyringTeller;

typedef struct KeyringDeletion {
        Timer *timer; /* armed: an item was deleted */
        KeyringDeletionFn fn;
        void *userdata;
} KeyringDeletion;

struct Keyring {
        sd_event *event;
        uint64_t limit_usec;
        KeyringWatch *watch; /* NULL: it is not the Secret Service, and an unlock asks nobody */
        KeyringWorker *worker;
        KeyringBreaker *breaker;
        KeyringUnlock unlock;
        KeyringDialog dialog;
        bool refused; /* nothing of what nobody has called for is asked any more */
        const char *kind;
        char *key_file;          /* the setting, or NULL */
        char *shut;              /* why the state is as it is, or NULL */
        const char *complaint;   /* of the answer that is being given, or NULL */
        struct KeyringOps ops;   /* KeyringOp.link; in the order of the calls */
        sd_event_source *answer; /* the worker's eventfd */
        KeyringService service;
        KeyringState seen; /* the last that the watcher or a job saw */
        unsigned news;     /* counts what the watcher says */
        KeyringState state;
        KeyringTeller teller;
        KeyringDeletion deletion;
};

/* state.c */
/* Work the state out anew, and tell it from the loop's next turn. */
void keyring_update_state(Keyring *k);
/* Keep a text (taken over, may be NULL) as what stands in the way. */
void keyring_set_shut(Keyring *k, char *why);

/* op.c */
/* When a call that begins now has had no answer in time; CLOCK_MONOTONIC. */
uint64_t keyring_op_limit(const Keyring *k);
/* Give its job to the worker. */
void keyring_op_hand_over(KeyringOp *op);
/* The same once more, after a dialog, with a time limit of its own. */
void keyring_op_repeat(KeyringOp *op);
/* Answer it now, from the loop alone. */
void keyring_op_answer(KeyringOp *op, int outcome, const char *secret);
/* Answer it from the loop's next turn: callbacks never run inside a call, and one at a time. */
void keyring_op_end_soon(KeyringOp *op, int outcome);
/* Let go of the job and of the list; its dialog is taken away, if that is shown, and that of an
 * unlock that nobody else waits for. */
void keyring_op_end(KeyringOp *op);

/* ask.c */
/* Its job has to ask: show that, or wait for the dialog that is shown, or answer. */
void keyring_op_ask(KeyringOp *op, KeyringJob *job);
/* The unlock, or the dialog, has ended. */
void keyring_finish_unlock(Keyring *k, int outcome);
void keyring_finish_dialog(Keyring *k, int outcome);
/* What waits for a dialog goes on, if none is shown: the unlock first. */
void keyring_ask_next(Keyring *k);
/* 0 or -errno. */
int keyring_ask_prepare(Keyring *k);
/* Make k->unlock. 0 or -ENOMEM. */
int keyring_prepare_unlock(Keyring *k);
/* Open the file store anew: read its key, look at its folder. The state follows. 0 or -ENOMEM. */
int keyring_reopen(Keyring *k);
/* The service is known: what waited for that goes on. */
void keyring_release_held(Keyring *k);

/* keyring.c */
/* Without watcher, and no service yet. impl is taken over in every case. 0 or -errno. */
int keyring_make(Keyring **ret, sd_event *event, const KeyringBackend *backend, void *impl,
                 KeyringStateFn fn, void *userdata);
