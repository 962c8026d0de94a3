/* SPDX-License-Identifier: MIT */
/*
 * One lock guards three lists. A prompt runs beside the other jobs: the thread starts it, goes on,
 * and is told of its end while it waits for work.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include "common/secret.h"
#include "io/keyring/worker.h"

/* Of the 2 s that keyring_free() has. */
#define JOIN_MSEC 1500

TAILQ_HEAD(KeyringJobs, KeyringJob);

struct KeyringWorker {
        pthread_mutex_t lock;
        unsigned n_ref; /* the loop's side, and the thread */
        bool stop;
        struct KeyringJobs queued;
        struct KeyringJobs done;
        KeyringJob *prompting; /* any other job that runs is the thread's alone */
        const KeyringBackend *backend;
        void *impl; /* the thread's, but for wake() */
        pthread_t thread;
        int fd; /* a semaphore: one for each job in done */
};

int keyring_job_new(KeyringJob **ret, KeyringJobKind kind, const char *account, const char *label,
                    const char *secret) {
        CLEANUP(keyring_job_freep) KeyringJob *job = NULL;

        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;

        job->kind = kind;
        job->cancel = keyring_cancel_new();
        job->account = account ? strdup(account) : NULL;
        job->label = label ? strdup(label) : NULL;
        job->secret = secret_dup(secret);
        if ((account && !job->account) || (label && !job->label) || (secret && !job->secret))
                return -ENOMEM;

        *ret = STEAL(job);
        return 0;
}

KeyringJob *keyring_job_free(KeyringJob *job) {
        if (!job)
                return NULL;
        keyring_cancel_free(job->cancel);
        secret_free(job->secret);
        free(job->label);
        free(job->key_file);
        free(job->complaint);
        free(job->question.prompt);
        free(job->question.about);
        free(job->account);
        free(job);
        return NULL;
}

static void worker_free_jobs(struct KeyringJobs *jobs) {
        KeyringJob *job;

        while ((job = TAILQ_FIRST(jobs))) {
                TAILQ_REMOVE(jobs, job, link);
                keyring_job_free(job);
        }
}

static void worker_unref(KeyringWorker *w) {
        bool last;

        pthread_mutex_lock(&w->lock);
        last = --w->n_ref == 0;
        pthread_mutex_unlock(&w->lock);
        if (!last)
                return;

        worker_free_jobs(&w->queued);
        worker_free_jobs(&w->done);
        keyring_job_free(w->prompting);
        w->backend->free(w->impl);
        fd_close(w->fd);
        pthread_mutex_destroy(&w->lock);
        free(w);
}

/* Under the lock. */
static void worker_put_done(KeyringWorker *w, KeyringJob *job) {
        if (job->abandoned) {
                keyring_job_free(job);
                return;
        }
        job->place = KEYRING_JOB_DONE;
        TAILQ_INSERT_TAIL(&w->done, job, link);
        (void)eventfd_write(w->fd, 1);
}

static void worker_on_prompted(int outcome, void *userdata) {
        KeyringWorker *w = userdata;
        KeyringJob *job;

        pthread_mutex_lock(&w->lock);
        job = STEAL(w->prompting);
        job->outcome = outcome;
        worker_put_done(w, job);
        pthread_mutex_unlock(&w->lock);
}

static bool job_shows(const KeyringJob *job) {
        return job->kind == KEYRING_JOB_UNLOCK || job->kind == KEYRING_JOB_DIALOG;
}

/* Wait for the next job; NULL when the thread is to end. */
static KeyringJob *worker_next(KeyringWorker *w) {
        KeyringJob *job, *left;
        bool stop;

        for (;;) {
                pthread_mutex_lock(&w->lock);
                stop = w->stop;
                left = w->prompting && w->prompting->abandoned ? STEAL(w->prompting) : NULL;
                if (left) {
                        pthread_mutex_unlock(&w->lock);
                        w->backend->dismiss(w->impl, NULL);
                        keyring_job_free(left);
                        continue;
                }
                job = stop ? NULL : TAILQ_FIRST(&w->queued);
                if (job) {
                        TAILQ_REMOVE(&w->queued, job, link);
                        job->place = KEYRING_JOB_RUNNING;
                        if (job_shows(job) && !job->abandoned)
                                w->prompting = job;
                }
                pthread_mutex_unlock(&w->lock);
                if (job || stop)
                        return job;
                w->backend->wait(w->impl);
        }
}

