/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "api/json-text.h"
#include "api/roles.h"
#include "api/tokens.h"
#include "base/say.h"
#include "common/utf8.h"

enum {
        PROOFS_MAX = 3
};

void created_token_deinit(CreatedToken *token) {
        if (token->secret)
                explicit_bzero(token->secret, strlen(token->secret));
        free(token->secret);
        free(token->expiry);
        *token = (CreatedToken){ 0 };
}

char *tokens_path(const char *id) {
        char *path = malloc(sizeof("/api/apiTokens/") + 3 * strlen(id)), *out;

        if (!path)
                return NULL;
        out = stpcpy(path, "/api/apiTokens/");
        for (; *id; id++)
                out += isalnum((unsigned char)*id) || strchr("-_~", *id)
                               ? (*out = *id, 1)
                               : sprintf(out, "%%%02X", (unsigned char)*id);
        *out = '\0';
        return path;
}

int tokens_load(Session *s, json_object **ret) {
        return pages_get_all(s, ret, "/api/apiTokens");
}

json_object *tokens_find(json_object *tokens, const char *id) {
        for (size_t i = 0; i < json_object_array_length(tokens); i++)
                if (streq(member_string(json_object_array_get_idx(tokens, i), "id"), id))
                        return json_object_array_get_idx(tokens, i);
        return NULL;
}

/* {"roles": [...], "expiry": "..."}; NULL without memory. */
static json_object *create_body(json_object *roles, const char *expiry) {
        json_object *body = json_object_new_object();

        if (body && json_object_object_add(body, "roles", json_object_get(roles)) == 0 &&
            (!expiry ||
             json_object_object_add(body, "expiry", json_object_new_string(expiry)) == 0))
                return body;
        json_object_put(body);
        return NULL;
}

/* What came back: the token goes straight from the reply to where it is kept. */
static int created_read(const Session *s, CreatedToken *ret, const HttpReply *reply) {
        const char *value;
        size_t n;

        if (!utf8_is_valid(reply->body, reply->n_body) ||
            !json_text_member(reply->body, reply->n_body, "token", &value, &n))
                return fail(EXIT_FAILED, "%s created a token, but did not tell it",
                            s->address.host);
        ret->secret = malloc(n + 1);
        if (!ret->secret)
                return fail_errno(-ENOMEM);
        if (!json_text_ascii(value, n, ret->secret))
                return fail(EXIT_FAILED, "%s created a token, but what it told is none",
                            s->address.host);
        if (json_text_member(reply->body, reply->n_body, "expiry", &value, &n)) {
                ret->expiry = malloc(n + 1);
                if (!ret->expiry)
                        return fail_errno(-ENOMEM);
                (void)json_text_ascii(value, n, ret->expiry);
        }
        return 0;
}

int tokens_create(Session *s, CreatedToken *ret, const char *id, json_object *roles,
                  const char *expiry) {
        CLEANUP(json_objectp) json_object *body = create_body(roles, expiry);
        CLEANUP(freep) char *path = tokens_path(id);
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        SessionRequest request = { .method = "PUT", .path = path, .once = true };
        int r;

        if (!body || !path)
                return fail_errno(-ENOMEM);
        request.body = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
        request.n_body = strlen(request.body);
        r = session_send(s, &reply, &request);
        if (r)
                return r;
        /* Only a plain refusal tells that there is none. */
        ret->may_exist =
                reply.outcome ? http_was_sent(&reply) : reply.status < 300 || reply.status >= 500;
        r = session_fail(s, &reply);
        return r ?: created_read(s, ret, &reply);
}

int tokens_prove(Session *s, const char *secret) {
        SessionRequest request = { .method = "GET",
                                   .path = "/api/devices",
                                   .authorization = secret };
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        int r;

        for (unsigned i = 1;; i++) {
                r = session_send(s, &reply, &request);
                if (r)
                        return r;
                /* Whoever is told that a role does not allow it, has been recognized. */
                if (reply.outcome == 0 && reply.status == 403)
                        return 0;
                if (reply.outcome || reply.status != 401 || i == PROOFS_MAX)
                        break;
                (void)usleep(250000U << i);
        }
        if (reply.outcome == 0 && reply.status == 401)
                return fail(EXIT_FAILED, "%s does not take the new token", s->address.host);
        return session_fail(s, &reply);
}

int tokens_delete(Session *s, const char *id, bool to_its_end) {
        CLEANUP(freep) char *path = tokens_path(id);
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        SessionRequest request = { .method = "DELETE", .path = path, .to_its_end = to_its_end };
        int r;

        if (!path)
                return fail_errno(-ENOMEM);
        r = session_send(s, &reply, &request);
        if (r || (to_its_end && reply.outcome == 0 && reply.status == 404))
                return r;
        return session_fail(s, &reply);
}

int tokens_undo(Session *s, const char *id, int code) {
        if (tokens_delete(s, id, true) == 0)
                say("The API token '%s' was deleted at %s again", id, s->address.host);
        else
                say("The API token '%s' may be left at %s. Delete it there: iotc-token api-token "
                    "revoke %s --app %s",
                    id, s->address.host, id, s->address.origin);
        return code;
}
