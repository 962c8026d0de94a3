/* SPDX-License-Identifier: MIT */
/*
 * See host.h. One splitter takes a text apart (RFC 3986, section 3.2) and one function makes a host
 * comparable; whatever a resolver, curl or a browser might read in two ways (percent-encoding, a
 * backslash, numbers that are not four decimal ones) is refused, because a token is sent there.
 */
#include <arpa/inet.h>

#include "common/host.h"
#include "common/memory.h"
#include "common/text.h"

#define HOST_LABEL_MAX 63
#define HOST_NAME_MAX  253

#define HOST_DIGITS  "0123456789"
#define HOST_HEX     HOST_DIGITS "abcdefABCDEF"
#define HOST_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
/* What a path may be made of: pchar and "/" (RFC 3986, section 3.3). */
#define HOST_PATH    HOST_LETTERS HOST_DIGITS "-._~!$&'()*+,;=:@/%"

typedef struct HostParts {
        bool http;        /* else https, or no scheme at all */
        bool url;         /* a scheme was there */
        const char *name; /* host, and in brackets if it is IPv6 */
        size_t n_name;
        const char *port; /* after the colon; NULL without one */
        size_t n_port;
        const char *rest; /* path, query and fragment */
} HostParts;

static int host_split(HostParts *ret, const char *text) {
        HostParts parts = { 0 };
        const char *end, *colon;

        if (strnlen(text, URL_LENGTH_MAX + 1) > URL_LENGTH_MAX || !text_is_clean(text) ||
            strpbrk(text, " \\"))
                return -EINVAL;

        parts.name = text;
        if (strncasecmp(text, "https://", 8) == 0) {
                parts.url = true;
                parts.name += 8;
        } else if (strncasecmp(text, "http://", 7) == 0) {
                parts.url = parts.http = true;
                parts.name += 7;
        }
        parts.rest = parts.name + strcspn(parts.name, "/?#");
        if (!parts.url && *parts.rest)
                return -EINVAL;

        /* User information needs no look of its own: no host and no port has an "@". */
        end = parts.name;
        if (*parts.name == '[') {
                end = memchr(parts.name, ']', parts.rest - parts.name);
                if (!end)
                        return -EINVAL;
                end++;
        }
        colon = memchr(end, ':', parts.rest - end);
        if (*parts.name == '[' && end != (colon ?: parts.rest))
                return -EINVAL;
        parts.n_name = (colon ?: parts.rest) - parts.name;
        if (colon) {
                parts.port = colon + 1;
                parts.n_port = parts.rest - parts.port;
        }

        *ret = parts;
        return 0;
}

/* One to five digits without a leading zero, 1 to 65535. */
static int host_read_port(unsigned *ret, const char *s, size_t n) {
        unsigned port = 0;

        if (n < 1 || n > 5 || s[0] == '0')
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return -EINVAL;
                port = port * 10 + (s[i] - '0');
        }
        if (port > 65535)
                return -EINVAL;
        *ret = port;
        return 0;
}

