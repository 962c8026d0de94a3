/* SPDX-License-Identifier: MIT */
/*
 * The lines that the fetcher writes: one each, within their limits, with the seconds left at the
 * moment of writing, and without a secret that a server sent back.
 */
#undef NDEBUG
#include <assert.h>

#include "common/json.h"
#include "common/secret.h"
#include "common/text.h"
#include "fetch/event.h"
#include "model/limits.h"

static Json *read_line(const char *line) {
        Json *object = NULL;

        assert(strchr(line, '\n') == line + strlen(line) - 1);
        assert(json_parse(&object, line, strlen(line)) == 0);
        return object;
}

static void test_a_token_says_what_is_left_of_it(void) {
        CLEANUP(secret_freep) char *line = NULL;
        CLEANUP(json_freep) Json *object = NULL;
        Answer answer = {
                .kind = ANSWER_TOKEN,
                .access_token = strdup("e.y.J"),
                .refresh_token = strdup("0.\"AX\\"),
                .expires_usec = 1000 * USEC_PER_SEC,
                .refresh_usec = 500 * USEC_PER_SEC,
                .date = 1795477501,
        };
        uint64_t n;

        assert(event_format_answer(&line, &answer, 100 * USEC_PER_SEC + 1) == 0);
        object = read_line(line);
        assert(streq(json_string(object, "event"), "token"));
        assert(streq(json_string(object, "access_token"), "e.y.J"));
        assert(streq(json_string(object, "refresh_token"), "0.\"AX\\"));
        assert(json_uint(object, "expires_in", &n) == 0 && n == 899);
        assert(json_uint(object, "refresh_in", &n) == 0 && n == 399);
        assert(json_uint(object, "date", &n) == 0 && n == 1795477501);
        assert(!json_has(object, "user") && !json_has(object, "scope"));
        answer_deinit(&answer);
}

static void test_a_token_that_ran_out_has_nothing_left(void) {
        CLEANUP(secret_freep) char *line = NULL;
        Answer answer = { .kind = ANSWER_TOKEN, .access_token = strdup("a"), .expires_usec = 5 };

        assert(event_format_answer(&line, &answer, 10) == 0);
        assert(strstr(line, "\"expires_in\":0"));
        assert(!strstr(line, "refresh_in") && !strstr(line, "date"));
        answer_deinit(&answer);
}

