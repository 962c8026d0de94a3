/* SPDX-License-Identifier: MIT */
/*
 * Forms out, answers in: what is sent to a token endpoint, byte for byte, and which answers are a
 * token, a code, a wait. What an error means is test-oauth-error's.
 */
#undef NDEBUG
#include <assert.h>

#include "common/secret.h"
#include "common/text.h"
#include "fetch/oauth.h"
#include "model/limits.h"

#define AUTHORITY "https://login.example"
#define SENT      (100 * USEC_PER_SEC)
#define TOKEN     "\"token_type\":\"Bearer\",\"access_token\":\"e.y.J\",\"expires_in\":3600"

static HttpReply reply_of(long status, const char *body) {
        return (HttpReply){
                .status = status,
                .body = (char *)body,
                .n_body = strlen(body),
                .sent_usec = SENT,
                .date = 1795477501,
        };
}

static void test_forms(void) {
        const Request request = {
                .authority = (char *)"https://login.example/base",
                .tenant = (char *)"contoso.com",
                .client_id = (char *)"id 1",
                .resource = (char *)"api://a&b=c",
                .refresh_token = (char *)"0.A+X/y=~",
        };
        Request with_claims = request;
        CLEANUP(freep) char *url = oauth_url(&request, "token");
        CLEANUP(secret_freep) char *refresh = oauth_form_refresh(&request);
        CLEANUP(secret_freep) char *poll = oauth_form_poll(&request, "code\xc3\xbc");
        CLEANUP(secret_freep) char *device = NULL;

        with_claims.claims = (char *)"{\"a\":1}";
        device = oauth_form_device(&with_claims);
        assert(streq(url, "https://login.example/base/contoso.com/oauth2/v2.0/token"));
        assert(streq(refresh,
                     "grant_type=refresh_token&client_id=id%201&refresh_token=0.A%2BX%2Fy%3D~"
                     "&scope=api%3A%2F%2Fa%26b%3Dc%2F.default%20offline_access%20openid"
                     "%20profile"));
        assert(streq(poll, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
                           "&client_id=id%201&device_code=code%C3%BC"));
        assert(streq(device, "client_id=id%201&scope=api%3A%2F%2Fa%26b%3Dc%2F.default"
                             "%20offline_access%20openid%20profile&claims=%7B%22a%22%3A1%7D"));
}

static void test_forms_of_the_other_grants(void) {
        const Request request = {
                .authority = (char *)"https://login.example",
                .tenant = (char *)"contoso.com",
                .client_id = (char *)"id 1",
                .resource = (char *)"api://a",
                .client_secret = (char *)"s+e~c&r=et\xc3\xbc",
        };
        Request with_claims = request;
        CLEANUP(secret_freep)
        char *code = oauth_form_code(&request, "0.A&b", "http://localhost:1", "verifier-_~");
        CLEANUP(secret_freep) char *client = oauth_form_client(&request);
        CLEANUP(freep) char *url = oauth_authorize_url(&request, "http://localhost:1", "st", "ch");
        CLEANUP(freep) char *other = NULL;

        with_claims.claims = (char *)"{}";
        other = oauth_authorize_url(&with_claims, "http://localhost:1", "st", "ch");
        assert(streq(code, "grant_type=authorization_code&client_id=id%201&code=0.A%26b"
                           "&redirect_uri=http%3A%2F%2Flocalhost%3A1&code_verifier=verifier-_~"));
        assert(streq(client, "grant_type=client_credentials&client_id=id%201"
                             "&client_secret=s%2Be~c%26r%3Det%C3%BC&scope=api%3A%2F%2Fa%2F"
                             ".default"));
        assert(streq(url, "https://login.example/contoso.com/oauth2/v2.0/authorize?client_id=id%201"
                          "&response_type=code&response_mode=query"
                          "&redirect_uri=http%3A%2F%2Flocalhost%3A1"
                          "&scope=api%3A%2F%2Fa%2F.default%20offline_access%20openid%20profile"
                          "&state=st&code_challenge=ch&code_challenge_method=S256"
                          "&prompt=select_account"));
        assert(strstr(other, "&claims=%7B%7D"));
}

