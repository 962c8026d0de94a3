/* SPDX-License-Identifier: MIT */
/*
 * What becomes of az's words. The texts on standard error are those of az 2.45.0 and, where said,
 * newer ones, cut where they say nothing more.
 */
#undef NDEBUG
#include <assert.h>
#include <signal.h>

#include "common/text.h"
#include "fetch/az-output.h"
#include "model/limits.h"

#define NOW       UINT64_C(1795467600) /* 2026-11-23 21:00:00 */
#define NOW_USEC  (50 * USEC_PER_SEC)
#define EXITED(n) ((n) << 8)
#define HINT                                                                     \
        "\nInteractive authentication is needed. Please run:\naz login --scope " \
        "https://apps.azureiotcentral.com/.default\n"
#define TRACEBACK "ERROR: The command failed with an unexpected error. Here is the traceback:\n"

static void test_a_token(void) {
        static const struct {
                const char *out;
                uint64_t left; /* seconds */
        } cases[] = {
                /* 2.45 */
                { "{\n  \"accessToken\": \"e.y.J\",\n  \"expiresOn\": \"2026-11-23 "
                  "21:06:35.000000\",\n  \"tenant\": \"t\",\n  \"tokenType\": \"Bearer\"\n}\n",
                  395 },
                { "{\"accessToken\":\"e.y.J\",\"expiresOn\":\"2026-11-23 21:06:35\","
                  "\"tenant\":\"t\",\"tokenType\":\"Bearer\"}",
                  395 },
                /* 2.54 and newer: the number wins, whatever zone the text is in */
                { "{\"accessToken\":\"e.y.J\",\"expiresOn\":\"2026-11-23 23:06:35.000000\","
                  "\"expires_on\":1795467601,\"tenant\":\"t\",\"tokenType\":\"Bearer\"}",
                  1 },
                { "{\"accessToken\":\"e.y.J\",\"expiresOn\":\"N/A\",\"expires_on\":1795468600,"
                  "\"tenant\":\"t\",\"tokenType\":\"bearer\"}",
                  1000 },
                { "{\"accessToken\":\"e.y.J\",\"expires_on\":1795726800,\"tenant\":\"t\","
                  "\"tokenType\":\"bearer\"}",
                  AZ_LIFE_MAX },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Answer answer = { 0 };

                az_read_token(&answer, cases[i].out, strlen(cases[i].out), NOW, NOW_USEC);
                assert(answer.kind == ANSWER_TOKEN);
                assert(streq(answer.access_token, "e.y.J") && streq(answer.tenant, "t"));
                assert(answer.expires_usec == NOW_USEC + cases[i].left * USEC_PER_SEC);
                assert(!answer.refresh_token && !answer.date);
                answer_deinit(&answer);
        }
}

/* Whatever others' code has written around it. */
static void test_a_token_among_others(void) {
#define OBJECT "{\"accessToken\":\"e.y.J\",\"tokenType\":\"Bearer\",\"expires_on\":1795468600}"
        static const char *const outs[] = {
                OBJECT "\x1b[0m",
                "\x1b[0m\x1b[?25h" OBJECT "\x1b[0m\n",
                "The command requires the extension {x}.\n" OBJECT "\nUpdate available: 2.99\n",
                "{\"telemetry\":{\"accessToken\":\"other\"}}\n" OBJECT,
                "{'a': 1} [1, {\"b\":2}] {\n" OBJECT "}",
                "\xef\xbb\xbf" OBJECT,
        };

        for (size_t i = 0; i < ARRAY_SIZE(outs); i++) {
                Answer answer = { 0 };

                az_read_token(&answer, outs[i], strlen(outs[i]), NOW, NOW_USEC);
                assert(answer.kind == ANSWER_TOKEN && streq(answer.access_token, "e.y.J"));
                answer_deinit(&answer);
        }
}

