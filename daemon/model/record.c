/* SPDX-License-Identifier: MIT */
#include "model/record.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/secret.h"

/* Raised when the meaning of a field changes: older records are then ignored, not misread. */
enum {
        RECORD_GENERATION = 1
};

static void field_set(char **field, const char *value) {
        char *copy = xstrdup(value);

        secret_free(*field);
        *field = copy;
}

static bool source_has_identity(AccountSource source) {
        return source == ACCOUNT_SOURCE_ENTRA || source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS;
}

/* What tells whose tokens the source's program gives; no value of these has a line break. */
static char *whose_new(const Account *a) {
        const char *subscription = a->subscription ? a->subscription : "";
        const char *config_dir = a->config_dir ? a->config_dir : "";
        const char *command = a->command ? a->command : "";

        if (!*subscription && !*config_dir && !*command)
                return NULL;
        return xasprintf("%s\n%s\n%s", subscription, config_dir, command);
}

int record_new(Record **ret, const Account *a) {
        Record *r = xcalloc(1, sizeof(*r));

        r->source = xstrdup(account_source_to_string(a->source));
        if (a->source != ACCOUNT_SOURCE_API_TOKEN)
                r->tenant = xstrdup(a->tenant);
        if (source_has_identity(a->source)) {
                r->authority = xstrdup(a->authority);
                r->client_id = xstrdup(account_client_id(a));
        }
        r->whose = whose_new(a);
        *ret = r;
        return 0;
}

void record_drop_tokens(Record *r) {
        for (size_t i = 0; i < r->n_tokens; i++) {
                free(r->tokens[i].resource);
                secret_free(r->tokens[i].access_token);
                free(r->tokens[i].boot);
        }
        free(r->tokens);
        r->tokens = NULL;
        r->n_tokens = 0;
}

Record *record_free(Record *r) {
        if (r) {
                record_drop_tokens(r);
                free(r->source);
                free(r->authority);
                free(r->tenant);
                free(r->client_id);
                free(r->whose);
                free(r->user);
                free(r->seen_tenant);
                secret_free(r->secret);
                free(r);
        }
        return NULL;
}

int record_to_text(char **ret, const Record *r) {
        JsonWriter w = { 0 };

        json_writer_open(&w, NULL, '{');
        json_writer_uint(&w, "generation", RECORD_GENERATION);
        json_writer_string(&w, "source", r->source);
        json_writer_string(&w, "authority", r->authority);
        json_writer_string(&w, "tenant", r->tenant);
        json_writer_string(&w, "client_id", r->client_id);
        json_writer_string(&w, "whose", r->whose);
        json_writer_string(&w, "user", r->user);
        json_writer_string(&w, "seen_tenant", r->seen_tenant);
        json_writer_string(&w, "secret", r->secret);
        if (r->secret_at)
                json_writer_uint(&w, "secret_at", r->secret_at);
        json_writer_open(&w, "tokens", '[');
        for (size_t i = 0; i < r->n_tokens; i++) {
                json_writer_open(&w, NULL, '{');
                json_writer_string(&w, "resource", r->tokens[i].resource);
                json_writer_string(&w, "access_token", r->tokens[i].access_token);
                json_writer_uint(&w, "issued_at", r->tokens[i].issued_at);
                json_writer_uint(&w, "expires_at", r->tokens[i].expires_at);
                json_writer_uint(&w, "refresh_at", r->tokens[i].refresh_at);
                if (r->tokens[i].boot) {
                        json_writer_string(&w, "boot", r->tokens[i].boot);
                        json_writer_uint(&w, "issued_usec", r->tokens[i].issued_usec);
                        json_writer_uint(&w, "expires_usec", r->tokens[i].expires_usec);
                        json_writer_uint(&w, "refresh_usec", r->tokens[i].refresh_usec);
                }
                json_writer_close(&w, '}');
        }
        json_writer_close(&w, ']');
        json_writer_close(&w, '}');
        *ret = json_writer_finish(&w, NULL);
        return 0;
}

static void token_from_json(Record *record, const Json *entry) {
        const char *resource = json_string(entry, "resource");
        const char *access_token = json_string(entry, "access_token");
        const char *boot = json_string(entry, "boot");
        uint64_t issued_at, expires_at, refresh_at, issued, expires, refresh;

        if (!resource || !access_token || json_uint(entry, "issued_at", &issued_at) < 0 ||
            json_uint(entry, "expires_at", &expires_at) < 0 ||
            json_uint(entry, "refresh_at", &refresh_at) < 0)
                return; /* the secret gets a new one */
        record_set_token(record, resource, access_token, issued_at, expires_at, refresh_at);
        if (boot && json_uint(entry, "issued_usec", &issued) == 0 &&
            json_uint(entry, "expires_usec", &expires) == 0 &&
            json_uint(entry, "refresh_usec", &refresh) == 0)
                record_set_boottimes(record, resource, boot, issued, expires, refresh);
}

