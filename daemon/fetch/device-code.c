/* SPDX-License-Identifier: MIT */
/*
 * The device authorization grant, RFC 8628: ask for a code, show it, poll until the person has
 * entered it somewhere. A fault of the network costs a poll and not the code: the person may be
 * typing it right now.
 */
#include "common/clock.h"
#include "common/secret.h"
#include "fetch/oauth.h"
#include "fetch/redeem.h"
#include "fetch/source.h"

enum {
        DEVICE_SLOW_DOWN = 5,    /* seconds, RFC 8628 section 3.5 */
        DEVICE_BACKOFF_MAX = 60, /* seconds between polls while the server can't be had */
};

typedef struct DevicePoll DevicePoll;

/* What the polling remembers from one answer to the next. */
struct DevicePoll {
        uint64_t interval; /* seconds, as the server wants it */
        uint64_t faults;   /* in a row */
        uint64_t next_usec;
        uint64_t end_usec; /* of the code, or the request's deadline when that is sooner */
};

/* A poll went wrong on the way: wait longer, as Retry-After says or twice as long each time. */
static void device_back_off(DevicePoll *poll, const HttpReply *reply) {
        uint64_t wait = poll->interval;

        poll->faults++;
        for (uint64_t i = 0; i < poll->faults && wait < DEVICE_BACKOFF_MAX; i++)
                wait *= 2;
        wait = MAX(MIN(wait, (uint64_t)DEVICE_BACKOFF_MAX), poll->interval);
        poll->next_usec = clock_usec() + MAX(wait, reply->retry_after) * USEC_PER_SEC;
}

/* answer->kind is ANSWER_TRY_LATER when the next poll may do better. */
static void device_poll_once(Answer *answer, DevicePoll *poll, Http *http, const Request *request,
                             const char *url, const char *form) {
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        int r;

        redeem_post(http, &reply, request, url, form);
        r = oauth_read_poll(answer, &reply, request->authority);
        if (r == OAUTH_E_SLOW_DOWN)
                poll->interval += DEVICE_SLOW_DOWN;
        if (r > 0) {
                answer_deinit(answer);
                poll->faults = 0;
                poll->next_usec = clock_usec() + poll->interval * USEC_PER_SEC;
        } else if (answer->kind == ANSWER_TRY_LATER) {
                device_back_off(poll, &reply);
        }
}

static void device_poll(Answer *answer, const OauthDevice *device, uint64_t sent_usec, Http *http,
                        const Request *request) {
        CLEANUP(secret_freep) char *form = oauth_form_poll(request, device->device_code);
        CLEANUP(freep) char *url = oauth_url(request, "token");
        DevicePoll poll = { .interval = device->interval };

        poll.next_usec = clock_usec() + poll.interval * USEC_PER_SEC;
        poll.end_usec = MIN(sent_usec + device->expires_in * USEC_PER_SEC, request->deadline_usec);

        while (poll.next_usec < poll.end_usec) {
                clock_sleep_until(poll.next_usec);
                device_poll_once(answer, &poll, http, request, url, form);
                if (answer->kind != ANSWER_NONE && answer->kind != ANSWER_TRY_LATER)
                        return;
        }

        /* The last poll's fault is the better reason, if it was one. */
        clock_sleep_until(poll.end_usec);
        if (answer->kind == ANSWER_NONE)
                answer_set(answer, ANSWER_SIGN_IN_NEEDED,
                           "Nobody signed in in time: the code has expired. Start the sign-in "
                           "again for a new one.");
}

static void device_start(OauthDevice *device, Answer *answer, uint64_t *ret_sent_usec, Http *http,
                         const Request *request) {
        CLEANUP(secret_freep) char *form = oauth_form_device(request);
        CLEANUP(freep) char *url = oauth_url(request, "devicecode");
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };

        redeem_post(http, &reply, request, url, form);
        answer->sent = http_was_sent(&reply);
        oauth_read_device(device, answer, &reply, request->authority);
        *ret_sent_usec = reply.sent_usec;
}

int device_code_fetch(Answer *answer, const Request *request) {
        CLEANUP(http_freep) Http *http = NULL;
        OauthDevice device = { 0 };
        uint64_t sent_usec, end_usec;

        if (!source_check_entra(answer, request))
                return 0;
        http = redeem_http(request);
        device_start(&device, answer, &sent_usec, http, request);
        if (answer->kind == ANSWER_NONE) {
                http_hide(http, device.device_code);
                end_usec = sent_usec + device.expires_in * USEC_PER_SEC;
                source_prompt(&(Prompt){
                        .method = "device-code",
                        .verification_uri = device.verification_uri,
                        .user_code = device.user_code,
                        .message = device.message,
                        .expires_at = clock_wall() +
                                      (end_usec - MIN(clock_usec(), end_usec)) / USEC_PER_SEC,
                });
                device_poll(answer, &device, sent_usec, http, request);
                answer->sent = true;
        }
        oauth_device_deinit(&device);
        return 0;
}
