/* SPDX-License-Identifier: MIT */
/*
 * The loop's side: operations, their time limits, and the one state, put together from what the
 * watcher sees, what the jobs meet, and whether a prompt is open. The thread is keyring-worker,
 * libsecret is keyring-secret, the bus's signals are keyring-watch.
 */
#include <sys/epoll.h>
#include <sys/queue.h>
#include <time.h>

#include "io/keyring-watch.h"
#include "io/keyring-worker.h"

#define TIME_LIMIT_USEC (10 * USEC_PER_SEC)

struct KeyringOp {
        TAILQ_ENTRY(KeyringOp) link;
        Keyring *k;      /* NULL once it has ended */
        KeyringJob *job; /* NULL for an unlock, and when it needs none any more */
        bool held;       /* not handed over: the service is not known yet */
        bool unlocking;  /* waits for Keyring.unlock */
        unsigned news;   /* what Keyring.news was then */
        int outcome;     /* if the timer ends it */
        sd_event_source *timer;
        KeyringFn fn;
        void *userdata;
};

TAILQ_HEAD(KeyringOps, KeyringOp);

struct Keyring {
        sd_event *event;
        uint64_t limit_usec;
        KeyringWatch *watch;
        KeyringWorker *worker;
        KeyringJob *unlock;      /* the prompt, or NULL */
        bool unlock_held;        /* as KeyringOp.held */
        struct KeyringOps ops;   /* KeyringOp.link; in the order of the calls */
        sd_event_source *answer; /* the worker's eventfd */
        sd_event_source *tell;   /* runs when fn has something to be told */
        KeyringService service;
        KeyringState seen; /* the last that the watcher or a job saw */
        unsigned news;     /* counts what the watcher says */
        KeyringState state;
        int told;  /* the state that fn knows, or -1 */
        bool owed; /* somebody was answered LOCKED or ABSENT: fn is told of OK, even again */
        KeyringStateFn fn;
        void *userdata;
};

const char *keyring_state_to_string(KeyringState state) {
        static const char *const names[_KEYRING_STATE_MAX] = {
                [KEYRING_STATE_OK] = "ok",
                [KEYRING_STATE_LOCKED] = "locked",
                [KEYRING_STATE_PROMPTING] = "prompting",
                [KEYRING_STATE_ABSENT] = "absent",
        };

        return (unsigned)state < _KEYRING_STATE_MAX ? names[state] : NULL;
}

KeyringState keyring_state(const Keyring *k) {
        return k->state;
}

void keyring_set_time_limit(Keyring *k, uint64_t limit_usec) {
        k->limit_usec = limit_usec;
}

static int keyring_on_tell(sd_event_source *source, void *userdata) {
        Keyring *k = userdata;

        if (k->told == (int)k->state && !(k->owed && k->state == KEYRING_STATE_OK))
                return 0;
        if (k->state == KEYRING_STATE_OK)
                k->owed = false;
        k->told = k->state;
        k->fn(k->state, k->userdata);
        return 0;
}

/* A prompt that is still open beside an unlocked keyring is no longer what anybody waits for. */
static void keyring_update_state(Keyring *k) {
        k->state = k->unlock && k->seen != KEYRING_STATE_OK ? KEYRING_STATE_PROMPTING : k->seen;
        (void)sd_event_source_set_enabled(k->tell, SD_EVENT_ONESHOT);
}

/* Let go of the job and of the list. */
static void op_end(KeyringOp *op) {
        Keyring *k = op->k;

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
static void op_answer(KeyringOp *op, int outcome, const char *secret) {
        Keyring *k = op->k;

        if (outcome == KEYRING_E_LOCKED || outcome == KEYRING_E_ABSENT) {
                k->owed = true;
                keyring_update_state(k);
        }
        op_end(op);
        op->fn(outcome, secret, op->userdata);
}

KeyringOp *keyring_op_free(KeyringOp *op) {
        if (op && op->k)
                op_end(op);
        free(op);
        return NULL;
}

static int op_on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        KeyringOp *op = userdata;

        op_answer(op, op->outcome, NULL);
        return 0;
}

