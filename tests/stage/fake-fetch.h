/* SPDX-License-Identifier: MIT */
/*
 * io/fetch/fetch.h without a fetcher: a test sees which fetches are under way and says what the
 * identity side answers, now or by a function that answers all. io/count-file.h and io/log.h are
 * here as well: what was counted, and a log that may have no secret in it.
 *
 * Every secret of a test begins with "secret-": that is how a leak is noticed.
 */
#pragma once

#include "io/fetch/fetch.h"

typedef struct FakeToken {
        const char *access_token, *refresh_token, *user, *tenant;
        uint64_t expires_in, refresh_in; /* s; expires_in 0: 3600 */
        uint64_t date;                   /* s since 1970; 0: none */
} FakeToken;

/* Start of a test: no fetch may be left from the last one. */
void fake_fetch_init(void);
/* Fetches that were started since, and those under way. */
unsigned fake_fetches(void);
unsigned fake_fetches_running(void);
/* The one under way; there must be exactly one. */
Fetch *fake_fetch(void);
/* The one with this method ("refresh", "device-code"); NULL: none. */
Fetch *fake_fetch_of(const char *method);
/* What it was asked for; borrowed. */
const FetchRequest *fake_fetch_request(const Fetch *f);
/* When it has failed without an answer. */
uint64_t fake_fetch_deadline(const Fetch *f);

/* The end of f, or a prompt before it. The times count from now. */
void fake_fetch_token(Fetch *f, const FakeToken *token);
void fake_fetch_error(Fetch *f, Outcome outcome, uint64_t retry_after);
/* The same, and no request left. */
void fake_fetch_unsent(Fetch *f);
void fake_fetch_prompt(Fetch *f, const char *user_code);
/* From now on fetch_start() returns this, 0 or -errno. */
void fake_fetch_refuse(int error);
/* Called for each fetch, from the loop, usec after its start; NULL: the test answers. */
void fake_fetch_answer_by(void (*fn)(Fetch *f, void *userdata), uint64_t usec, void *userdata);
/* Inside that function: not yet, call it once more in usec (USEC_INFINITY: never). */
void fake_fetch_again(Fetch *f, uint64_t usec);
/* Room for the test's own notes on f: zeroed at first, freed with it. */
void *fake_fetch_note(Fetch *f, size_t size);

/* The machine is switched off: what was counted is gone. */
void fake_counts_forget(void);
/* Show the daemon's log lines to this function, too; NULL: to nobody. */
void fake_log_to(void (*fn)(const char *line));
/* Files of counts that are open. */
unsigned fake_counts_open(void);
