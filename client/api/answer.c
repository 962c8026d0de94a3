/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>

#include "api/answer.h"
#include "base/i18n.h"
#include "base/loop.h"
#include "base/say.h"
#include "common/utf8.h"

enum {
        MESSAGE_MAX = 600
};

void answer_error_deinit(AnswerError *error) {
        free(error->code);
        free(error->message);
        free(error->request_id);
        *error = (AnswerError){ 0 };
}

/* On one line, and without the words about support, which repeat the request's number and time. */
static char *message_clean(const char *text) {
        const char *support = text ? strstr(text, "You can contact support") : NULL;
        size_t n = text ? (support ? (size_t)(support - text) : strlen(text)) : 0;
        char *copy;

        n = MIN(n, (size_t)MESSAGE_MAX);
        while (n && text && ((unsigned char)text[n] & 0xc0) == 0x80)
                n--; /* never inside a character */
        while (n && (text[n - 1] == ' ' || text[n - 1] == '\n' || text[n - 1] == '.'))
                n--;
        copy = n ? strndup(text, n) : NULL;
        for (char *c = copy; c && *c; c++)
                if ((unsigned char)*c < 0x20)
                        *c = ' ';
        return copy;
}

static char *member_text(json_object *object, const char *name) {
        json_object *value;

        if (!json_object_object_get_ex(object, name, &value) ||
            !json_object_is_type(value, json_type_string))
                return NULL;
        return message_clean(json_object_get_string(value));
}

void answer_read_error(AnswerError *ret, const HttpReply *reply) {
        json_object *root, *error;

        *ret = (AnswerError){ 0 };
        if (!reply->body || !utf8_is_valid(reply->body, reply->n_body))
                return;
        root = json_tokener_parse(reply->body);
        if (root && json_object_object_get_ex(root, "error", &error) &&
            json_object_is_type(error, json_type_object)) {
                ret->code = member_text(error, "code");
                ret->message = member_text(error, "message");
                ret->request_id = member_text(error, "requestId");
        }
        json_object_put(root);
}

/* "The message (Code, request 1a2b)", or "HTTP 404"; freed by free(). */
static char *service_words(const AnswerError *e, long status) {
        char *words;
        int n;

        if (!e->code && !e->message)
                n = asprintf(&words, "HTTP %ld", status);
        else if (!e->message)
                n = asprintf(&words, "%s%s%s", e->code, e->request_id ? _(", request ") : "",
                             e->request_id ?: "");
        else if (!e->code && !e->request_id)
                n = asprintf(&words, "%s", e->message);
        else
                n = asprintf(&words, "%s (%s%s%s)", e->message, e->code ?: "",
                             !e->request_id ? ""
                             : e->code      ? _(", request ")
                                            : _("request "),
                             e->request_id ?: "");
        return n < 0 ? NULL : words;
}

/* IoT Central takes a person's token from the home tenant alone. */
static bool is_guest(const AnswerError *e) {
        return (e->code && str_starts(e->code, "403.043")) ||
               (e->message && strstr(e->message, "must get tokens from"));
}

