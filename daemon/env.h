/* SPDX-License-Identifier: MIT */
/*
 * What every keeper needs and main builds: the loop, the keyring, the launcher, the global
 * settings, the counters, and the one listener that news goes up to. Borrowed by all, owned by
 * main.
 */
#pragma once

#include "io/fetch/launcher.h"
#include "io/keyring/keyring.h"
#include "io/sleep.h"
#include "io/timer.h"
#include "model/skew.h"

typedef struct Keeper Keeper;
typedef struct SignIn SignIn;

/* Properties of an account that changed, as bits. */
enum {
        ACCOUNT_CHANGED_SETTINGS = 1 << 0, /* Source, Apps, Authority, Tenant, ClientId, Resource */
        ACCOUNT_CHANGED_USER = 1 << 1,     /* User, Tenant */
        ACCOUNT_CHANGED_STATE = 1 << 2,
        ACCOUNT_CHANGED_EXPIRES_AT = 1 << 3,
        ACCOUNT_CHANGED_REFRESH_AT = 1 << 4,
        ACCOUNT_CHANGED_LAST_REFRESH_AT = 1 << 5,
        ACCOUNT_CHANGED_LAST_ERROR = 1 << 6,
};

/* Properties of the manager that changed. */
enum {
        MANAGER_CHANGED_DEFAULT_ACCOUNT = 1 << 0,
        MANAGER_CHANGED_KEYRING_STATE = 1 << 1,
        MANAGER_CHANGED_ONLINE = 1 << 2,
        MANAGER_CHANGED_CLOCK_OFFSET = 1 << 3,
        MANAGER_CHANGED_QUIET = 1 << 4, /* Env.quiet; no property */
};

/* News for whoever shows the accounts to the world. All are called when it has happened, but
 * *_removed, which is called just before the object is freed. */
typedef struct Listener {
        void (*account_added)(Keeper *k, void *userdata);
        void (*account_changed)(Keeper *k, unsigned what, void *userdata);
        void (*account_removed)(Keeper *k, void *userdata);
        /*
         * Its API token ends in so many seconds, and only a person can see to the next one: told 14
         * and 3 days before, once each, and again at a start in between. May be NULL. The account's
         * LastError says the same for a person.
         */
        void (*account_ends_soon)(Keeper *k, uint64_t seconds, void *userdata);
        /* A program that asked for a token of it was told that a person is needed. May be NULL. */
        void (*account_refused)(Keeper *k, void *userdata);
        void (*signin_added)(SignIn *s, void *userdata);
        void (*signin_changed)(SignIn *s, void *userdata);
        void (*signin_removed)(SignIn *s, void *userdata);
        void (*manager_changed)(unsigned what, void *userdata);
} Listener;

/* Counters since the start; the property Stats. */
typedef struct Stats {
        uint64_t requests, cache_hits, coalesced;
        uint64_t fetches, fetch_failures;
        uint64_t sign_ins, sign_in_failures;
        uint64_t keyring_reads, keyring_writes, keyring_failures;
} Stats;

typedef struct Env {
        sd_event *event;
        Keyring *keyring;
        Launcher *launcher;
        const Listener *listener;
        void *listener_userdata;
        struct State *state;                         /* io/state.h; NULL: nothing is remembered */
        char *proxy, *proxy_credentials, *ca_bundle; /* or NULL */
        bool quiet;                                  /* nothing is shown on the desktop */
        bool online;                                 /* a network that is up, as far as we know */
        Sleep *sleep;
        bool asleep; /* no exchange is started: the machine goes to sleep, or just came back */
        const char *runtime_dir; /* $XDG_RUNTIME_DIR/iotc-token, or NULL */
        uint64_t n_signins;      /* numbers of the sign-in objects */
        Skew skew;               /* how wrong the wall clock is */
        int64_t clock_offset; /* the same as it was told to the world, s; 0: not wrong, or unknown
                               */
        Timer *clock_news;    /* the manager's, due when that has changed; NULL: nobody listens */
        Stats stats;
} Env;

/* Seconds that the servers' clock is ahead of the wall clock; 0: within a minute, or not known. */
int64_t env_clock_offset(const Env *env);
/* The best that is known of the true time at that moment of CLOCK_BOOTTIME: the servers' clock,
 * else ours. s since 1970, never 0. */
uint64_t env_true_of(const Env *env, uint64_t boottime_usec);
/* The moment of CLOCK_BOOTTIME at which it is so late, s since 1970; never 0. */
uint64_t env_boottime_of(const Env *env, uint64_t at);
/* An answer had this Date (s since 1970, 0: none), just now. */
void env_learn_date(Env *env, uint64_t date);
