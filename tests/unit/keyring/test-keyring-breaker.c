/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "fake-time.h"
#include "io/keyring/breaker.h"

static unsigned n_closed;

static void on_close(void *userdata) {
        n_closed++;
}

static KeyringBreaker *breaker(void) {
        KeyringBreaker *b;

        fake_time_init(86400 * USEC_PER_SEC, 1700000000);
        n_closed = 0;
        assert(keyring_breaker_new(&b, NULL, on_close, NULL) == 0);
        assert(!keyring_breaker_is_open(b));
        return b;
}

static void test_one_loss_ends_with_the_next_sign_of_life(void) {
        CLEANUP(keyring_breaker_freep) KeyringBreaker *b = breaker();

        for (int i = 0; i < 3; i++) {
                keyring_breaker_trip(b);
                assert(keyring_breaker_is_open(b));
                assert(fake_timer_next() == USEC_INFINITY); /* nobody polls */
                keyring_breaker_hear(b);
                assert(!keyring_breaker_is_open(b));
                keyring_breaker_praise(b);
        }
        assert(n_closed == 0);
}

static void test_who_loses_each_call_is_asked_less_and_less(void) {
        static const unsigned pauses[] = { 30, 60, 120, 240, 300, 300 };
        CLEANUP(keyring_breaker_freep) KeyringBreaker *b = breaker();

        keyring_breaker_trip(b);
        keyring_breaker_hear(b);
        for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
                keyring_breaker_trip(b);
                keyring_breaker_hear(b);
                fake_time_pass(pauses[i] * USEC_PER_SEC - 1);
                assert(keyring_breaker_is_open(b) && n_closed == i);
                fake_time_pass(1);
                assert(!keyring_breaker_is_open(b) && n_closed == i + 1);
        }
        /* one that answers is forgiven */
        keyring_breaker_praise(b);
        keyring_breaker_trip(b);
        keyring_breaker_hear(b);
        assert(!keyring_breaker_is_open(b));
}

static void test_the_end_of_a_pause_is_no_sign_of_life(void) {
        CLEANUP(keyring_breaker_freep) KeyringBreaker *b = breaker();

        keyring_breaker_trip(b);
        keyring_breaker_hear(b);
        keyring_breaker_trip(b);
        keyring_breaker_trip(b); /* calls that were on their way, too: one loss */
        fake_time_pass(3600 * USEC_PER_SEC);
        assert(keyring_breaker_is_open(b) && n_closed == 0);
        keyring_breaker_hear(b);
        assert(!keyring_breaker_is_open(b));
}

static void test_another_service_begins_anew(void) {
        CLEANUP(keyring_breaker_freep) KeyringBreaker *b = breaker();

        keyring_breaker_trip(b);
        keyring_breaker_hear(b);
        keyring_breaker_trip(b);
        keyring_breaker_reset(b);
        assert(!keyring_breaker_is_open(b) && fake_timer_next() == USEC_INFINITY);
        keyring_breaker_trip(b);
        keyring_breaker_hear(b);
        assert(!keyring_breaker_is_open(b));
}

int main(void) {
        test_one_loss_ends_with_the_next_sign_of_life();
        test_who_loses_each_call_is_asked_less_and_less();
        test_the_end_of_a_pause_is_no_sign_of_life();
        test_another_service_begins_anew();
        return 0;
}
