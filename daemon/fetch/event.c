/* SPDX-License-Identifier: MIT */
/*
 * See event.h. The words of `kind` stand here and nowhere else in the fetcher.
 */
#include <stdarg.h>

#include "common/json.h"
#include "common/memory.h"
#include "common/secret.h"
#include "common/text.h"
#include "fetch/event.h"
#include "model/limits.h"

static const char *const answer_kinds[_ANSWER_KIND_MAX] = {
        [ANSWER_NONE] = "try-later",      [ANSWER_SIGN_IN_NEEDED] = "sign-in-needed",
        [ANSWER_TRY_LATER] = "try-later", [ANSWER_MISCONFIGURED] = "misconfigured",
        [ANSWER_BLOCKED] = "blocked",     [ANSWER_SOURCE_MISSING] = "source-missing",
        [ANSWER_CANCELLED] = "cancelled",
};

void answer_set(Answer *answer, AnswerKind kind, const char *format, ...) {
        char text[4 * EVENT_MESSAGE_MAX];
        bool sent = answer->sent;
        va_list ap;

        answer_deinit(answer);
        answer->sent = sent;
        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        answer->kind = kind;
        answer->message = text_clean(text, EVENT_MESSAGE_MAX);
        secret_wipe(text, sizeof(text));
}

void answer_deinit(Answer *answer) {
        secret_free(answer->access_token);
        secret_free(answer->refresh_token);
        secret_free(answer->scope);
        secret_free(answer->user);
        secret_free(answer->tenant);
        secret_free(answer->message);
        secret_free(answer->code);
        secret_free(answer->claims);
        *answer = (Answer){ 0 };
}

static int event_finish(char **ret, JsonWriter *w) {
        CLEANUP(secret_freep) char *text = NULL;
        size_t n;

        json_writer_close(w, '}');
        text = json_writer_finish(w, &n);
        if (n + 1 > LIMIT_FETCH_LINE)
                return -EMSGSIZE;
        *ret = xmalloc(n + 2);
        memcpy(*ret, text, n);
        memcpy(*ret + n, "\n", 2);
        return 0;
}

int event_format_prompt(char **ret, const Prompt *prompt) {
        JsonWriter w = { 0 };

        json_writer_open(&w, NULL, '{');
        json_writer_string(&w, "event", "prompt");
        json_writer_string(&w, "method", prompt->method);
        json_writer_string(&w, "verification_uri", prompt->verification_uri);
        json_writer_string(&w, "user_code", prompt->user_code);
        json_writer_string(&w, "message", prompt->message);
        json_writer_uint(&w, "expires_at", prompt->expires_at);
        return event_finish(ret, &w);
}

static void event_token(JsonWriter *w, const Answer *answer, uint64_t now_usec, bool all) {
        uint64_t left = answer->expires_usec - MIN(now_usec, answer->expires_usec);

        json_writer_string(w, "event", "token");
        json_writer_string(w, "access_token", answer->access_token);
        json_writer_uint(w, "expires_in", left / USEC_PER_SEC);
        if (answer->refresh_usec) {
                left = answer->refresh_usec - MIN(now_usec, answer->refresh_usec);
                json_writer_uint(w, "refresh_in", left / USEC_PER_SEC);
        }
        json_writer_string(w, "refresh_token", answer->refresh_token);
        if (all) {
                json_writer_string(w, "scope", answer->scope);
                json_writer_string(w, "user", answer->user);
                json_writer_string(w, "tenant", answer->tenant);
        }
        if (answer->date)
                json_writer_uint(w, "date", answer->date);
}

static void event_error(JsonWriter *w, const Answer *answer, uint64_t now_usec, bool all) {
        uint64_t left = answer->retry_usec - MIN(now_usec, answer->retry_usec);

        json_writer_string(w, "event", "error");
        json_writer_string(w, "kind", answer_kinds[answer->kind]);
        json_writer_string(w, "message", answer->message ? answer->message : "The fetch failed.");
        if (answer->retry_usec)
                json_writer_uint(w, "retry_after", (left + USEC_PER_SEC - 1) / USEC_PER_SEC);
        json_writer_string(w, "refresh_token", answer->refresh_token);
        if (all) {
                json_writer_string(w, "code", answer->code);
                json_writer_string(w, "claims", answer->claims);
        }
        if (!answer->sent)
                json_writer_bool(w, "sent", false);
}

static int event_format(char **ret, const Answer *answer, uint64_t now_usec, bool all) {
        JsonWriter w = { 0 };

        json_writer_open(&w, NULL, '{');
        if (answer->kind == ANSWER_TOKEN)
                event_token(&w, answer, now_usec, all);
        else
                event_error(&w, answer, now_usec, all);
        return event_finish(ret, &w);
}

int event_format_answer(char **ret, const Answer *answer, uint64_t now_usec) {
        Answer error = { .kind = ANSWER_TRY_LATER,
                         .sent = true,
                         .refresh_token = answer->refresh_token };
        char text[EVENT_MESSAGE_MAX];
        int r;

        r = event_format(ret, answer, now_usec, true);
        if (r == -EMSGSIZE)
                r = event_format(ret, answer, now_usec, false);
        if (r != -EMSGSIZE || answer->kind != ANSWER_TOKEN)
                return r;
        (void)snprintf(text, sizeof(text),
                       "The answer can't be used: with an access token of %zu bytes and a refresh "
                       "token of %zu it is longer than the %d bytes that a line may have.",
                       strlen(answer->access_token),
                       answer->refresh_token ? strlen(answer->refresh_token) : 0, LIMIT_FETCH_LINE);
        error.message = text;
        return event_format(ret, &error, now_usec, false);
}

int event_write(int fd, const char *line) {
        size_t left = strlen(line);
        ssize_t n;

        for (; left > 0; left -= (size_t)n, line += n) {
                n = write(fd, line, left);
                if (n < 0 && errno != EINTR)
                        return -errno;
                n = MAX(n, 0);
        }
        return 0;
}
