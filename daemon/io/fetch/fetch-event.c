/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "common/host.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/redact.h"
#include "common/text.h"
#include "io/fetch/fetch-event.h"
#include "model/limits.h"

struct FetchEvent {
        FetchEventType type;
        Json *json; /* the strings below are in here, or cleaned copies */
        char *clean[4];
        size_t n_clean;
        const char *const *secrets; /* of the request; only while it is parsed */
        size_t n_secrets;
        FetchPrompt prompt;
        FetchToken token;
        FetchError error;
};

static const struct {
        const char *kind;
        Outcome outcome;
} kinds[] = {
        { "sign-in-needed", OUTCOME_SIGN_IN_NEEDED }, { "try-later", OUTCOME_UNAVAILABLE },
        { "misconfigured", OUTCOME_MISCONFIGURED },   { "blocked", OUTCOME_BLOCKED },
        { "source-missing", OUTCOME_SOURCE_MISSING }, { "cancelled", OUTCOME_CANCELLED },
};

/* A copy without the secrets that we sent and that came, to be freed by free(). */
static char *event_redact(FetchEvent *e, const char *s) {
        const char *const came[] = { json_string(e->json, "access_token"),
                                     json_string(e->json, "refresh_token") };
        CLEANUP(freep) char *half = redact(s, e->secrets, e->n_secrets);

        return redact(half, came, ARRAY_SIZE(came));
}

/* A member as clean text that lives with the event; NULL when absent. */
static const char *event_text(FetchEvent *e, const char *key, size_t max) {
        const char *s = json_string(e->json, key);
        CLEANUP(freep) char *safe = s ? event_redact(e, s) : NULL;

        assert(e->n_clean < ARRAY_SIZE(e->clean));
        return safe ? e->clean[e->n_clean++] = text_clean(safe, max) : NULL;
}

static int prompt_parse(FetchEvent *e, uint64_t boottime, uint64_t wall, const char **ret_why) {
        FetchPrompt *p = &e->prompt;
        uint64_t expires_at = 0, left;
        CLEANUP(freep) char *safe = NULL;

        p->method = json_string(e->json, "method");
        p->verification_uri = json_string(e->json, "verification_uri");
        safe = p->verification_uri ? event_redact(e, p->verification_uri) : NULL;
        p->user_code = event_text(e, "user_code", 64);
        p->message = event_text(e, "message", LIMIT_TEXT);
        if (!safe || !streq(safe, p->verification_uri) || strlen(safe) > LIMIT_PROMPT_URI ||
            !host_url_is_safe(safe) || !p->method || !text_is_clean(p->method) ||
            json_uint(e->json, "expires_at", &expires_at) == -EBADMSG) {
                *ret_why = "a prompt with a bad method, URL or time";
                return -EBADMSG;
        }
        /* It was written a moment ago, by the same clock. */
        left = MIN(expires_at - MIN(wall, expires_at), (uint64_t)LIMIT_LIFETIME_SECONDS);
        p->expires_usec = expires_at ? boottime + left * USEC_PER_SEC : USEC_INFINITY;
        return 0;
}

/* NULL when there is none that could be stored. */
static const char *sound_refresh_token(FetchEvent *e) {
        const char *s = json_string(e->json, "refresh_token");

        return s && strlen(s) <= LIMIT_REFRESH_TOKEN && text_is_printable_ascii(s) ? s : NULL;
}

/* A token that can't be used is an error. A refresh token that came with it is kept: the one that
 * was sent may be spent. */
static void token_refuse(FetchEvent *e, const char *name, const char *s, size_t max) {
        e->type = FETCH_EVENT_ERROR;
        e->error.refresh_token = sound_refresh_token(e);
        if (s && strlen(s) > max)
                (void)problem_set(&e->error.problem, OUTCOME_UNAVAILABLE,
                                  "the %s that came has %zu bytes, more than the %zu that are "
                                  "taken.",
                                  name, strlen(s), max);
        else
                (void)problem_set(&e->error.problem, OUTCOME_UNAVAILABLE,
                                  "the %s that came can't be used.", name);
}

