/* SPDX-License-Identifier: MIT */
/*
 * What the fetcher takes for a request, and that what it refuses is named without its content.
 */
#undef NDEBUG
#include <assert.h>

#include "common/clock.h"
#include "fetch/request.h"
#include "model/limits.h"

#define HEAD "{\"protocol\":1,\"source\":\"entra\","

static int parse(Request **ret, char *reason, const char *line) {
        *reason = '\0';
        return request_parse(ret, reason, line, strlen(line));
}

static void test_a_whole_request(void) {
        CLEANUP(request_freep) Request *r = NULL;
        char reason[REQUEST_REASON_MAX];
        uint64_t before = clock_usec();

        assert(parse(&r, reason,
                     HEAD "\"method\":\"refresh\",\"authority\":\"https://login.example//\","
                          "\"tenant\":\"contoso.com\",\"client_id\":\"id\",\"unknown\":[1],"
                          "\"resource\":\"https://apps.example\",\"deadline\":20,"
                          "\"refresh_token\":\"0.AX\",\"claims\":\"{\\\"a\\\":1}\",\"az\":null,"
                          "\"proxy\":\"\",\"ca_bundle\":\"/etc/ca.pem\"}") == 0);
        assert(streq(r->source, "entra") && streq(r->method, "refresh"));
        assert(streq(r->authority, "https://login.example"));
        assert(streq(r->tenant, "contoso.com") && streq(r->client_id, "id"));
        assert(streq(r->refresh_token, "0.AX") && streq(r->claims, "{\"a\":1}"));
        assert(streq(r->ca_bundle, "/etc/ca.pem"));
        assert(!r->az && !r->proxy && !r->config_dir);
        assert(r->deadline_usec >= before + 20 * USEC_PER_SEC);
        assert(r->deadline_usec <= clock_usec() + 20 * USEC_PER_SEC);
}

static void test_the_deadline_is_bounded(void) {
        CLEANUP(request_freep) Request *none = NULL, *much = NULL;
        char reason[REQUEST_REASON_MAX];

        assert(parse(&none, reason, "{\"protocol\":1,\"source\":\"x\"}") == 0);
        assert(none->deadline_usec <= clock_usec() + REQUEST_TIME_DEFAULT * USEC_PER_SEC);
        assert(parse(&much, reason,
                     "{\"protocol\":1,\"source\":\"x\",\"deadline\":18446744073709551615}") == 0);
        assert(much->deadline_usec <= clock_usec() + REQUEST_TIME_MAX * USEC_PER_SEC);
}

static void test_what_is_refused(void) {
        static const struct {
                const char *line;
                const char *names; /* is in the reason */
        } cases[] = {
                { "", "JSON" },
                { "hello", "JSON" },
                { "[1]", "JSON" },
                { "{\"source\":\"entra\"}", "protocol" },
                { "{\"protocol\":2,\"source\":\"entra\"}", "protocol" },
                { "{\"protocol\":\"one\",\"source\":\"entra\"}", "protocol" },
                { "{\"protocol\":1}", "source" },
                { "{\"protocol\":1,\"source\":\"\"}", "source" },
                { "{\"protocol\":1,\"source\":7}", "source" },
                { "{\"protocol\":1,\"source\":\"../x\"}", "source" },
                { HEAD "\"method\":{}}", "method" },
                { HEAD "\"deadline\":0}", "deadline" },
                { HEAD "\"deadline\":-5}", "deadline" },
                { HEAD "\"deadline\":\"soon\"}", "deadline" },
                { HEAD "\"tenant\":\"a/b\"}", "tenant" },
                { HEAD "\"tenant\":\"..\"}", "tenant" },
                { HEAD "\"tenant\":\"a?SECRET\"}", "tenant" },
                { HEAD "\"resource\":\"https://a https://SECRET\"}", "resource" },
                { HEAD "\"resource\":\"--debug\"}", "resource" },
                { HEAD "\"subscription\":\"-x\"}", "subscription" },
                { HEAD "\"subscription\":\"a\\u0007b\"}", "subscription" },
                { HEAD "\"refresh_token\":\"SECRET\\n\"}", "refresh_token" },
                { HEAD "\"refresh_token\":\"SECRET\\u0000x\"}", "refresh_token" },
                { HEAD "\"refresh_token\":[\"SECRET\"]}", "refresh_token" },
                { HEAD "\"claims\":\"SECRET\"}", "claims" },
                { HEAD "\"claims\":{\"a\":1}}", "claims" },
                { HEAD "\"az\":\"az\"}", "az" },
                { HEAD "\"config_dir\":\"~/.azure\"}", "config_dir" },
                { HEAD "\"ca_bundle\":\"ca.pem\"}", "ca_bundle" },
                { HEAD "\"proxy_credentials\":\"ada:pw\"}", "proxy_credentials" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(request_freep) Request *r = NULL;
                char reason[REQUEST_REASON_MAX];

                assert(parse(&r, reason, cases[i].line) == -EBADMSG);
                assert(!r);
                assert(strstr(reason, cases[i].names));
                assert(!strstr(reason, "SECRET"));
        }
}

static void test_what_is_too_long(void) {
        static char line[LIMIT_FETCH_LINE + 2];
        CLEANUP(request_freep) Request *r = NULL;
        char reason[REQUEST_REASON_MAX];

        (void)snprintf(line, sizeof(line), HEAD "\"refresh_token\":\"%0*d\"}",
                       LIMIT_REFRESH_TOKEN + 1, 0);
        assert(parse(&r, reason, line) == -EBADMSG && strstr(reason, "refresh_token"));
        memset(line, ' ', sizeof(line) - 1);
        memcpy(line, "{}", 2);
        assert(parse(&r, reason, line) == -EBADMSG && strstr(reason, "longer"));
}

int main(void) {
        test_a_whole_request();
        test_the_deadline_is_bounded();
        test_what_is_refused();
        test_what_is_too_long();
        return 0;
}
