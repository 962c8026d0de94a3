/* SPDX-License-Identifier: MIT */
/*
 * A new access token for a refresh token (RFC 6749 section 6). It is tried again here only when
 * the request surely never left: a server that rotates strictly takes a second use of the same
 * refresh token for theft and revokes the whole chain, so a lost answer is the keeper's to judge.
 */
#include "fetch/clock.h"
#include "fetch/http.h"
#include "fetch/oauth.h"
#include "fetch/source.h"
#include "model/secret.h"

enum {
        REFRESH_TRIES = 3,
};

/* 0.5 to 1 s, then 1 to 2 s: the spread keeps the many machines of one outage apart. */
static uint64_t refresh_pause(unsigned int tried) {
        uint64_t pause = (USEC_PER_SEC / 2) << tried;

        return pause + clock_usec() % pause;
}

static int refresh_post(HttpReply *reply, Http *http, const Request *request, const char *url,
                        const char *form) {
        uint64_t until;
        int r;

        for (unsigned int tried = 0;; tried++) {
                r = http_post(http, reply, url, form, request->deadline_usec);
                if (r < 0 || reply->outcome != HTTP_E_UNSENT || tried + 1 == REFRESH_TRIES)
                        return r;
                until = clock_usec() + refresh_pause(tried);
                if (until >= request->deadline_usec)
                        return 0;
                clock_sleep_until(until);
        }
}

int refresh_fetch(Answer *answer, const Request *request) {
        CLEANUP(secret_freep) char *form = NULL;
        CLEANUP(http_freep) Http *http = NULL;
        CLEANUP(freep) char *url = NULL;
        HttpReply reply = { 0 };
        int r;

        if (!source_check_entra(answer, request))
                return 0;
        if (!request->refresh_token) {
                answer_set(answer, ANSWER_SIGN_IN_NEEDED,
                           "There is no stored sign-in for this account. Sign in.");
                return 0;
        }
        url = oauth_url(request, "token");
        form = oauth_form_refresh(request);
        if (!url || !form)
                return -ENOMEM;
        r = http_new(&http, request->proxy, request->ca_bundle);
        if (r < 0)
                return r;

        r = refresh_post(&reply, http, request, url, form);
        if (r == 0)
                r = oauth_read_token(answer, &reply, request->authority);
        http_reply_deinit(&reply);
        return r;
}
