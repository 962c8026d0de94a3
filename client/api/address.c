/* SPDX-License-Identifier: MIT */
/*
 * What an application is called, common/host.c knows: the daemon compares by it, and a token
 * goes where this is the same. libcurl only resolves relative references (RFC 3986, section 5).
 */
#include <ctype.h>

#include <curl/curl.h>

#include "api/address.h"
#include "common/host.h"

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

/* The length of a URL's scheme and "://"; 0: it has none. */
static size_t scheme_length(const char *text) {
        return strncasecmp(text, "https://", 8) == 0  ? 8
               : strncasecmp(text, "http://", 7) == 0 ? 7
                                                      : 0;
}

bool address_is_url(const char *text) {
        return scheme_length(text) > 0;
}

/* Where the path of a URL begins. */
static size_t origin_length(const char *url) {
        size_t n = scheme_length(url);

        return n + strcspn(url + n, "/?#");
}

int address_parse(Address *ret, const char *text) {
        CLEANUP(freep) char *origin = NULL, *host = NULL;
        CLEANUP(address_deinit) Address a = { 0 };
        int r;

        /* What follows in a URL may be anything. */
        origin = address_is_url(text) ? strndup(text, origin_length(text)) : strdup(text);
        if (!origin)
                return -ENOMEM;
        r = host_normalize(&host, origin);
        if (r < 0)
                return r == -EINVAL ? ADDRESS_E_HOST : r;
        a.host = strdup(host_name(host));
        if (!a.host)
                return -ENOMEM;
        if (host_name(host) != host)
                a.origin = STEAL(host);
        else if (asprintf(&a.origin, "https://%s", host) < 0) {
                a.origin = NULL;
                return -ENOMEM;
        }
        *ret = a;
        a = (Address){ 0 };
        return 0;
}

bool address_may_speak_http(const Address *address) {
        return str_starts(address->origin, "https://") && host_is_loopback(address->host);
}

bool address_is_app(const Address *address, const char *app) {
        CLEANUP(freep) char *own = NULL;

        return host_normalize(&own, address->origin) == 0 && host_equal(own, app);
}

static bool address_has(const Address *address, const char *url) {
        CLEANUP(address_deinit) Address other = { 0 };

        return address_is_url(url) && address_parse(&other, url) == 0 &&
               streq(other.origin, address->origin);
}

/* Percent-encoded, but for what is so already; also: more characters to encode. To be freed by
 * free(), or NULL. */
static char *encode(const char *text, const char *also) {
        static const char hex[] = "0123456789ABCDEF";
        char *url = malloc(3 * strlen(text) + 1), *out = url;

        for (const char *c = text; url && *c; c++) {
                bool encoded =
                        *c == '%' && isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2]);

                if (isgraph((unsigned char)*c) && !strchr("\"<>[\\]^`{|}", *c) &&
                    !strchr(also, *c) && (*c != '%' || encoded)) {
                        *out++ = *c;
                } else {
                        *out++ = '%';
                        *out++ = hex[(unsigned char)*c >> 4];
                        *out++ = hex[(unsigned char)*c & 15];
                }
        }
        if (url)
                *out = '\0';
        return url;
}

/* 0, ADDRESS_E_CONTROL or ADDRESS_E_FRAGMENT. */
static int check(const char *text) {
        for (const char *c = text; *c; c++)
                if (iscntrl((unsigned char)*c))
                        return ADDRESS_E_CONTROL;
        return strchr(text, '#') ? ADDRESS_E_FRAGMENT : 0;
}

bool address_has_version(const char *path) {
        static const char name[] = "api-version=";
        const char *field = strchr(path, '?');

        for (; field; field = strchr(field + 1, '&'))
                if (strncasecmp(field + 1, name, strlen(name)) == 0)
                        return true;
        return false;
}

/* What goes in front of a path; NULL: it is none. */
static const char *path_start(const char *path) {
        size_t n = strcspn(path, "/?");

        if (*path == '/')
                return path[1] == '/' ? NULL : "";
        if (memchr(path, '.', n) || memchr(path, ':', n) || memchr(path, '@', n))
                return NULL; /* a host, it seems */
        return n == 3 && str_starts(path, "api") ? "/" : "/api/";
}

int address_url(char **ret, const Address *address, const char *path, const char *version) {
        size_t n = address_is_url(path) ? origin_length(path) : 0;
        CLEANUP(freep) char *rest = NULL;
        const char *start;
        int r;

        r = check(path);
        if (r)
                return r;
        if (n && !address_has(address, path))
                return ADDRESS_E_OTHER;
        start = !n ? path_start(path) : path[n] == '/' ? "" : "/";
        if (!start)
                return ADDRESS_E_PATH;
        rest = encode(path + n, "");
        if (!rest)
                return -ENOMEM;
        if (address_has_version(rest))
                version = NULL;
        if (asprintf(ret, "%s%s%s%s%s%s", address->origin, start, rest,
                     !version            ? ""
                     : strchr(rest, '?') ? "&"
                                         : "?",
                     version ? "api-version=" : "", version ?: "") < 0)
                return -ENOMEM;
        return 0;
}

char *address_add_field(const char *path, const char *name, const char *value) {
        static const char also[] = "%&+=#?";
        CLEANUP(freep) char *field = encode(name, also), *text = encode(value, also);
        char *longer;

        if (!field || !text ||
            asprintf(&longer, "%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', field, text) < 0)
                return NULL;
        return longer;
}

int address_follow(char **ret, const Address *address, const char *base, const char *link) {
        CLEANUP(urlp) CURLU *url = curl_url();
        CLEANUP(textp) char *absolute = NULL;
        CLEANUP(freep) char *sound = NULL;
        int r;

        r = check(link);
        if (r)
                return r;
        if (address_is_url(link))
                return address_url(ret, address, link, NULL);
        sound = encode(link, "");
        if (!url || !sound)
                return -ENOMEM;
        if (curl_url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK ||
            curl_url_set(url, CURLUPART_URL, sound, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_URL, &absolute, 0) != CURLUE_OK)
                return ADDRESS_E_OTHER;
        return address_is_url(absolute) ? address_url(ret, address, absolute, NULL)
                                        : ADDRESS_E_OTHER;
}