/* End it from the loop's next turn: callbacks never run inside a call, and one at a time. */
static void op_end_soon(KeyringOp *op, int outcome) {
        if (op->job)
                keyring_worker_drop(op->k->worker, op->job);
        op->job = NULL;
        op->held = op->unlocking = false;
        op->outcome = outcome;
        (void)sd_event_source_set_time(op->timer, 0);
}

static void op_hand_over(KeyringOp *op) {
        op->held = false;
        op->news = op->k->news;
        keyring_worker_submit(op->k->worker, op->job);
}

static int op_new(Keyring *k, KeyringOp **ret, KeyringJob *job, KeyringFn fn, void *userdata) {
        CLEANUP(keyring_op_freep) KeyringOp *op = NULL;
        struct timespec ts;
        uint64_t until = USEC_INFINITY;
        int r;

        op = calloc(1, sizeof(*op));
        if (!op)
                return -ENOMEM;

        op->outcome = KEYRING_E_FAILED;
        op->fn = fn;
        op->userdata = userdata;
        if (job) {
                clock_gettime(CLOCK_MONOTONIC, &ts);
                until = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 +
                        k->limit_usec;
        }
        r = sd_event_add_time(k->event, &op->timer, CLOCK_MONOTONIC, until, 1, op_on_timer, op);
        if (r < 0)
                return r;

        op->k = k;
        op->job = job;
        TAILQ_INSERT_TAIL(&k->ops, op, link);
        *ret = STEAL(op);
        return 0;
}

static void keyring_finish_unlock(Keyring *k, int outcome) {
        KeyringOp *op;

        k->unlock = keyring_job_free(k->unlock);
        k->unlock_held = false;
        if (outcome == KEYRING_E_LOCKED && k->seen == KEYRING_STATE_OK)
                outcome = 0; /* dismissed because it was unlocked elsewhere meanwhile */
        TAILQ_FOREACH(op, &k->ops, link)
        if (op->unlocking)
                op_end_soon(op, outcome);
        if (outcome == 0)
                k->seen = KEYRING_STATE_OK;
        keyring_watch_refresh(k->watch);
        keyring_update_state(k);
}

/* What a job met corrects the state, unless the watcher had news since it was started. */
static void keyring_learn(Keyring *k, const KeyringOp *op, KeyringJobKind kind, int outcome) {
        if (op->news != k->news)
                return;
        if (outcome == KEYRING_E_LOCKED)
                k->seen = KEYRING_STATE_LOCKED;
        else if (outcome == KEYRING_E_ABSENT)
                k->seen = KEYRING_STATE_ABSENT;
        else if (outcome == KEYRING_E_NOT_FOUND || (outcome == 0 && kind == KEYRING_JOB_STORE))
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
        if (job == k->unlock) {
                outcome = job->outcome;
                job = NULL;
                keyring_finish_unlock(k, outcome);
                return 0;
        }

        op = job->owner;
        op->job = NULL;
        keyring_learn(k, op, job->kind, job->outcome);
        op_answer(op, job->outcome,
                  job->kind == KEYRING_JOB_LOAD && job->outcome == 0 ? job->secret : NULL);
        return 0;
}

/* The service is known now: what waited for that goes on. */
static void keyring_release_held(Keyring *k) {
        KeyringOp *op;

        TAILQ_FOREACH(op, &k->ops, link) {
                if (!op->held)
                        continue;
                if (k->service == KEYRING_SERVICE_RUNS)
                        op_hand_over(op);
                else
                        op_end_soon(op, KEYRING_E_ABSENT);
        }

        if (!k->unlock_held)
                return;
        if (k->service == KEYRING_SERVICE_NONE) {
                keyring_finish_unlock(k, KEYRING_E_ABSENT);
                return;
        }
        k->unlock_held = false;
        keyring_worker_submit(k->worker, k->unlock);
}

static void keyring_on_watch(KeyringService service, KeyringState state, void *userdata) {
        Keyring *k = userdata;

        k->news++;
        k->service = service;
        if (state != _KEYRING_STATE_MAX)
                k->seen = state;
        if (service == KEYRING_SERVICE_UNKNOWN)
                return;
        keyring_release_held(k);
        if (state != _KEYRING_STATE_MAX)
                keyring_update_state(k);
}

