/* SPDX-License-Identifier: MIT */
/*
 * Stories about io/keyring.h: each is a process of its own with its own bus, so that nothing that a
 * library keeps goes from one to the next, and many run at once. The functions assert.
 */
#pragma once

#include <systemd/sd-event.h>

#include "io/keyring/keyring.h"
#include "util-keyring.h"

typedef struct Test {
        UtilKeyring u;
        sd_event *event;
        Keyring *k;
        unsigned n_states; /* how often a state was told */
        unsigned n_oks;    /* how often it was KEYRING_STATE_OK */
        KeyringState told;
} Test;

typedef struct Answer {
        KeyringOp *op;
        unsigned n; /* how often it came */
        int outcome;
        char *secret;
} Answer;

typedef struct Story {
        const char *name;
        void (*fn)(Test *t);
        bool no_bus;
        const char *service; /* as of util_bus_start() */
} Story;

#define STORY(name) \
        { #name, test_##name, false, NULL }
#define STORY_NO_BUS(name) \
        { #name, test_##name, true, NULL }
#define STORY_SERVICE(name, command) \
        { #name, test_##name, false, command }

/* Run those that are named, or all; for main() to return. An alarm ends one that hangs. */
int util_stories_run(const Story *stories, size_t n, char **names);

extern const KeyringAsk no_ask;
/* What on_asked() is told of. */
extern unsigned n_asked;
void on_asked(void *userdata);

/* A loop and a Keyring, and back. */
void start(Test *t);
void stop(Test *t);
/* stop(), and the bus with the keyring. A story need not. */
void end(Test *t);

/* One turn of the loop, which waits for something to happen. */
void turn(Test *t);
/* Until this state is the last that was told. */
void wait_state(Test *t, KeyringState state);

void on_state(KeyringState state, void *userdata);               /* Test */
void on_answer(int outcome, const char *secret, void *userdata); /* Answer */
/* Until it came, once; its outcome. */
int wait_answer(Test *t, Answer *a);

/* A call and its outcome. */
void expect_load(Test *t, const char *account, int outcome, const char *secret);
int store_as(Test *t, const char *account, const char *label, const char *secret);
int store(Test *t, const char *account, const char *secret);
int erase(Test *t, const char *account);
int unlock(Test *t);

uint64_t now_usec(void);
