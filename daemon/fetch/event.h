/* SPDX-License-Identifier: MIT */
/*
 * What the fetcher says: the events of contract section 6, one line of JSON each, and the Answer
 * that every source ends with. Making a line is pure (the time is an argument); event_write()
 * puts it on standard output.
 */
#pragma once

#include <iotc-util.h>

enum {
        EVENT_MESSAGE_MAX = 600, /* bytes of a text for a person */
};

typedef enum AnswerKind {
        ANSWER_NONE,
        ANSWER_TOKEN,
        ANSWER_SIGN_IN_NEEDED,
        ANSWER_TRY_LATER,
        ANSWER_MISCONFIGURED,
        ANSWER_BLOCKED,
        ANSWER_SOURCE_MISSING,
        ANSWER_CANCELLED,
        _ANSWER_KIND_MAX,
} AnswerKind;

typedef struct Answer Answer;
typedef struct Prompt Prompt;

/* How a fetch ended. Zeroed at first; all strings owned; moments in CLOCK_BOOTTIME, 0 = none. */
struct Answer {
        AnswerKind kind;

        /* ANSWER_TOKEN */
        char *access_token;
        char *refresh_token; /* also of an error: the one that was sent may be good no more */
        char *scope;
        char *user;
        char *tenant;
        uint64_t expires_usec;
        uint64_t refresh_usec;
        uint64_t date; /* the server's clock, seconds since 1970 */

        /* every other kind */
        bool sent;     /* a request may have reached the identity service; answer_set() keeps it */
        char *message; /* clean, one line */
        char *code;    /* clean, as the server named it */
        char *claims;  /* the text of a JSON object, for the next sign-in */
        uint64_t retry_usec;
};

/* Where a person goes to sign in. All clean text, borrowed. */
struct Prompt {
        const char *method;
        const char *verification_uri;
        const char *user_code;
        const char *message;
        uint64_t expires_at; /* seconds since 1970 */
};

/*
 * End with a text for a person, cleaned and cut. Forgets what the answer held before.
 */
void answer_set(Answer *answer, AnswerKind kind, const char *format, ...) PRINTF_LIKE(3, 4);
/* Wipe and free what it holds, and zero it. */
void answer_deinit(Answer *answer);

/* A line with its newline, to be freed by secret_free(). 0, or -EMSGSIZE over the limit. */
int event_format_prompt(char **ret, const Prompt *prompt);
/*
 * The seconds left are counted at now_usec: of a life rounded down, of a wait rounded up. What does
 * not fit into a line is left out, the dispensable first; a token that still does not fit becomes
 * an error that has its refresh token. 0; -EMSGSIZE when not even that fits.
 */
int event_format_answer(char **ret, const Answer *answer, uint64_t now_usec);
/* Write all of a line to fd. 0 or -errno (write(2)). */
int event_write(int fd, const char *line);
