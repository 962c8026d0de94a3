/* SPDX-License-Identifier: MIT */
/*
 * See http.h. Options that are not obvious are measured: CAPATH is emptied because Debian's default
 * makes every connection parse the bundle anew (19 ms); without QUICK_EXIT a dead resolver holds
 * the process for seconds after the time limit.
 */
#include <sys/random.h>

#include <curl/curl.h>

#include "common/date.h"
#include "common/redact.h"
#include "common/secret.h"
#include "common/text.h"
#include "fetch/clock.h"
#include "fetch/http-proxy.h"
#include "fetch/http.h"
#include "model/limits.h"

enum {
        HTTP_DETAIL_MAX = 120, /* bytes of libcurl's words */
        HTTP_HINT_MAX = 360,
};

struct Http {
        CURL *curl;
        HttpProxy proxy;
        const char *ca_bundle;
        const char *secrets[HTTP_SECRETS_MAX];
        size_t n_secrets;
        struct curl_slist *headers;
        HttpReply *reply; /* the one that is being filled */
        size_t size;      /* of its body, allocated */
        bool too_large;
        bool no_memory;
        char error[CURL_ERROR_SIZE];
};

static size_t http_on_body(char *data, size_t unit, size_t n, void *userdata) {
        Http *http = userdata;
        HttpReply *reply = http->reply;

        (void)unit; /* always 1, CURLOPT_WRITEFUNCTION(3) */
        if (n > HTTP_BODY_MAX - reply->n_body) {
                http->too_large = true;
                return 0;
        }
        if (reply->n_body + n + 1 > http->size) {
                size_t size = MAX(2 * http->size, reply->n_body + n + 1);
                char *body = malloc(size);

                if (!body) {
                        http->no_memory = true;
                        return 0;
                }
                memcpy(body, reply->body, reply->n_body);
                secret_wipe(reply->body, reply->n_body);
                free(reply->body);
                reply->body = body;
                http->size = size;
        }
        memcpy(reply->body + reply->n_body, data, n);
        reply->n_body += n;
        reply->body[reply->n_body] = '\0';
        return n;
}

/* client-request-id: a random GUID (RFC 9562, version 4), which Entra's logs then carry too. */
static int http_headers(struct curl_slist **ret) {
        static const char *const fixed[] = { "Accept: application/json", "Expect:" };
        struct curl_slist *list = NULL, *more;
        unsigned char b[16] = { 0 };
        char id[80];

        (void)!getrandom(b, sizeof(b), 0);
        (void)snprintf(id, sizeof(id),
                       "client-request-id: %02x%02x%02x%02x-%02x%02x-4%x%02x-%02x%02x-"
                       "%02x%02x%02x%02x%02x%02x",
                       b[0], b[1], b[2], b[3], b[4], b[5], b[6] & 0xf, b[7], 0x80 | (b[8] & 0x3f),
                       b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
        for (size_t i = 0; i <= ARRAY_SIZE(fixed); i++) {
                more = curl_slist_append(list, i < ARRAY_SIZE(fixed) ? fixed[i] : id);
                if (!more) {
                        curl_slist_free_all(list);
                        return -ENOMEM;
                }
                list = more;
        }
        *ret = list;
        return 0;
}

int http_new(Http **ret, const HttpWay *way) {
        CLEANUP(http_freep) Http *http = NULL;
        CURLcode c;
        int r;

        http = calloc(1, sizeof(*http));
        if (!http)
                return -ENOMEM;
        http->curl = curl_easy_init();
        if (!http->curl)
                return -ENOMEM;
        http->ca_bundle = way->ca_bundle;
        r = http_headers(&http->headers);
        if (r == 0)
                r = http_proxy_init(&http->proxy, way->proxy, way->proxy_credentials);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(http->proxy.secrets); i++)
                http_hide(http, http->proxy.secrets[i]);

        c = CURLE_OK;
#define HTTP_SET(option, value) (c = c ? c : curl_easy_setopt(http->curl, option, value))
        HTTP_SET(CURLOPT_NOSIGNAL, 1L);
        HTTP_SET(CURLOPT_QUICK_EXIT, 1L);
        HTTP_SET(CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_MAX);
        HTTP_SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        HTTP_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        HTTP_SET(CURLOPT_FOLLOWLOCATION, 0L);
        HTTP_SET(CURLOPT_USERAGENT, "iotc-token/" IOTC_VERSION);
        HTTP_SET(CURLOPT_HTTPHEADER, http->headers);
        HTTP_SET(CURLOPT_ERRORBUFFER, http->error);
        HTTP_SET(CURLOPT_WRITEFUNCTION, http_on_body);
        HTTP_SET(CURLOPT_WRITEDATA, http);
        HTTP_SET(CURLOPT_CAPATH, NULL);
        HTTP_SET(CURLOPT_PROXY_CAPATH, NULL);
        if (way->ca_bundle) {
                HTTP_SET(CURLOPT_CAINFO, way->ca_bundle);
                HTTP_SET(CURLOPT_PROXY_CAINFO, way->ca_bundle);
        }
        if (http->proxy.full || way->proxy)
                HTTP_SET(CURLOPT_PROXY, http->proxy.full ? http->proxy.full : way->proxy);
        HTTP_SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
        if (c != CURLE_OK)
                return -ENOMEM;

        *ret = STEAL(http);
        return 0;
}

