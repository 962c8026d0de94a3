/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "api/answer.h"
#include "base/say.h"

/* The exit code and a word of the sentence for an answer. */
static void expect(int code, const char *word, HttpReply reply, bool api_token) {
        AnswerContext context = { .host = "c.com", .account = "work", .api_token = api_token };
        CLEANUP(freep) char *text = NULL;

        reply.n_body = reply.body ? strlen(reply.body) : 0;
        assert(answer_explain(&text, &context, &reply) == code);
        assert(word ? text && strstr(text, word) && strstr(text, "c.com") : !text);
}

#define ERROR(code, message)                                               \
        (char *)"{\"error\":{\"code\":\"" code "\",\"message\":\"" message \
                "\",\"requestId\":\"r1\"}}"
#define EXPECT(code, word, ...) expect(code, word, (HttpReply){ __VA_ARGS__ }, false)

static void test_status(void) {
        EXPECT(0, NULL, .status = 200);
        EXPECT(0, NULL, .status = 204);
        EXPECT(EXIT_FAILED, "x.com", .status = 302, .location = (char *)"https://x.com");
        EXPECT(EXIT_SIGN_IN_NEEDED, "login work", .status = 401,
               .body = ERROR("Unauthenticated", "No."));
        EXPECT(EXIT_SETTINGS, "Permissions", .status = 403, .body = ERROR("Forbidden", "No."));
        EXPECT(EXIT_FAILED, "HTTP 404", .status = 404, .body = (char *)"<html>");
        EXPECT(EXIT_LATER, "7 s", .status = 429, .retry_after = 7);
        EXPECT(EXIT_LATER, "fault", .status = 503);
        EXPECT(EXIT_FAILED, "refused it: InvalidBody", .status = 422,
               .body = (char *)"{\"error\":{\"code\":\"InvalidBody\"}}");
        EXPECT(EXIT_FAILED, "refused it: Bad", .status = 422,
               .body = (char *)"{\"error\":{\"message\":\"Bad.\"}}");
        EXPECT(EXIT_FAILED, "Bad (InvalidBody, request r1)", .status = 422,
               .body = ERROR("InvalidBody", "Bad."));
        expect(EXIT_SIGN_IN_NEEDED, "api-token add work", (HttpReply){ .status = 401 }, true);
}

static void test_guests(void) {
        EXPECT(EXIT_SETTINGS, "guest", .status = 403, .body = ERROR("403.043.004.005", "x"));
        EXPECT(EXIT_SETTINGS, "guest", .status = 403,
               .body = ERROR("Forbidden",
                             "User principals must get tokens from the common tenant"));
}

static void test_no_answer(void) {
        EXPECT(EXIT_FAILED, "typing error", .outcome = HTTP_E_NO_HOST);
        EXPECT(EXIT_LATER, "gone", .outcome = HTTP_E_UNSENT, .error = "gone");
        EXPECT(EXIT_LATER, "may have been", .outcome = HTTP_E_LOST, .error = "cut");
        EXPECT(EXIT_SETTINGS, "bad", .outcome = HTTP_E_SETTING, .error = "bad");
        EXPECT(EXIT_FAILED, "big", .outcome = HTTP_E_TOO_LARGE, .error = "big");
        EXPECT(EXIT_INTERRUPTED, NULL, .outcome = HTTP_E_INTERRUPTED);
}

/* What the service says is cut at a character, and is not believed to be of any form. */
static void test_error_bodies(void) {
        static const char *const bodies[] = {
                "",
                "[]",
                "{\"error\":[]}",
                "{\"error\":{\"code\":7}}",
                "{\"error\":{\"message\":null}}",
                "{\"error\":{\"message\":\"caf\xe9\"}}",
                "{",
        };
        HttpReply reply = { 0 };
        AnswerError e;
        char body[4096];

        for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
                EXPECT(EXIT_FAILED, "HTTP 400", .status = 400, .body = (char *)bodies[i]);

        strcpy(body, "{\"error\":{\"message\":\"a");
        for (size_t i = 0; i < 1000; i++)
                strcat(body, "\xc3\xa9");
        strcat(body, "\"}}");
        reply.body = body;
        reply.n_body = strlen(body);
        answer_read_error(&e, &reply);
        assert(e.message && strlen(e.message) == 599 && !e.code);
        answer_error_deinit(&e);
}

int main(void) {
        test_status();
        test_guests();
        test_no_answer();
        test_error_bodies();
        return 0;
}
