/* SPDX-License-Identifier: MIT */
/*
 * See oauth-error.h. Microsoft says that AADSTS numbers and texts may change: `error` and
 * `suberror` decide, the texts are only shown. The one exception is 50196, Entra's loop detector,
 * which hides behind invalid_grant and wants silence.
 */
#include "fetch/oauth-error.h"
#include "common/host.h"
#include "common/memory.h"
#include "common/secret.h"
#include "common/text.h"
#include "model/limits.h"

enum {
        OAUTH_SENTENCE_MAX = 280, /* bytes of a server's text in ours */
        OAUTH_CODE_MAX = 64,
        OAUTH_LOOP_SILENCE = 300, /* seconds after AADSTS50196 */
};

typedef struct OauthError OauthError;

struct OauthError {
        const char *error;
        AnswerKind kind;
        const char *lead; /* what happened, after the name of the host */
        const char *hint; /* what to do */
};

#define LEAD_SIGN_IN "wants a new sign-in"
#define LEAD_LATER   "can't answer now"
#define LEAD_REFUSED "refuses the settings"
#define HINT_LATER   "It is worth another try later."
#define HINT_CLIENT                                                        \
        "Check client-id and tenant, and that the app registration allows" \
        " public client flows."
#define HINT_RESOURCE                                                  \
        "Check resource; an administrator may have to add its service" \
        " principal to the tenant."
#define HINT_TENANT  "Check tenant: use the tenant's id or domain."
#define HINT_SIGN_IN "Sign in again."

static const OauthError errors[] = {
        { "invalid_grant", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "interaction_required", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "login_required", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "consent_required", ANSWER_SIGN_IN_NEEDED, "wants consent to this application",
          "Sign in again and consent, or ask an administrator to." },
        { "bad_token", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "ui_not_allowed", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "interrupted_user", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "expired_token", ANSWER_SIGN_IN_NEEDED,
          "says that the code expired before somebody signed in",
          "Start the sign-in again for a new code." },
        { "code_expired", ANSWER_SIGN_IN_NEEDED,
          "says that the code expired before somebody signed in",
          "Start the sign-in again for a new code." },
        { "bad_verification_code", ANSWER_SIGN_IN_NEEDED, "does not know the code",
          "Check tenant, and start the sign-in again." },
        { "authorization_declined", ANSWER_CANCELLED, "says that the sign-in was declined",
          "Start it again to sign in." },
        { "access_denied", ANSWER_CANCELLED, "says that the sign-in was declined",
          "Start it again to sign in." },
        { "temporarily_unavailable", ANSWER_TRY_LATER, LEAD_LATER, HINT_LATER },
        { "server_error", ANSWER_TRY_LATER, LEAD_LATER, HINT_LATER },
        { "slow_down", ANSWER_TRY_LATER, "was asked too often", HINT_LATER },
        { "invalid_client", ANSWER_MISCONFIGURED, LEAD_REFUSED, HINT_CLIENT },
        { "unauthorized_client", ANSWER_MISCONFIGURED, LEAD_REFUSED, HINT_CLIENT },
        { "invalid_scope", ANSWER_MISCONFIGURED, LEAD_REFUSED, HINT_RESOURCE },
        { "invalid_resource", ANSWER_MISCONFIGURED, LEAD_REFUSED, HINT_RESOURCE },
        { "invalid_request", ANSWER_MISCONFIGURED, LEAD_REFUSED, HINT_TENANT },
        { "unsupported_grant_type", ANSWER_MISCONFIGURED, LEAD_REFUSED, HINT_CLIENT },
        { "invalid_tenant", ANSWER_MISCONFIGURED, LEAD_REFUSED, HINT_TENANT },
        { "invalid_instance", ANSWER_MISCONFIGURED, LEAD_REFUSED,
          "Check authority: the tenant may live in another cloud." },
};

