/* SPDX-License-Identifier: MIT */
/*
 * A line of a fetcher, read as the daemon reads it, and what its handler is told.
 */
#pragma once

#undef NDEBUG
#include <assert.h>

#include "common/secret.h"
#include "common/text.h"
#include "io/fetch/fetch-event.h"
#include "model/limits.h"

#define BOOTTIME (500 * USEC_PER_SEC)
#define WALL     UINT64_C(1700000000)
#define SECRETS                                \
        (const char *const[]) {                \
                "0.AX-of-the-request-and-long" \
        }

static inline int parse(FetchEvent **ret, const char *line) {
        const char *why = NULL;
        int r;

        r = fetch_event_parse(ret, line, strlen(line), SECRETS, 1, BOOTTIME, WALL, &why);
        assert(r == 0 || (r == -EBADMSG && !str_empty(why)));
        return r;
}

/* The three kinds of event, as a handler sees them. */
typedef struct Seen {
        unsigned prompts, tokens, errors;
        const FetchPrompt *prompt;
        const FetchToken *token;
        const FetchError *error;
} Seen;

static inline void on_prompt(const FetchPrompt *prompt, void *userdata) {
        ((Seen *)userdata)->prompts++;
        ((Seen *)userdata)->prompt = prompt;
}

static inline void on_token(const FetchToken *token, void *userdata) {
        ((Seen *)userdata)->tokens++;
        ((Seen *)userdata)->token = token;
}

static inline void on_error(const FetchError *error, void *userdata) {
        ((Seen *)userdata)->errors++;
        ((Seen *)userdata)->error = error;
}

static const FetchHandler handler = { on_prompt, on_token, on_error };

static inline FetchEvent *expect(const char *line, Seen *seen) {
        FetchEvent *e;

        *seen = (Seen){ 0 };
        assert(parse(&e, line) == 0);
        fetch_event_dispatch(e, &handler, seen);
        return e;
}
