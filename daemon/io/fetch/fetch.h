/* SPDX-License-Identifier: MIT */
/*
 * One run of iotc-token-fetch, or of a program in its place, seen from the daemon (contract,
 * section 6): have it launched, write the request, read events line by line with limits, arm the
 * deadline. All that it says is untrusted and checked here; what passes is clean text, well-formed
 * tokens and sane numbers. What it writes to standard error is logged at its end, as clean text
 * without our secrets.
 */
#pragma once

#include "io/fetch/launcher.h"
#include "model/problem.h"

typedef struct Fetch Fetch;

/* All borrowed, NULL where the request has none. */
typedef struct FetchRequest {
        const char *source, *method, *authority, *tenant, *client_id, *resource;
        const char *refresh_token, *client_secret, *claims; /* secrets, but for claims */
        const char *config_dir, *az, *subscription;
        const char *proxy, *proxy_credentials, *ca_bundle;
        const char *program; /* run instead of the fetcher; not part of what is sent */
        unsigned deadline;   /* seconds */
} FetchRequest;

/* A person has to enter user_code at verification_uri. Borrowed. */
typedef struct FetchPrompt {
        const char *method, *verification_uri, *user_code, *message;
        uint64_t expires_usec; /* CLOCK_BOOTTIME; USEC_INFINITY: unknown */
} FetchPrompt;

typedef struct FetchToken {
        const char *access_token;                         /* b64token; borrowed, secret */
        const char *refresh_token;                        /* or NULL; borrowed, secret */
        const char *user, *tenant;                        /* or NULL */
        uint64_t expires_usec, refresh_usec, issued_usec; /* CLOCK_BOOTTIME; refresh 0: no advice */
        uint64_t date; /* the server's clock, s since 1970; 0: not known */
} FetchToken;

typedef struct FetchError {
        Problem problem;      /* outcome of the event's kind; the text as the fetcher wrote it */
        uint64_t retry_after; /* s; 0: none */
        const char *claims;   /* or NULL; borrowed */
        const char
                *refresh_token; /* or NULL; borrowed, secret: the one that was sent may be spent */
        bool unsent;            /* the identity service has surely seen no request */
} FetchError;

/* Exactly one of token and error is called, at last; prompt any number of times before. */
typedef struct FetchHandler {
        void (*prompt)(const FetchPrompt *prompt, void *userdata); /* may be NULL */
        void (*token)(const FetchToken *token, void *userdata);
        void (*error)(const FetchError *error, void *userdata);
} FetchHandler;

/* Copies what it needs of the request. 0 or -errno. */
int fetch_start(Fetch **ret, Launcher *launcher, sd_event *event, const FetchRequest *request,
                const FetchHandler *handler, void *userdata);
/* Ends the fetcher's process group; no callback after this. Also right inside one. NULL is fine. */
Fetch *fetch_free(Fetch *f);

CLEANUP_FUNC(Fetch, fetch_free)
