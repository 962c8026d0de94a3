/* SPDX-License-Identifier: MIT */
/*
 * See http.h. CAPATH is emptied because Debian's default makes every connection parse the bundle
 * anew (19 ms); without QUICK_EXIT a dead resolver holds the process for seconds.
 */
#include <netdb.h>

#include <curl/curl.h>

#include "api/http.h"
#include "base/loop.h"
#include "common/date.h"
#include "common/redact.h"

struct Http {
        CURL *curl;
        HttpReply *reply; /* the one that is being filled */
        size_t size_body, size_head;
        const char *too_large; /* which part of the answer, or NULL */
        bool no_memory;
        bool to_its_end;
        bool has_credentials; /* for the proxy */
        char error[CURL_ERROR_SIZE];
};

/* Append to a buffer that is NUL-terminated and wiped when it moves. -ENOMEM. */
static int buffer_append(char **buffer, size_t *n, size_t *size, const char *data, size_t more) {
        if (*n + more + 1 > *size) {
                size_t wanted = MAX(2 * *size, *n + more + 1);
                char *moved = malloc(wanted);

                if (!moved)
                        return -ENOMEM;
                memcpy(moved, *buffer, *n);
                explicit_bzero(*buffer, *n);
                free(*buffer);
                *buffer = moved;
                *size = wanted;
        }
        memcpy(*buffer + *n, data, more);
        *n += more;
        (*buffer)[*n] = '\0';
        return 0;
}

static size_t http_on_body(char *data, size_t unit, size_t n, void *userdata) {
        Http *http = userdata;
        HttpReply *reply = http->reply;

        (void)unit; /* always 1, CURLOPT_WRITEFUNCTION(3) */
        if (n > HTTP_BODY_MAX - reply->n_body)
                http->too_large = "64 MiB";
        if (http->too_large)
                return 0;
        http->no_memory =
                buffer_append(&reply->body, &reply->n_body, &http->size_body, data, n) < 0;
        return http->no_memory ? 0 : n;
}

/* The lines of the last answer: an interim one, or a proxy's, is begun anew by the next. */
static size_t http_on_head(char *data, size_t unit, size_t n, void *userdata) {
        Http *http = userdata;
        HttpReply *reply = http->reply;

        (void)unit;
        if (n >= 5 && memcmp(data, "HTTP/", 5) == 0)
                reply->n_head = 0;
        if (n > HTTP_HEAD_MAX - reply->n_head)
                http->too_large = "256 KiB of headers";
        if (http->too_large)
                return 0;
        http->no_memory =
                buffer_append(&reply->head, &reply->n_head, &http->size_head, data, n) < 0;
        return http->no_memory ? 0 : n;
}

static int http_on_progress(void *userdata, curl_off_t a, curl_off_t b, curl_off_t c,
                            curl_off_t d) {
        Http *http = userdata;

        return !http->to_its_end && loop_interrupted();
}

#define HTTP_SET(option, value) (c = c ? c : curl_easy_setopt(http->curl, option, value))

int http_new(Http **ret, const char *proxy, const char *ca_bundle) {
        CLEANUP(http_freep) Http *http = NULL;
        CURLcode c = CURLE_OK;

        http = calloc(1, sizeof(*http));
        if (!http)
                return -ENOMEM;
        http->curl = curl_easy_init();
        if (!http->curl)
                return -ENOMEM;

        HTTP_SET(CURLOPT_NOSIGNAL, 1L);
        HTTP_SET(CURLOPT_QUICK_EXIT, 1L);
        HTTP_SET(CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_MAX);
        HTTP_SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        HTTP_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        HTTP_SET(CURLOPT_FOLLOWLOCATION, 0L);
        HTTP_SET(CURLOPT_USERAGENT, "iotc-token/" IOTC_VERSION);
        HTTP_SET(CURLOPT_ERRORBUFFER, http->error);
        HTTP_SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        HTTP_SET(CURLOPT_WRITEFUNCTION, http_on_body);
        HTTP_SET(CURLOPT_WRITEDATA, http);
        HTTP_SET(CURLOPT_HEADERFUNCTION, http_on_head);
        HTTP_SET(CURLOPT_HEADERDATA, http);
        HTTP_SET(CURLOPT_NOPROGRESS, 0L);
        HTTP_SET(CURLOPT_XFERINFOFUNCTION, http_on_progress);
        HTTP_SET(CURLOPT_XFERINFODATA, http);
        HTTP_SET(CURLOPT_CAPATH, NULL);
        HTTP_SET(CURLOPT_PROXY_CAPATH, NULL);
        if (ca_bundle) {
                HTTP_SET(CURLOPT_CAINFO, ca_bundle);
                HTTP_SET(CURLOPT_PROXY_CAINFO, ca_bundle);
        }
        if (proxy)
                HTTP_SET(CURLOPT_PROXY, proxy);
        http->has_credentials = proxy && strchr(proxy, '@');
        HTTP_SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
        if (c != CURLE_OK)
                return -ENOMEM;

        *ret = STEAL(http);
        return 0;
}

