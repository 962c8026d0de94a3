/* SPDX-License-Identifier: MIT */
/*
 * The life of an operation: its job with the worker, its time limit, its one answer.
 */
#include <time.h>

#include "io/keyring/keyring-private.h"

void keyring_op_end(KeyringOp *op) {
        Keyring *k = op->k;

        keyring_op_unask(op);
        if (op->job)
                keyring_worker_drop(k->worker, op->job);
        op->job = NULL;
        op->timer = sd_event_source_disable_unref(op->timer);
        TAILQ_REMOVE(&k->ops, op, link);
        op->k = NULL;
}

/*
 * The answer. An unlocking may be seen before an older answer that says LOCKED, or both changes in
 * one turn of the loop: whoever waits for OK after that answer must still hear of it.
 */
void keyring_op_answer(KeyringOp *op, int outcome, const char *secret) {
        Keyring *k = op->k;

        if (outcome == KEYRING_E_LOCKED || outcome == KEYRING_E_ABSENT ||
            outcome == KEYRING_E_SILENT) {
                k->owed = true;
                keyring_update_state(k);
        }
        keyring_op_end(op);
        op->fn(outcome, secret, op->userdata);
}

KeyringOp *keyring_op_free(KeyringOp *op) {
        Keyring *k = op ? op->k : NULL;

        if (k) {
                keyring_op_end(op);
                keyring_ask_next(k);
        }
        free(op);
        return NULL;
}

void keyring_op_end_soon(KeyringOp *op, int outcome) {
        op->unlocking = false;
        keyring_op_unask(op);
        if (op->job)
                keyring_worker_drop(op->k->worker, op->job);
        op->job = NULL;
        op->held = false;
        op->outcome = outcome;
        (void)sd_event_source_set_time(op->timer, 0);
        (void)sd_event_source_set_enabled(op->timer, SD_EVENT_ONESHOT);
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

void keyring_op_hand_over(KeyringOp *op) {
        op->held = false;
        op->news = op->k->news;
        keyring_worker_submit(op->k->worker, op->job);
}

/* When a call that begins now has had no answer in time; CLOCK_MONOTONIC. */
static uint64_t op_limit(const Keyring *k) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 + k->limit_usec;
}

void keyring_op_repeat(KeyringOp *op) {
        Keyring *k = op->k;

        op->asking = false;
        if (k->service != KEYRING_SERVICE_RUNS)
                keyring_op_end_soon(op, KEYRING_E_ABSENT);
        else if (keyring_breaker_is_open(k->breaker))
                keyring_op_end_soon(op, KEYRING_E_SILENT);
        else {
                op->outcome = KEYRING_E_SILENT;
                (void)sd_event_source_set_time(op->timer, op_limit(k));
                (void)sd_event_source_set_enabled(op->timer, SD_EVENT_ONESHOT);
                keyring_op_hand_over(op);
        }
}

int keyring_op_new(Keyring *k, KeyringOp **ret, KeyringJob *job, KeyringFn fn, void *userdata) {
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
                until = op_limit(k);
        r = sd_event_add_time(k->event, &op->timer, CLOCK_MONOTONIC, until, 1, op_on_timer, op);
        if (r < 0)
                return r;

        op->k = k;
        op->job = job;
        TAILQ_INSERT_TAIL(&k->ops, op, link);
        *ret = STEAL(op);
        return 0;
}
