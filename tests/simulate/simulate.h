/* SPDX-License-Identifier: MIT */
/*
 * A simulated machine for years: the real manager, keepers, vaults, sign-ins and policy on it, and
 * around them a clock, a keyring, a network, an identity side, a person and programs that are all
 * drawn from one seed. What the parts of the simulation share; each part is one file:
 * simulate.c (the command), -machine.c (time, daemon), -faults.c (what befalls them), -identity.c
 * (who gives tokens), -callers.c (who asks for them), -person.c (who signs in), -checks.c (what
 * must be true), -story.c (chance, and what is told of a
 * life that went wrong).
 */
#pragma once

#undef NDEBUG
#include <assert.h>

#include "accounts/manager.h"
#include "fake-fetch.h"
#include "fake-keyring.h"
#include "fake-time.h"
#include "keeper/signin.h"
#include "model/limits.h"

#define RESOURCE    "https://apps.azureiotcentral.com"
#define GRAPH       "https://graph.microsoft.com"
#define SEC(n)      ((uint64_t)(n)*USEC_PER_SEC)
#define MINUTE      SEC(60)
#define HOUR        SEC(3600)
#define DAY         SEC(86400)
#define YEAR        (365 * DAY)
#define WALL        UINT64_C(1700000000)
/* A keyring that has been well for so long has everything: vault.c tries each 300 s. */
#define STORED_USEC SEC(330)

enum {
        N_ACCOUNTS = 4,
        RECENT = 32, /* requests of an account that are remembered */
};

/* How the identity side is today. */
typedef enum Service {
        SERVICE_OK,
        SERVICE_DOWN,      /* nobody listens, or the request hangs */
        SERVICE_THROTTLED, /* 429 with Retry-After */
        SERVICE_BROKEN,    /* 500 */
        SERVICE_SLOW,      /* it does what is asked, and answers late */
        SERVICE_LOSSY,     /* it does what is asked, and the answer is lost */
        SERVICE_BLOCKED,   /* a policy of the tenant refuses */
        _SERVICE_MAX,
} Service;

/* What the settings say of an account today. */
typedef enum Setting {
        SETTING_WHOLE,
        SETTING_NARROW, /* one resource less */
        SETTING_OTHER,  /* GRAPH is its own resource, and the own one of before is the other */
        SETTING_BAD,    /* a line of it is bad */
        SETTING_GONE,   /* its group was taken out, by hand */
        _SETTING_MAX,
} Setting;

/* One account, as the identity side, the person and the programs see it. Times: sim_now(). */
typedef struct Client {
        const char *name;
        AccountSource source;
        uint64_t asks_each; /* the mean time between two bursts of callers */
        unsigned index;     /* in Machine.clients, and in its tokens */
        unsigned grant;     /* the last sign-in; they count from 1 */
        unsigned revoked;   /* this one and all before are refused for good */
        unsigned held;      /* the sign-in that the daemon has for sure; 0: none */
        uint64_t held_since;
        bool stored;        /* the keyring has had a refresh token of it */
        bool signed_out;    /* a sign-out was answered with success: nothing may be served */
        unsigned delivered; /* the sign-in whose token the daemon was given */
        bool az_told[2];    /* az said that nobody is signed in, and nothing better since */
        bool az_rejected;   /* somebody reported az's own token */
        uint64_t refused_claims_at; /* when the identity side last wanted a person for claims */
        char az_token[2][80];       /* az: what it has in its cache */
        uint64_t person_at;         /* when the person looks again */
        uint64_t ask_at;            /* when the next callers come */
        KeeperOp *op;               /* a sign-out under way */
        uint64_t recent[2][RECENT]; /* equal requests, by resource: a ring */
        unsigned n_recent[2];       /* of this boot, whoever sent them */
        bool strict; /* a refresh token that comes twice ends its sign-in (RFC 9700, 4.14.2) */
        unsigned newest, given; /* refresh tokens, by number: issued, and handed to the daemon */
        unsigned newest_grant;
        uint64_t given_at;
        bool lost; /* the newest was, on its way */
        bool torn; /* the daemon died between the two, or before it could be stored */
        Setting setting;
        unsigned client_id; /* of the settings */
        bool memory_only;   /* signed in without a keyring: an older item there may stay */
        bool deleting;      /* its item was deleted by somebody else: a sign-out, or not */
        KeeperState told;   /* by the listener */
} Client;

typedef struct Caller Caller;

typedef struct Totals {
        uint64_t lives, days, faults, kills, sleeps, steps;
        uint64_t boots, changes, asked, served, refused, left, died, requests, sign_ins;
        uint64_t rotations, lost, torn; /* of strict servers: chains that ended, why */
} Totals;

typedef struct Machine {
        Env env;
        Manager *manager; /* NULL: the daemon does not run */
        Keyring *keyring;
        Client clients[N_ACCOUNTS];
        Caller *callers;    /* who wait */
        unsigned n_callers; /* who ever came */
        Totals *totals;
        const char *settings;
        bool network;
        Service service;
        bool az_hangs;
        bool keyring_held;
        bool ending;         /* the daemon */
        unsigned kills_left; /* soon after each other */
        int64_t skew;        /* s that the wall clock is ahead */
        bool clock_lied;     /* it was wrong at some time of this life of the daemon */
        uint64_t started;    /* the daemon */
        uint64_t changed;    /* the settings */
        uint64_t lied_at;    /* when the clock was last wrong; USEC_INFINITY: it is */
        uint64_t woke;       /* the machine, from its last sleep */
        uint64_t well_since, keyring_well_since; /* USEC_INFINITY: not well */
        uint64_t end, fault_at, network_at, service_at, keyring_at, clock_at, az_at, kill_at,
                start_at, settings_at;
} Machine;

