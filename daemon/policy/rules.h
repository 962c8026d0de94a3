/* SPDX-License-Identifier: MIT */
/*
 * PURE: what an account is, and what is done about it, as tables that a person can read. A state is
 * never stored: the keeper collects the facts, and the first rule that matches them says what the
 * account shows, what its timer waits for, and when a caller's wish may start an exchange. The
 * second table says what each event leaves of what the keeper holds. The diagram in README.md is
 * checked against both by tests/unit/keeper/test-keeper-diagram.c.
 */
#pragma once

#include "model/problem.h"

/* Contract, section 3: the property State. */
typedef enum KeeperState {
        KEEPER_STATE_READY,
        KEEPER_STATE_SIGNING_IN,
        KEEPER_STATE_LOCKED,
        KEEPER_STATE_SIGN_IN_NEEDED,
        KEEPER_STATE_UNAVAILABLE,
        KEEPER_STATE_MISCONFIGURED,
        KEEPER_STATE_BLOCKED,
        _KEEPER_STATE_MAX,
} KeeperState;

/* The facts. Each is one bit of its kind, so that a rule may name several. */
typedef enum KeeperSettings {
        KEEPER_SETTINGS_GOOD = 1 << 0,
        KEEPER_SETTINGS_BAD = 1 << 1, /* a bad line in the file */
} KeeperSettings;

/* What there is to ask the source with. */
typedef enum KeeperSecret {
        KEEPER_SECRET_LOADING = 1 << 0, /* the keyring has not answered yet */
        KEEPER_SECRET_LOCKED = 1 << 1,  /* it has not been read: locked */
        KEEPER_SECRET_ABSENT = 1 << 2,  /* the same: there is none */
        KEEPER_SECRET_NONE = 1 << 3,    /* nothing is stored: nobody is signed in */
        KEEPER_SECRET_HELD = 1 << 4,    /* a refresh token, a client's secret */
        KEEPER_SECRET_TOKEN = 1 << 5,   /* it is the token itself: api-token */
        KEEPER_SECRET_FREE = 1 << 6,    /* the source needs none of ours: command */
        KEEPER_SECRET_AZ = 1 << 7,      /* the same, and a person signs in out of our sight */
        _KEEPER_SECRET_MAX = 1 << 8,
} KeeperSecret;

/* Of the last attempt. */
typedef enum KeeperFailure {
        KEEPER_FAILURE_NONE = 1 << 0,
        KEEPER_FAILURE_PASSING = 1 << 1,  /* time alone mends it */
        KEEPER_FAILURE_PERSON = 1 << 2,   /* a person must sign in */
        KEEPER_FAILURE_POLICY = 1 << 3,   /* an administrator must act */
        KEEPER_FAILURE_SETTINGS = 1 << 4, /* the source refuses the settings, or is missing */
        _KEEPER_FAILURE_MAX = 1 << 5,
} KeeperFailure;

typedef enum KeeperToken {
        KEEPER_TOKEN_NONE = 1 << 0,
        KEEPER_TOKEN_VALID = 1 << 1,
        KEEPER_TOKEN_ENDED = 1 << 2,
        _KEEPER_TOKEN_MAX = 1 << 3,
} KeeperToken;

typedef struct KeeperFacts {
        KeeperSettings settings;
        KeeperSecret secret;
        KeeperFailure failure;
        KeeperToken token;
} KeeperFacts;

/* What the timer waits for. */
typedef enum KeeperTimer {
        KEEPER_TIMER_OFF,
        KEEPER_TIMER_REFRESH,  /* policy_background_at() */
        KEEPER_TIMER_BACK_OFF, /* policy_retry_delay(), and the end of the token that is shown */
        KEEPER_TIMER_END,      /* that end alone */
} KeeperTimer;

/* When the wish of a caller who can't be served may start an exchange: policy_may_try(). */
typedef enum KeeperTry {
        KEEPER_TRY_NEVER,    /* there is nothing to ask with: refused at once */
        KEEPER_TRY_WAIT,     /* not known yet: the caller waits */
        KEEPER_TRY_NOW,      /* nothing has failed */
        KEEPER_TRY_BACK_OFF, /* when the back-off is over, or 30 s after the last attempt */
        KEEPER_TRY_SLOWLY,   /* 30 s after the last attempt */
        KEEPER_TRY_FORCED,   /* the same, and only with force */
        KEEPER_TRY_SOON,     /* 2 s after the last attempt, with force at once */
        _KEEPER_TRY_MAX,
} KeeperTry;

typedef struct KeeperRule {
        /* The facts, several of each kind or'ed. */
        unsigned settings, secret, failure, token;
        /* What follows. */
        KeeperState state;
        KeeperTimer timer;
        KeeperTry asked;
} KeeperRule;

/* The first rule that matches; there is always one. */
const KeeperRule *keeper_rule(const KeeperFacts *facts);
/* What is shown: the rule's state, unless a sign-in is pending, which shows instead of everything
 * but bad settings. What is done meanwhile is the rule's all the same. */
KeeperState keeper_state_of(const KeeperFacts *facts, bool signing_in);
/* The contract's word. */
const char *keeper_state_to_string(KeeperState state);

/* What the outcome of an attempt means. Whatever is not known here passes. */
KeeperFailure keeper_failure_of(Outcome outcome);

/* What happens to an account. All else that the facts tell (the keyring's state, the end of a
 * token, a sign-in that begins) is told by who knows it, when it is asked. */
typedef enum KeeperEvent {
        KEEPER_EVENT_FETCHED,        /* an exchange brought a token */
        KEEPER_EVENT_FAILED,         /* an exchange failed, with whatever outcome */
        KEEPER_EVENT_ITEM_GONE,      /* somebody deleted its item from the open keyring */
        KEEPER_EVENT_SIGNED_IN,      /* a person's sign-in brought tokens */
        KEEPER_EVENT_SIGNIN_FAILED,  /* it was declined, cancelled, too late */
        KEEPER_EVENT_SIGNED_OUT,     /* or the account is removed */
        KEEPER_EVENT_SECRET_SET,     /* an API token, a client's secret was handed in */
        KEEPER_EVENT_AZ_CHANGED,     /* somebody signed in to az, or out */
        KEEPER_EVENT_OTHER_IDENTITY, /* settings: another authority, tenant, client */
        KEEPER_EVENT_OTHER_RESOURCE, /* settings: another resource of its own */
        KEEPER_EVENT_CONFIGURED,     /* settings: all others */
        _KEEPER_EVENT_MAX,
} KeeperEvent;

typedef enum KeeperFate {
        KEEPER_KEPT,
        KEEPER_GONE,
        KEEPER_NEW, /* the event brings it */
} KeeperFate;

/* What an event leaves. */
typedef struct KeeperEffect {
        KeeperFate exchange; /* the one under way: gone is ended */
        KeeperFate signin;   /* the pending one: gone is ended */
        KeeperFate tokens;   /* the access tokens; of FETCHED the one of its request */
        KeeperFate secret;   /* the refresh token, or what the source is asked with */
        KeeperFate failure;  /* what is known of failed attempts; of FETCHED and FAILED likewise */
} KeeperEffect;

const KeeperEffect *keeper_effect(KeeperEvent event);
