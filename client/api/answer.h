/* SPDX-License-Identifier: MIT */
/*
 * PURE: what an answer of IoT Central that is no success means, as an exit code and a sentence that
 * says what to do.
 */
#pragma once

#include "common/http.h"

/* Who asked whom: borrowed, for the sentence. */
typedef struct AnswerContext {
        const char *host;
        const char *account; /* its name */
        bool api_token;      /* it gave an API token, not a person's */
        bool about_it;       /* the question was whether the application takes this account */
        bool maybe_http;     /* see address_may_speak_http() */
} AnswerContext;

/* What the service says of itself in {"error": {...}}, cleaned; freed by error_deinit(). */
typedef struct AnswerError {
        char *code, *message, *request_id; /* or NULL */
} AnswerError;

void answer_read_error(AnswerError *ret, const HttpReply *reply);
void answer_error_deinit(AnswerError *error);

/*
 * The exit code of a reply, 0 for a status under 300, and the sentence in *ret, to be freed by
 * free(); NULL with 0, with an interruption, and when memory is short.
 */
int answer_explain(char **ret, const AnswerContext *context, const HttpReply *reply);
/* The same, said on standard error. */
int answer_fail(const AnswerContext *context, const HttpReply *reply);
