/* SPDX-License-Identifier: MIT */
/*
 * An operation: its job with the worker, the dialog that it waits for, its one answer.
 */
#include <time.h>

#include "io/keyring/keyring-private.h"

/* Nobody waits for it any more. */
static void keyring_drop_unlock(Keyring *k) {
        if (!k->watch || !k->unlock.job)
                return;
        if (k->unlock.held)
                k->unlock.job = keyring_job_free(k->unlock.job);
        else
                keyring_worker_drop(k->worker, STEAL(k->unlock.job));
        k->unlock.held = false;
        keyring_update_state(k);
}

/* It waits for no person any more. */
static void keyring_op_unask(KeyringOp *op) {
        Keyring *k = op->k;
        KeyringOp *other;

        op->asking = false;
        if (k->dialog.job && k->dialog.job->owner == op) {
                keyring_worker_drop(k->worker, STEAL(k->dialog.job));
                k->dialog.seen = false;
                keyring_update_state(k);
        }
        if (!op->unlocking)
                return;
        op->unlocking = false;
        TAILQ_FOREACH(other, &k->ops, link)
        if (other->unlocking)
                return;
        keyring_drop_unlock(k);
}

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
                k->teller.due = true;
                keyring_update_state(k);
        }
        keyring_op_end(op);
        op->fn(outcome, secret, op->userdata);
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

void keyring_op_hand_over(KeyringOp *op) {
        op->held = false;
        op->news = op->k->news;
        keyring_worker_submit(op->k->worker, op->job);
}

uint64_t keyring_op_limit(const Keyring *k) {
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
                (void)sd_event_source_set_time(op->timer, keyring_op_limit(k));
                (void)sd_event_source_set_enabled(op->timer, SD_EVENT_ONESHOT);
                keyring_op_hand_over(op);
        }
}
