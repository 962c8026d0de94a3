/* SPDX-License-Identifier: MIT */
/*
 * The calls of others, each with its time limit: a keyring that lets one pass is not asked again
 * before it answers a question that is left with it.
 */
#include "io/keyring/keyring-private.h"

KeyringOp *keyring_op_free(KeyringOp *op) {
        Keyring *k = op ? op->k : NULL;

        if (k) {
                keyring_op_end(op);
                keyring_ask_next(k);
        }
        free(op);
        return NULL;
}

void keyring_op_give_up(KeyringOp *op) {
        if (op && op->k && op->asking)
                keyring_op_end_soon(op, KEYRING_E_REFUSED);
}

/* It does not answer: what it was asked fails now, and a question is left with it whose answer,
 * whenever it comes, says that it is back. */
static void keyring_trip(Keyring *k) {
        KeyringOp *op;

        keyring_breaker_trip(k->breaker);
        TAILQ_FOREACH(op, &k->ops, link)
        if (op->job && !op->held && !op->asking)
                keyring_op_end_soon(op, KEYRING_E_SILENT);
        if (k->watch)
                keyring_watch_refresh(k->watch);
        else {
                keyring_set_shut(k, strdup("The disk that the secrets are on does not answer"));
                (void)keyring_reopen(k);
        }
        keyring_update_state(k);
}

static int op_on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        KeyringOp *op = userdata;

        if (op->job && !op->held)
                keyring_trip(op->k);
        keyring_op_answer(op, op->outcome, NULL);
        return 0;
}

static int op_new(Keyring *k, KeyringOp **ret, KeyringJob *job, KeyringFn fn, void *userdata) {
        CLEANUP(keyring_op_freep) KeyringOp *op = NULL;
        uint64_t until = USEC_INFINITY;
        int r;

        op = calloc(1, sizeof(*op));
        if (!op)
                return -ENOMEM;

        op->outcome = KEYRING_E_SILENT;
        op->fn = fn;
        op->userdata = userdata;
        if (job)
                until = keyring_op_limit(k);
        r = sd_event_add_time(k->event, &op->timer, CLOCK_MONOTONIC, until, 1, op_on_timer, op);
        if (r < 0)
                return r;

        op->k = k;
        op->job = job;
        TAILQ_INSERT_TAIL(&k->ops, op, link);
        *ret = STEAL(op);
        return 0;
}

static int keyring_call(Keyring *k, KeyringOp **ret, KeyringJobKind kind, KeyringAsk ask,
                        const char *account, const char *label, const char *secret, KeyringFn fn,
                        void *userdata) {
        CLEANUP(keyring_job_freep) KeyringJob *job = NULL;
        KeyringOp *op;
        int r;

        r = keyring_job_new(&job, kind, account, label, secret);
        if (r < 0)
                return r;
        r = op_new(k, &op, job, fn, userdata);
        if (r < 0)
                return r;

        op->ask = ask;
        job->beside = ask.wish == KEYRING_WISH_BESIDE;
        STEAL(job)->owner = op; /* op's now */
        if (k->service == KEYRING_SERVICE_NONE)
                keyring_op_end_soon(op, KEYRING_E_ABSENT);
        else if (k->service == KEYRING_SERVICE_UNKNOWN)
                op->held = true;
        else if (keyring_breaker_is_open(k->breaker))
                keyring_op_end_soon(op, KEYRING_E_SILENT);
        else
                keyring_op_hand_over(op);
        *ret = op;
        return 0;
}

int keyring_load(Keyring *k, KeyringOp **ret, const char *account, KeyringFn fn, void *userdata) {
        const KeyringAsk none = { KEYRING_WISH_SILENT, NULL };

        return keyring_call(k, ret, KEYRING_JOB_LOAD, none, account, NULL, NULL, fn, userdata);
}

int keyring_store(Keyring *k, KeyringOp **ret, KeyringAsk ask, const char *account,
                  const char *label, const char *secret, KeyringFn fn, void *userdata) {
        return keyring_call(k, ret, KEYRING_JOB_STORE, ask, account, label, secret, fn, userdata);
}

int keyring_delete(Keyring *k, KeyringOp **ret, KeyringAsk ask, const char *account, KeyringFn fn,
                   void *userdata) {
        return keyring_call(k, ret, KEYRING_JOB_DELETE, ask, account, NULL, NULL, fn, userdata);
}

int keyring_unlock(Keyring *k, KeyringOp **ret, KeyringFn fn, void *userdata) {
        CLEANUP(keyring_op_freep) KeyringOp *op = NULL;
        int r;

        r = op_new(k, &op, NULL, fn, userdata);
        if (r < 0)
                return r;
        if (keyring_breaker_is_open(k->breaker)) {
                keyring_op_end_soon(op, KEYRING_E_SILENT);
                *ret = STEAL(op);
                return 0;
        }
        op->unlocking = true;
        if (!k->unlock.job) {
                r = keyring_prepare_unlock(k);
                if (r < 0)
                        return r;
                k->unlock.held = true;
                if (k->service == KEYRING_SERVICE_NONE && k->watch)
                        keyring_watch_activate(k->watch);
                if (k->service != KEYRING_SERVICE_UNKNOWN)
                        keyring_release_held(k);
                keyring_update_state(k);
        }

        *ret = STEAL(op);
        return 0;
}
