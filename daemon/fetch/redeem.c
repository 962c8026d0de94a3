/* SPDX-License-Identifier: MIT */
#include "fetch/redeem.h"
#include "fetch/clock.h"
#include "fetch/oauth.h"

enum {
        REDEEM_TRIES = 3,
};

/* 0.5 to 1 s, then 1 to 2 s: the spread keeps the many machines of one outage apart. */
static uint64_t redeem_pause(unsigned int tried) {
        uint64_t pause = (USEC_PER_SEC / 2) << tried;

        return pause + clock_usec() % pause;
}

static int redeem_post(HttpReply *reply, Http *http, const Request *request, const char *url,
                       const char *form) {
        uint64_t until;
        int r;

        for (unsigned int tried = 0;; tried++) {
                r = http_post(http, reply, url, form, request->deadline_usec);
                if (r < 0 || reply->outcome != HTTP_E_UNSENT || tried + 1 == REDEEM_TRIES)
                        return r;
                until = clock_usec() + redeem_pause(tried);
                if (until >= request->deadline_usec)
                        return 0;
                clock_sleep_until(until);
        }
}

int redeem_http(Http **ret, const Request *request) {
        int r;

        r = http_new(ret, &(HttpWay){ .proxy = request->proxy,
                                      .proxy_credentials = request->proxy_credentials,
                                      .ca_bundle = request->ca_bundle });
        if (r < 0)
                return r;
        http_hide(*ret, request->refresh_token);
        http_hide(*ret, request->client_secret);
        return 0;
}

int redeem_form(Answer *answer, const Request *request, const char *form,
                const char *const *secrets, RedeemFn read) {
        CLEANUP(freep) char *url = oauth_url(request, "token");
        CLEANUP(http_freep) Http *http = NULL;
        HttpReply reply = { 0 };
        int r;

        if (!url || !form)
                return -ENOMEM;
        r = redeem_http(&http, request);
        if (r < 0)
                return r;
        while (secrets && *secrets)
                http_hide(http, *secrets++);
        r = redeem_post(&reply, http, request, url, form);
        answer->sent = http_was_sent(r, &reply);
        if (r == 0)
                r = read(answer, &reply, request->authority);
        http_reply_deinit(&reply);
        return r;
}