Http *http_free(Http *http) {
        if (http) {
                curl_easy_cleanup(http->curl);
                free(http);
        }
        return NULL;
}

static void headers_freep(struct curl_slist **list) {
        for (struct curl_slist *one = *list; one; one = one->next)
                explicit_bzero(one->data, strlen(one->data));
        curl_slist_free_all(*list);
}

static int headers_add(struct curl_slist **list, const char *name, const char *value) {
        CLEANUP(freep) char *line = NULL;
        struct curl_slist *more;
        int n;

        if (!value)
                return 0;
        n = asprintf(&line, "%s%s", name, value);
        if (n < 0) {
                line = NULL;
                return -ENOMEM;
        }
        more = curl_slist_append(*list, line);
        explicit_bzero(line, (size_t)n);
        if (!more)
                return -ENOMEM;
        *list = more;
        return 0;
}

static int headers_new(struct curl_slist **list, const HttpRequest *request) {
        int r;

        r = headers_add(list, "Expect:", "");
        if (r >= 0)
                r = headers_add(list, "Authorization: ", request->authorization);
        /* A body's type is ours to say; curl's own idea is a form. */
        if (r >= 0)
                r = request->content_type
                            ? headers_add(list, "Content-Type: ", request->content_type)
                            : headers_add(list, "Content-Type:", "");
        for (size_t i = 0; r >= 0 && request->headers && i < request->headers->n; i++)
                r = headers_add(list, "", request->headers->items[i]);
        return r;
}

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

static int http_outcome(Http *http, CURLcode c, const char *url, long proxy_status) {
        curl_off_t ready = 0;
        long opened = 0;

        if (http->too_large)
                return HTTP_E_TOO_LARGE;
        /* "Unsupported proxy syntax", "... scheme": libcurl has no number for it. */
        if (proxy_status == 407 || strstr(http->error, "Unsupported proxy"))
                return HTTP_E_SETTING;
        switch (c) {
        case CURLE_OK:
                return _HTTP_E_SUCCESS;
        case CURLE_ABORTED_BY_CALLBACK:
                return HTTP_E_INTERRUPTED;
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_URL_MALFORMAT:
                return HTTP_E_SETTING;
        case CURLE_COULDNT_RESOLVE_HOST:
                return http_host_is_unknown(url) ? HTTP_E_NO_HOST : HTTP_E_UNSENT;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PROXY:
                return HTTP_E_UNSENT;
        default:
                (void)curl_easy_getinfo(http->curl, CURLINFO_NUM_CONNECTS, &opened);
                (void)curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
                return opened > 0 && ready == 0 ? HTTP_E_UNSENT : HTTP_E_LOST;
        }
}

/* What happened and, where a setting helps, which. */
static void http_explain(Http *http, CURLcode c, long proxy_status, HttpReply *reply) {
        const char *hint = "";

        if (proxy_status == 407 && http->has_credentials)
                hint = "; the proxy refuses the name and password that the setting "
                       "'proxy-credentials' names";
        else if (proxy_status == 407)
                hint = "; the proxy wants a name and password: write USER:PASSWORD into a file of "
                       "mode 0600 and name that by the setting 'proxy-credentials'";
        else if (strstr(http->error, "Unsupported proxy"))
                hint = "; it has to be http://HOST:PORT: see the setting 'proxy' and the variable "
                       "https_proxy";
        else if (c == CURLE_PEER_FAILED_VERIFICATION)
                hint = "; if a proxy or a private CA is between, name its certificate in the "
                       "setting 'ca-bundle'";
        else if (c == CURLE_SSL_CACERT_BADFILE)
                hint = "; see the setting 'ca-bundle'";
        else if (c == CURLE_COULDNT_RESOLVE_PROXY)
                hint = "; see the setting 'proxy'";
        if (http->too_large)
                (void)snprintf(reply->error, sizeof(reply->error), "it answered more than %s",
                               http->too_large);
        else if (c == CURLE_UNSUPPORTED_PROTOCOL && !strstr(http->error, "proxy"))
                /* To curl whatever is not HTTP is HTTP/0.9; other URLs never come this far. */
                (void)snprintf(reply->error, sizeof(reply->error), "it is not HTTP");
        else {
                CLEANUP(freep)
                char *safe = redact(*http->error ? http->error : curl_easy_strerror(c), NULL, 0);

                (void)snprintf(reply->error, sizeof(reply->error), "%.120s%s", safe ?: "", hint);
        }
}

