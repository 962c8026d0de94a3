/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ctype.h>

#include <curl/curl.h>

#include "address.h"

static void urlp(CURLU **url) {
        curl_url_cleanup(*url);
}

static void textp(char **text) {
        curl_free(*text);
}

void address_deinit(Address *address) {
        free(address->origin);
        free(address->host);
        *address = (Address){ 0 };
}

bool address_is_url(const char *text) {
        return str_starts(text, "https://") || str_starts(text, "http://");
}

static bool host_is_loopback(const char *host) {
        size_t n = strlen(host);
        struct in_addr v4;

        if (streq(host, "localhost") || streq(host, "[::1]") ||
            (n > 10 && streq(host + n - 10, ".localhost")))
                return true;
        return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* In lower case and without the dot at its end: "Contoso.azureiotcentral.com." is the same. */
static bool host_clean(char *host) {
        size_t n = strlen(host);

        for (size_t i = 0; i < n; i++) {
                if (!isalnum((unsigned char)host[i]) && !strchr("-._:[]", host[i]))
                        return false;
                host[i] = (char)tolower((unsigned char)host[i]);
        }
        if (n && host[n - 1] == '.')
                host[--n] = '\0';
        return n > 0;
}

int address_parse(Address *ret, const char *text) {
        CLEANUP(urlp) CURLU *url = curl_url();
        CLEANUP(textp) char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
        CLEANUP(address_deinit) Address a = { 0 };
        CLEANUP(freep) char *with_scheme = NULL;

        if (!address_is_url(text)) {
                if (strstr(text, "://") || strpbrk(text, "/?#@"))
                        return ADDRESS_E_HOST;
                if (asprintf(&with_scheme, "https://%s", text) < 0) {
                        with_scheme = NULL;
                        return -ENOMEM;
                }
        }
        if (!url)
                return -ENOMEM;
        if (curl_url_set(url, CURLUPART_URL, with_scheme ?: text, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_NO_USER || !host_clean(host) ||
            (streq(scheme, "http") && !host_is_loopback(host)))
                return ADDRESS_E_HOST;
        (void)curl_url_get(url, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
        if (asprintf(&a.host, "%s%s%s", host, port ? ":" : "", port ?: "") < 0) {
                a.host = NULL;
                return -ENOMEM;
        }
        if (asprintf(&a.origin, "%s://%s", scheme, a.host) < 0) {
                a.origin = NULL;
                return -ENOMEM;
        }
        *ret = a;
        a = (Address){ 0 };
        return 0;
}

bool address_has(const Address *address, const char *url) {
        CLEANUP(address_deinit) Address other = { 0 };

        return address_is_url(url) && address_parse(&other, url) == 0 &&
               streq(other.origin, address->origin);
}

/* Has the query, which a fragment may follow, a field of this name? */
static bool query_has(const char *query, const char *name) {
        size_t n = strlen(name);

        for (;; query++) {
                if (strncmp(query, name, n) == 0 && (query[n] == '=' || strchr("&#", query[n])))
                        return true;
                query += strcspn(query, "&#");
                if (*query != '&')
                        return false;
        }
}

int address_url(char **ret, const Address *address, const char *path, const char *version,
                bool version_asked) {
        bool is_url = address_is_url(path);
        size_t n = strcspn(path, "#");
        const char *query = memchr(path, '?', n);
        char *url;

        if (!is_url && (path[0] != '/' || path[1] == '/'))
                return ADDRESS_E_PATH;
        for (size_t i = 0; i < n; i++)
                if (!isgraph((unsigned char)path[i]))
                        return ADDRESS_E_PATH;
        if (is_url && !address_has(address, path))
                return ADDRESS_E_OTHER;
        if (query && query_has(query + 1, "api-version")) {
                if (version_asked)
                        return ADDRESS_E_VERSION;
                version = NULL;
        }
        if (asprintf(&url, "%s%.*s%s%s%s", is_url ? "" : address->origin, (int)n, path,
                     !version ? ""
                     : query  ? "&"
                              : "?",
                     version ? "api-version=" : "", version ?: "") < 0)
                return -ENOMEM;
        *ret = url;
        return 0;
}