static void test_a_client_gets_no_refresh_token(void) {
        const HttpReply reply = reply_of(200, "{" TOKEN ",\"refresh_token\":\"0.AX\"}");
        Answer answer = { 0 };

        oauth_read_client(&answer, &reply, AUTHORITY);
        assert(answer.kind == ANSWER_TOKEN && streq(answer.access_token, "e.y.J"));
        assert(!answer.refresh_token);
        answer_deinit(&answer);
}

static void test_a_client_that_is_refused(void) {
        static const struct {
                const char *error, *says, *not_this;
        } cases[] = {
                { "invalid_client", "make a new one in the app registration", "public client" },
                { "unauthorized_client", "Check client-id and tenant.", "public client" },
                { "invalid_resource", "Check resource", "secret" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(freep) char *body = NULL;
                Answer answer = { 0 };
                HttpReply reply;

                assert(asprintf(&body,
                                "{\"error\":\"%s\",\"error_description\":\"AADSTS1: No."
                                " Trace ID: x\"}",
                                cases[i].error) > 0);
                reply = reply_of(401, body);
                oauth_read_client(&answer, &reply, AUTHORITY);
                assert(answer.kind == ANSWER_MISCONFIGURED);
                assert(streq(answer.code, cases[i].error));
                assert(strstr(answer.message, "login.example") &&
                       strstr(answer.message, "AADSTS1"));
                assert(strstr(answer.message, cases[i].says));
                assert(!strstr(answer.message, cases[i].not_this));
                answer_deinit(&answer);
        }
}

static void test_a_token(void) {
        /* {"preferred_username":"ada@contoso.com","tid":"72f9"} */
        const HttpReply reply = reply_of(
                200,
                "{\"token_type\":\"bEARER\",\"access_token\":\"e.y.J\",\"expires_in\":\"3599\","
                "\"refresh_in\":1800,\"refresh_token\":\"0.AX new\",\"scope\":\"a b\",\"foci\":1,"
                "\"id_token\":\"e30.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhZGFAY29udG9zby5jb20iLCJ0aWQi"
                "OiI3MmY5In0.sig\"}");
        Answer answer = { 0 };

        oauth_read_token(&answer, &reply, AUTHORITY);
        assert(answer.kind == ANSWER_TOKEN);
        assert(streq(answer.access_token, "e.y.J") && streq(answer.refresh_token, "0.AX new"));
        assert(answer.expires_usec == SENT + 3599 * USEC_PER_SEC);
        assert(answer.refresh_usec == SENT + 1800 * USEC_PER_SEC);
        assert(streq(answer.scope, "a b") && answer.date == 1795477501);
        assert(streq(answer.user, "ada@contoso.com") && streq(answer.tenant, "72f9"));
        answer_deinit(&answer);
}

static void test_what_may_be_missing(void) {
        static const char *const bodies[] = {
                "{" TOKEN "}",
                "{" TOKEN ",\"refresh_token\":null,\"id_token\":null,\"scope\":null}",
                "{" TOKEN ",\"id_token\":\"\"}",
                "{" TOKEN ",\"id_token\":\"e30\"}",
                "{" TOKEN ",\"id_token\":\"e30.!!.x\"}",
                "{" TOKEN ",\"id_token\":\"e30.bm8ganNvbg.x\"}",
                "{" TOKEN ",\"id_token\":7,\"scope\":[],\"refresh_in\":\"soon\"}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
                const HttpReply reply = reply_of(200, bodies[i]);
                Answer answer = { 0 };

                oauth_read_token(&answer, &reply, AUTHORITY);
                assert(answer.kind == ANSWER_TOKEN);
                assert(!answer.refresh_token && !answer.user && !answer.tenant && !answer.scope);
                assert(!answer.refresh_usec);
                answer_deinit(&answer);
        }
}

static void test_a_name_is_cleaned(void) {
        /* {"preferred_username":"ada\u001b[31m\u202e"} */
        const HttpReply reply = reply_of(
                200, "{" TOKEN ",\"id_token\":\".eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhZGFcdTAwMWJbMzFt"
                     "XHUyMDJlIn0.\"}");
        Answer answer = { 0 };

        oauth_read_token(&answer, &reply, AUTHORITY);
        assert(streq(answer.user, "ada [31m"));
        answer_deinit(&answer);
}

static void test_a_life_is_bounded(void) {
        const HttpReply reply = reply_of(200, "{\"token_type\":\"Bearer\",\"access_token\":\"a\","
                                              "\"expires_in\":18446744073709551615}");
        Answer answer = { 0 };

        oauth_read_token(&answer, &reply, AUTHORITY);
        assert(answer.expires_usec == SENT + LIMIT_LIFETIME_SECONDS * USEC_PER_SEC);
        answer_deinit(&answer);
}

static void test_what_is_no_token(void) {
        static const char *const bodies[] = {
                "",
                "<!DOCTYPE html><html>sign in</html>",
                "{" TOKEN,
                "[{" TOKEN "}]",
                "{}",
                "{\"token_type\":\"Bearer\",\"access_token\":7,\"expires_in\":3600}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"\",\"expires_in\":3600}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"a b\",\"expires_in\":3600}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"a\\nb\",\"expires_in\":3600}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"a\\u0000b\",\"expires_in\":3600}",
                "{\"token_type\":\"mac\",\"access_token\":\"a\",\"expires_in\":3600}",
                "{\"access_token\":\"a\",\"expires_in\":3600}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"a\"}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"a\",\"expires_in\":0}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"a\",\"expires_in\":-1}",
                "{\"token_type\":\"Bearer\",\"access_token\":\"a\",\"expires_in\":\"1h\"}",
                "{" TOKEN ",\"refresh_token\":\"a\\u0007\"}",
                "{" TOKEN ",\"refresh_token\":[]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
                const HttpReply reply = reply_of(200, bodies[i]);
                Answer answer = { 0 };

                oauth_read_token(&answer, &reply, AUTHORITY);
                assert(answer.kind == ANSWER_TRY_LATER);
                assert(!answer.access_token && !answer.refresh_token);
                assert(text_is_clean(answer.message) && strstr(answer.message, "login.example"));
                answer_deinit(&answer);
        }
}

static void test_a_token_of_more_than_32_kib(void) {
        CLEANUP(freep) char *body = NULL;
        Answer answer = { 0 };
        HttpReply reply;

        assert(asprintf(&body,
                        "{\"token_type\":\"Bearer\",\"expires_in\":1,\"access_token\":\"%0*d\"}",
                        LIMIT_ACCESS_TOKEN + 1, 0) > 0);
        reply = reply_of(200, body);
        oauth_read_token(&answer, &reply, AUTHORITY);
        assert(answer.kind == ANSWER_TRY_LATER);
        answer_deinit(&answer);
}

static void test_polling(void) {
        static const struct {
                long status;
                const char *body;
                int outcome;
                AnswerKind kind;
        } cases[] = {
                { 400, "{\"error\":\"authorization_pending\"}", OAUTH_E_PENDING, ANSWER_NONE },
                { 400, "{\"error\":\"slow_down\"}", OAUTH_E_SLOW_DOWN, ANSWER_NONE },
                { 401, "{\"error\":\"authorization_pending\"}", OAUTH_E_PENDING, ANSWER_NONE },
                { 400, "{\"error\":\"access_denied\"}", 0, ANSWER_CANCELLED },
                { 400, "{\"error\":\"authorization_declined\"}", 0, ANSWER_CANCELLED },
                { 400, "{\"error\":\"expired_token\"}", 0, ANSWER_SIGN_IN_NEEDED },
                { 400, "{\"error\":\"code_expired\"}", 0, ANSWER_SIGN_IN_NEEDED },
                { 400, "{\"error\":\"bad_verification_code\"}", 0, ANSWER_SIGN_IN_NEEDED },
                { 400, "{\"error\":\"invalid_client\"}", 0, ANSWER_MISCONFIGURED },
                /* the network's, not the server's last word */
                { 429, "{\"error\":\"authorization_pending\"}", 0, ANSWER_TRY_LATER },
                { 503, "", 0, ANSWER_TRY_LATER },
                { 200, "<html>", 0, ANSWER_TRY_LATER },
                { 302, "", 0, ANSWER_TRY_LATER },
                { 200, "{" TOKEN "}", 0, ANSWER_TOKEN },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const HttpReply reply = reply_of(cases[i].status, cases[i].body);
                Answer answer = { 0 };

                assert(oauth_read_poll(&answer, &reply, AUTHORITY) == cases[i].outcome);
                assert(answer.kind == cases[i].kind);
                answer_deinit(&answer);
        }
}

/* A refresh has nobody who could decline it. */
static void test_a_refresh_that_is_denied(void) {
        const HttpReply denied = reply_of(400, "{\"error\":\"access_denied\"}");
        const HttpReply pending = reply_of(400, "{\"error\":\"authorization_pending\"}");
        Answer answer = { 0 };

        oauth_read_token(&answer, &denied, AUTHORITY);
        assert(answer.kind == ANSWER_SIGN_IN_NEEDED);
        oauth_read_token(&answer, &pending, AUTHORITY);
        assert(answer.kind == ANSWER_TRY_LATER);
        answer_deinit(&answer);
}

#define DEVICE "\"device_code\":\"secret\",\"user_code\":\"AB-C\",\"verification_uri\":"

static void test_a_device_code(void) {
        static const struct {
                const char *body;
                uint64_t expires_in, interval;
                const char *message;
        } cases[] = {
                { "{" DEVICE "\"https://x.example/d\",\"expires_in\":60,\"interval\":\"7\","
                  "\"message\":\"Go\\nthere.\"}",
                  60, 7, "Go there." },
                { "{" DEVICE "\"http://127.0.0.1:8/d\"}", OAUTH_DEVICE_LIFE, OAUTH_INTERVAL,
                  "To sign in, open http://127.0.0.1:8/d in a browser and enter the code AB-C." },
                { "{" DEVICE "\"https://x.example/d\",\"expires_in\":0,\"interval\":0,"
                  "\"message\":\"\\u202e\"}",
                  OAUTH_DEVICE_LIFE, 1,
                  "To sign in, open https://x.example/d in a browser and enter the code AB-C." },
                { "{" DEVICE "\"https://x.example/d\",\"expires_in\":1e15,\"interval\":1e15,"
                  "\"message\":\"m\"}",
                  OAUTH_DEVICE_LIFE_MAX, OAUTH_INTERVAL_MAX, "m" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const HttpReply reply = reply_of(200, cases[i].body);
                OauthDevice device = { 0 };
                Answer answer = { 0 };

                oauth_read_device(&device, &answer, &reply, AUTHORITY);
                assert(answer.kind == ANSWER_NONE);
                assert(streq(device.device_code, "secret") && streq(device.user_code, "AB-C"));
                assert(device.expires_in == cases[i].expires_in);
                assert(device.interval == cases[i].interval);
                assert(streq(device.message, cases[i].message));
                oauth_device_deinit(&device);
        }
}

static void test_what_is_no_device_code(void) {
        static const struct {
                long status;
                const char *body;
                AnswerKind kind;
        } cases[] = {
                { 200, "<html>", ANSWER_TRY_LATER },
                { 200, "{}", ANSWER_TRY_LATER },
                { 200, "{" DEVICE "\"http://x.example/d\"}", ANSWER_TRY_LATER },
                { 200, "{" DEVICE "\"javascript:alert(1)\"}", ANSWER_TRY_LATER },
                { 200, "{" DEVICE "\"https://login@x.example/\"}", ANSWER_TRY_LATER },
                { 200, "{" DEVICE "7}", ANSWER_TRY_LATER },
                { 200,
                  "{\"device_code\":\"a\",\"user_code\":\"\\u001b[2J\",\"verification_uri\":"
                  "\"https://x.example/d\"}",
                  ANSWER_TRY_LATER },
                { 200, "{\"user_code\":\"a\",\"verification_uri\":\"https://x.example/d\"}",
                  ANSWER_TRY_LATER },
                { 400, "{\"error\":\"invalid_request\"}", ANSWER_MISCONFIGURED },
                { 500, "", ANSWER_TRY_LATER },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const HttpReply reply = reply_of(cases[i].status, cases[i].body);
                OauthDevice device = { 0 };
                Answer answer = { 0 };

                oauth_read_device(&device, &answer, &reply, AUTHORITY);
                assert(answer.kind == cases[i].kind);
                assert(!device.device_code);
                answer_deinit(&answer);
        }
}

int main(void) {
        test_forms();
        test_forms_of_the_other_grants();
        test_a_client_gets_no_refresh_token();
        test_a_client_that_is_refused();
        test_a_token();
        test_what_may_be_missing();
        test_a_name_is_cleaned();
        test_a_life_is_bounded();
        test_what_is_no_token();
        test_a_token_of_more_than_32_kib();
        test_polling();
        test_a_refresh_that_is_denied();
        test_a_device_code();
        test_what_is_no_device_code();
        return 0;
}
