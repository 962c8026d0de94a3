/* SPDX-License-Identifier: MIT */
/*
 * See http.h. Options that are not obvious are measured: CAPATH is emptied because Debian's default
 * makes every connection parse the bundle anew (19 ms); without QUICK_EXIT a dead resolver holds
 * the process for seconds after the time limit.
 */
#include "common/clock.h"
#include "common/date.h"
#include "common/http-private.h"
#include "common/memory.h"
#include "common/redact.h"
#include "common/secret.h"

/* Append to a buffer that is NUL-terminated and wiped when it moves; not more than max bytes. */
static bool buffer_append(char **buffer, size_t *n, size_t *size, const char *data, size_t more,
                          size_t max) {
        if (more > max - *n)
                return false;
        if (*n + more + 1 > *size) {
                size_t wanted = MAX(2 * *size, *n + more + 1);
                char *moved = xmalloc(wanted);

                memcpy(moved, *buffer, *n);
                secret_wipe(*buffer, *n);
                free(*buffer);
                *buffer = moved;
                *size = wanted;
        }
        memcpy(*buffer + *n, data, more);
        *n += more;
        (*buffer)[*n] = '\0';
        return true;
}

/* unit is always 1, CURLOPT_WRITEFUNCTION(3). */
static size_t http_on_body(char *data, size_t unit, size_t n, void *userdata) {
        Http *http = userdata;

        if (buffer_append(&http->reply->body, &http->reply->n_body, &http->size_body, data, n,
                          http->options.body_max))
                return n;
        http->exceeded = http->options.body_max;
        return 0;
}

/* The lines of the last answer: an interim one is begun anew by the next. */
static size_t http_on_head(char *data, size_t unit, size_t n, void *userdata) {
        Http *http = userdata;

        if (n >= 5 && memcmp(data, "HTTP/", 5) == 0)
                http->reply->n_head = 0;
        if (buffer_append(&http->reply->head, &http->reply->n_head, &http->size_head, data, n,
                          HTTP_HEAD_MAX))
                return n;
        http->exceeded = HTTP_HEAD_MAX;
        return 0;
}

static int http_on_progress(void *userdata, curl_off_t a, curl_off_t b, curl_off_t c,
                            curl_off_t d) {
        Http *http = userdata;

        return !http->to_its_end && http->options.interrupted && http->options.interrupted();
}

/* Of options that every libcurl has; what is left is memory. */
#define HTTP_SET(option, value)                                              \
        do {                                                                 \
                if (curl_easy_setopt(http->curl, option, value) != CURLE_OK) \
                        memory_end();                                        \
        } while (0)

Http *http_new(const HttpOptions *options) {
        Http *http = xcalloc(1, sizeof(*http));

        http->options = *options;
        http->curl = curl_easy_init();
        if (!http->curl)
                memory_end();
        http_proxy_init(&http->proxy, options->proxy, options->proxy_credentials);
        for (size_t i = 0; i < ARRAY_SIZE(http->proxy.secrets); i++)
                http_hide(http, http->proxy.secrets[i]);

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
        if (options->ca_bundle) {
                HTTP_SET(CURLOPT_CAINFO, options->ca_bundle);
                HTTP_SET(CURLOPT_PROXY_CAINFO, options->ca_bundle);
        }
        if (http->proxy.full || options->proxy)
                HTTP_SET(CURLOPT_PROXY, http->proxy.full ?: options->proxy);
        HTTP_SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
        return http;
}

Http *http_free(Http *http) {
        if (http) {
                curl_easy_cleanup(http->curl);
                http_proxy_deinit(&http->proxy);
                free(http);
        }
        return NULL;
}

void http_hide(Http *http, const char *secret) {
        if (secret && http->n_secrets < HTTP_SECRETS_MAX)
                http->secrets[http->n_secrets++] = secret;
}

static void headers_freep(struct curl_slist **list) {
        for (struct curl_slist *one = *list; one; one = one->next)
                secret_wipe(one->data, strlen(one->data));
        curl_slist_free_all(*list);
}

static void headers_add(struct curl_slist **list, const char *name, const char *value) {
        CLEANUP(secret_freep) char *line = value ? xasprintf("%s%s", name, value) : NULL;

        if (!line)
                return;
        *list = curl_slist_append(*list, line);
        if (!*list)
                memory_end();
}

static struct curl_slist *headers_new(const HttpRequest *request) {
        struct curl_slist *list = NULL;

        headers_add(&list, "Expect:", "");
        headers_add(&list, "Authorization: ", request->authorization);
        /* A body's type is ours to say; curl's own idea is a form. */
        if (request->content_type)
                headers_add(&list, "Content-Type: ", request->content_type);
        else
                headers_add(&list, "Content-Type:", "");
        for (size_t i = 0; i < request->n_headers; i++)
                headers_add(&list, "", request->headers[i]);
        return list;
}

