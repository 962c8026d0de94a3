/* SPDX-License-Identifier: MIT */
/*
 * The authorization code grant for a program on the person's own machine (RFC 8252, RFC 7636): the
 * person signs in on a page in a browser, which is then sent to a port of ours on loopback with a
 * code. What does not carry our state is answered and changes nothing. The page that the browser
 * shows in the end is written once the code has been redeemed, so that it tells the truth; and it
 * is at an address of its own, so that no code stays where a browser shows and keeps addresses.
 */
#include "common/clock.h"
#include "common/memory.h"
#include "common/redact.h"
#include "common/secret.h"
#include "common/text.h"
#include "fetch/loopback.h"
#include "fetch/oauth-error.h"
#include "fetch/oauth.h"
#include "fetch/page.h"
#include "fetch/pkce.h"
#include "fetch/redeem.h"
#include "fetch/source.h"
#include "model/limits.h"

enum {
        BROWSER_TIME_MAX = 900, /* seconds for a person, as a device code has */
        BROWSER_NAME_MAX = 320,
};

#define BROWSER_END   "/done" /* the path of the last page */
#define BROWSER_CLOSE "You can close this window."

typedef struct Browser Browser;

struct Browser {
        const Request *request;
        Answer *answer;
        char state[PKCE_SIZE], verifier[PKCE_SIZE]; /* secret */
        char redirect_uri[64];
};

static void browser_show(LoopbackPage *page, unsigned int status, const char *heading,
                         const char *text, const char *hint) {
        page->status = status;
        page->html = page_new(PAGE_OTHER, heading, text, hint);
}

static void browser_show_answer(LoopbackPage *page, const Answer *answer) {
        CLEANUP(freep) char *name = text_clean(answer->user, BROWSER_NAME_MAX);
        CLEANUP(freep) char *text = name ? xasprintf("As %s.", name) : NULL;

        page->status = 200;
        page->last = true;
        if (answer->kind != ANSWER_TOKEN) {
                page->html =
                        page_new(PAGE_BAD,
                                 answer->kind == ANSWER_CANCELLED ? "The sign-in was declined"
                                                                  : "The sign-in did not succeed",
                                 answer->message, BROWSER_CLOSE);
                return;
        }
        page->html = page_new(PAGE_GOOD, "You are signed in", text, BROWSER_CLOSE);
}

/* The address that has just come is not to stay in the browser. */
static void browser_send_on(LoopbackPage *page) {
        page->status = 303;
        page->location = BROWSER_END;
}

static bool code_is_sound(const char *code) {
        return code && strlen(code) <= LIMIT_REFRESH_TOKEN && text_is_printable_ascii(code);
}

static void browser_redeem(Browser *b, const char *code) {
        CLEANUP(secret_freep)
        char *form = oauth_form_code(b->request, code, b->redirect_uri, b->verifier);

        redeem_form(b->answer, b->request, form,
                    (const char *const[]){ code, b->verifier, b->state, NULL }, oauth_read_token);
}

static void browser_refuse(Browser *b, const char *error, const char *description) {
        const char *const secrets[] = { b->state, b->verifier };
        CLEANUP(freep) char *safe_error = redact(error, secrets, ARRAY_SIZE(secrets));
        CLEANUP(freep) char *safe = redact(description, secrets, ARRAY_SIZE(secrets));

        oauth_read_redirect(b->answer, safe_error, safe, b->request->authority);
}

static void browser_on_request(LoopbackPage *page, const LoopbackRequest *request, void *userdata) {
        const char *error = loopback_query(request, "error");
        const char *code = loopback_query(request, "code");
        Browser *b = userdata;

        if (streq(loopback_path(request), BROWSER_END) && b->answer->kind != ANSWER_NONE) {
                browser_show_answer(page, b->answer);
        } else if (!streq(loopback_path(request), "/")) {
                browser_show(page, 404, "Nothing is here",
                             "This address belongs to a sign-in that is under way.", NULL);
        } else if (b->answer->kind != ANSWER_NONE) {
                browser_show(page, 200, "This sign-in has ended", NULL, BROWSER_CLOSE);
        } else if (!pkce_same(b->state, loopback_query(request, "state"))) {
                browser_show(page, 400, "This is another sign-in",
                             "The sign-in that this page belongs to has ended, or was not begun "
                             "here.",
                             "Go back to the one that waits, or start it again.");
        } else if (error) {
                browser_refuse(b, error, loopback_query(request, "error_description"));
                browser_send_on(page);
        } else if (code_is_sound(code)) {
                browser_redeem(b, code);
                browser_send_on(page);
        } else {
                browser_show(page, 400, "There is no code in this address", NULL,
                             "Go back and sign in again.");
        }
}

/* Ask the person, and wait until the browser has come back or the time is over. */
static int browser_ask(Browser *b, Loopback *loopback) {
        uint64_t now = clock_usec();
        uint64_t end = MIN(b->request->deadline_usec, now + BROWSER_TIME_MAX * USEC_PER_SEC);
        CLEANUP(freep) char *url = NULL;
        char challenge[PKCE_SIZE];
        int r;

        r = pkce_challenge(challenge, b->verifier);
        if (r < 0)
                return r;
        url = oauth_authorize_url(b->request, b->redirect_uri, b->state, challenge);
        source_prompt(&(Prompt){
                .method = "browser",
                .verification_uri = url,
                .message = "To sign in, open the page in a browser on this machine.",
                .expires_at = clock_wall() + (end - MIN(now, end)) / USEC_PER_SEC,
        });
        return loopback_run(loopback, end);
}

/* The page comes back to "localhost" at any port, but Entra compares the rest of it: no slash. */
static int browser_start(Browser *b, Loopback **ret) {
        int r;

        r = pkce_random(b->state);
        if (r == 0)
                r = pkce_random(b->verifier);
        if (r == 0)
                r = loopback_new(ret, browser_on_request, b);
        if (r == 0)
                (void)snprintf(b->redirect_uri, sizeof(b->redirect_uri), "http://localhost:%u",
                               loopback_port(*ret));
        return r;
}

int browser_fetch(Answer *answer, const Request *request) {
        Browser b = { .request = request, .answer = answer };
        CLEANUP(loopback_freep) Loopback *loopback = NULL;
        int r;

        if (!source_check_entra(answer, request))
                return 0;
        r = browser_start(&b, &loopback);
        if (r < 0) {
                answer_set(answer, ANSWER_TRY_LATER,
                           "The browser could not come back: no port of this machine's loopback "
                           "interface can be had (%s).",
                           strerror(-r));
                return 0;
        }
        r = browser_ask(&b, loopback);
        if (r == 0 && answer->kind == ANSWER_NONE)
                answer_set(answer, ANSWER_SIGN_IN_NEEDED,
                           "Nobody signed in in time. Start the sign-in again.");
        secret_wipe(&b, sizeof(b));
        return r;
}
