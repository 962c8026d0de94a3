/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, in the contract's terms: one of its named outcomes and a sentence or two for a
 * person that say what happened, to which account, and what to do next. Never a secret.
 */
#pragma once

#include <iotc-util.h>

/* The order is that of the contract's error table; the bus floor has the D-Bus names. */
typedef enum Outcome {
        OUTCOME_OK,
        OUTCOME_SIGN_IN_NEEDED,
        OUTCOME_KEYRING_LOCKED,
        OUTCOME_KEYRING_ABSENT,
        OUTCOME_UNAVAILABLE,
        OUTCOME_TIMED_OUT,
        OUTCOME_MISCONFIGURED,
        OUTCOME_BLOCKED,
        OUTCOME_SOURCE_MISSING,
        OUTCOME_DENIED,
        OUTCOME_NO_SUCH_ACCOUNT,
        OUTCOME_ACCOUNT_EXISTS,
        OUTCOME_CANCELLED,
        OUTCOME_INVALID_ARGS,
        OUTCOME_LIMITS_EXCEEDED,
        OUTCOME_FAILED,
        _OUTCOME_MAX,
} Outcome;

typedef struct Problem {
        Outcome outcome;
        char *text; /* owned; NULL only for OUTCOME_OK */
} Problem;

/* Replace what p says, no credentials of a URL in it. Returns outcome (positive, H1's named kind),
 * so that a caller may return it.
 */
PRINTF_LIKE(3, 4) int problem_set(Problem *p, Outcome outcome, const char *format, ...);
/* The same with a ready text that p takes over (free()able, may be NULL). */
int problem_take(Problem *p, Outcome outcome, char *text);
void problem_copy(Problem *to, const Problem *from);
/* Back to OUTCOME_OK. */
void problem_clear(Problem *p);
/* The text, or a plain one when there is none; never NULL. */
const char *problem_text(const Problem *p);
