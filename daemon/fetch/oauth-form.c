/* SPDX-License-Identifier: MIT */
/*
 * What oauth.h says to a server: URLs, and forms in application/x-www-form-urlencoded.
 */
#include "common/memory.h"
#include "fetch/oauth.h"

static size_t form_escape(char *out, const char *s) {
        static const char plain[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        static const char hex[] = "0123456789ABCDEF";
        size_t n = 0;

        for (; *s; s++) {
                unsigned char c = (unsigned char)*s;

                if (strchr(plain, c)) {
                        out[n++] = (char)c;
                } else {
                        out[n++] = '%';
                        out[n++] = hex[c >> 4];
                        out[n++] = hex[c & 15];
                }
        }
        return n;
}

/* Names and values in turn, ended by NULL; a pair whose value is NULL is written "". */
static char *form_new(const char *const (*pairs)[2]) {
        size_t size = 1, n = 0;
        char *form;

        for (size_t i = 0; pairs[i][0]; i++)
                if (pairs[i][1])
                        size += strlen(pairs[i][0]) + 3 * strlen(pairs[i][1]) + 2;
        form = xmalloc(size);
        for (size_t i = 0; pairs[i][0]; i++) {
                if (!pairs[i][1])
                        continue;
                if (n > 0)
                        form[n++] = '&';
                n += form_escape(form + n, pairs[i][0]);
                form[n++] = '=';
                n += form_escape(form + n, pairs[i][1]);
        }
        form[n] = '\0';
        return form;
}

/* All that was consented for the resource, a refresh token, and a name to show. */
static char *oauth_scope(const Request *request) {
        return xasprintf("%s/.default offline_access openid profile", request->resource);
}

char *oauth_url(const Request *request, const char *endpoint) {
        return xasprintf("%s/%s/oauth2/v2.0/%s", request->authority, request->tenant, endpoint);
}

char *oauth_form_device(const Request *request) {
        CLEANUP(freep) char *scope = oauth_scope(request);

        return form_new((const char *const[][2]){
                { "client_id", request->client_id },
                { "scope", scope },
                { "claims", request->claims },
                { NULL, NULL },
        });
}

char *oauth_form_poll(const Request *request, const char *device_code) {
        return form_new((const char *const[][2]){
                { "grant_type", "urn:ietf:params:oauth:grant-type:device_code" },
                { "client_id", request->client_id },
                { "device_code", device_code },
                { "claims", request->claims },
                { NULL, NULL },
        });
}

char *oauth_form_refresh(const Request *request) {
        CLEANUP(freep) char *scope = oauth_scope(request);

        return form_new((const char *const[][2]){
                { "grant_type", "refresh_token" },
                { "client_id", request->client_id },
                { "refresh_token", request->refresh_token },
                { "scope", scope },
                { "claims", request->claims },
                { NULL, NULL },
        });
}

char *oauth_form_code(const Request *request, const char *code, const char *redirect_uri,
                      const char *verifier) {
        return form_new((const char *const[][2]){
                { "grant_type", "authorization_code" },
                { "client_id", request->client_id },
                { "code", code },
                { "redirect_uri", redirect_uri },
                { "code_verifier", verifier },
                { "claims", request->claims },
                { NULL, NULL },
        });
}

char *oauth_form_client(const Request *request) {
        CLEANUP(freep) char *scope = xasprintf("%s/.default", request->resource);

        return form_new((const char *const[][2]){
                { "grant_type", "client_credentials" },
                { "client_id", request->client_id },
                { "client_secret", request->client_secret },
                { "scope", scope },
                { "claims", request->claims },
                { NULL, NULL },
        });
}

char *oauth_authorize_url(const Request *request, const char *redirect_uri, const char *state,
                          const char *challenge) {
        CLEANUP(freep) char *base = oauth_url(request, "authorize");
        CLEANUP(freep) char *scope = oauth_scope(request);
        CLEANUP(freep) char *query = NULL;

        query = form_new((const char *const[][2]){
                { "client_id", request->client_id },
                { "response_type", "code" },
                { "response_mode", "query" },
                { "redirect_uri", redirect_uri },
                { "scope", scope },
                { "state", state },
                { "code_challenge", challenge },
                { "code_challenge_method", "S256" },
                { "prompt", "select_account" },
                { "claims", request->claims },
                { NULL, NULL },
        });
        return xasprintf("%s?%s", base, query);
}
