/* SPDX-License-Identifier: MIT */
#include <curl/curl.h>

#include "common/credentials.h"
#include "common/http-proxy.h"
#include "common/memory.h"
#include "common/secret.h"

/* As libcurl looks for it: the first that is set counts, even an empty one, which means none. */
static void http_proxy_find(HttpProxy *p, const char *setting) {
        static const struct {
                const char *name, *origin;
        } variables[] = {
                { "https_proxy", "the environment variable https_proxy" },
                { "HTTPS_PROXY", "the environment variable HTTPS_PROXY" },
                { "all_proxy", "the environment variable all_proxy" },
                { "ALL_PROXY", "the environment variable ALL_PROXY" },
        };

        p->url = setting;
        p->origin = "the setting 'proxy'";
        for (size_t i = 0; !p->url && i < ARRAY_SIZE(variables); i++) {
                p->url = getenv(variables[i].name);
                p->origin = variables[i].origin;
        }
        if (str_empty(p->url))
                p->url = NULL;
}

static char *base64(const char *s) {
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t n = strlen(s), out = 0;
        char *text = xcalloc(1, (n + 2) / 3 * 4 + 1);

        for (size_t i = 0; i < n; i += 3) {
                uint32_t bits = (uint32_t)(unsigned char)s[i] << 16;

                if (i + 1 < n)
                        bits |= (uint32_t)(unsigned char)s[i + 1] << 8;
                if (i + 2 < n)
                        bits |= (unsigned char)s[i + 2];
                for (size_t k = 0; k < 4; k++)
                        text[out++] = i + k > n ? '=' : digits[bits >> (18 - 6 * k) & 63];
        }
        return text;
}

/* What stands before the last @: where the password ends, whoever wrote it meant that. */
static void http_proxy_hide_url(HttpProxy *p) {
        const char *scheme = strstr(p->url, "://"), *from = scheme ? scheme + 3 : p->url;
        const char *at = strrchr(from, '@'),
                   *colon = at ? memchr(from, ':', (size_t)(at - from)) : NULL;

        if (!at)
                return;
        p->secrets[0] = xstrndup(from, (size_t)(at - from));
        p->secrets[1] = colon ? xstrndup(colon + 1, (size_t)(at - colon - 1)) : NULL;
        p->secrets[2] = base64(p->secrets[0]);
}

/* In the URL, since libcurl decodes what its options say, or does not, by its version. */
static void http_proxy_compose(HttpProxy *p, char *credentials) {
        const unsigned int loose = CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME;
        char *password = strchr(credentials, ':') + 1, *text = NULL;
        CURLU *url = curl_url();
        CURLUcode c = url ? curl_url_set(url, CURLUPART_URL, p->url, loose) : CURLUE_OUT_OF_MEMORY;

        password[-1] = '\0';
        c = c ? c : curl_url_set(url, CURLUPART_USER, credentials, CURLU_URLENCODE);
        c = c ? c : curl_url_set(url, CURLUPART_PASSWORD, password, CURLU_URLENCODE);
        c = c ? c : curl_url_get(url, CURLUPART_URL, &text, 0);
        if (c == CURLUE_OUT_OF_MEMORY)
                memory_end();
        p->full = xstrdup(text); /* one that is no URL libcurl refuses by itself */
        if (text)
                secret_wipe(text, strlen(text));
        curl_free(text);
        curl_url_cleanup(url);
}

static void http_proxy_read_credentials(HttpProxy *p) {
        CLEANUP(secret_freep) char *text = NULL;
        const char *why;

        text = credentials_read(p->file, &why);
        if (!text) {
                (void)snprintf(p->fault, sizeof(p->fault),
                               "the file of the setting 'proxy-credentials', %.250s, %s", p->file,
                               why);
                return;
        }
        p->secrets[3] = xstrdup(strchr(text, ':') + 1);
        p->secrets[4] = base64(text);
        http_proxy_compose(p, text);
}

void http_proxy_init(HttpProxy *ret, const char *setting, const char *credentials) {
        *ret = (HttpProxy){ .file = credentials };
        http_proxy_find(ret, setting);
        if (ret->url)
                http_proxy_hide_url(ret);
        if (ret->url && credentials)
                http_proxy_read_credentials(ret);
}

void http_proxy_deinit(HttpProxy *proxy) {
        secret_free(proxy->full);
        for (size_t i = 0; i < ARRAY_SIZE(proxy->secrets); i++)
                secret_free(proxy->secrets[i]);
        *proxy = (HttpProxy){ 0 };
}

/* Its host, to be freed by curl_free(); NULL when libcurl can't use the URL. */
static char *http_proxy_host(const HttpProxy *proxy) {
        static const char *const schemes[] = { "http",    "https",  "socks4",
                                               "socks4a", "socks5", "socks5h" };
        CURLU *url = curl_url();
        char *scheme = NULL, *host = NULL;
        bool known = false;

        if (url &&
            curl_url_set(url, CURLUPART_URL, proxy->url,
                         CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) == CURLUE_OK &&
            curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK)
                for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
                        known |= streq(scheme, schemes[i]);
        if (known && curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host == '[') {
                /* As libcurl writes it elsewhere. */
                host[strlen(host) - 1] = '\0';
                memmove(host, host + 1, strlen(host));
        }
        curl_free(scheme);
        curl_url_cleanup(url);
        return host;
}

bool http_proxy_is_bad(const HttpProxy *proxy) {
        char *host = proxy->url ? http_proxy_host(proxy) : NULL;
        bool bad = proxy->url && !host;

        curl_free(host);
        return bad;
}

void http_proxy_explain(const HttpProxy *proxy, char *hint, size_t size, const char *error,
                        long status) {
        char *host = proxy->url ? http_proxy_host(proxy) : NULL;

        if (proxy->url && !host)
                (void)snprintf(hint, size,
                               "; %s has to be http://HOST:PORT. For a name and password use the "
                               "setting 'proxy-credentials'",
                               proxy->origin);
        else if (status == 407 && proxy->file)
                (void)snprintf(hint, size,
                               "; the proxy refuses the name and password in %.200s (setting "
                               "'proxy-credentials')",
                               proxy->file);
        else if (status == 407 && proxy->secrets[0])
                (void)snprintf(hint, size, "; the proxy refuses the name and password in %s",
                               proxy->origin);
        else if (status == 407)
                (void)snprintf(hint, size,
                               "; the proxy wants a name and password: write USER:PASSWORD into a "
                               "file of mode 0600 and name that by the setting "
                               "'proxy-credentials'");
        else if (host && (status >= 400 || strstr(error, host) || strcasestr(error, "proxy")))
                (void)snprintf(hint, size, "; the proxy is that of %s", proxy->origin);
        curl_free(host);
}
