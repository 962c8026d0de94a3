/* SPDX-License-Identifier: MIT */
/*
 * See watch.h. A thread, because the rest is plain blocking calls: libcurl, flock(2), a sleep, a
 * child. It takes no signal and touches no memory of the others.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "fetch/watch.h"

/* poll(2): a pipe without a reader is POLLERR, a closed socket or terminal POLLHUP. */
static void *watch_run(void *userdata) {
        struct pollfd p = { .fd = STDOUT_FILENO };

        (void)userdata;
        while (poll(&p, 1, -1) <= 0)
                continue;
        _exit(1);
}

int watch_stdout(void) {
        pthread_attr_t attr;
        sigset_t all, before;
        pthread_t thread;
        int r;

        sigfillset(&all);
        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        r = pthread_create(&thread, &attr, watch_run, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attr);
        return -r;
}
