/* SPDX-License-Identifier: MIT */
/*
 * OAuth 2.0 as Microsoft Entra ID speaks it, pure: forms out, answers in, and the one table that
 * says what an error means (RFC 6749, RFC 8628, Entra's own words). No I/O, no clock.
 */
#pragma once

#include "common/http.h"
#include "fetch/event.h"
#include "fetch/request.h"

/* Named outcomes of oauth_read_poll(). */
enum {
        _OAUTH_E_SUCCESS,
        OAUTH_E_PENDING,   /* nobody has signed in yet */
        OAUTH_E_SLOW_DOWN, /* the same, and the interval grows by 5 s for good */
};

enum {
        OAUTH_DEVICE_LIFE = 900, /* seconds, when the server does not say */
        OAUTH_DEVICE_LIFE_MAX = 86400,
        OAUTH_INTERVAL = 5, /* seconds between polls, RFC 8628 section 3.5 */
        OAUTH_INTERVAL_MAX = 300,
};

typedef struct OauthDevice OauthDevice;

/* The answer to a device authorization request (RFC 8628 section 3.2). Zeroed at first. */
struct OauthDevice {
        char *device_code; /* secret */
        char *user_code;
        char *verification_uri;
        char *message;
        uint64_t expires_in; /* seconds */
        uint64_t interval;   /* seconds */
};

/* <authority>/<tenant>/oauth2/v2.0/<endpoint>, to be freed by free(). */
char *oauth_url(const Request *request, const char *endpoint);

/* Forms, to be freed by secret_free(). */
char *oauth_form_device(const Request *request);
char *oauth_form_poll(const Request *request, const char *device_code);
char *oauth_form_refresh(const Request *request);
/* RFC 6749 section 4.1.3 with the verifier of RFC 7636 section 4.5. */
char *oauth_form_code(const Request *request, const char *code, const char *redirect_uri,
                      const char *verifier);
/* RFC 6749 section 4.4.2, the secret in the form. */
char *oauth_form_client(const Request *request);
/*
 * The page where a person signs in (RFC 6749 section 4.1.1, RFC 7636 section 4.3). To be freed by
 * free().
 */
char *oauth_authorize_url(const Request *request, const char *redirect_uri, const char *state,
                          const char *challenge);

/*
 * Each fills *answer, unless it says otherwise. authority is for the texts. Which error means what:
 * transport; then 429, 5xx and Retry-After; then `error`; then `suberror`; then the HTTP status.
 */
void oauth_read_token(Answer *answer, const HttpReply *reply, const char *authority);
/* The same where nobody can sign in and a bad secret is the likely fault. */
void oauth_read_client(Answer *answer, const HttpReply *reply, const char *authority);
/* 0, or OAUTH_E_* with *answer left alone. */
int oauth_read_poll(Answer *answer, const HttpReply *reply, const char *authority);
/* Fills *device, to be emptied by oauth_device_deinit(), or when there is none *answer. */
void oauth_read_device(OauthDevice *device, Answer *answer, const HttpReply *reply,
                       const char *authority);
void oauth_device_deinit(OauthDevice *device);
