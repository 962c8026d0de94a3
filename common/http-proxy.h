/* SPDX-License-Identifier: MIT */
/*
 * Which proxy libcurl will take and who said so: the setting, or one of the variables that libcurl
 * looks at; and the name and password for it. What is wrong with it is said in words that name
 * where to mend it, and never what it holds.
 */
#pragma once

#include <iotc-util.h>

typedef struct HttpProxy HttpProxy;

struct HttpProxy {
        const char *url;    /* borrowed; NULL: none */
        const char *origin; /* "the setting 'proxy'" */
        const char *file;   /* of the credentials; borrowed, or NULL */
        char *full;         /* the URL with the credentials of the file, or NULL; secret */
        /* To be hidden: the credentials as they stand in the URL, the password of those, the
         * password of the file, and what a Proxy-Authorization says of each. Some may be NULL. */
        char *secrets[5];
        char fault[384]; /* why the credentials can't be used, or "" */
};

/* setting and credentials (a path) are borrowed and may be NULL. */
void http_proxy_init(HttpProxy *ret, const char *setting, const char *credentials);
void http_proxy_deinit(HttpProxy *proxy);
/* Is its URL one that libcurl can't use? */
bool http_proxy_is_bad(const HttpProxy *proxy);
/*
 * Into hint, which is "" at first: what the proxy has to do with a failed request, and what helps;
 * nothing when it has nothing to do with it. error is libcurl's text, status what the proxy
 * answered to CONNECT, or 0.
 */
void http_proxy_explain(const HttpProxy *proxy, char *hint, size_t size, const char *error,
                        long status);
