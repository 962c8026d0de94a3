/* SPDX-License-Identifier: MIT */
/*
 * The keyring, one item an account: the system's (Secret Service, through libsecret), or files that
 * are encrypted with a key of the person's own. Either lives on one worker thread behind this page:
 * nobody else in the daemon knows that there is a thread. Calls never block the loop; those that
 * may show a dialog say so, and other calls go on meanwhile.
 * Tokens are served from memory whatever the keyring does. What is wrong, its outcome, and what
 * then happens:
 * - no key file, or one that others can read: LOCKED, tried again by an unlock or a reload
 * - locked: LOCKED, done at the signal that it is open
 * - killed, or a disk that was unmounted: ABSENT, the same; never taken for a sign-out
 * - no answer for 10 s: SILENT, absent, until it answers a question that was left with it
 * (watch.c)
 * - one file damaged, or of another key: UNREADABLE, that account is locked, its file stays
 * - a full disk: FAILED, tried again after 5, 10 ... 300 s
 * - it asks before it deletes or overwrites: the call waits for the person, one dialog at a time;
 * declined: REFUSED, not asked again before an unlock
 * - somebody deleted an item: ItemDeleted is told, each account looks for its own
 * The store is chosen when the daemon starts; a change waits for the next start, so that a line
 * that is being edited moves no secret.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Keyring Keyring;
typedef struct KeyringOp KeyringOp;

typedef enum KeyringState {
        KEYRING_STATE_OK,
        KEYRING_STATE_LOCKED,
        KEYRING_STATE_PROMPTING, /* a dialog of its waits for a person */
        KEYRING_STATE_ABSENT,    /* no Secret Service on the bus, or no default collection, or it
                                    left a call unanswered and was not heard since */
        _KEYRING_STATE_MAX,
} KeyringState;

/* Named outcomes that a KeyringFn is given. */
enum {
        _KEYRING_E_SUCCESS,
        KEYRING_E_NOT_FOUND, /* an unlocked keyring has no item of this account */
        KEYRING_E_LOCKED,
        KEYRING_E_ABSENT,
        KEYRING_E_UNREADABLE, /* it is there, and can't be decrypted with the key that we have */
        KEYRING_E_SILENT,     /* no answer in time, or none since: it may still be done */
        KEYRING_E_FAILED,     /* a fault of the service: its disk is full */
        KEYRING_E_REFUSED,    /* a person was asked, and said no; or was given up: not done */
        KEYRING_E_ASKS,       /* not of a KeyringFn: a person is being asked, it is not done yet */
};

/*
 * A service may ask a person before it does something (KeePassXC: before it deletes an item, or
 * writes one that it has not allowed us yet). One dialog is shown at a time, the others wait for
 * it; the time limit of a call counts without them.
 */
typedef enum KeyringWish {
        KEYRING_WISH_SILENT,     /* ask nobody: KEYRING_E_REFUSED */
        KEYRING_WISH_BACKGROUND, /* ask; who has refused once is not asked again before an unlock */
        KEYRING_WISH_PERSON,     /* it is what a person has called for: ask */
        KEYRING_WISH_BESIDE,     /* ask nobody: what may not be written over stays, and a second
                                    item of this account, the newer one, is made beside it */
} KeyringWish;

typedef struct KeyringAsk {
        KeyringWish wish;
        /* It waits for a person now. Once, later, from the loop; may free the handle. NULL: tell
         * nobody. */
        void (*asked)(void *userdata);
} KeyringAsk;

/* secret is borrowed, NULL unless a load succeeded. */
typedef void (*KeyringFn)(int outcome, const char *secret, void *userdata);
/* The state changed. Called from the loop, never inside a call of this page. Whoever was answered
 * KEYRING_E_LOCKED, ABSENT or SILENT hears of KEYRING_STATE_OK after that, if need be again. */
typedef void (*KeyringStateFn)(KeyringState state, void *userdata);

/*
 * Start the worker and watch the Secret Service on the session bus (an sd-bus connection of its
 * own: NameOwnerChanged, and the default collection's Locked property: no polling). The first state
 * is told by fn as soon as it is known; until then keyring_state() says ABSENT, and calls wait. A
 * service that does not run is started (D-Bus activation) once, here, and by keyring_unlock();
 * while there is none, calls answer KEYRING_E_ABSENT at once. 0 or -errno.
 */
