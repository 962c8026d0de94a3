/* SPDX-License-Identifier: MIT */
#include "io/keyring/breaker.h"
#include "io/timer.h"

#define PAUSE_FIRST_USEC (30 * USEC_PER_SEC)
#define PAUSE_MAX_USEC   (300 * USEC_PER_SEC)

struct KeyringBreaker {
        bool open;
        bool heard;          /* since it was opened */
        bool pausing;        /* heard or not, it stays open until the timer */
        uint64_t pause_usec; /* the next one; 0: none */
        Timer *timer;
        KeyringBreakerFn fn;
        void *userdata;
};

static void breaker_on_time(void *userdata) {
        KeyringBreaker *b = userdata;

        b->pausing = false;
        if (!b->open || !b->heard)
                return;
        b->open = false;
        b->fn(b->userdata);
}

int keyring_breaker_new(KeyringBreaker **ret, sd_event *event, KeyringBreakerFn fn,
                        void *userdata) {
        CLEANUP(keyring_breaker_freep) KeyringBreaker *b = NULL;
        int r;

        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;

        b->fn = fn;
        b->userdata = userdata;
        r = timer_new(&b->timer, event, breaker_on_time, b);
        if (r < 0)
                return r;

        *ret = STEAL(b);
        return 0;
}

KeyringBreaker *keyring_breaker_free(KeyringBreaker *b) {
        if (b)
                timer_free(b->timer);
        free(b);
        return NULL;
}

bool keyring_breaker_is_open(const KeyringBreaker *b) {
        return b->open;
}

void keyring_breaker_trip(KeyringBreaker *b) {
        if (b->open)
                return;
        b->open = true;
        b->heard = false;
        b->pausing = b->pause_usec > 0;
        if (b->pausing)
                timer_arm(b->timer, clock_boottime() + b->pause_usec);
        b->pause_usec = b->pausing ? MIN(b->pause_usec * 2, PAUSE_MAX_USEC) : PAUSE_FIRST_USEC;
}

void keyring_breaker_hear(KeyringBreaker *b) {
        b->heard = true;
        if (!b->pausing)
                b->open = false;
}

void keyring_breaker_praise(KeyringBreaker *b) {
        b->pause_usec = 0;
}

void keyring_breaker_reset(KeyringBreaker *b) {
        timer_arm(b->timer, USEC_INFINITY);
        b->open = b->pausing = false;
        b->pause_usec = 0;
}
