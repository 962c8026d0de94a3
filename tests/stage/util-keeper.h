/* SPDX-License-Identifier: MIT */
/*
 * A keeper on a stage: the real keeper, vault, sign-in and policy, with a clock, a keyring and an
 * identity side of the test's own; callers that ask and remember what they were told; a listener
 * that remembers what was announced. All of them abort.
 */
#pragma once

#undef NDEBUG
#include <assert.h>

#include "fake-fetch.h"
#include "fake-keyring.h"
#include "fake-notify.h"
#include "fake-sleep.h"
#include "fake-time.h"
#include "keeper/keeper.h"
#include "keeper/signin.h"
#include "model/limits.h"
#include "model/record.h"

#define RESOURCE "https://apps.azureiotcentral.com"
#define GRAPH    "https://graph.microsoft.com"
#define SEC(n)   ((uint64_t)(n)*USEC_PER_SEC)
#define WALL     UINT64_C(1700000000)

typedef struct Stage {
        Env env;
        Keyring *keyring;
        Keeper *keeper;
        unsigned changed;   /* bits of ACCOUNT_CHANGED_* since stage_changed() */
        unsigned n_changed; /* how often it was told */
        unsigned signins_added, signins_changed, signins_removed;
        unsigned warnings; /* that it ends soon */
        uint64_t warned_seconds;
} Stage;

typedef struct Caller {
        Keeper *keeper;
        Waiter *waiter;
        unsigned answers;
        uint64_t answered_usec;
        char token[64]; /* "" unless it got one */
        Outcome outcome;
        char text[1024];
        void (*then)(struct Caller *c); /* called inside its answer */
        struct Caller *other;
        void *then_userdata;
} Caller;

/* Somebody who waits for a change to be done: of changer_on_done(). */
typedef struct Changer {
        KeeperOp *op;
        unsigned answers;
        Outcome outcome;
} Changer;

/* A stage without a keeper yet; the machine has been up for a day. */
void stage_init(Stage *s);
/* Checks that nothing is left: no fetch, no timer, no lock. */
void stage_deinit(Stage *s);
/* An account "work" of a source, with GRAPH among its resources where it has any. */
Account *stage_account(AccountSource source);
/* Put a record into the keyring, as an earlier daemon has left it. token may be NULL; ages in s. */
void stage_put_record(Stage *s, AccountSource source, const char *secret, const char *token,
                      uint64_t age, uint64_t life);
/* Start the keeper and let the keyring answer. */
void stage_start(Stage *s, AccountSource source);
/* A person has signed in before: the keyring has "secret-rt-1", and no access token. The fetch
 * that follows at the start is answered with token "at-1" of an hour. */
void stage_start_signed_in(Stage *s);
/* What was announced since the last call. */
unsigned stage_changed(Stage *s);
KeeperState stage_state(const Stage *s);
KeeperView stage_view(const Stage *s);
/* NTP, or a person, sets the wall clock by so many seconds. */
void stage_set_clock(Stage *s, int64_t by);
/* The refresh token, API token in the keyring now; "" for none. Valid until the next call. */
const char *stage_stored_secret(const Stage *s);

/* Ask; what is known at once is in the caller when this returns. */
void caller_ask(Caller *c, Keeper *k, const KeeperAsk *ask);
void caller_leave(Caller *c);
void changer_on_done(const Problem *problem, void *userdata); /* Changer */
void expect_done(const Changer *c, Outcome outcome);
void expect_waiting(const Caller *c);
void expect_token(Caller *c, const char *token);
void expect_failure(Caller *c, Outcome outcome, const char *hint);

/* timeout in s; the fields of KeeperAsk after it. The loop turns once. */
#define ASK(c, s, seconds, ...)                                        \
        do {                                                           \
                caller_ask((c), (s)->keeper,                           \
                           &(KeeperAsk){ .caller = ":1.1",             \
                                         .timeout_usec = SEC(seconds), \
                                         ##__VA_ARGS__ });             \
                fake_time_pass(0);                                     \
        } while (0)

/* The identity side answers the fetch under way: a token, with a new refresh token or NULL. */
void answer_token(const char *token, const char *refresh_token);
void answer_error(Outcome outcome, uint64_t retry_after);
