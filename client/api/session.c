/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <poll.h>
#include <sys/random.h>

#include "api/session.h"
#include "base/display.h"
#include "base/i18n.h"
#include "base/loop.h"
#include "base/say.h"
#include "base/settings.h"
#include "common/utf8.h"

enum {
        TOKEN_TIMEOUT_SEC = 90, /* as iotc-token get */
        TRIES_MAX = 5,          /* of one request */
        TIME_MAX_SEC = 300,     /* a request */
        TIME_END_MAX_SEC = 30,  /* one that signals do not interrupt */
        BODY_MAX = 64 * 1024 * 1024,
        WAIT_MAX = 120, /* seconds of waits for the application, without a success */
};

CLEANUP_FUNC(iotc_token, iotc_token_free)

Session *session_free(Session *s) {
        if (!s)
                return NULL;
        http_free(s->http);
        settings_deinit(&s->settings);
        iotc_token_close(s->client);
        address_deinit(&s->address);
        free(s->account);
        free(s);
        return NULL;
}

static int session_fail_client(const Session *s) {
        return fail_error(iotc_token_error_name(s->client), iotc_token_error_text(s->client));
}

/* The way that the daemon goes, by the settings that it reads. 0 or an exit code. */
static int session_open_http(Session *s) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const Settings *settings = &s->settings;
        CLEANUP(properties_deinit) Properties manager = { 0 };
        CLEANUP(freep) char *path = NULL;
        CLEANUP(file_closep) FILE *ca = NULL;
        int r;

        r = bus_open(&bus);
        if (r == 0)
                r = bus_get_all(bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager);
        if (r)
                return r;
        path = settings_user_path(properties_strings(&manager, "SettingsFiles"));
        settings_load(&s->settings, path);
        /* curl would wait for a pipe's writer. */
        ca = settings->ca_bundle ? settings_open(settings->ca_bundle, SETTINGS_CA_MAX) : NULL;
        if (settings->ca_bundle && !ca && errno != ENOENT)
                return fail(EXIT_SETTINGS, "the CA bundle %s can't be read: %s",
                            settings->ca_bundle, _(settings_open_fault(errno)));
        s->http = http_new(&(HttpOptions){
                .proxy = settings->proxy,
                .proxy_credentials = settings->proxy ? settings->proxy_credentials : NULL,
                .ca_bundle = settings->ca_bundle,
                .body_max = BODY_MAX,
                .ask_for_host = true,
                .interrupted = loop_interrupted,
        });
        return 0;
}

int session_new(Session **ret, const Verb *verb, const char *app, const char *account) {
        CLEANUP(session_freep) Session *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return fail_errno(-ENOMEM);
        r = address_parse(&s->address, app);
        if (r == ADDRESS_E_HOST) {
                CLEANUP(freep) char *shown = display_url(app);

                return args_wrong(verb,
                                  "'%s' is no application: name a host, or an https URL on it",
                                  shown ?: "");
        }
        if (r >= 0)
                r = iotc_token_open(&s->client);
        r = r < 0 ? fail_errno(r) : session_open_http(s);
        if (r)
                return r;
        if (iotc_token_find_account(s->client, s->address.origin, &s->account) < 0)
                return session_fail_client(s);
        if (account) {
                free(s->account);
                s->account = NULL;
                if (iotc_token_find_account(s->client, account, &s->account) < 0)
                        return session_fail_client(s);
        }
        *ret = STEAL(s);
        return 0;
}

/* Another account than this one, if it is an API token's and there is a default one. */
static int manager_find(char **ret, sd_bus *bus, const char *account) {
        CLEANUP(properties_deinit) Properties own = { 0 }, manager = { 0 };
        CLEANUP(freep) char *path = NULL;
        const char *name;
        int r;

        r = bus_find_account(bus, account, &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &own);
        r = r ?: bus_get_all(bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager);
        if (r || !streq(properties_string(&own, "Source"), "api-token"))
                return r;
        name = properties_string(&manager, "DefaultAccount");
        if (!*name)
                return 0;
        *ret = strdup(name);
        return *ret ? 0 : fail_errno(-ENOMEM);
}

int session_new_manager(Session **ret, const Verb *verb, sd_bus *bus, const char *app,
                        const char *account) {
        CLEANUP(session_freep) Session *s = NULL;
        char *other = NULL;
        int r;

        r = session_new(&s, verb, app, account);
        if (r == 0 && !account)
                r = manager_find(&other, bus, s->account);
        if (r)
                return r;
        if (other) {
                free(s->account);
                s->account = other;
        }
        *ret = STEAL(s);
        return 0;
}

static int session_authorize(Session *s, iotc_token **ret) {
        iotc_token_free(*ret);
        *ret = NULL;
        if (iotc_token_get_authorization(s->client, s->account,
                                         IOTC_TOKEN_OPTIONS(.timeout = TOKEN_TIMEOUT_SEC), ret) < 0)
                return session_fail_client(s);
        s->api_token = !str_starts(iotc_token_value(*ret), "Bearer ");
        return 0;
}

/* A 401: tell the daemon. 0 and another token in *token; -1: there is no other; an exit code. */
static int session_renew(Session *s, iotc_token **token, const char *challenge) {
        CLEANUP(iotc_token_freep) iotc_token *former = STEAL(*token);
        const char *value = iotc_token_value(former);
        int r;

        /* What is no text, the bus would not carry; nor are there claims in it. */
        if (challenge && !utf8_is_valid(challenge, strlen(challenge)))
                challenge = NULL;
        if (iotc_token_report_rejected(s->client, s->account, value + (s->api_token ? 0 : 7),
                                       challenge) < 0)
                return session_fail_client(s);
        r = session_authorize(s, token);
        if (r)
                return r;
        return streq(iotc_token_value(*token), value) ? -1 : 0;
}