/* All the values of a header, with ", " between (RFC 9110 section 5.2). 0 or -ENOMEM. */
static int http_header(Http *http, char **ret, const char *name) {
        struct curl_header *header;
        size_t i = 0;

        *ret = NULL;
        while (curl_easy_header(http->curl, name, i++, CURLH_HEADER, -1, &header) == CURLHE_OK) {
                CLEANUP(freep) char *before = *ret;

                if (asprintf(ret, "%s%s%s", before ?: "", before ? ", " : "", header->value) < 0) {
                        *ret = NULL;
                        return -ENOMEM;
                }
        }
        return 0;
}

/* Retry-After, RFC 9110 section 10.2.3: seconds, or a date as seen from the server's own. */
static void http_read_retry_after(Http *http, HttpReply *reply) {
        struct curl_header *header;
        const char *value;
        uint64_t until, now;
        size_t digits;

        if (curl_easy_header(http->curl, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
                return;
        value = header->value;
        digits = strspn(value, "0123456789");
        if (digits > 0 && !value[digits]) {
                reply->has_retry_after = true;
                reply->retry_after = digits > 9 ? HTTP_RETRY_AFTER_MAX : strtoul(value, NULL, 10);
        } else if (digits == 0 && (until = date_from_http(value)) > 0) {
                now = curl_easy_header(http->curl, "Date", 0, CURLH_HEADER, -1, &header) ==
                                      CURLHE_OK
                              ? date_from_http(header->value)
                              : (uint64_t)time(NULL);
                reply->has_retry_after = true;
                reply->retry_after = until > now ? until - now : 0;
        }
        reply->retry_after = MIN(reply->retry_after, (uint64_t)HTTP_RETRY_AFTER_MAX);
}

static int http_read_headers(Http *http, HttpReply *reply) {
        int r;

        (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
        http_read_retry_after(http, reply);
        r = http_header(http, &reply->content_type, "Content-Type");
        if (r >= 0)
                r = http_header(http, &reply->www_authenticate, "WWW-Authenticate");
        return r < 0 ? r : http_header(http, &reply->location, "Location");
}

/* Without one it has to be said that it is empty, or servers may answer 411 (RFC 9110 8.6). */
static bool http_wants_body(const char *method) {
        return streq(method, "POST") || streq(method, "PUT") || streq(method, "PATCH");
}

static int http_prepare(Http *http, HttpReply *reply, const HttpRequest *request,
                        struct curl_slist *headers) {
        bool plain = str_starts(request->url, "http:");
        bool head = streq(request->method, "HEAD");
        CURLcode c = CURLE_OK;

        http_reply_deinit(reply);
        reply->body = calloc(1, 1);
        reply->head = calloc(1, 1);
        if (!reply->body || !reply->head)
                return -ENOMEM;
        http->reply = reply;
        http->size_body = http->size_head = 1;
        http->too_large = NULL;
        http->no_memory = false;
        http->to_its_end = request->to_its_end;
        *http->error = '\0';

        HTTP_SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
        HTTP_SET(CURLOPT_NOPROXY, plain ? "*" : NULL);
        HTTP_SET(CURLOPT_TIMEOUT, (long)(request->to_its_end ? HTTP_TIME_END_MAX : HTTP_TIME_MAX));
        HTTP_SET(CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L);
        HTTP_SET(CURLOPT_URL, request->url);
        HTTP_SET(CURLOPT_HTTPGET, 1L);
        if (request->body || http_wants_body(request->method)) {
                HTTP_SET(CURLOPT_POST, 1L);
                HTTP_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->n_body);
                HTTP_SET(CURLOPT_POSTFIELDS, request->body ?: "");
        }
        HTTP_SET(CURLOPT_NOBODY, head ? 1L : 0L);
        HTTP_SET(CURLOPT_CUSTOMREQUEST, head ? NULL : request->method);
        HTTP_SET(CURLOPT_HTTPHEADER, headers);
        return c == CURLE_OK ? 0 : -ENOMEM;
}

int http_send(Http *http, HttpReply *reply, const HttpRequest *request) {
        CLEANUP(headers_freep) struct curl_slist *headers = NULL;
        long proxy_status = 0;
        CURLcode c;
        int r;

        r = headers_new(&headers, request);
        if (r >= 0)
                r = http_prepare(http, reply, request, headers);
        if (r < 0)
                return r;
        c = curl_easy_perform(http->curl);
        (void)curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
        (void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
        if (http->no_memory || c == CURLE_OUT_OF_MEMORY)
                return -ENOMEM;
        (void)curl_easy_getinfo(http->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
        reply->outcome = http_outcome(http, c, request->url, proxy_status);
        if (reply->outcome) {
                http_explain(http, c, proxy_status, reply);
                return 0;
        }
        return http_read_headers(http, reply);
}

void http_reply_deinit(HttpReply *reply) {
        if (reply->body)
                explicit_bzero(reply->body, reply->n_body);
        free(reply->body);
        free(reply->head);
        free(reply->content_type);
        free(reply->www_authenticate);
        free(reply->location);
        *reply = (HttpReply){ 0 };
}
