/* SPDX-License-Identifier: MIT */
/*
 * See http-private.h: why a request got no answer, in a number for programs and in words for
 * people.
 */
#include <netdb.h>

#include "common/clock.h"
#include "common/http-private.h"
#include "common/redact.h"
#include "common/text.h"

enum {
        HTTP_DETAIL_MAX = 120, /* bytes of libcurl's words */
        HTTP_HINT_MAX = 360,
};

/* Is there nobody of this name, or could nobody be asked? libcurl tells no difference. */
static bool http_host_is_unknown(const char *url) {
        CURLU *u = curl_url();
        struct addrinfo *found = NULL;
        char *host = NULL;
        bool unknown = false;

        if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
            curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK)
                unknown = getaddrinfo(host, NULL, NULL, &found) == EAI_NONAME;
        if (found)
                freeaddrinfo(found);
        curl_free(host);
        curl_url_cleanup(u);
        return unknown;
}

/* A connection was opened for this request and never became ready to send it; or not even that,
 * because the name was not resolved in time. */
static bool http_was_unsent(Http *http, bool plain) {
        curl_off_t ready = 0, begun = 0;
        long opened = 0;

        (void)curl_easy_getinfo(http->curl, CURLINFO_NUM_CONNECTS, &opened);
        (void)curl_easy_getinfo(
                http->curl, plain ? CURLINFO_CONNECT_TIME_T : CURLINFO_APPCONNECT_TIME_T, &ready);
        (void)curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &begun);
        return ready == 0 && (opened > 0 || begun == 0);
}

/* Of a proxy that could not be used at all libcurl says no more than this. */
static bool http_blames_proxy(const Http *http) {
        return strstr(http->error, "proxy") && http_proxy_is_bad(&http->proxy);
}

int http_outcome(Http *http, CURLcode c, const char *url, long proxy_status) {
        bool plain = str_starts(url, "http:");

        if (http->exceeded)
                return HTTP_E_TOO_LARGE;
        if (proxy_status == 407 || (c != CURLE_OK && !plain && http_blames_proxy(http)))
                return HTTP_E_SETTING;
        switch (c) {
        case CURLE_OK:
                return _HTTP_E_SUCCESS;
        case CURLE_ABORTED_BY_CALLBACK:
                return HTTP_E_INTERRUPTED;
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_URL_MALFORMAT:
                return HTTP_E_SETTING;
        case CURLE_PEER_FAILED_VERIFICATION:
                return HTTP_E_CERTIFICATE;
        case CURLE_COULDNT_RESOLVE_HOST:
                return http->options.ask_for_host && http_host_is_unknown(url) ? HTTP_E_NO_HOST
                                                                               : HTTP_E_UNSENT;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PROXY:
                return HTTP_E_UNSENT;
        default:
                return http_was_unsent(http, plain) ? HTTP_E_UNSENT : HTTP_E_LOST;
        }
}

/* Would the certificate do at another time? In the words of OpenSSL and of GnuTLS, since curl has
 * no number that both share. */
static bool http_blames_clock(const char *error) {
        static const char *const words[] = { "not yet valid", "has expired", "not activated yet",
                                             "expiration date has passed" };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strstr(error, words[i]))
                        return true;
        return false;
}

/* What the clock shows says at a glance whether it is to blame. */
static void http_clock_hint(char text[HTTP_HINT_MAX]) {
        time_t now = (time_t)clock_wall();
        char shown[32] = "";
        struct tm tm;

        if (gmtime_r(&now, &tm))
                (void)strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M UTC", &tm);
        (void)snprintf(text, HTTP_HINT_MAX,
                       "; this machine's clock shows %s: if that is wrong, set it: timedatectl "
                       "set-ntp true",
                       shown);
}

void http_explain(Http *http, CURLcode c, const char *url, long proxy_status, HttpReply *reply) {
        bool plain = str_starts(url, "http:");
        CLEANUP(freep) char *safe = NULL, *detail = NULL;
        char hint[HTTP_HINT_MAX] = "";

        if (http->exceeded) {
                (void)snprintf(reply->error, sizeof(reply->error),
                               "it answered more than %zu KiB%s", http->exceeded / 1024,
                               http->exceeded == HTTP_HEAD_MAX ? " of headers" : "");
                return;
        }
        if (c == CURLE_SSL_CACERT_BADFILE) {
                (void)snprintf(reply->error, sizeof(reply->error),
                               "%s%.300s has no certificates that can be read",
                               http->options.ca_bundle ? "the file of the setting 'ca-bundle', "
                                                       : "the system's bundle of certificates",
                               http->options.ca_bundle ?: "");
                return;
        }
        if (c == CURLE_UNSUPPORTED_PROTOCOL && !http_blames_proxy(http)) {
                /* To curl whatever is not HTTP is HTTP/0.9; URLs of others never come this far. */
                (void)snprintf(reply->error, sizeof(reply->error), "it is not HTTP");
                return;
        }
        safe = redact(*http->error ? http->error : curl_easy_strerror(c), http->secrets,
                      http->n_secrets);
        detail = text_clean(safe, HTTP_DETAIL_MAX);
        if (c == CURLE_PEER_FAILED_VERIFICATION && http_blames_clock(http->error))
                http_clock_hint(hint);
        else if (c == CURLE_PEER_FAILED_VERIFICATION)
                (void)snprintf(hint, sizeof(hint),
                               "; if a proxy or a private CA is between, name its certificate in "
                               "the setting 'ca-bundle'");
        else if (!plain)
                http_proxy_explain(&http->proxy, hint, sizeof(hint), http->error, proxy_status);
        (void)snprintf(reply->error, sizeof(reply->error), "%s%s", detail, hint);
}