static int keyring_submit(Keyring *k, KeyringOp **ret, KeyringJob **job, KeyringFn fn,
                          void *userdata) {
        KeyringOp *op;
        int r;

        r = op_new(k, &op, *job, fn, userdata);
        if (r < 0)
                return r;

        *job = NULL;
        op->job->owner = op;
        if (k->service == KEYRING_SERVICE_RUNS)
                op_hand_over(op);
        else if (k->service == KEYRING_SERVICE_UNKNOWN)
                op->held = true;
        else
                op_end_soon(op, KEYRING_E_ABSENT);
        *ret = op;
        return 0;
}

int keyring_load(Keyring *k, KeyringOp **ret, const char *account, KeyringFn fn, void *userdata) {
        CLEANUP(keyring_job_freep) KeyringJob *job = NULL;
        int r;

        r = keyring_job_new(&job, KEYRING_JOB_LOAD, account, NULL, NULL);
        if (r < 0)
                return r;
        return keyring_submit(k, ret, &job, fn, userdata);
}

int keyring_store(Keyring *k, KeyringOp **ret, const char *account, const char *label,
                  const char *secret, KeyringFn fn, void *userdata) {
        CLEANUP(keyring_job_freep) KeyringJob *job = NULL;
        int r;

        r = keyring_job_new(&job, KEYRING_JOB_STORE, account, label, secret);
        if (r < 0)
                return r;
        return keyring_submit(k, ret, &job, fn, userdata);
}

int keyring_delete(Keyring *k, KeyringOp **ret, const char *account, KeyringFn fn, void *userdata) {
        CLEANUP(keyring_job_freep) KeyringJob *job = NULL;
        int r;

        r = keyring_job_new(&job, KEYRING_JOB_DELETE, account, NULL, NULL);
        if (r < 0)
                return r;
        return keyring_submit(k, ret, &job, fn, userdata);
}

int keyring_unlock(Keyring *k, KeyringOp **ret, KeyringFn fn, void *userdata) {
        CLEANUP(keyring_op_freep) KeyringOp *op = NULL;
        int r;

        r = op_new(k, &op, NULL, fn, userdata);
        if (r < 0)
                return r;
        op->unlocking = true;
        if (!k->unlock) {
                r = keyring_job_new(&k->unlock, KEYRING_JOB_UNLOCK, NULL, NULL, NULL);
                if (r < 0)
                        return r;
                k->unlock_held = true;
                if (k->service == KEYRING_SERVICE_NONE)
                        keyring_watch_activate(k->watch);
                if (k->service != KEYRING_SERVICE_UNKNOWN)
                        keyring_release_held(k);
                keyring_update_state(k);
        }

        *ret = STEAL(op);
        return 0;
}

int keyring_new(Keyring **ret, sd_event *event, KeyringStateFn fn, void *userdata) {
        CLEANUP(keyring_freep) Keyring *k = NULL;
        void *impl;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;

        k->event = sd_event_ref(event);
        k->limit_usec = TIME_LIMIT_USEC;
        k->seen = k->state = KEYRING_STATE_ABSENT;
        k->told = -1;
        k->fn = fn;
        k->userdata = userdata;
        TAILQ_INIT(&k->ops);

        r = keyring_secret_new(&impl);
        if (r < 0)
                return r;
        r = keyring_worker_new(&k->worker, &keyring_secret_backend, impl);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &k->answer, keyring_worker_fd(k->worker), EPOLLIN,
                            keyring_on_answer, k);
        if (r < 0)
                return r;
        r = sd_event_add_defer(event, &k->tell, keyring_on_tell, k);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(k->tell, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = keyring_watch_new(&k->watch, event, TIME_LIMIT_USEC, keyring_on_watch, k);
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
                op_end(op);
        keyring_watch_free(k->watch);
        sd_event_source_disable_unref(k->tell);
        sd_event_source_disable_unref(k->answer);
        if (k->unlock_held)
                keyring_job_free(k->unlock);
        keyring_worker_free(k->worker);
        sd_event_unref(k->event);
        free(k);
        return NULL;
}
