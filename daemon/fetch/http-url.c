/* SPDX-License-Identifier: MIT */
/*
 * See http.h: URLs as libcurl reads them, so that what is judged is what is spoken to.
 */
#include <arpa/inet.h>
#include <curl/curl.h>

#include "common/text.h"
#include "fetch/http.h"

static void http_urlp(CURLU **url) {
        curl_url_cleanup(*url);
}

static void http_textp(char **text) {
        curl_free(*text);
}

static bool http_host_is_loopback(const char *host) {
        struct in_addr v4;

        if (streq(host, "localhost") || streq(host, "[::1]"))
                return true;
        return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool http_url_is_safe(const char *text) {
        CLEANUP(http_urlp) CURLU *url = curl_url();
        CLEANUP(http_textp) char *scheme = NULL;
        CLEANUP(http_textp) char *host = NULL;
        CLEANUP(http_textp) char *user = NULL;

        if (!url || !text_is_printable_ascii(text) || strpbrk(text, " \"<>\\`"))
                return false;
        if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_NO_USER)
                return false;
        return streq(scheme, "https") || (streq(scheme, "http") && http_host_is_loopback(host));
}

const char *http_url_host(const char *text, char host_text[HTTP_ERROR_MAX]) {
        CLEANUP(http_urlp) CURLU *url = curl_url();
        CLEANUP(http_textp) char *host = NULL;

        (void)snprintf(host_text, HTTP_ERROR_MAX, "the server");
        if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
            curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && text_is_clean(host))
                (void)snprintf(host_text, HTTP_ERROR_MAX, "%s", host);
        return host_text;
}
