/* SPDX-License-Identifier: MIT */
/*
 * What http.c and http-failure.c share: http.c asks, http-failure.c says why there is no answer.
 */
#pragma once

#include <curl/curl.h>

#include "common/http-proxy.h"
#include "common/http.h"

struct Http {
        CURL *curl;
        HttpOptions options;
        HttpProxy proxy;
        const char *secrets[HTTP_SECRETS_MAX];
        size_t n_secrets;
        HttpReply *reply; /* the one that is being filled */
        size_t size_body, size_head;
        size_t exceeded; /* the limit that was, or 0 */
        bool to_its_end;
        char error[CURL_ERROR_SIZE];
};

/*
 * HTTP_E_* for what libcurl gave. proxy_status: what the proxy answered to CONNECT, or 0.
 */
int http_outcome(Http *http, CURLcode c, const char *url, long proxy_status);
/* Into reply->error what happened and, where a setting helps, which. */
void http_explain(Http *http, CURLcode c, const char *url, long proxy_status, HttpReply *reply);
