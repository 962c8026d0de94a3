/* SPDX-License-Identifier: MIT */
/*
 * Every limit on what users, programs and servers may ask of the daemon, by name and in one place
 * (contract: LimitsExceeded). It lives in model/ because that is the floor that all others stand
 * on, and because a "limits.h" on the include path would hide the C library's.
 */
#pragma once

#include "common/config-scan.h" /* CONFIG_FILE_MAX, CONFIG_LINE_MAX */
#include "common/host.h"        /* URL_LENGTH_MAX */

/* Accounts of the settings files together; the built-in one comes on top. */
#define ACCOUNTS_MAX            64
/* Entries of a setting that is a list: apps, resources, app-suffixes. */
#define LIST_ENTRIES_MAX        64
/* Bytes of a subscription's name or id. */
#define SUBSCRIPTION_LENGTH_MAX 256
/* Bytes of a path in a setting: PATH_MAX without its NUL. */
#define PATH_LENGTH_MAX         4095

enum {
        LIMIT_WAITERS_PER_ACCOUNT = 1024, /* callers parked for one account's token */
        LIMIT_CALLS_PER_CLIENT = 128,     /* parked calls of one client on the bus */
        LIMIT_CHANGES_PER_CLIENT = 128,   /* changes of accounts by one client ... */
        LIMIT_CHANGES_SECONDS = 10,       /* ... within this time */
        LIMIT_REPLIES = 256,              /* messages that the bus has not taken yet */
        LIMIT_PEERS = 256,                /* connections at the direct socket ... */
        LIMIT_PEERS_PER_PROCESS = 64,     /* ... and of one process */
        LIMIT_PEER_BUFFER = 128 * 1024,   /* bytes that the kernel holds for a peer ... */
        LIMIT_PEER_REPLIES = 1024,        /* ... and messages beyond, that it has not read yet */
        LIMIT_FETCHES = 160,              /* fetchers alive: two an account, and some that end */
        LIMIT_FETCH_LINE = 64 * 1024,     /* bytes of one event line */
        LIMIT_FETCH_OUTPUT = 256 * 1024,  /* bytes of all events of one fetch */
        LIMIT_FETCH_SECONDS = 75,         /* run time of a fetch without a person: az has 60 s */
        LIMIT_SIGNIN_SECONDS = 30 * 60,   /* run time of a sign-in: the code's own life is 15 min */
        LIMIT_ACCESS_TOKEN = 32 * 1024,   /* bytes; real ones reach 2.5 kB */
        LIMIT_REFRESH_TOKEN = 16 * 1024,  /* bytes; real ones reach 2 kB */
        LIMIT_SECRET = 16 * 1024,         /* bytes of an API token or a client secret */
        LIMIT_STORE_FILE = 8 * 1024 * 1024, /* bytes of an account's file, if store=file */
        LIMIT_PROMPT_URI = 8 * 1024, /* bytes of the page to sign in at; a browser's has 600 */
        LIMIT_CLAIMS = 16 * 1024,    /* bytes of a claims challenge */
        LIMIT_CHALLENGES = 8,        /* claims challenges of an account at once */
        LIMIT_SELECTOR = 2048,       /* bytes */
        LIMIT_KEYS = 32,             /* options or settings of a call */
        LIMIT_KEY_SHOWN = 64,        /* bytes of an unknown key or name that an error repeats */
        LIMIT_TEXT = 1024,           /* bytes of a text for a person */
        LIMIT_LIFETIME_SECONDS = 10 * 366 * 86400, /* of a token; more is cut */
        LIMIT_TIMEOUT_SECONDS = 900,               /* of a Get call */
        LIMIT_RETRY_AFTER_SECONDS = 3600,          /* a server's wish is honoured up to this */
        LIMIT_SIGNINS_PER_ACCOUNT = 8, /* sign-in objects, ended ones that still show included */
};