static void test_errors_have_their_words(void) {
        static const struct {
                AnswerKind kind;
                const char *word;
        } cases[] = {
                { ANSWER_SIGN_IN_NEEDED, "sign-in-needed" },
                { ANSWER_TRY_LATER, "try-later" },
                { ANSWER_MISCONFIGURED, "misconfigured" },
                { ANSWER_BLOCKED, "blocked" },
                { ANSWER_SOURCE_MISSING, "source-missing" },
                { ANSWER_CANCELLED, "cancelled" },
                { ANSWER_NONE, "try-later" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(secret_freep) char *line = NULL;
                CLEANUP(json_freep) Json *object = NULL;
                Answer answer = { 0 };
                uint64_t n;

                answer_set(&answer, cases[i].kind, "What %s.", "happened");
                answer.retry_usec = 60 * USEC_PER_SEC;
                assert(event_format_answer(&line, &answer, USEC_PER_SEC / 2) == 0);
                object = read_line(line);
                assert(streq(json_string(object, "event"), "error"));
                assert(streq(json_string(object, "kind"), cases[i].word));
                assert(streq(json_string(object, "message"), "What happened."));
                /* Never a second too early. */
                assert(json_uint(object, "retry_after", &n) == 0 && n == 60);
                answer_deinit(&answer);
        }
}

static void test_a_message_is_clean_and_short(void) {
        Answer answer = { 0 };

        answer_set(&answer, ANSWER_TRY_LATER, "a\x1b[31m\xff\r\n%0*d", 2 * EVENT_MESSAGE_MAX, 0);
        assert(text_is_clean(answer.message));
        assert(strlen(answer.message) <= EVENT_MESSAGE_MAX);
        assert(str_starts(answer.message, "a [31m"));
        answer_deinit(&answer);
}

static char *filled(size_t n, char c) {
        char *s = malloc(n + 1);

        memset(s, c, n);
        s[n] = '\0';
        return s;
}

/* The line of an answer, whose strings are freed. */
static Json *formatted(Answer *answer, const char *event) {
        CLEANUP(secret_freep) char *line = NULL;
        Json *object;

        assert(event_format_answer(&line, answer, 0) == 0);
        assert(strlen(line) <= LIMIT_FETCH_LINE);
        object = read_line(line);
        assert(streq(json_string(object, "event"), event));
        answer_deinit(answer);
        return object;
}

static void test_what_does_not_fit(void) {
        CLEANUP(json_freep) Json *longest = NULL, *trimmed = NULL, *none = NULL, *error = NULL;
        Answer answer = { .kind = ANSWER_TOKEN };

        /* The longest tokens that are taken, of letters: all of it fits. */
        answer.access_token = filled(LIMIT_ACCESS_TOKEN, 'a');
        answer.refresh_token = filled(LIMIT_REFRESH_TOKEN, 'r');
        answer.scope = filled(4096, '"');
        longest = formatted(&answer, "token");
        assert(strlen(json_string(longest, "scope")) == 4096);

        /* Who it is can be done without. */
        answer.kind = ANSWER_TOKEN;
        answer.access_token = filled(LIMIT_ACCESS_TOKEN, 'a');
        answer.refresh_token = filled(LIMIT_REFRESH_TOKEN - 400, '"');
        answer.scope = filled(4096, 's');
        trimmed = formatted(&answer, "token");
        assert(strlen(json_string(trimmed, "refresh_token")) == LIMIT_REFRESH_TOKEN - 400);
        assert(!json_has(trimmed, "scope"));

        /* The access token can be had again, the refresh token cannot. */
        answer.kind = ANSWER_TOKEN;
        answer.access_token = filled(LIMIT_ACCESS_TOKEN, 'a');
        answer.refresh_token = filled(LIMIT_REFRESH_TOKEN, '"');
        none = formatted(&answer, "error");
        assert(streq(json_string(none, "kind"), "try-later"));
        assert(strlen(json_string(none, "refresh_token")) == LIMIT_REFRESH_TOKEN);
        assert(strstr(json_string(none, "message"), "32768 bytes"));
        assert(strstr(json_string(none, "message"), "16384"));

        answer_set(&answer, ANSWER_SIGN_IN_NEEDED, "No.");
        answer.claims = filled(LIMIT_FETCH_LINE, ' ');
        error = formatted(&answer, "error");
        assert(streq(json_string(error, "message"), "No.") && !json_has(error, "claims"));
}

static void test_a_prompt(void) {
        CLEANUP(secret_freep) char *line = NULL;
        CLEANUP(json_freep) Json *object = NULL;
        const Prompt prompt = { "device-code", "https://login.example/device", "ABC", "Go.", 7 };
        uint64_t n;

        assert(event_format_prompt(&line, &prompt) == 0);
        object = read_line(line);
        assert(streq(json_string(object, "event"), "prompt"));
        assert(streq(json_string(object, "method"), "device-code"));
        assert(streq(json_string(object, "verification_uri"), "https://login.example/device"));
        assert(streq(json_string(object, "user_code"), "ABC"));
        assert(streq(json_string(object, "message"), "Go."));
        assert(json_uint(object, "expires_at", &n) == 0 && n == 7);
}

/* Only what surely never left says so. */
static void test_what_was_not_sent(void) {
        CLEANUP(secret_freep) char *unsent = NULL, *sent = NULL;
        Answer answer = { 0 };

        answer_set(&answer, ANSWER_TRY_LATER, "no route");
        assert(event_format_answer(&unsent, &answer, 0) == 0);
        assert(strstr(unsent, "\"sent\":false"));
        answer.sent = true;
        answer_set(&answer, ANSWER_TRY_LATER, "it is silent");
        assert(event_format_answer(&sent, &answer, 0) == 0 && !strstr(sent, "\"sent\""));
        answer_deinit(&answer);
}

int main(void) {
        test_a_token_says_what_is_left_of_it();
        test_a_token_that_ran_out_has_nothing_left();
        test_errors_have_their_words();
        test_what_was_not_sent();
        test_a_message_is_clean_and_short();
        test_what_does_not_fit();
        test_a_prompt();
        return 0;
}
