/* SPDX-License-Identifier: MIT */
/*
 * The loop's side: the calls, and the one state, put together from what the watcher sees, what the
 * jobs meet, whether a prompt is open and whether the service answers at all. The thread is
 * worker.c, libsecret is secret.c, the bus's signals are watch.c.
 */
#include <sys/epoll.h>

#include "io/keyring/keyring-private.h"

#define TIME_LIMIT_USEC     (10 * USEC_PER_SEC)
#define DELETION_LATER_USEC (1 * USEC_PER_SEC)

void keyring_set_time_limit(Keyring *k, uint64_t limit_usec) {
        k->limit_usec = limit_usec;
}

static int keyring_on_tell(sd_event_source *source, void *userdata) {
        Keyring *k = userdata;

        if (k->teller.told == (int)k->state && !(k->teller.due && k->state == KEYRING_STATE_OK))
                return 0;
        if (k->state == KEYRING_STATE_OK)
                k->teller.due = false;
        k->teller.told = k->state;
        k->teller.fn(k->state, k->teller.userdata);
        return 0;
}

static void keyring_on_close(void *userdata) {
        keyring_update_state(userdata);
}

/* What a job met corrects the state, unless the watcher had news since it was started. */
static void keyring_learn(Keyring *k, const KeyringOp *op, const KeyringJob *job) {
        int outcome = job->outcome;

        if (op->news != k->news)
                return;
        if (outcome == KEYRING_E_LOCKED || outcome == KEYRING_E_ABSENT) {
                k->seen = outcome == KEYRING_E_LOCKED ? KEYRING_STATE_LOCKED : KEYRING_STATE_ABSENT;
                if (!k->watch)
                        keyring_set_shut(k, job->complaint ? strdup(job->complaint) : NULL);
        } else if (outcome == KEYRING_E_NOT_FOUND ||
                   (outcome == 0 && job->kind == KEYRING_JOB_STORE))
                k->seen = KEYRING_STATE_OK;
        keyring_update_state(k);
}

/* One answer a turn: the callback may free any operation. */
static int keyring_on_answer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        CLEANUP(keyring_job_freep) KeyringJob *job = NULL;
        Keyring *k = userdata;
        KeyringOp *op;
        int outcome;

        job = keyring_worker_take(k->worker);
        if (!job)
                return 0;
        outcome = job->outcome;
        if (job == k->unlock.job || job == k->dialog.job) {
                (job == k->unlock.job ? keyring_finish_unlock : keyring_finish_dialog)(k, outcome);
                job = NULL;
                return 0;
        }

        op = job->owner;
        op->job = NULL;
        keyring_breaker_praise(k->breaker);
        if (outcome == KEYRING_E_ASKS) {
                keyring_op_ask(op, STEAL(job));
                return 0;
        }
        keyring_learn(k, op, job);
        k->complaint = job->complaint;
        keyring_op_answer(op, job->outcome,
                          job->kind == KEYRING_JOB_LOAD && job->outcome == 0 ? job->secret : NULL);
        k->complaint = NULL;
        keyring_ask_next(k);
        return 0;
}

/* A service that runs, and has no place for our items. */
static const char *explain_no_collection(const char *program) {
        if (str_starts(program, "keepassxc"))
                return "KeePassXC has no default collection: it shows no group to other programs. "
                       "Open a database there, and choose the group in its settings, under Secret "
                       "Service Integration.";
        return "The keyring has no default collection. To make one: iotc-token unlock (needs a "
               "screen; without one keep secrets in files: store=file).";
}

static void keyring_on_watch(KeyringService service, KeyringState state, void *userdata) {
        Keyring *k = userdata;

        k->news++;
        k->service = service;
        if (state != _KEYRING_STATE_MAX)
                k->seen = state;
        else
                k->refused = false; /* that was another one */
        keyring_set_shut(k, service == KEYRING_SERVICE_RUNS && state == KEYRING_STATE_ABSENT
                                    ? strdup(explain_no_collection(
                                              k->watch ? keyring_watch_program(k->watch) : ""))
                                    : NULL);
        if (service == KEYRING_SERVICE_RUNS && state != _KEYRING_STATE_MAX)
                keyring_breaker_hear(k->breaker);
        else
                keyring_breaker_reset(k->breaker); /* that one is gone */
        if (service == KEYRING_SERVICE_UNKNOWN)
                return;
        keyring_release_held(k);
        if (state != _KEYRING_STATE_MAX)
                keyring_update_state(k);
}

int keyring_make(Keyring **ret, sd_event *event, const KeyringBackend *backend, void *impl,
                 KeyringStateFn fn, void *userdata) {
        CLEANUP(keyring_freep) Keyring *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        r = k ? keyring_worker_new(&k->worker, backend, impl) : -ENOMEM;
        if (!k)
                backend->free(impl);
        if (r < 0)
                return r;

        k->kind = backend->name;
        k->event = sd_event_ref(event);
        k->limit_usec = TIME_LIMIT_USEC;
        k->seen = k->state = KEYRING_STATE_ABSENT;
        k->teller.told = -1;
        k->teller.fn = fn;
        k->teller.userdata = userdata;
        TAILQ_INIT(&k->ops);

        r = keyring_breaker_new(&k->breaker, event, keyring_on_close, k);
        if (r >= 0)
                r = keyring_ask_prepare(k);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &k->answer, keyring_worker_fd(k->worker), EPOLLIN,
                            keyring_on_answer, k);
        if (r < 0)
                return r;
        r = sd_event_add_defer(event, &k->teller.source, keyring_on_tell, k);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(k->teller.source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = STEAL(k);
        return 0;
}

static void keyring_on_deletion(void *userdata) {
        Keyring *k = userdata;

        timer_arm(k->deletion.timer, clock_boottime() + DELETION_LATER_USEC);
}

static void keyring_on_deletion_time(void *userdata) {
        Keyring *k = userdata;

        if (k->deletion.fn)
                k->deletion.fn(k->deletion.userdata);
}

void keyring_set_deletion_fn(Keyring *k, KeyringDeletionFn fn, void *userdata) {
        k->deletion.fn = fn;
        k->deletion.userdata = userdata;
}

int keyring_new(Keyring **ret, sd_event *event, KeyringStateFn fn, void *userdata) {
        CLEANUP(keyring_freep) Keyring *k = NULL;
        void *impl;
        int r;

        r = keyring_secret_new(&impl);
        if (r < 0)
                return r;
        r = keyring_make(&k, event, &keyring_secret_backend, impl, fn, userdata);
        if (r < 0)
                return r;
        r = timer_new(&k->deletion.timer, event, keyring_on_deletion_time, k);
        if (r < 0)
                return r;
        r = keyring_watch_new(&k->watch, event, TIME_LIMIT_USEC, keyring_on_watch,
                              keyring_on_deletion, k);
        if (r < 0)
                return r;

        *ret = STEAL(k);
        return 0;
}

Keyring *keyring_free(Keyring *k) {
        KeyringOp *op;

        if (!k)
                return NULL;
        while ((op = TAILQ_FIRST(&k->ops)))
                keyring_op_end(op);
        keyring_watch_free(k->watch);
        keyring_breaker_free(k->breaker);
        timer_free(k->deletion.timer);
        timer_free(k->dialog.due);
        sd_event_source_disable_unref(k->teller.source);
        sd_event_source_disable_unref(k->answer);
        if (k->unlock.held)
                keyring_job_free(k->unlock.job);
        keyring_worker_free(k->worker);
        free(k->key_file);
        free(k->shut);
        sd_event_unref(k->event);
        free(k);
        return NULL;
}