/* The same of `suberror`; message_only means that policy stands in the way and no try helps. */
static const OauthError suberrors[] = {
        { "message_only", ANSWER_BLOCKED, "blocks this sign-in by a policy",
          "Ask an administrator; signing in again does not help." },
        { "basic_action", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "additional_action", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "user_password_expired", ANSWER_SIGN_IN_NEEDED, "says that the password has expired",
          "Change it and sign in again." },
        { "consent_required", ANSWER_SIGN_IN_NEEDED, "wants consent to this application",
          "Sign in again and consent, or ask an administrator to." },
        { "bad_token", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "token_expired", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "ui_not_allowed", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
        { "interrupted_user", ANSWER_SIGN_IN_NEEDED, LEAD_SIGN_IN, HINT_SIGN_IN },
};

static const OauthError *oauth_find(const OauthError *table, size_t n, const char *error) {
        for (size_t i = 0; error && i < n; i++)
                if (streq(table[i].error, error))
                        return &table[i];
        return NULL;
}

char *oauth_sentence(const char *description) {
        CLEANUP(secret_freep) char *line = NULL;
        char *end, *sentence;

        if (str_empty(description))
                return NULL;
        line = xstrndup(description, strcspn(description, "\r\n"));
        end = strstr(line, " Trace ID:");
        if (end)
                *end = '\0';
        end = strstr(line, ". ");
        if (end)
                end[1] = '\0';
        sentence = text_clean(line, OAUTH_SENTENCE_MAX);
        return str_empty(sentence) ? secret_free(sentence) : sentence;
}

static void oauth_accept_details(Answer *answer, const Json *object) {
        const char *claims = json_string(object, "claims");
        CLEANUP(json_freep) Json *parsed = NULL;

        answer->code = text_clean(json_string(object, "error"), OAUTH_CODE_MAX);
        if (claims && strlen(claims) <= LIMIT_CLAIMS && text_is_clean(claims) &&
            json_parse(&parsed, claims, strlen(claims)) == 0)
                answer->claims = xstrdup(claims);
}

static bool oauth_is_loop(const char *sentence) {
        return sentence && str_starts(sentence, "AADSTS50196:");
}

static OauthError oauth_by_name(const char *error, const char *suberror) {
        const OauthError *e = oauth_find(errors, ARRAY_SIZE(errors), error);
        const OauthError *sub = oauth_find(suberrors, ARRAY_SIZE(suberrors), suberror);

        if (sub && (!e || e->kind == ANSWER_SIGN_IN_NEEDED))
                return *sub;
        if (e)
                return *e;
        return (OauthError){ NULL, ANSWER_MISCONFIGURED, LEAD_REFUSED,
                             "Check authority, tenant and client-id." };
}

/* The order of the tests is the reference's, see oauth.h. */
static OauthError oauth_classify(const HttpReply *reply, const Json *object) {
        const char *error = object ? json_string(object, "error") : NULL;
        const char *suberror = object ? json_string(object, "suberror") : NULL;

        if (reply->status == 429)
                return (OauthError){ NULL, ANSWER_TRY_LATER, "was asked too often", HINT_LATER };
        /* 408: RFC 9110 15.5.9; whoever stands between sends it, and it says nothing of us. */
        if (reply->status >= 500 || reply->status == 408 || reply->retry_after)
                return (OauthError){ NULL, ANSWER_TRY_LATER, LEAD_LATER, HINT_LATER };
        if (reply->status >= 400 || oauth_find(errors, ARRAY_SIZE(errors), error) ||
            oauth_find(suberrors, ARRAY_SIZE(suberrors), suberror))
                return oauth_by_name(error, suberror);
        return (OauthError){ NULL, ANSWER_TRY_LATER, "gave no token",
                             "A sign-in page of the network may be between." };
}

/* details: what the server said, or NULL; then there is a fallback. */
static void oauth_say(Answer *answer, OauthError e, const char *host, const char *details,
                      const char *fallback) {
        const char *said = details ? details : fallback;

        answer_set(answer, e.kind, "%s %s: %s%s %s", host, e.lead, said,
                   said[strlen(said) - 1] == '.' ? "" : ".", e.hint);
}

static void oauth_transport(Answer *answer, const HttpReply *reply, const char *host) {
        switch (reply->outcome) {
        case HTTP_E_SETTING:
                answer_set(answer, ANSWER_MISCONFIGURED, "%s can't be asked: %s.", host,
                           reply->error);
                break;
        case HTTP_E_UNSENT:
        case HTTP_E_CERTIFICATE:
                answer_set(answer, ANSWER_TRY_LATER, "%s can't be reached: %s.", host,
                           reply->error);
                break;
        default:
                answer_set(answer, ANSWER_TRY_LATER, "The answer of %s was lost: %s.", host,
                           reply->error);
                break;
        }
}

void oauth_read_error(Answer *answer, const HttpReply *reply, const Json *object,
                      const char *authority) {
        CLEANUP(secret_freep) char *sentence = NULL;
        CLEANUP(freep) char *host = host_of_url(authority);
        char status[32];
        uint64_t retry = reply->retry_after;
        OauthError e;

        if (reply->outcome) {
                oauth_transport(answer, reply, host);
                return;
        }
        e = oauth_classify(reply, object);
        sentence = oauth_sentence(object ? json_string(object, "error_description") : NULL);
        (void)snprintf(status, sizeof(status), "HTTP status %ld", reply->status);
        oauth_say(answer, e, host, sentence, status);
        if (object)
                oauth_accept_details(answer, object);
        if (oauth_is_loop(sentence))
                retry = MAX(retry, (uint64_t)OAUTH_LOOP_SILENCE);
        if (retry)
                answer->retry_usec = reply->sent_usec + retry * USEC_PER_SEC;
}

void oauth_blame_client(Answer *answer, const HttpReply *reply, const char *authority) {
        CLEANUP(secret_freep) char *sentence = NULL;
        CLEANUP(json_freep) Json *object = NULL;
        OauthError e = { NULL, ANSWER_MISCONFIGURED, "refuses the client",
                         "Check client-id and tenant." };
        CLEANUP(freep) char *host = host_of_url(authority);

        if (streq(answer->code, "invalid_client"))
                e.hint =
                        "The secret may be wrong, or over: make a new one in the app registration.";
        else if (!streq(answer->code, "unauthorized_client"))
                return;
        if (json_parse(&object, reply->body, reply->n_body) < 0)
                return;
        sentence = oauth_sentence(json_string(object, "error_description"));
        if (sentence && str_starts(sentence, "AADSTS7000215"))
                e.hint = "The client secret is wrong: store its value, not its id.";
        else if (sentence && str_starts(sentence, "AADSTS7000222"))
                e.hint = "The client secret has expired: make a new one in the app registration.";
        oauth_say(answer, e, host, sentence, "no reason given");
        oauth_accept_details(answer, object);
}

void oauth_read_redirect(Answer *answer, const char *error, const char *description,
                         const char *authority) {
        CLEANUP(secret_freep) char *sentence = oauth_sentence(description);
        CLEANUP(secret_freep) char *code = text_clean(error, OAUTH_CODE_MAX);
        CLEANUP(freep) char *host = host_of_url(authority);

        /* A person who said no to the consent, whatever the name that comes with it. */
        if (sentence && str_starts(sentence, "AADSTS65004"))
                error = "access_denied";
        oauth_say(answer, oauth_by_name(error, NULL), host, sentence,
                  str_empty(code) ? "no reason given" : code);
        answer->code = STEAL(code);
}

void oauth_unusable(Answer *answer, const char *authority, const char *what) {
        CLEANUP(freep) char *host = host_of_url(authority);

        answer_set(answer, ANSWER_TRY_LATER, "The answer of %s can't be used: %s.", host, what);
}