/* The next az would say the same: a person has to look. */
static void test_what_is_no_token(void) {
        static const struct {
                const char *out, *says;
        } cases[] = {
                { "", "it printed nothing" },
                { "\n \n", "it printed nothing" },
                { "\x1b[0m", "begins with [0m." },
                { "e.y.J\n", "begins with e.y.J." },
                { "[]", "begins with []" },
                { "WARNING: \xc3\x9c"
                  "berraschung\n{}",
                  "begins with WARNING: \xc3\x9c"
                  "berraschung." },
                { "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.secret\n", "begins with ...." },
                { "token=eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.secret x\n",
                  "begins with token=... x." },
                { "{\"accessToken\":\"secret\"", "begins with" },
                { OBJECT OBJECT, "several" },
                { "{\"accessToken\":\"secret\",\"tokenType\":\"Bearer\"}", "newer az" },
                { "{\"accessToken\":\"e y\",\"tokenType\":\"Bearer\",\"expires_on\":1795468600}",
                  "can't be used" },
                { "{\"accessToken\":7,\"tokenType\":\"Bearer\",\"expires_on\":1795468600}",
                  "can't be used" },
                { "{\"accessToken\":\"a\",\"tokenType\":\"pop\",\"expires_on\":1795468600}",
                  "can't be used" },
                { "{\"accessToken\":\"a\",\"expires_on\":1795468600}", "can't be used" },
                { "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresOn\":\"N/A\"}",
                  "can't be used" },
                { "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresOn\":\"\"}",
                  "can't be used" },
                { "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresOn\":null}",
                  "can't be used" },
                { "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresOn\":"
                  "\"2026-11-23T21:06:35\"}",
                  "can't be used" },
                { "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresOn\":"
                  "\"2026-11-23 21:06:35+01:00\"}",
                  "can't be used" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Answer answer = { 0 };

                az_read_token(&answer, cases[i].out, strlen(cases[i].out), NOW, NOW_USEC);
                assert(answer.kind == ANSWER_MISCONFIGURED);
                assert(strstr(answer.message, cases[i].says));
                assert(!answer.access_token && !strstr(answer.message, "secret"));
                assert(text_is_clean(answer.message));
                answer_deinit(&answer);
        }
}

static void test_tokens_of_another_time(void) {
        static const char *const outs[] = {
                "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expires_on\":1795467600}",
                "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresOn\":"
                "\"2026-11-23 20:06:35.000000\"}",
                /* got by a clock that was years ahead of what it is now */
                "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expires_on\":1795726801}",
                "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expires_on\":99999999999999}",
                "{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresOn\":"
                "\"2106-11-23 20:06:35.000000\"}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(outs); i++) {
                Answer answer = { 0 };

                az_read_token(&answer, outs[i], strlen(outs[i]), NOW, NOW_USEC);
                assert(answer.kind == ANSWER_TRY_LATER && strstr(answer.message, "clock"));
                answer_deinit(&answer);
        }
}

static const Request request = { .resource = (char *)"https://apps.azureiotcentral.com" };

static void test_failures(void) {
        static const struct {
                const char *err;
                AnswerKind kind;
                const char *says;
        } cases[] = {
                { "ERROR: Please run 'az login' to setup account.\n", ANSWER_SIGN_IN_NEEDED,
                  "Run 'az login --allow-no-subscriptions'." },
                { "ERROR: AADSTS50173: The provided grant has expired. Trace ID: 1" HINT,
                  ANSWER_SIGN_IN_NEEDED,
                  "AADSTS50173: The provided grant has expired. Run 'az login "
                  "--allow-no-subscriptions --scope https://apps.azureiotcentral.com/.default'." },
                { "ERROR: AADSTS50076: Due to a configuration change, you must use MFA." HINT,
                  ANSWER_SIGN_IN_NEEDED, "az login" },
                { "ERROR: something without a number" HINT, ANSWER_SIGN_IN_NEEDED, "az login" },
                { "ERROR: User 'a@b' does not exist in MSAL token cache. Run `az login`.\n",
                  ANSWER_SIGN_IN_NEEDED, "az login" },
                { "ERROR: Could not retrieve token from local cache. Please run 'az login'.",
                  ANSWER_SIGN_IN_NEEDED, "az login" },
                /* az asks for a sign-in here too, and no sign-in helps */
                { "ERROR: AADSTS90033: A transient error has occurred." HINT, ANSWER_TRY_LATER,
                  "AADSTS90033" },
                { "ERROR: AADSTS90055: The request has been throttled." HINT, ANSWER_TRY_LATER,
                  "wait" },
                { "ERROR: AADSTS50196: The server found a loop." HINT, ANSWER_TRY_LATER, "wait" },
                { "ERROR: Request was throttled" HINT, ANSWER_TRY_LATER, "wait" },
                { "ERROR: Too many requests" HINT, ANSWER_TRY_LATER, "wait" },
                { "ERROR: 503 Server Error: Service Unavailable for url: https://login\n",
                  ANSWER_TRY_LATER, "503" },
                { "ERROR: AADSTS53003: Access has been blocked." HINT, ANSWER_BLOCKED,
                  "administrator" },
                /* the road */
                { TRACEBACK "ERROR: HTTPSConnectionPool(host='login.microsoftonline.com', "
                            "port=443): Max retries exceeded (Caused by NewConnectionError())",
                  ANSWER_TRY_LATER, "network" },
                { TRACEBACK "ERROR: HTTPSConnectionPool(host='x'): (Caused by ProxyError('Cannot "
                            "connect to proxy.'))",
                  ANSWER_TRY_LATER, "'proxy'" },
                { "ERROR: HTTPSConnectionPool(host='x'): (Caused by SSLError(SSLCertVerification"
                  "Error(1, '[SSL: CERTIFICATE_VERIFY_FAILED]",
                  ANSWER_TRY_LATER, "'ca-bundle'" },
                { "ERROR: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max "
                  "retries exceeded (Caused by ProxyError('Cannot connect to proxy.', "
                  "OSError('Tunnel connection failed: 407 Proxy Authentication Required')))\n",
                  ANSWER_MISCONFIGURED, "'proxy-credentials'" },
                { "ERROR: HTTPSConnectionPool(host='x'): (Caused by SSLError(SSLCertVerification"
                  "Error(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
                  "certificate is not yet valid (_ssl.c:992)')))",
                  ANSWER_TRY_LATER, "clock: timedatectl set-ntp true" },
                { "ERROR: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate "
                  "has expired (_ssl.c:992)",
                  ANSWER_TRY_LATER, "clock: timedatectl set-ntp true" },
                { TRACEBACK "ERROR: Could not find a suitable TLS CA certificate bundle, invalid "
                            "path: /nope",
                  ANSWER_MISCONFIGURED, "'ca-bundle'" },
                { TRACEBACK "ERROR: Expecting value: line 1 column 1 (char 0)\nTraceback\n"
                            "json.decoder.JSONDecodeError: Expecting value",
                  ANSWER_TRY_LATER, "Expecting value: line 1 column 1 (char 0)." },
                /* settings; 2.74's traceback goes through throttled_http_client.py */
                { TRACEBACK
                  "ERROR: Could not find a suitable TLS CA certificate bundle, invalid path: "
                  "/throttled\nTraceback (most recent call last):\n  File \"/usr/lib/python3/"
                  "dist-packages/msal/throttled_http_client.py\", line 9, in get\n    return "
                  "self.throttle(\"429 Client Error\")\n           ^^^^^\nOSError: Could not find "
                  "a suitable TLS CA certificate bundle, invalid path: /throttled\n",
                  ANSWER_MISCONFIGURED, "'ca-bundle'" },
                { "/usr/lib/python3/x/throttled.py:1: FutureWarning: Too many requests\n  "
                  "throttle()\n"
                  "ERROR: Error loading command module 'throttled': No module\n"
                  "ERROR: Please run 'az login' to setup account.\n",
                  ANSWER_SIGN_IN_NEEDED, "Run 'az login --allow-no-subscriptions'." },
                /* whatever people have named */
                { "ERROR: User 'throttled@b.example' does not exist in MSAL token cache. Run `az "
                  "login`.\n",
                  ANSWER_SIGN_IN_NEEDED, "az login" },
                { "ERROR: Subscription 'Too Many Requests' not found. Check the spelling and "
                  "casing "
                  "and try again.",
                  ANSWER_MISCONFIGURED, "'subscription'" },
                { "ERROR: Unable to get authority configuration for https://login.microsoftonline."
                  "com/throttled.example. Authority would typically be in a format of "
                  "https://login",
                  ANSWER_MISCONFIGURED, "'tenant'" },
                { "ERROR: AADSTS90002: Tenant 'throttl' not found." HINT, ANSWER_MISCONFIGURED,
                  "'tenant'" },
                { "ERROR: AADSTS500011: The principal was not found in the tenant named Throttling "
                  "Ltd." HINT,
                  ANSWER_MISCONFIGURED, "AADSTS500011" },
                { "ERROR: HTTPSConnectionPool(host='throttled.example', port=443): Max retries "
                  "exceeded "
                  "with url: /throttled/v2.0 (Caused by NameResolutionError('x'))",
                  ANSWER_TRY_LATER, "network" },
                { "Traceback (most recent call last):\nPermissionError: [Errno 13] Permission "
                  "denied: "
                  "'/home/az login/throttled/.azure'\n",
                  ANSWER_MISCONFIGURED, "config folder" },
                { TRACEBACK "ERROR: Unable to get authority configuration for https://login/x.",
                  ANSWER_MISCONFIGURED, "'tenant'" },
                { "ERROR: Subscription 'x' not found. Check the spelling and casing and try again.",
                  ANSWER_MISCONFIGURED, "'subscription'" },
                { "ERROR: No subscription found. Run 'az account set' to select a subscription.",
                  ANSWER_MISCONFIGURED, "az account set" },
                { "ERROR: AADSTS500011: The resource principal was not found." HINT,
                  ANSWER_MISCONFIGURED, "AADSTS500011" },
                { "ERROR: AADSTS90002: Tenant 'x' not found." HINT, ANSWER_MISCONFIGURED,
                  "'tenant'" },
                { "Traceback (most recent call last):\n  File \"x\", line 37, in load\n"
                  "NotADirectoryError: [Errno 20] Not a directory: '/home/a/.azure/x.json'\n",
                  ANSWER_MISCONFIGURED, "[Errno 20] Not a directory: '/home/a/.azure/x.json'." },
                { "Traceback (most recent call last):\nPermissionError: [Errno 13] Permission "
                  "denied: '/home/a/.azure'\n",
                  ANSWER_MISCONFIGURED, "config folder" },
                /* 2.83.0 */
                { "ERROR: Can't find token from MSAL cache.\nTo re-authenticate, please run:\n"
                  "az login\n",
                  ANSWER_MISCONFIGURED, "another version" },
                { "ERROR: unrecognized arguments: --tenant x\n", ANSWER_MISCONFIGURED, "newer" },
                { "ModuleNotFoundError: No module named 'azure'\n", ANSWER_SOURCE_MISSING,
                  "Install" },
                /* nobody knows */
                { "", ANSWER_TRY_LATER, "az failed." },
                { "\n\n", ANSWER_TRY_LATER, "az failed." },
                { "Traceback\n  x\nValueError: \x1b[31m\xff what\n\n", ANSWER_TRY_LATER,
                  "ValueError: [31m\xef\xbf\xbd what." },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Answer answer = { 0 };
                int r;

                r = az_read_failure(&answer, EXITED(1), cases[i].err, &request, NOW_USEC);
                assert(r == (strstr(cases[i].err, "does not exist in MSAL") ? AZ_E_AGAIN : 0));
                assert(answer.kind == cases[i].kind);
                assert(strstr(answer.message, cases[i].says));
                assert(text_is_clean(answer.message) && !strstr(answer.message, ".."));
                assert(answer.retry_usec ==
                       (answer.kind == ANSWER_TRY_LATER ? NOW_USEC + AZ_RETRY * USEC_PER_SEC : 0));
                answer_deinit(&answer);
        }
}

static void test_how_it_ended(void) {
        static const struct {
                int status;
                AnswerKind kind;
        } cases[] = {
                { EXITED(127), ANSWER_SOURCE_MISSING }, { EXITED(126), ANSWER_SOURCE_MISSING },
                { SIGKILL, ANSWER_TRY_LATER },          { SIGSEGV, ANSWER_TRY_LATER },
                { EXITED(2), ANSWER_TRY_LATER },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Answer answer = { 0 };

                assert(az_read_failure(&answer, cases[i].status, "", &request, 0) == 0);
                assert(answer.kind == cases[i].kind);
                answer_deinit(&answer);
        }
}

static void test_the_command_to_sign_in(void) {
        const Request full = {
                .resource = (char *)"api://x",
                .tenant = (char *)"contoso.com",
                .config_dir = (char *)"/home/a/.azure-b",
        };
        const Request odd = {
                .resource = (char *)"api://x;reboot",
                .config_dir = (char *)"/home/a b",
        };
        char text[256];

        assert(streq(az_login_command(text, sizeof(text), &full, true),
                     "AZURE_CONFIG_DIR=/home/a/.azure-b az login --allow-no-subscriptions "
                     "--tenant contoso.com --scope api://x/.default"));
        /* Nothing that a shell would take apart. */
        assert(streq(az_login_command(text, sizeof(text), &odd, true),
                     "az login --allow-no-subscriptions"));
}

int main(void) {
        test_a_token();
        test_a_token_among_others();
        test_what_is_no_token();
        test_tokens_of_another_time();
        test_failures();
        test_how_it_ended();
        test_the_command_to_sign_in();
        return 0;
}