int keyring_new(Keyring **ret, sd_event *event, KeyringStateFn fn, void *userdata);
/*
 * The same with encrypted files in a folder (store-file.h), which is made. No bus is asked, and no
 * person. LOCKED is: without a good key, or with one that the files there were not encrypted with;
 * ABSENT: without a folder; keyring_complaint() says what to do. key_file NULL is the systemd
 * credential. keyring_unlock() reads the key again. 0 or -errno.
 */
int keyring_new_file(Keyring **ret, sd_event *event, const char *folder, const char *key_file,
                     KeyringStateFn fn, void *userdata);
/* The same with nothing behind it: ABSENT for ever, and why (may be NULL) is the complaint. */
int keyring_new_none(Keyring **ret, sd_event *event, const char *why, KeyringStateFn fn,
                     void *userdata);
/* The settings were read again: the file store reads its key anew. Of no effect on the others. 0,
 * or -ENOMEM, and nothing has changed. */
int keyring_set_key_file(Keyring *k, const char *key_file);
/* "secret-service", "file" or "none". */
const char *keyring_kind(const Keyring *k);
/*
 * Inside a KeyringFn: why that call went wrong; else why the state is not OK: sentences for a
 * person that say what to do. Borrowed; NULL: there is no more to say than the outcome or state.
 */
const char *keyring_complaint(const Keyring *k);
/* Cancels all that is under way (callbacks are not called) and ends the worker, within 2 s even if
 * the service hangs. */
Keyring *keyring_free(Keyring *k);

/*
 * Tell fn when somebody, we included, has deleted an item, ours or another program's: which one is
 * for the reader to find out. From the loop, a second late, so that many are told once. NULL: tell
 * nobody. Encrypted files are not watched.
 */
typedef void (*KeyringDeletionFn)(void *userdata);
void keyring_set_deletion_fn(Keyring *k, KeyringDeletionFn fn, void *userdata);

/* How long a call may take, from now on; for tests and settings. Default 10 s. */
void keyring_set_time_limit(Keyring *k, uint64_t limit_usec);
KeyringState keyring_state(const Keyring *k);
const char *keyring_state_to_string(KeyringState state);

/*
 * Asynchronous, done in the order of the calls: fn runs once, later, from the loop; freeing the
 * handle first takes the callback back (a store that was started may still happen). The handle is
 * the caller's to free, also inside fn and after keyring_free(). Each has a time limit of 10 s,
 * then KEYRING_E_SILENT; from then on all calls answer that at once and the state is ABSENT, until
 * the service is heard again. A restarted service is reconnected to and the job done once more. 0,
 * -ENOMEM or another -errno of the loop. fn may not free the Keyring.
 */
int keyring_load(Keyring *k, KeyringOp **ret, const char *account, KeyringFn fn, void *userdata);
/* Makes the item or replaces its secret. label is what the person sees in a keyring browser. */
int keyring_store(Keyring *k, KeyringOp **ret, KeyringAsk ask, const char *account,
                  const char *label, const char *secret, KeyringFn fn, void *userdata);
/* Deleting what is not there is success. */
int keyring_delete(Keyring *k, KeyringOp **ret, KeyringAsk ask, const char *account, KeyringFn fn,
                   void *userdata);
/* Ask the person to unlock, or to make, the default collection, and to allow our items; waits as
 * long as it takes. Outcome 0, LOCKED or REFUSED (dismissed), ABSENT or SILENT. A second call joins
 * the prompt of the first; the dialog of another call comes first. */
int keyring_unlock(Keyring *k, KeyringOp **ret, KeyringFn fn, void *userdata);

/* Take the callback back and free the handle; its dialog is taken away. NULL is fine. Returns NULL.
 */
KeyringOp *keyring_op_free(KeyringOp *op);
/* If it waits for a person, don't: it ends soon with KEYRING_E_REFUSED. NULL is fine. */
void keyring_op_give_up(KeyringOp *op);

CLEANUP_FUNC(Keyring, keyring_free)
CLEANUP_FUNC(KeyringOp, keyring_op_free)