static bool is_idempotent(const char *method) {
        return streq(method, "GET") || streq(method, "HEAD") || streq(method, "PUT") ||
               streq(method, "DELETE") || streq(method, "OPTIONS");
}

/* Is it worth sending once more, in a moment? */
static bool session_may_repeat(const Session *s, const SessionRequest *request,
                               const HttpReply *reply) {
        bool harmless = is_idempotent(request->method) && !request->once;

        if (request->at_once)
                return false;
        if (reply->outcome == HTTP_E_UNSENT)
                return s->answered;
        if (reply->outcome == HTTP_E_LOST)
                return s->answered && harmless;
        if (reply->outcome)
                return false;
        return reply->status == 429 || (reply->status >= 500 && harmless);
}

/* Seconds until the next try, by the server's wish or twice as long each time. */
static uint64_t session_pause(const HttpReply *reply, unsigned tries) {
        return reply->has_retry_after ? reply->retry_after : UINT64_C(1) << (tries - 1);
}

/* Wait so long, and say so. 0, or 128 + a signal's number. */
static int session_wait(Session *s, const HttpReply *reply, uint64_t seconds, bool to_its_end) {
        uint16_t spread = 0;

        if (seconds > 1 || reply->outcome)
                say("%s %s; trying again in %" PRIu64 " s", s->address.host,
                    reply->outcome         ? _("gave no answer")
                    : reply->status == 429 ? _("has too many requests")
                                           : _("has a fault"),
                    seconds);
        s->waited += seconds;
        /* Up to a quarter of a second more, so that many clients don't come back at once. */
        (void)!getrandom(&spread, sizeof(spread), 0);
        for (uint64_t ms = seconds * 1000 + spread % 250; ms; ms -= MIN(ms, UINT64_C(200))) {
                if (!to_its_end && loop_interrupted())
                        return loop_interrupted();
                (void)poll(NULL, 0, (int)MIN(ms, UINT64_C(200)));
        }
        return 0;
}

/* A PATCH is a merge patch: some of the operations take nothing else. */
static const char *content_type_of(const SessionRequest *request) {
        if (!request->body || request->content_type)
                return request->content_type;
        for (size_t i = 0; request->headers && i < request->headers->n; i++)
                if (strncasecmp(request->headers->items[i], "Content-Type:", 13) == 0)
                        return NULL;
        return streq(request->method, "PATCH") ? "application/merge-patch+json"
                                               : "application/json";
}

/* Send, wait and send again. As session_send(). */
static int session_try(Session *s, HttpReply *reply, const HttpRequest *http,
                       const SessionRequest *request) {
        int r;

        for (unsigned tries = 1;; tries++) {
                uint64_t pause;

                http_send(s->http, reply, http);
                if (!session_may_repeat(s, request, reply) || tries == TRIES_MAX)
                        break;
                pause = session_pause(reply, tries);
                if (s->waited + pause > WAIT_MAX)
                        break;
                r = session_wait(s, reply, pause, request->to_its_end);
                if (r)
                        return r;
        }
        s->answered = s->answered || reply->outcome == 0;
        if (reply->outcome == 0 && reply->status < 300)
                s->waited = 0;
        return 0;
}

int session_send(Session *s, HttpReply *reply, const SessionRequest *request) {
        CLEANUP(iotc_token_freep) iotc_token *token = NULL;
        CLEANUP(freep) char *url = NULL;
        HttpRequest http = {
                .method = request->method,
                .content_type = content_type_of(request),
                .headers = request->headers ? (const char *const *)request->headers->items : NULL,
                .n_headers = request->headers ? request->headers->n : 0,
                .body = request->body,
                .n_body = request->n_body,
                .timeout_msec =
                        (request->to_its_end ? TIME_END_MAX_SEC : TIME_MAX_SEC) * UINT64_C(1000),
                .once = request->once || !is_idempotent(request->method),
                .to_its_end = request->to_its_end,
                .authorization = request->authorization,
        };
        int r;

        r = address_url(&url, &s->address, request->path, request->version ?: API_VERSION);
        if (r < 0)
                return fail_errno(r);
        if (r)
                return fail(EXIT_FAILED, "'%s' is no path of %s", request->path, s->address.host);
        http.url = url;
        if (request->authorization)
                return session_try(s, reply, &http, request);
        r = session_authorize(s, &token);
        if (r)
                return r;
        http.authorization = iotc_token_value(token);
        r = session_try(s, reply, &http, request);
        if (r || reply->outcome || reply->status != 401)
                return r;
        r = session_renew(s, &token, reply->www_authenticate);
        if (r)
                return r < 0 ? 0 : r;
        http.authorization = iotc_token_value(token);
        return session_try(s, reply, &http, request);
}

int session_fail(const Session *s, const HttpReply *reply) {
        AnswerContext context = { .host = s->address.host,
                                  .account = s->account,
                                  .api_token = s->api_token,
                                  .about_it = s->about_it,
                                  .maybe_http = address_may_speak_http(&s->address) };

        return answer_fail(&context, reply);
}

int session_ask(Session *s, HttpReply *reply, const SessionRequest *request) {
        int r;

        r = session_send(s, reply, request);
        return r ?: session_fail(s, reply);
}
