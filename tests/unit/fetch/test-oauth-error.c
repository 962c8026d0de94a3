/* SPDX-License-Identifier: MIT */
/*
 * What an error of a token endpoint means, row by row of the table, in the order of its tests, and
 * what a person reads of it. The bodies are Entra's own forms.
 */
#undef NDEBUG
#include <assert.h>

#include "common/text.h"
#include "fetch/oauth-error.h"

#define AUTHORITY "https://login.example/adfs"

typedef struct Case Case;

struct Case {
        long status;
        uint64_t retry_after;
        const char *body;
        AnswerKind kind;
        const char *says; /* is in the text */
        uint64_t retry;   /* seconds */
};

static void read_error(Answer *answer, const HttpReply *reply) {
        Json *object = NULL;

        if (!reply->outcome)
                (void)json_parse(&object, reply->body, reply->n_body);
        oauth_read_error(answer, reply, object, AUTHORITY);
        json_free(object);
        assert(answer->message && text_is_clean(answer->message));
        assert(strlen(answer->message) <= EVENT_MESSAGE_MAX);
        assert(strstr(answer->message, "login.example"));
}

static void check(const Case *cases, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const HttpReply reply = {
                        .status = cases[i].status,
                        .retry_after = cases[i].retry_after,
                        .body = (char *)cases[i].body,
                        .n_body = strlen(cases[i].body),
                        .sent_usec = 7 * USEC_PER_SEC,
                };
                Answer answer = { 0 };

                read_error(&answer, &reply);
                assert(answer.kind == cases[i].kind);
                assert(!cases[i].says || strstr(answer.message, cases[i].says));
                assert(answer.retry_usec ==
                       (cases[i].retry ? (7 + cases[i].retry) * USEC_PER_SEC : 0));
                answer_deinit(&answer);
        }
}

#define E(error)      "{\"error\":\"" error "\"}"
#define S(error, sub) "{\"error\":\"" error "\",\"suberror\":\"" sub "\"}"

static void test_status_comes_first(void) {
        static const Case cases[] = {
                { 429, 0, "", ANSWER_TRY_LATER, "429", 0 },
                { 429, 30, E("invalid_grant"), ANSWER_TRY_LATER, "too often", 30 },
                { 500, 0, "<html>", ANSWER_TRY_LATER, "500", 0 },
                { 503, 7, E("invalid_client"), ANSWER_TRY_LATER, NULL, 7 },
                { 400, 9, E("invalid_grant"), ANSWER_TRY_LATER, NULL, 9 },
                { 599, 0, "", ANSWER_TRY_LATER, NULL, 0 },
                { 408, 0, "", ANSWER_TRY_LATER, "408", 0 },
        };

        check(cases, ARRAY_SIZE(cases));
}

