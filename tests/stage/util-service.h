/* SPDX-License-Identifier: MIT */
/*
 * An identity service that remembers when it was asked, and answers everybody the same a moment
 * later: for fake_fetch_answer_by(service_answer, 0, &service).
 */
#pragma once

#include "util-keeper.h"

#define SERVICE_WINDOW SEC(300) /* in which Entra counts equal requests */

typedef struct Service {
        Outcome outcome; /* what it answers; OUTCOME_OK: a token, "secret-at-N" */
        uint64_t life;   /* s, of its tokens; 0: an hour */
        uint64_t delay;  /* until it answers; 0: a tenth of a second, USEC_INFINITY: never */
        uint64_t sent[4096];
        unsigned n;
} Service;

void service_answer(Fetch *f, void *userdata); /* Service */
/* The most requests that it had in any SERVICE_WINDOW. */
unsigned service_most(const Service *service);