/* Letters, digits and hyphens between dots (RFC 1123, section 2.1), in place to lower case. */
static int host_read_name(char *name) {
        struct in_addr address;
        size_t n = strlen(name), label;
        char *last = name;

        if (n > 0 && name[n - 1] == '.')
                name[--n] = 0;
        if (n < 1 || n > HOST_NAME_MAX)
                return -EINVAL;
        if (strspn(name, HOST_LETTERS HOST_DIGITS "-.") != n)
                return -EINVAL;
        for (char *p = name; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p += 'a' - 'A';

        for (char *p = name;; p += label + 1) {
                label = strcspn(p, ".");
                if (label < 1 || label > HOST_LABEL_MAX || p[0] == '-' || p[label - 1] == '-')
                        return -EINVAL;
                last = p;
                if (!p[label])
                        break;
        }

        /* A resolver reads 127.1, 0177.0.0.1 and 0x7f000001 as addresses: only 127.0.0.1 is one. */
        if (!last[strspn(last, HOST_DIGITS)] ||
            (str_starts(last, "0x") && !last[2 + strspn(last + 2, HOST_HEX)]))
                return inet_pton(AF_INET, name, &address) == 1 ? 0 : -EINVAL;
        return 0;
}

/* The host alone, comparable: caller frees. */
static int host_read(char **ret, const HostParts *parts) {
        CLEANUP(freep) char *name = NULL;
        char text[INET6_ADDRSTRLEN];
        struct in6_addr address;
        int r;

        if (*parts->name != '[') {
                name = xstrndup(parts->name, parts->n_name);
                r = host_read_name(name);
                if (r < 0)
                        return r;
                *ret = STEAL(name);
                return 0;
        }

        name = xstrndup(parts->name + 1, parts->n_name - 2);
        if (inet_pton(AF_INET6, name, &address) != 1 ||
            !inet_ntop(AF_INET6, &address, text, sizeof(text)))
                return -EINVAL;
        *ret = xasprintf("[%s]", text);
        return 0;
}

/* What was split as host_normalize() has it. */
static int host_join(char **ret, const HostParts *parts) {
        CLEANUP(freep) char *host = NULL;
        unsigned port = 0;
        int r;

        r = host_read(&host, parts);
        if (r < 0)
                return r;
        if (parts->port) {
                r = host_read_port(&port, parts->port, parts->n_port);
                if (r < 0)
                        return r;
        }
        if (parts->http && !host_is_loopback(host))
                return -EINVAL;

        if (port == 0 || port == (parts->http ? 80 : 443))
                *ret = xasprintf("%s%s", parts->http ? "http://" : "", host);
        else
                *ret = xasprintf("%s%s:%u", parts->http ? "http://" : "", host, port);
        return 0;
}

int host_normalize(char **ret, const char *text) {
        HostParts parts;
        int r;

        r = host_split(&parts, text);
        if (r < 0)
                return r;
        return host_join(ret, &parts);
}

const char *host_name(const char *host) {
        return host + (str_starts(host, "http://") ? 7 : 0);
}

/* How long the name is, and the port, which the scheme may imply. */
static size_t host_measure(const char *host, unsigned *ret_port) {
        const char *name = host_name(host);
        size_t n = *name == '[' ? strcspn(name, "]") : 0; /* IPv6 has colons of its own */

        n += strcspn(name + n, ":");
        *ret_port = name[n] ? (unsigned)atoi(name + n + 1) : name > host ? 80 : 443;
        return n;
}

bool host_equal(const char *a, const char *b) {
        unsigned port_a, port_b;
        size_t n = host_measure(a, &port_a);

        return host_measure(b, &port_b) == n && port_a == port_b &&
               memcmp(host_name(a), host_name(b), n) == 0;
}

bool host_in(char *const *hosts, const char *host) {
        for (; hosts && *hosts; hosts++)
                if (host_equal(*hosts, host))
                        return true;
        return false;
}

bool host_under(const char *host, const char *suffix) {
        size_t n_host = strlen(host), n_suffix;

        if (*suffix == '.')
                suffix++;
        n_suffix = strlen(suffix);
        if (n_suffix == 0 || n_suffix > n_host || strchr(host, ':'))
                return false;
        if (strcasecmp(host + n_host - n_suffix, suffix) != 0)
                return false;
        return n_host == n_suffix || host[n_host - n_suffix - 1] == '.';
}

bool host_is_loopback(const char *host) {
        char name[HOST_NAME_MAX + 1];
        struct in_addr address;
        size_t n;

        host = host_name(host);
        n = strcspn(host, ":");
        if (str_starts(host, "[::1]"))
                return host[5] == 0 || host[5] == ':';
        if (n >= sizeof(name))
                return false;
        memcpy(name, host, n);
        name[n] = '\0';
        if (strcasecmp(name, "localhost") == 0 || host_under(name, "localhost"))
                return true;
        return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

int host_check_url(char **ret, const char *url) {
        CLEANUP(freep) char *host = NULL;
        HostParts parts;
        size_t n;
        int r;

        r = host_split(&parts, url);
        if (r < 0)
                return r;
        n = strlen(parts.rest);
        if (!parts.url || strspn(parts.rest, HOST_PATH) != n)
                return -EINVAL;
        for (const char *p = parts.rest; (p = strchr(p, '%')); p++)
                if (strspn(p + 1, HOST_HEX) < 2)
                        return -EINVAL;
        r = host_join(&host, &parts);
        if (r < 0)
                return r;

        while (n > 0 && parts.rest[n - 1] == '/')
                n--;
        *ret = xasprintf("%s%s%.*s", parts.http ? "" : "https://", host, (int)n, parts.rest);
        return 0;
}

bool host_url_is_safe(const char *url) {
        CLEANUP(freep) char *host = NULL;
        HostParts parts;

        return text_is_printable_ascii(url) && !strpbrk(url, "\"<>`") &&
               host_split(&parts, url) == 0 && parts.url && host_join(&host, &parts) == 0;
}

char *host_of_url(const char *url) {
        HostParts parts;
        char *host;

        if (host_split(&parts, url) < 0 || !parts.url || host_read(&host, &parts) < 0)
                return xstrdup("the server");
        return host;
}
