/* SPDX-License-Identifier: MIT */
/*
 * The one state that others see, and why it is so.
 */
#include "io/keyring/keyring-private.h"

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

/* An unlock that is still open beside an unlocked keyring is no longer what anybody waits for; what
 * was seen of a service that has fallen silent is no longer true. */
void keyring_update_state(Keyring *k) {
        KeyringState seen = keyring_breaker_is_open(k->breaker) ? KEYRING_STATE_ABSENT : k->seen;

        k->state = k->dialog.seen || (k->unlock.job && k->watch && seen != KEYRING_STATE_OK)
                           ? KEYRING_STATE_PROMPTING
                           : seen;
        (void)sd_event_source_set_enabled(k->teller.source, SD_EVENT_ONESHOT);
}

const char *keyring_kind(const Keyring *k) {
        return k->kind;
}

const char *keyring_complaint(const Keyring *k) {
        if (k->complaint)
                return k->complaint;
        return k->state == KEYRING_STATE_OK ? NULL : k->shut;
}

void keyring_set_shut(Keyring *k, char *why) {
        free(k->shut);
        k->shut = why;
}