static void test_error(void) {
        static const Case cases[] = {
                { 400, 0, E("invalid_grant"), ANSWER_SIGN_IN_NEEDED, "Sign in again", 0 },
                { 400, 0, E("interaction_required"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, E("login_required"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, E("consent_required"), ANSWER_SIGN_IN_NEEDED, "consent", 0 },
                { 400, 0, E("bad_token"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, E("ui_not_allowed"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, E("interrupted_user"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, E("expired_token"), ANSWER_SIGN_IN_NEEDED, "code expired", 0 },
                { 400, 0, E("code_expired"), ANSWER_SIGN_IN_NEEDED, "code expired", 0 },
                { 400, 0, E("bad_verification_code"), ANSWER_SIGN_IN_NEEDED, "the code", 0 },
                { 400, 0, E("authorization_declined"), ANSWER_CANCELLED, "declined", 0 },
                { 400, 0, E("access_denied"), ANSWER_CANCELLED, "declined", 0 },
                { 400, 0, E("temporarily_unavailable"), ANSWER_TRY_LATER, NULL, 0 },
                { 400, 0, E("server_error"), ANSWER_TRY_LATER, NULL, 0 },
                { 400, 0, E("slow_down"), ANSWER_TRY_LATER, NULL, 0 },
                { 401, 0, E("invalid_client"), ANSWER_MISCONFIGURED, "public client", 0 },
                { 400, 0, E("unauthorized_client"), ANSWER_MISCONFIGURED, "client-id", 0 },
                { 400, 0, E("invalid_scope"), ANSWER_MISCONFIGURED, "resource", 0 },
                { 400, 0, E("invalid_resource"), ANSWER_MISCONFIGURED, "resource", 0 },
                { 400, 0, E("invalid_request"), ANSWER_MISCONFIGURED, "tenant", 0 },
                { 400, 0, E("unsupported_grant_type"), ANSWER_MISCONFIGURED, NULL, 0 },
                { 400, 0, E("invalid_tenant"), ANSWER_MISCONFIGURED, "tenant", 0 },
                { 400, 0, E("invalid_instance"), ANSWER_MISCONFIGURED, "authority", 0 },
        };

        check(cases, ARRAY_SIZE(cases));
}

static void test_suberror(void) {
        static const Case cases[] = {
                { 400, 0, S("invalid_grant", "message_only"), ANSWER_BLOCKED, "policy", 0 },
                { 400, 0, S("interaction_required", "message_only"), ANSWER_BLOCKED, NULL, 0 },
                { 400, 0, S("invalid_grant", "basic_action"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, S("invalid_grant", "additional_action"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, S("invalid_grant", "user_password_expired"), ANSWER_SIGN_IN_NEEDED,
                  "password", 0 },
                { 400, 0, S("invalid_grant", "consent_required"), ANSWER_SIGN_IN_NEEDED, "consent",
                  0 },
                { 400, 0, S("invalid_grant", "bad_token"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, S("invalid_grant", "token_expired"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, S("invalid_grant", "client_mismatch"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                { 400, 0, S("invalid_grant", "protection_policy_required"), ANSWER_SIGN_IN_NEEDED,
                  NULL, 0 },
                { 400, 0, S("invalid_grant", "device_authentication_failed"), ANSWER_SIGN_IN_NEEDED,
                  NULL, 0 },
                { 400, 0, S("something_new", "basic_action"), ANSWER_SIGN_IN_NEEDED, NULL, 0 },
                /* a fault of the settings stays one */
                { 400, 0, S("invalid_client", "basic_action"), ANSWER_MISCONFIGURED, NULL, 0 },
        };

        check(cases, ARRAY_SIZE(cases));
}

static void test_status_comes_last(void) {
        static const Case cases[] = {
                { 400, 0, E("something_new"), ANSWER_MISCONFIGURED, "400", 0 },
                { 404, 0, "<html>no such page</html>", ANSWER_MISCONFIGURED, "authority", 0 },
                { 403, 0, "", ANSWER_MISCONFIGURED, "403", 0 },
                { 400, 0, "{\"error\":7}", ANSWER_MISCONFIGURED, NULL, 0 },
                { 400, 0, "{\"error\":\"invalid_gr", ANSWER_MISCONFIGURED, NULL, 0 },
                { 302, 0, "", ANSWER_TRY_LATER, "sign-in page", 0 },
                { 200, 0, "<html>hotel</html>", ANSWER_TRY_LATER, "sign-in page", 0 },
        };

        check(cases, ARRAY_SIZE(cases));
}

static void test_transport(void) {
        static const struct {
                int outcome;
                AnswerKind kind;
        } cases[] = {
                { HTTP_E_UNSENT, ANSWER_TRY_LATER },
                { HTTP_E_LOST, ANSWER_TRY_LATER },
                { HTTP_E_SETTING, ANSWER_MISCONFIGURED },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const HttpReply reply = { .outcome = cases[i].outcome, .error = "the cable broke" };
                Answer answer = { 0 };

                read_error(&answer, &reply);
                assert(answer.kind == cases[i].kind);
                assert(strstr(answer.message, "the cable broke"));
                answer_deinit(&answer);
        }
}

static void test_the_words_of_entra(void) {
        const char *body =
                "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS700082: The "
                "refresh token has expired due to inactivity. The token was issued on "
                "2026.\\r\\nTrace ID: 1\\r\\nCorrelation ID: 2\",\"error_codes\":[700082],"
                "\"claims\":\"{\\\"access_token\\\":{\\\"capolids\\\":{}}}\"}";
        const HttpReply reply = { .status = 400, .body = (char *)body, .n_body = strlen(body) };
        Answer answer = { 0 };

        read_error(&answer, &reply);
        assert(streq(answer.message,
                     "login.example wants a new sign-in: AADSTS700082: The refresh token has "
                     "expired due to inactivity. Sign in again."));
        assert(streq(answer.code, "invalid_grant"));
        assert(streq(answer.claims, "{\"access_token\":{\"capolids\":{}}}"));
        answer_deinit(&answer);
}

static void test_garbage_in_an_error(void) {
        static const char *const bodies[] = {
                "{\"error\":\"invalid_grant\",\"error_description\":\"\\u001b[31mred\\u0007\"}",
                "{\"error\":\"invalid_grant\",\"error_description\":\"\\u202etxt\"}",
                "{\"error\":\"invalid_grant\",\"error_description\":[1,2]}",
                "{\"error\":\"invalid_grant\",\"error_description\":\"\"}",
                "{\"error\":\"invalid_grant\",\"error_description\":\"\\r\\n\"}",
                "{\"error\":\"invalid_grant\",\"claims\":\"not json\"}",
                "{\"error\":\"invalid_grant\",\"claims\":{\"a\":1}}",
                "{\"error\":\"invalid_grant\",\"claims\":\"{\\\"a\\\":1}\\u0007\"}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
                const HttpReply reply = { .status = 400,
                                          .body = (char *)bodies[i],
                                          .n_body = strlen(bodies[i]) };
                Answer answer = { 0 };

                read_error(&answer, &reply);
                assert(answer.kind == ANSWER_SIGN_IN_NEEDED);
                assert(!answer.claims);
                answer_deinit(&answer);
        }
}

static void test_a_long_description_is_cut(void) {
        CLEANUP(freep) char *body = NULL;
        HttpReply reply = { .status = 400 };
        Answer answer = { 0 };

        assert(asprintf(&body, "{\"error\":\"invalid_request\",\"error_description\":\"%0*d\"}",
                        100000, 0) > 0);
        reply.body = body;
        reply.n_body = strlen(body);
        read_error(&answer, &reply);
        assert(strstr(answer.message, "Check tenant"));
        answer_deinit(&answer);
}

static void test_the_loop_detector_wants_silence(void) {
        static const Case cases[] = {
                { 400, 0,
                  "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50196: The server "
                  "terminated an operation because it encountered a loop.\"}",
                  ANSWER_SIGN_IN_NEEDED, "AADSTS50196", 300 },
                /* a longer pause is kept, whatever else is said */
                { 400, 900,
                  "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50196: Loop.\"}",
                  ANSWER_TRY_LATER, "AADSTS50196", 900 },
        };

        check(cases, ARRAY_SIZE(cases));
}

static void test_a_redirect(void) {
        static const struct {
                const char *error, *description;
                AnswerKind kind;
                const char *says;
        } cases[] = {
                { "access_denied", "AADSTS65004: User declined. Trace ID: 1", ANSWER_CANCELLED,
                  "declined: AADSTS65004: User declined. " },
                { "access_denied", NULL, ANSWER_CANCELLED, "access_denied." },
                { "server_error", "Busy", ANSWER_TRY_LATER, "Busy." },
                { "login_required", NULL, ANSWER_SIGN_IN_NEEDED, "new sign-in" },
                { "unauthorized_client", "no\nmore", ANSWER_MISCONFIGURED, "no. " },
                { "what", NULL, ANSWER_MISCONFIGURED, "what. " },
                { "", "", ANSWER_MISCONFIGURED, "no reason given." },
                { "\x1b[31m\xff", "\x1b[31m", ANSWER_MISCONFIGURED, "refuses" },
                { "invalid_request", "AADSTS65004: User declined to consent to access the app.",
                  ANSWER_CANCELLED, "declined" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Answer answer = { 0 };

                oauth_read_redirect(&answer, cases[i].error, cases[i].description, AUTHORITY);
                assert(answer.kind == cases[i].kind);
                assert(strstr(answer.message, "login.example"));
                assert(strstr(answer.message, cases[i].says));
                assert(text_is_clean(answer.message) && text_is_clean(answer.code));
                answer_deinit(&answer);
        }
}

int main(void) {
        test_a_redirect();
        test_status_comes_first();
        test_error();
        test_suberror();
        test_status_comes_last();
        test_transport();
        test_the_words_of_entra();
        test_garbage_in_an_error();
        test_a_long_description_is_cut();
        test_the_loop_detector_wants_silence();
        return 0;
}
