/* SPDX-License-Identifier: MIT */
/*
 * Dialogs: an unlock's, and those that the service wants to show before it does something. One at
 * a time; whoever else needs one asks again when that has ended, and may then need none any more.
 */
#include "io/keyring/keyring-private.h"

/* A dialog that has ended by then was none: KeePassXC answers like this where it asks nobody. */
#define DIALOG_SEEN_USEC (300 * 1000)

static bool keyring_is_asking(const Keyring *k) {
        return k->dialog.job || (k->unlock.job && !k->unlock.held);
}

void keyring_ask_next(Keyring *k) {
        KeyringOp *op;

        if (keyring_is_asking(k) || k->service != KEYRING_SERVICE_RUNS)
                return;
        if (k->unlock.held) {
                k->unlock.held = false;
                keyring_worker_submit(k->worker, k->unlock.job);
                return;
        }
        TAILQ_FOREACH(op, &k->ops, link) {
                if (!op->asking)
                        continue;
                keyring_op_repeat(op);
                return;
        }
}

/* A person sees it by now. */
static void keyring_on_dialog_due(void *userdata) {
        Keyring *k = userdata;
        KeyringOp *op;

        k->dialog.seen = k->dialog.job;
        keyring_update_state(k);
        for (bool again = true; again;) {
                again = false;
                TAILQ_FOREACH(op, &k->ops, link) {
                        if (!op->asking || !op->ask.asked)
                                continue;
                        STEAL(op->ask.asked)(op->userdata); /* may free any operation */
                        again = true;
                        break;
                }
        }
}

int keyring_ask_prepare(Keyring *k) {
        return timer_new(&k->dialog.due, k->event, keyring_on_dialog_due, k);
}

/* A dialog's job, or NULL when memory is short; prompt is taken over. */
static KeyringJob *dialog_new(char *prompt, KeyringOp *op) {
        KeyringJob *job;

        if (keyring_job_new(&job, KEYRING_JOB_DIALOG, NULL, NULL, NULL) < 0) {
                free(prompt);
                return NULL;
        }
        job->question.prompt = prompt;
        job->owner = op;
        return job;
}

static bool op_may_ask(const KeyringOp *op) {
        return op->ask.wish == KEYRING_WISH_PERSON ||
               (op->ask.wish == KEYRING_WISH_BACKGROUND && !op->k->refused) ||
               streq(op->job->question.about, KEYRING_ABOUT_NEW);
}

void keyring_op_ask(KeyringOp *op, KeyringJob *job) {
        Keyring *k = op->k;
        KeyringJob *dialog = dialog_new(STEAL(job->question.prompt), op);
        bool may, busy = keyring_is_asking(k);

        op->job = job;
        may = op_may_ask(op);
        if (dialog && (busy || !may))
                keyring_worker_dismiss(k->worker, dialog);
        if (!dialog || !may) {
                keyring_op_answer(op, dialog ? KEYRING_E_REFUSED : KEYRING_E_FAILED, NULL);
                keyring_ask_next(k);
                return;
        }
        op->asking = true;
        (void)sd_event_source_set_enabled(op->timer, SD_EVENT_OFF);
        timer_arm(k->dialog.due, clock_boottime() + (k->dialog.seen ? 0 : DIALOG_SEEN_USEC));
        if (busy)
                return;
        k->dialog.job = dialog;
        keyring_worker_submit(k->worker, dialog);
}

void keyring_finish_dialog(Keyring *k, int outcome) {
        KeyringOp *op = k->dialog.job->owner;

        k->dialog.job = keyring_job_free(k->dialog.job);
        k->dialog.seen = false;
        keyring_update_state(k);
        if (outcome == 0) {
                keyring_op_repeat(op);
                return;
        }
        if (outcome == KEYRING_E_LOCKED)
                outcome = KEYRING_E_REFUSED;
        if (outcome == KEYRING_E_REFUSED && op->ask.wish == KEYRING_WISH_BACKGROUND)
                k->refused = true;
        keyring_op_answer(op, outcome, NULL);
        keyring_ask_next(k);
}

/* What a file store says of itself when it has been opened is all that there is to know. */
static void keyring_learn_opened(Keyring *k, int outcome) {
        k->news++;
        keyring_breaker_hear(k->breaker);
        k->seen = outcome == 0                  ? KEYRING_STATE_OK
                  : outcome == KEYRING_E_LOCKED ? KEYRING_STATE_LOCKED
                                                : KEYRING_STATE_ABSENT;
        k->teller.due = true; /* what could not be read before can perhaps be read now */
}

int keyring_prepare_unlock(Keyring *k) {
        CLEANUP(keyring_job_freep) KeyringJob *job = NULL;
        int r;

        r = keyring_job_new(&job, KEYRING_JOB_UNLOCK, NULL, NULL, NULL);
        if (r < 0)
                return r;
        if (k->key_file) {
                job->key_file = strdup(k->key_file);
                if (!job->key_file)
                        return -ENOMEM;
        }
        k->unlock.job = STEAL(job);
        return 0;
}

int keyring_reopen(Keyring *k) {
        int r;

        if (k->unlock.job) {
                k->unlock.again = true;
                return 0;
        }
        r = keyring_prepare_unlock(k);
        if (r == 0)
                keyring_worker_submit(k->worker, k->unlock.job);
        return r;
}

void keyring_finish_unlock(Keyring *k, int outcome) {
        KeyringOp *op;

        if (!k->unlock.held && !k->watch)
                keyring_set_shut(k, STEAL(k->unlock.job->complaint));
        k->unlock.job = keyring_job_free(k->unlock.job);
        k->unlock.held = false;
        if (k->unlock.again) {
                k->unlock.again = false;
                (void)keyring_reopen(k);
                return;
        }
        if (!k->watch)
                keyring_learn_opened(k, outcome);
        else if (outcome == KEYRING_E_LOCKED && k->seen == KEYRING_STATE_OK)
                outcome = 0; /* dismissed because it was unlocked elsewhere meanwhile */
        if (outcome == KEYRING_E_SILENT)
                keyring_breaker_trip(k->breaker);
        if (outcome == 0) {
                k->teller.due = k->teller.due || k->refused; /* what was refused can be done now */
                k->refused = false;
        }
        TAILQ_FOREACH(op, &k->ops, link)
        if (op->unlocking)
                keyring_op_end_soon(op, outcome);
        if (outcome == 0)
                k->seen = KEYRING_STATE_OK;
        if (k->watch)
                keyring_watch_refresh(k->watch);
        keyring_update_state(k);
        keyring_ask_next(k);
}

/* The service is gone, and whoever waits for a dialog of its is told. */
static void keyring_ask_ended(Keyring *k) {
        KeyringOp *op;

        TAILQ_FOREACH(op, &k->ops, link)
        if (op->asking)
                keyring_op_end_soon(op, KEYRING_E_ABSENT);
        if (k->unlock.held)
                keyring_finish_unlock(k, KEYRING_E_ABSENT);
}

void keyring_release_held(Keyring *k) {
        KeyringOp *op;

        TAILQ_FOREACH(op, &k->ops, link) {
                if (!op->held)
                        continue;
                if (k->service == KEYRING_SERVICE_RUNS)
                        keyring_op_hand_over(op);
                else
                        keyring_op_end_soon(op, KEYRING_E_ABSENT);
        }
        if (k->service == KEYRING_SERVICE_NONE)
                keyring_ask_ended(k);
        else
                keyring_ask_next(k);
}