int record_from_text(Record **ret, const char *text) {
        CLEANUP(json_freep) Json *object = NULL;
        Record *record;
        uint64_t generation;
        int r;

        r = json_parse(&object, text, strlen(text));
        if (r < 0)
                return r;
        if (json_uint(object, "generation", &generation) < 0 || generation != RECORD_GENERATION ||
            !json_string(object, "source"))
                return -EBADMSG;

        *ret = record = xcalloc(1, sizeof(*record));
        record->source = xstrdup(json_string(object, "source"));
        record->authority = xstrdup(json_string(object, "authority"));
        record->tenant = xstrdup(json_string(object, "tenant"));
        record->client_id = xstrdup(json_string(object, "client_id"));
        record->whose = xstrdup(json_string(object, "whose"));
        record->user = xstrdup(json_string(object, "user"));
        record->seen_tenant = xstrdup(json_string(object, "seen_tenant"));
        record->secret = xstrdup(json_string(object, "secret"));
        if (json_uint(object, "secret_at", &record->secret_at) < 0)
                record->secret_at = 0; /* as in the records of version 0.1 */
        for (const Json *entry = json_first(object, "tokens"); entry; entry = json_next(entry))
                token_from_json(record, entry);
        return 0;
}

bool record_same_identity(const Record *a, const Record *b) {
        return streq(a->source, b->source) && streq(a->authority, b->authority) &&
               streq(a->tenant, b->tenant) && streq(a->client_id, b->client_id) &&
               streq(a->whose, b->whose);
}

/* Is this what whose_new() makes of it? */
static bool whose_matches(const char *whose, const Account *a) {
        const char *const parts[] = { a->subscription ?: "", a->config_dir ?: "",
                                      a->command ?: "" };
        const char *s = whose ?: "\n\n";

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                size_t n = strlen(parts[i]);

                if (strncmp(s, parts[i], n) != 0 || s[n] != (i < 2 ? '\n' : '\0'))
                        return false;
                s += n + 1;
        }
        return true;
}

bool record_matches(const Record *r, const Account *a) {
        bool identity = source_has_identity(a->source);

        return streq(r->source, account_source_to_string(a->source)) &&
               streq(r->authority, identity ? a->authority : NULL) &&
               streq(r->tenant, a->source != ACCOUNT_SOURCE_API_TOKEN ? a->tenant : NULL) &&
               streq(r->client_id, identity ? account_client_id(a) : NULL) &&
               whose_matches(r->whose, a);
}

int record_set_secret(Record *r, const char *secret) {
        field_set(&r->secret, secret);
        r->secret_at = 0;
        return 0;
}

int record_set_user(Record *r, const char *user) {
        field_set(&r->user, user);
        return 0;
}

int record_set_seen_tenant(Record *r, const char *tenant) {
        field_set(&r->seen_tenant, tenant);
        return 0;
}

static RecordToken *token_find(Record *r, const char *resource) {
        for (size_t i = 0; i < r->n_tokens; i++)
                if (streq(r->tokens[i].resource, resource))
                        return &r->tokens[i];
        return NULL;
}

int record_set_token(Record *r, const char *resource, const char *access_token, uint64_t issued_at,
                     uint64_t expires_at, uint64_t refresh_at) {
        RecordToken *t = token_find(r, resource);

        if (!t) {
                r->tokens = xreallocarray(r->tokens, r->n_tokens + 1, sizeof(*r->tokens));
                t = &r->tokens[r->n_tokens++];
                *t = (RecordToken){ .resource = xstrdup(resource) };
        }
        field_set(&t->access_token, access_token);
        t->issued_at = issued_at;
        t->expires_at = expires_at;
        t->refresh_at = refresh_at;
        free(t->boot);
        t->boot = NULL;
        return 0;
}

int record_set_boottimes(Record *r, const char *resource, const char *boot, uint64_t issued_usec,
                         uint64_t expires_usec, uint64_t refresh_usec) {
        RecordToken *t = token_find(r, resource);

        if (!t || str_empty(boot))
                return 0;
        field_set(&t->boot, boot);
        t->issued_usec = issued_usec;
        t->expires_usec = expires_usec;
        t->refresh_usec = refresh_usec;
        return 0;
}