/* ---- the answer --------------------------------------------------------------------------- */

/* The first value of a header; NULL: none. */
static const char *http_first(Http *http, const char *name) {
        struct curl_header *header;

        if (curl_easy_header(http->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
                return NULL;
        return header->value;
}

/* All the values of a header, with ", " between (RFC 9110 section 5.2); NULL: none. */
static char *http_all(Http *http, const char *name) {
        struct curl_header *header;
        char *all = NULL;

        for (size_t i = 0;
             curl_easy_header(http->curl, name, i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++) {
                CLEANUP(freep) char *before = all;

                all = xasprintf("%s%s%s", before ?: "", before ? ", " : "", header->value);
        }
        return all;
}

static void http_read_headers(Http *http, HttpReply *reply) {
        const char *value;

        (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
        value = http_first(http, "Date");
        reply->date = value ? date_from_http(value) : 0;
        value = http_first(http, "Retry-After");
        reply->has_retry_after =
                value && http_retry_after(&reply->retry_after, value, reply->date ?: clock_wall());
        reply->content_type = http_all(http, "Content-Type");
        reply->www_authenticate = http_all(http, "WWW-Authenticate");
        reply->location = http_all(http, "Location");
}

/* Without one it has to be said that it is empty, or servers may answer 411 (RFC 9110 8.6). */
static bool http_wants_body(const char *method) {
        return streq(method, "POST") || streq(method, "PUT") || streq(method, "PATCH");
}

void http_send(Http *http, HttpReply *reply, const HttpRequest *request) {
        CLEANUP(headers_freep) struct curl_slist *headers = headers_new(request);
        bool plain = str_starts(request->url, "http:"), head = streq(request->method, "HEAD");
        long proxy_status = 0;
        CURLcode c;

        http_reply_deinit(reply);
        reply->body = xcalloc(1, 1);
        reply->head = xcalloc(1, 1);
        http->reply = reply;
        http->size_body = http->size_head = 1;
        http->exceeded = 0;
        http->to_its_end = request->to_its_end;
        *http->error = '\0';
        if (!plain && *http->proxy.fault) {
                reply->outcome = HTTP_E_SETTING;
                (void)snprintf(reply->error, sizeof(reply->error), "%s", http->proxy.fault);
                return;
        }

        HTTP_SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
        HTTP_SET(CURLOPT_NOPROXY, plain ? "*" : NULL);
        HTTP_SET(CURLOPT_TIMEOUT_MS, (long)MAX(request->timeout_msec, (uint64_t)1));
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

        reply->sent_usec = clock_usec();
        c = curl_easy_perform(http->curl);
        if (c == CURLE_OUT_OF_MEMORY)
                memory_end();
        HTTP_SET(CURLOPT_HTTPHEADER, NULL);
        HTTP_SET(CURLOPT_POSTFIELDS, NULL);
        (void)curl_easy_getinfo(http->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
        reply->outcome = http_outcome(http, c, request->url, proxy_status);
        if (reply->outcome)
                http_explain(http, c, request->url, proxy_status, reply);
        else
                http_read_headers(http, reply);
}

void http_redact(Http *http, HttpReply *reply) {
        char *safe = redact(reply->body, http->secrets, http->n_secrets);

        secret_wipe(reply->body, reply->n_body);
        free(reply->body);
        reply->body = safe;
        reply->n_body = strlen(safe);
}

void http_reply_deinit(HttpReply *reply) {
        secret_wipe(reply->body, reply->n_body);
        free(reply->body);
        free(reply->head);
        free(reply->content_type);
        free(reply->www_authenticate);
        free(reply->location);
        *reply = (HttpReply){ 0 };
}

bool http_was_sent(const HttpReply *reply) {
        return reply->outcome == _HTTP_E_SUCCESS || reply->outcome == HTTP_E_LOST ||
               reply->outcome == HTTP_E_TOO_LARGE || reply->outcome == HTTP_E_INTERRUPTED;
}

bool http_retry_after(uint64_t *ret, const char *value, uint64_t date) {
        size_t digits = strspn(value, "0123456789");
        uint64_t until = digits ? 0 : date_from_http(value);

        if (digits && !value[digits])
                *ret = digits > 9 ? HTTP_RETRY_AFTER_MAX : strtoul(value, NULL, 10);
        else if (until)
                *ret = until > date ? until - date : 0;
        else
                return false;
        *ret = MIN(*ret, (uint64_t)HTTP_RETRY_AFTER_MAX);
        return true;
}
