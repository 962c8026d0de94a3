/* SPDX-License-Identifier: MIT */
#include <sys/random.h>

#include "common/clock.h"
#include "fetch/oauth.h"
#include "fetch/redeem.h"

enum {
        REDEEM_TRIES = 3,
        REDEEM_TIME_MAX = 30, /* seconds a request */
        REDEEM_BODY_MAX = 1024 * 1024,
        REDEEM_ID_SIZE = 64,
};

Http *redeem_http(const Request *request) {
        Http *http = http_new(&(HttpOptions){ .proxy = request->proxy,
                                              .proxy_credentials = request->proxy_credentials,
                                              .ca_bundle = request->ca_bundle,
                                              .body_max = REDEEM_BODY_MAX });

        http_hide(http, request->refresh_token);
        http_hide(http, request->client_secret);
        return http;
}

/* A random GUID (RFC 9562, version 4), which Entra's logs then carry too. */
static void redeem_id(char header[REDEEM_ID_SIZE]) {
        unsigned char b[16] = { 0 };

        (void)!getrandom(b, sizeof(b), 0);
        (void)snprintf(header, REDEEM_ID_SIZE,
                       "client-request-id: %02x%02x%02x%02x-%02x%02x-4%x%02x-%02x%02x-"
                       "%02x%02x%02x%02x%02x%02x",
                       b[0], b[1], b[2], b[3], b[4], b[5], b[6] & 0xf, b[7], 0x80 | (b[8] & 0x3f),
                       b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void redeem_post(Http *http, HttpReply *reply, const Request *request, const char *url,
                 const char *form) {
        uint64_t now = clock_usec();
        uint64_t left = request->deadline_usec - MIN(now, request->deadline_usec);
        char id[REDEEM_ID_SIZE];
        const char *const headers[] = { "Accept: application/json", id };

        redeem_id(id);
        http_send(http, reply,
                  &(HttpRequest){ .method = "POST",
                                  .url = url,
                                  .content_type = "application/x-www-form-urlencoded",
                                  .headers = headers,
                                  .n_headers = ARRAY_SIZE(headers),
                                  .body = form,
                                  .n_body = strlen(form),
                                  .timeout_msec =
                                          MIN(left / 1000, (uint64_t)REDEEM_TIME_MAX * 1000) });
        if (reply->outcome == 0 && reply->status != 200)
                http_redact(http, reply);
}

/* 0.5 to 1 s, then 1 to 2 s: the spread keeps the many machines of one outage apart. */
static uint64_t redeem_pause(unsigned int tried) {
        uint64_t pause = (USEC_PER_SEC / 2) << tried;

        return pause + clock_usec() % pause;
}

void redeem_form(Answer *answer, const Request *request, const char *form,
                 const char *const *secrets, RedeemFn read) {
        CLEANUP(http_freep) Http *http = redeem_http(request);
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        CLEANUP(freep) char *url = oauth_url(request, "token");

        while (secrets && *secrets)
                http_hide(http, *secrets++);
        for (unsigned int tried = 0;; tried++) {
                uint64_t until;

                redeem_post(http, &reply, request, url, form);
                until = clock_usec() + redeem_pause(tried);
                if (reply.outcome != HTTP_E_UNSENT || tried + 1 == REDEEM_TRIES ||
                    until >= request->deadline_usec)
                        break;
                clock_sleep_until(until);
        }
        answer->sent = http_was_sent(&reply);
        read(answer, &reply, request->authority);
}