#define EXPLAIN(code, format, ...) \
        (asprintf(ret, _(format), ##__VA_ARGS__) < 0 ? (*ret = NULL, (code)) : (code))

static int explain_refused(char **ret, const AnswerContext *c, const HttpReply *reply,
                           const AnswerError *e, const char *words) {
        if (reply->status == 401 && c->api_token)
                return EXPLAIN(EXIT_SIGN_IN_NEEDED,
                               "%s rejected the API token of '%s': %s. It was deleted there, or "
                               "is another application's. Store a new one: iotc-token api-token "
                               "add %s --replace",
                               c->host, c->account, words, c->account);
        if (reply->status == 401)
                return EXPLAIN(EXIT_SIGN_IN_NEEDED,
                               "%s rejected the token of '%s', and no other is to be had: %s. "
                               "Sign in again: iotc-token login %s",
                               c->host, c->account, words, c->account);
        if (is_guest(e))
                return EXPLAIN(EXIT_SETTINGS,
                               "%s: the person behind '%s' is a guest in the tenant that the token "
                               "is from: %s. Sign in to the home tenant: iotc-token login %s "
                               "--tenant DOMAIN",
                               c->host, c->account, words, c->account);
        if (c->about_it)
                return EXPLAIN(EXIT_SETTINGS,
                               "%s: '%s' has no role in this application: %s. An administrator of "
                               "it can add the user, or give a role, under Permissions > Users",
                               c->host, c->account, words);
        return EXPLAIN(EXIT_SETTINGS,
                       "%s knows '%s' but does not allow this: %s. An administrator of the "
                       "application can give it a role, under Permissions",
                       c->host, c->account, words);
}

static int explain_status(char **ret, const AnswerContext *c, const HttpReply *reply,
                          const AnswerError *e) {
        CLEANUP(freep) char *words = service_words(e, reply->status);

        if (reply->status < 400)
                return EXPLAIN(
                        EXIT_FAILED,
                        "%s leads to %.300s (HTTP %ld); that is not followed, so that a token "
                        "goes nowhere else",
                        c->host, reply->location ?: "nowhere", reply->status);
        switch (reply->status) {
        case 401:
        case 403:
                return explain_refused(ret, c, reply, e, words ?: "");
        case 404:
                if (c->about_it)
                        return EXPLAIN(EXIT_FAILED,
                                       "there is no application %s any more, or never was one: %s. "
                                       "Look for a typing error, or in the Azure portal",
                                       c->host, words ?: "");
                return EXPLAIN(EXIT_FAILED, "%s has no such thing: %s", c->host, words ?: "");
        case 429:
                if (reply->retry_after)
                        return EXPLAIN(EXIT_LATER,
                                       "%s has too many requests: %s. Try again in %llu s", c->host,
                                       words ?: "", (unsigned long long)reply->retry_after);
                return EXPLAIN(EXIT_LATER, "%s has too many requests: %s. Try again later", c->host,
                               words ?: "");
        default:
                if (reply->status >= 500)
                        return EXPLAIN(EXIT_LATER, "%s has a fault: %s. Try again later", c->host,
                                       words ?: "");
                return EXPLAIN(EXIT_FAILED, "%s refused it: %s", c->host, words ?: "");
        }
}

int answer_explain(char **ret, const AnswerContext *c, const HttpReply *reply) {
        AnswerError e = { 0 };
        int code;

        *ret = NULL;
        switch (reply->outcome) {
        case _HTTP_E_SUCCESS:
                break;
        case HTTP_E_NO_HOST:
                return EXPLAIN(EXIT_FAILED,
                               "there is no application %s: nobody has that name. Look for a "
                               "typing error; the name of a deleted application goes, too",
                               c->host);
        case HTTP_E_UNSENT:
                if (c->maybe_http)
                        return EXPLAIN(EXIT_LATER,
                                       "can't reach %s by https: %s. If it speaks http, name it "
                                       "http://%s",
                                       c->host, reply->error, c->host);
                return EXPLAIN(EXIT_LATER, "can't reach %s: %s. Look at the network, and try again",
                               c->host, reply->error);
        case HTTP_E_LOST:
                return EXPLAIN(EXIT_LATER,
                               "%s gave no answer: %s. What was asked may have been done", c->host,
                               reply->error);
        case HTTP_E_SETTING:
        case HTTP_E_CERTIFICATE:
                return EXPLAIN(EXIT_SETTINGS, "can't reach %s: %s", c->host, reply->error);
        case HTTP_E_INTERRUPTED:
                return loop_interrupted() ?: EXIT_INTERRUPTED;
        default:
                return EXPLAIN(EXIT_FAILED, "%s: %s", c->host, reply->error);
        }
        if (reply->status < 300)
                return 0;
        answer_read_error(&e, reply);
        code = explain_status(ret, c, reply, &e);
        answer_error_deinit(&e);
        return code;
}

int answer_fail(const AnswerContext *context, const HttpReply *reply) {
        CLEANUP(freep) char *text = NULL;
        int code = answer_explain(&text, context, reply);

        return text ? fail(code, "%s", text) : code;
}
