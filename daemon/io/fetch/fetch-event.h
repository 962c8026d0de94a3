/* SPDX-License-Identifier: MIT */
/*
 * One event line of a fetcher, read and checked. Pure: the times that count as now are arguments.
 */
#pragma once

#include "io/fetch/fetch.h"

typedef enum FetchEventType {
        FETCH_EVENT_OTHER, /* unknown or not for us: ignored */
        FETCH_EVENT_PROMPT,
        FETCH_EVENT_TOKEN,
        FETCH_EVENT_ERROR,
} FetchEventType;

typedef struct FetchEvent FetchEvent;

/* secrets: of the request, each may be NULL; what repeats one has it no more, and a page to sign in
 * at that does is refused. boottime in µs and wall in s are now. 0; -EBADMSG for a line that is no
 * event, or one with a bad field (*ret_why: a static fragment). */
int fetch_event_parse(FetchEvent **ret, const char *line, size_t n, const char *const *secrets,
                      size_t n_secrets, uint64_t boottime, uint64_t wall, const char **ret_why);
/* Wipes. NULL is fine. Returns NULL. */
FetchEvent *fetch_event_free(FetchEvent *e);

FetchEventType fetch_event_type(const FetchEvent *e);
/* Is there a token in it, be it one that can't be used? */
bool fetch_event_has_secret(const FetchEvent *e);
/* Call the handler's function for this event; what it is given lives as long as the event. */
void fetch_event_dispatch(const FetchEvent *e, const FetchHandler *handler, void *userdata);

CLEANUP_FUNC(FetchEvent, fetch_event_free)
