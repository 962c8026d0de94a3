/* SPDX-License-Identifier: MIT */
/*
 * PURE: what is written of API tokens: their ids, the id within a token, the id that follows at a
 * rotation, their ends.
 */
#pragma once

#include <iotc-util.h>

enum {
        TOKEN_ID_MAX = 40, /* bytes, as the service and az have it */
        TOKEN_TIME_SIZE = 32,
};

/* Letters, digits and '-', a letter or digit at first: an id, and an account's name as well. */
bool token_id_is_valid(const char *id);
/* The id that a token names (skn=), its percent signs undone; freed by free(). NULL: none. */
char *token_id_of(const char *token);
/* "ci" and "ci-r7" are of one line of rotations. */
bool token_id_is_kin(const char *a, const char *b);
/* The number of a rotation: 7 of "ci-r7", 1 of "ci". */
unsigned token_id_number(const char *id);
/* "ci-r<number>" of "ci" or "ci-r7", shortened to be an id; freed by free(), NULL without memory.
 */
char *token_id_make(const char *id, unsigned number);

/*
 * A date (2027-01-31: up to its end, UTC), a time (2027-01-31T12:00:00Z) or a duration from now
 * (12h, 90d, 6w, 1y) as RFC 3339 in UTC. False when it is none, or not after now.
 */
bool token_expiry_parse(char ret[TOKEN_TIME_SIZE], const char *text, uint64_t now);
/* A time in seconds since 1970 as RFC 3339; false when there is none such. */
bool token_time_print(char ret[TOKEN_TIME_SIZE], uint64_t at);
/*
 * How long a token was made to live that ends at one time and was stored at another, in seconds
 * since 1970. It is known if it was stored when it was made: then that is, but for ten minutes, a
 * whole number of days, or below two days of hours. 0: it is not known.
 */
uint64_t token_life(uint64_t stored_at, uint64_t expires_at);
/* Seconds since 1970 of an RFC 3339 time; 0: it is none. */
uint64_t token_time_parse(const char *text);