static void token_parse(FetchEvent *e, uint64_t boottime) {
        const char *refresh_token = json_string(e->json, "refresh_token");
        FetchToken *t = &e->token;
        uint64_t expires_in, refresh_in = 0;

        t->access_token = json_string(e->json, "access_token");
        t->refresh_token = sound_refresh_token(e);
        if (!t->access_token || strlen(t->access_token) > LIMIT_ACCESS_TOKEN ||
            !text_is_b64token(t->access_token))
                token_refuse(e, "access token", t->access_token, LIMIT_ACCESS_TOKEN);
        else if (refresh_token && !t->refresh_token)
                token_refuse(e, "refresh token", refresh_token, LIMIT_REFRESH_TOKEN);
        else if (json_uint(e->json, "expires_in", &expires_in) < 0 || expires_in == 0 ||
                 json_uint(e->json, "refresh_in", &refresh_in) == -EBADMSG)
                token_refuse(e, "life of the access token", NULL, 0);
        if (e->type == FETCH_EVENT_ERROR)
                return;
        expires_in = MIN(expires_in, (uint64_t)LIMIT_LIFETIME_SECONDS);
        t->issued_usec = boottime;
        t->expires_usec = boottime + expires_in * USEC_PER_SEC;
        t->refresh_usec =
                refresh_in && refresh_in < expires_in ? boottime + refresh_in * USEC_PER_SEC : 0;
        /* One that is no number tells nothing, and is no reason to lose the token. */
        if (json_uint(e->json, "date", &t->date) < 0)
                t->date = 0;
        t->user = event_text(e, "user", 320);
        t->tenant = event_text(e, "tenant", 253);
}

/* As the fetcher takes them back, else none. */
static const char *claims_checked(const char *claims) {
        CLEANUP(json_freep) Json *object = NULL;

        if (!claims || strlen(claims) > LIMIT_CLAIMS ||
            json_parse(&object, claims, strlen(claims)) < 0)
                return NULL;
        return claims;
}

static int error_parse(FetchEvent *e, const char **ret_why) {
        const char *kind = json_string(e->json, "kind");
        const char *message = event_text(e, "message", LIMIT_TEXT);
        FetchError *error = &e->error;
        uint64_t retry_after = 0;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (streq(kind, kinds[i].kind)) {
                        if (str_empty(message))
                                message = "the fetcher gave no reason";
                        if (json_uint(e->json, "retry_after", &retry_after) < 0)
                                retry_after = 0;
                        error->retry_after = MIN(retry_after, (uint64_t)LIMIT_RETRY_AFTER_SECONDS);
                        error->claims = claims_checked(json_string(e->json, "claims"));
                        error->refresh_token = sound_refresh_token(e);
                        error->unsent = json_is_false(e->json, "sent");
                        (void)problem_set(&error->problem, kinds[i].outcome, "%s", message);
                        return 0;
                }
        *ret_why = "an error of no known kind";
        return -EBADMSG;
}

int fetch_event_parse(FetchEvent **ret, const char *line, size_t n, const char *const *secrets,
                      size_t n_secrets, uint64_t boottime, uint64_t wall, const char **ret_why) {
        CLEANUP(fetch_event_freep) FetchEvent *e = NULL;
        const char *name;
        int r;

        *ret_why = "a line that is no JSON object";
        e = xcalloc(1, sizeof(*e));
        e->secrets = secrets;
        e->n_secrets = n_secrets;
        r = json_parse(&e->json, line, n);
        if (r < 0)
                return r;
        name = json_string(e->json, "event");
        if (streq(name, "prompt")) {
                e->type = FETCH_EVENT_PROMPT;
                r = prompt_parse(e, boottime, wall, ret_why);
        } else if (streq(name, "token")) {
                e->type = FETCH_EVENT_TOKEN;
                token_parse(e, boottime);
        } else if (streq(name, "error")) {
                e->type = FETCH_EVENT_ERROR;
                r = error_parse(e, ret_why);
        }
        if (r < 0)
                return r;
        *ret = STEAL(e);
        return 0;
}

FetchEvent *fetch_event_free(FetchEvent *e) {
        if (e) {
                for (size_t i = 0; i < e->n_clean; i++)
                        free(e->clean[i]);
                problem_clear(&e->error.problem);
                json_free(e->json);
                free(e);
        }
        return NULL;
}

FetchEventType fetch_event_type(const FetchEvent *e) {
        return e->type;
}

bool fetch_event_has_secret(const FetchEvent *e) {
        return json_has(e->json, "access_token") || json_has(e->json, "refresh_token");
}

void fetch_event_dispatch(const FetchEvent *e, const FetchHandler *handler, void *userdata) {
        switch (e->type) {
        case FETCH_EVENT_PROMPT:
                if (handler->prompt)
                        handler->prompt(&e->prompt, userdata);
                break;
        case FETCH_EVENT_TOKEN:
                handler->token(&e->token, userdata);
                break;
        case FETCH_EVENT_ERROR:
                handler->error(&e->error, userdata);
                break;
        case FETCH_EVENT_OTHER:
                break;
        }
}
