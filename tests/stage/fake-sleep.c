/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "fake-sleep.h"

struct SleepLock {
        bool held;
};

static unsigned locks;

int sleep_lock_new(SleepLock **ret, Sleep *s) {
        SleepLock *lock = malloc(sizeof(*lock));

        assert(lock);
        lock->held = true;
        locks++;
        *ret = lock;
        return 0;
}

SleepLock *sleep_lock_free(SleepLock *lock) {
        if (lock) {
                assert(lock->held);
                lock->held = false;
                locks--;
                free(lock);
        }
        return NULL;
}

unsigned fake_sleep_locks(void) {
        return locks;
}
