/* SPDX-License-Identifier: MIT */
/*
 * PURE: how wrong this machine's clock is, as the identity service's own clock shows (the Date of
 * its answers, RFC 9110 section 6.6.1). What is learnt holds until the machine boots, whatever the
 * wall clock is set to meanwhile, since it is kept against CLOCK_BOOTTIME.
 */
#pragma once

#include <iotc-util.h>

typedef struct Skew {
        bool known;
        int64_t server_base; /* the server's clock at CLOCK_BOOTTIME 0, s since 1970 */
} Skew;

enum {
        SKEW_MIN_SECONDS = 60, /* a smaller difference is none: answers take their time */
        SKEW_TEXT_SIZE = 32,   /* room for skew_text() */
};

/* A server's clock showed date (s since 1970; 0 or no possible time: ignored) at boottime (µs). */
void skew_learn(Skew *s, uint64_t date, uint64_t boottime);
/*
 * Seconds that the server's clock is ahead of one that shows wall (s) at boottime (µs): positive
 * when that one is slow. 0: within SKEW_MIN_SECONDS, or not known.
 */
int64_t skew_offset(const Skew *s, uint64_t wall, uint64_t boottime);
/* An offset in words, "3 h slow", "25 min fast": one unit, rounded. Returns buf. */
char *skew_text(char buf[SKEW_TEXT_SIZE], int64_t offset);