Http *http_free(Http *http) {
        if (http) {
                curl_easy_cleanup(http->curl);
                curl_slist_free_all(http->headers);
                http_proxy_deinit(&http->proxy);
                free(http);
        }
        return NULL;
}

void http_hide(Http *http, const char *secret) {
        if (secret && http->n_secrets < HTTP_SECRETS_MAX)
                http->secrets[http->n_secrets++] = secret;
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

static int http_outcome(Http *http, CURLcode c, bool plain, long proxy_status) {
        if (proxy_status == 407 || (c != CURLE_OK && !plain && http_blames_proxy(http)))
                return HTTP_E_SETTING;
        switch (c) {
        case CURLE_OK:
                return _HTTP_E_SUCCESS;
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_URL_MALFORMAT:
                return HTTP_E_SETTING;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
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
static const char *http_clock_hint(char text[HTTP_HINT_MAX]) {
        time_t now = (time_t)clock_wall();
        char shown[32] = "";
        struct tm tm;

        if (gmtime_r(&now, &tm))
                (void)strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M UTC", &tm);
        (void)snprintf(text, HTTP_HINT_MAX,
                       "; this machine's clock shows %s: if that is wrong, set it: timedatectl "
                       "set-ntp true",
                       shown);
        return text;
}

/* What happened and, where a setting helps, which. */
static void http_explain(Http *http, CURLcode c, bool plain, long proxy_status, HttpReply *reply) {
        CLEANUP(freep) char *safe = NULL;
        CLEANUP(freep) char *detail = NULL;
        char hint[HTTP_HINT_MAX] = "";

        if (http->too_large) {
                (void)snprintf(reply->error, sizeof(reply->error), "it answered more than %d KiB",
                               HTTP_BODY_MAX / 1024);
                return;
        }
        if (c == CURLE_SSL_CACERT_BADFILE) {
                (void)snprintf(reply->error, sizeof(reply->error),
                               "%s%.300s has no certificates that can be read",
                               http->ca_bundle ? "the file of the setting 'ca-bundle', "
                                               : "the system's bundle of certificates",
                               http->ca_bundle ? http->ca_bundle : "");
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
                (void)http_clock_hint(hint);
        else if (c == CURLE_PEER_FAILED_VERIFICATION)
                (void)snprintf(hint, sizeof(hint),
                               "; if a proxy or a private CA is between, name its certificate in "
                               "the setting 'ca-bundle'");
        else if (!plain)
                http_proxy_explain(&http->proxy, hint, sizeof(hint), http->error, proxy_status);
        (void)snprintf(reply->error, sizeof(reply->error), "%s%s", detail ? detail : "failed",
                       hint);
}

/* What is no success is quoted to a person: without what we had sent. */
static int http_redact(Http *http, HttpReply *reply) {
        char *safe = redact(reply->body, http->secrets, http->n_secrets);

        if (!safe)
                return -ENOMEM;
        secret_wipe(reply->body, reply->n_body);
        free(reply->body);
        reply->body = safe;
        reply->n_body = strlen(safe);
        return 0;
}

static const char *http_header(Http *http, const char *name) {
        struct curl_header *header;

        if (curl_easy_header(http->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
                return NULL;
        return header->value;
}

static void http_read_headers(Http *http, HttpReply *reply) {
        const char *value;

        value = http_header(http, "Date");
        reply->date = value ? date_from_http(value) : 0;
        value = http_header(http, "Retry-After");
        if (value)
                reply->retry_after =
                        http_retry_after(value, reply->date ? reply->date : clock_wall());
}

int http_post(Http *http, HttpReply *reply, const char *url, const char *form,
              uint64_t deadline_usec) {
        bool plain = str_starts(url, "http:");
        uint64_t now = clock_usec();
        uint64_t left = deadline_usec - MIN(now, deadline_usec);
        CURLcode c = CURLE_OK;
        long proxy_status = 0;

        http_reply_deinit(reply);
        reply->body = calloc(1, 1);
        if (!reply->body)
                return -ENOMEM;
        http->reply = reply;
        http->size = 1;
        http->too_large = http->no_memory = false;
        *http->error = '\0';
        if (!plain && *http->proxy.fault) {
                reply->outcome = HTTP_E_SETTING;
                (void)snprintf(reply->error, sizeof(reply->error), "%s", http->proxy.fault);
                return 0;
        }

        left = MIN(left, HTTP_TIME_MAX * USEC_PER_SEC) / 1000;
        HTTP_SET(CURLOPT_TIMEOUT_MS, (long)MAX(left, (uint64_t)1));
        HTTP_SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
        HTTP_SET(CURLOPT_NOPROXY, plain ? "*" : NULL);
        HTTP_SET(CURLOPT_URL, url);
        HTTP_SET(CURLOPT_POST, 1L);
        HTTP_SET(CURLOPT_POSTFIELDSIZE, (long)strlen(form));
        HTTP_SET(CURLOPT_POSTFIELDS, form);
        if (c != CURLE_OK)
                return -ENOMEM;

        reply->sent_usec = now;
        c = curl_easy_perform(http->curl);
        (void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
        if (http->no_memory || c == CURLE_OUT_OF_MEMORY)
                return -ENOMEM;
        (void)curl_easy_getinfo(http->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
        reply->outcome = http_outcome(http, c, plain, proxy_status);
        if (reply->outcome) {
                http_explain(http, c, plain, proxy_status, reply);
                return 0;
        }
        (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
        http_read_headers(http, reply);
        return reply->status == 200 ? 0 : http_redact(http, reply);
}

void http_reply_deinit(HttpReply *reply) {
        secret_wipe(reply->body, reply->n_body);
        free(reply->body);
        *reply = (HttpReply){ 0 };
}

bool http_was_sent(int r, const HttpReply *reply) {
        return r < 0 || reply->outcome == _HTTP_E_SUCCESS || reply->outcome == HTTP_E_LOST;
}

uint64_t http_retry_after(const char *value, uint64_t date) {
        uint64_t seconds = 0;
        size_t digits = strspn(value, "0123456789");
        uint64_t until;

        if (digits > 0 && value[digits] == '\0') {
                seconds = digits > 9 ? LIMIT_RETRY_AFTER_SECONDS : strtoul(value, NULL, 10);
        } else if (digits == 0) {
                until = date_from_http(value);
                seconds = until > date ? until - date : 0;
        }
        return MIN(seconds, (uint64_t)LIMIT_RETRY_AFTER_SECONDS);
}