static void worker_run(KeyringWorker *w, KeyringJob *job) {
        const KeyringBackend *b = w->backend;
        int r;

        switch (job->kind) {
        case KEYRING_JOB_LOAD:
                job->outcome = b->load(w->impl, job->cancel, job->account, &job->secret);
                break;
        case KEYRING_JOB_STORE:
                job->outcome = b->store(w->impl, job->cancel, &job->question, job->beside,
                                        job->account, job->label, job->secret);
                break;
        case KEYRING_JOB_DELETE:
                job->outcome = b->erase(w->impl, job->cancel, &job->question, job->account);
                break;
        case KEYRING_JOB_DIALOG:
                if (job->abandoned)
                        b->dismiss(w->impl, job->question.prompt);
                else {
                        r = b->show(w->impl, job->question.prompt, worker_on_prompted, w);
                        if (r)
                                worker_on_prompted(r, w);
                        return;
                }
                break;
        case KEYRING_JOB_UNLOCK:
                r = b->unlock(w->impl, job->key_file, worker_on_prompted, w);
                if (r) {
                        job->complaint = b->complaint(w->impl);
                        worker_on_prompted(r, w);
                }
                return;
        }

        free(job->complaint);
        job->complaint = job->outcome ? b->complaint(w->impl) : NULL;
        pthread_mutex_lock(&w->lock);
        worker_put_done(w, job);
        pthread_mutex_unlock(&w->lock);
}

static void *worker_main(void *userdata) {
        KeyringWorker *w = userdata;
        KeyringJob *job;

        w->backend->enter(w->impl);
        while ((job = worker_next(w)))
                worker_run(w, job);
        w->backend->leave(w->impl);
        worker_unref(w);
        return NULL;
}

static int worker_start(KeyringWorker *w) {
        sigset_t all, before;
        int r;

        sigfillset(&all);
        r = pthread_sigmask(SIG_SETMASK, &all, &before);
        if (r)
                return -r;

        w->n_ref++;
        r = pthread_create(&w->thread, NULL, worker_main, w);
        if (r)
                w->n_ref--;
        else
                (void)pthread_setname_np(w->thread, "keyring");
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -r;
}

int keyring_worker_new(KeyringWorker **ret, const KeyringBackend *backend, void *impl) {
        KeyringWorker *w;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w) {
                backend->free(impl);
                return -ENOMEM;
        }

        w->n_ref = 1;
        w->backend = backend;
        w->impl = impl;
        TAILQ_INIT(&w->queued);
        TAILQ_INIT(&w->done);
        pthread_mutex_init(&w->lock, NULL);
        w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
        r = w->fd < 0 ? -errno : worker_start(w);
        if (r < 0) {
                worker_unref(w);
                return r;
        }

        *ret = w;
        return 0;
}

KeyringWorker *keyring_worker_free(KeyringWorker *w) {
        struct timespec until;

        if (!w)
                return NULL;

        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_mutex_unlock(&w->lock);
        w->backend->wake(w->impl);

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += JOIN_MSEC % 1000 * 1000000L;
        until.tv_sec += JOIN_MSEC / 1000 + until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until))
                pthread_detach(w->thread);
        worker_unref(w);
        return NULL;
}

int keyring_worker_fd(KeyringWorker *w) {
        return w->fd;
}

void keyring_worker_submit(KeyringWorker *w, KeyringJob *job) {
        pthread_mutex_lock(&w->lock);
        job->place = KEYRING_JOB_QUEUED;
        TAILQ_INSERT_TAIL(&w->queued, job, link);
        pthread_mutex_unlock(&w->lock);
        w->backend->wake(w->impl);
}

void keyring_worker_dismiss(KeyringWorker *w, KeyringJob *job) {
        job->abandoned = true;
        keyring_worker_submit(w, job);
}

KeyringJob *keyring_worker_take(KeyringWorker *w) {
        KeyringJob *job;
        eventfd_t n;

        pthread_mutex_lock(&w->lock);
        (void)eventfd_read(w->fd, &n);
        job = TAILQ_FIRST(&w->done);
        if (job) {
                TAILQ_REMOVE(&w->done, job, link);
                job->place = KEYRING_JOB_NEW;
        }
        pthread_mutex_unlock(&w->lock);
        return job;
}

void keyring_worker_drop(KeyringWorker *w, KeyringJob *job) {
        pthread_mutex_lock(&w->lock);
        switch (job->place) {
        case KEYRING_JOB_QUEUED:
                TAILQ_REMOVE(&w->queued, job, link);
                break;
        case KEYRING_JOB_RUNNING:
                job->abandoned = true;
                keyring_cancel_trigger(job->cancel);
                if (job_shows(job))
                        w->backend->wake(w->impl);
                job = NULL; /* the thread frees it */
                break;
        case KEYRING_JOB_DONE:
                TAILQ_REMOVE(&w->done, job, link);
                break;
        case KEYRING_JOB_NEW:
                break;
        }
        pthread_mutex_unlock(&w->lock);
        keyring_job_free(job);
}