/* simulate-story.c */
void chance_seed(uint64_t seed);
uint64_t chance(void);
/* 0 to n - 1. */
uint64_t chance_below(uint64_t n);
bool chance_of(double p);
/* A time drawn evenly on a logarithmic scale: short ones as often as long ones. */
uint64_t chance_span(uint64_t least, uint64_t most);
/* The time to the next of events that come each `mean` on the average. */
uint64_t chance_wait(uint64_t mean);
/* A new life. aloud: tell everything at once. */
void story_begin(const char *replay, bool aloud);
PRINTF_LIKE(1, 2) void story(const char *format, ...);
/* An invariant is broken: tell the story's end and how to replay it, and exit. */
PRINTF_LIKE(1, 2) void story_fail(const char *format, ...) __attribute__((noreturn));

/* simulate-machine.c */
/* µs that pass whatever the machine does: its CLOCK_BOOTTIME begins anew with each boot. */
uint64_t sim_now(void);
/* Power off, and on again some time later. The daemon does not run. */
void machine_boot(uint64_t off);
/* A new life's clock, keyring and clients. fn is told of the keyring's state. */
void machine_build(Machine *m, KeyringStateFn fn);
/* A year of a machine with N_ACCOUNTS accounts. */
void machine_live(uint64_t seed, const char *settings, Totals *totals);
void machine_start_daemon(Machine *m);
/* NULL: the daemon does not run, or the settings have no such account. */
Keeper *client_keeper(const Machine *m, const Client *c);
KeeperState client_state(const Machine *m, const Client *c);

/* The daemon ends, and is started again some time later. */
void machine_end_daemon(Machine *m);
/* All that is well is well since now, or longer. disturbed: something just was not. */
void machine_feel(Machine *m, bool disturbed);

/* simulate-faults.c */
/* The next fault of all kinds. */
void machine_fault(Machine *m);
void fault_kill(Machine *m);
/* Their ends. */
void network_back(Machine *m);
void service_back(Machine *m);
void keyring_back(Machine *m);
void clock_back(Machine *m);
void az_back(Machine *m);
void settings_back(Machine *m);
/* Write the settings file as Client.setting wants it. */
void settings_write(const Machine *m);

/* simulate-identity.c */
/* A new life, which nothing of the last one may change. */
void identity_begin(void);
/* Answers whatever the daemon asks, as the network and the service allow. */
void identity_answer(Fetch *f, void *userdata);
/* A person has signed in at az's own command line. */
void identity_az_login(Machine *m, Client *c);
/* The daemon, or its keeper of c, is gone: what was under way came to nothing. */
void identity_cut(Machine *m, Client *c);
/* The same because the settings took it away: nothing may have been under way. */
void identity_drop(Machine *m, Client *c);
/* Is this refresh token good at the identity side? text may be a whole record. */
bool identity_honours(const Client *c, const char *text, unsigned *ret_grant);
/* Is it the refresh token that was issued last? text may be a whole record, or NULL. */
bool identity_is_newest(const Client *c, const char *text);
/* What an access token is: false when it is none of ours. */
bool identity_knows(const char *token, unsigned *ret_client, unsigned *ret_resource,
                    uint64_t *ret_issued, uint64_t *ret_expires);

/* simulate-person.c */
void person_looks(Machine *m, Client *c);
/* Signs out, is thrown out, or something of the kind. */
void person_changes(Machine *m);

/* simulate-callers.c */
void callers_come(Machine *m, Client *c);
/* Those whose patience is at its end. */
void callers_leave(Machine *m);
/* When the next one leaves, or USEC_INFINITY. */
uint64_t callers_next(const Machine *m);
/* The daemon is about to die: some are cut off, the others hear of it. */
void callers_cut(Machine *m);
void callers_check(Machine *m);

/* simulate-checks.c */
/* After every step. */
void machine_check(Machine *m);
/* After the daemon was killed: what is in the keyring is all that is left. */
void machine_check_killed(Machine *m);
void client_check_killed(Machine *m, Client *c);
/* May this account's person be asked to sign in? */
bool client_may_need_person(const Client *c);
/* Does the daemon know this token's end by a clock that lies? */
bool machine_lied_about(const Machine *m, uint64_t issued);
void client_check_token(Machine *m, Client *c, unsigned resource, const Token *t);
/* Does the daemon hold a token that anybody would be served? */
bool client_has_token(const Machine *m, const Client *c, unsigned resource);
/* A request has come in. */
void client_check_rate(Machine *m, Client *c, unsigned resource, bool claims);
/* A sign-in of the daemon is done. */
void client_take_grant(Client *c);
/* After a sign-out, or the like, that perhaps came to nothing: is it signed in? */
void client_find_grant(Machine *m, Client *c);
/* Has the daemon a refresh token of it that is honoured? */
bool client_is_in_memory(const Machine *m, const Client *c);
/* How long all has been well; 0: it is not. */
uint64_t machine_well_for(const Machine *m);
