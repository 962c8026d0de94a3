/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api-token list, show and revoke: the API tokens that an application knows. Their
 * secrets can't be seen any more.
 */
#include <inttypes.h>
#include <time.h>

#include "api/app.h"
#include "api/json-text.h"
#include "api/roles.h"
#include "api/token-text.h"
#include "api/tokens.h"
#include "api/verbs.h"
#include "base/display.h"
#include "base/output.h"
#include "base/say.h"
#include "base/table.h"

typedef struct TokenOptions {
        const char *app, *account;
        bool json;
} TokenOptions;

/* Parse the options that all have, and connect. 0 and *ret, or an exit code. */
static int tokens_open(Session **ret, const Verb *verb, TokenOptions *o, int *argc, char **argv,
                       bool json, int n) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const Option options[] = {
                { "app", "HOST", N_("the application, if not that of IOTC_TOKEN_APP"),
                  OPTION_STRING, &o->app },
                { "account", "NAME", N_("the account that asks"), OPTION_STRING, &o->account },
                { json ? "json" : NULL, NULL, N_("print JSON"), OPTION_FLAG, &o->json },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, argc, argv, n, n);
        if (r)
                return r;
        o->app = app_or_environment(o->app);
        if (!o->app)
                return args_wrong(verb, "which application? Add --app HOST");
        if (n && !*argv[0])
                return args_wrong(verb, "an id can't be empty");
        r = bus_open(&bus);
        return r ?: session_new_manager(ret, verb, bus, o->app, o->account);
}

static int print_json(json_object *object) {
        JsonPretty pretty = { .f = stdout };
        const char *text = json_object_to_json_string_ext(
                object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

        if (!text)
                return fail_errno(-ENOMEM);
        if (output_is_terminal())
                json_pretty_feed(&pretty, text, strlen(text));
        else
                fputs(text, stdout);
        putchar('\n');
        return 0;
}

/* "Operator, Org Admin (seattle)": with names, or ids where roles is NULL. Freed by free(). */
static char *roles_text(json_object *token, json_object *roles) {
        json_object *list = json_object_object_get(token, "roles");
        char *text = NULL;
        size_t n;
        FILE *f = open_memstream(&text, &n);

        if (!f)
                return NULL;
        for (size_t i = 0;
             json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
             i++) {
                json_object *role = json_object_array_get_idx(list, i);
                const char *organization = member_string(role, "organization");

                fprintf(f, "%s%s", i ? ", " : "", roles_name(roles, member_string(role, "role")));
                if (*organization)
                        fprintf(f, " (%s)", organization);
        }
        return fclose(f) == 0 ? text : NULL;
}

static void list_add(Table *table, json_object *token, json_object *roles) {
        CLEANUP(freep) char *names = roles_text(token, roles);
        CLEANUP(freep) char *ids = roles_text(token, NULL);
        uint64_t at = token_time_parse(member_string(token, "expiry")), now = (uint64_t)time(NULL);
        char left[DISPLAY_DURATION_SIZE], seconds[24];

        snprintf(seconds, sizeof(seconds), "%" PRIu64, at);
        table_add(table, member_string(token, "id"), member_string(token, "id"), TABLE_PLAIN);
        table_add(table, names ?: "", ids ?: "", TABLE_PLAIN);
        table_add(table, display_left(left, at, now), seconds,
                  at > now + 14 * 86400 || !at ? TABLE_PLAIN
                  : at > now                   ? TABLE_YELLOW
                                               : TABLE_RED);
}

int verb_token_list(const Verb *verb, int argc, char **argv) {
        static const char *const headings[] = { N_("ID"), N_("ROLES"), N_("ENDS IN") };
        TableLook look;
        CLEANUP(session_freep) Session *s = NULL;
        CLEANUP(json_objectp) json_object *tokens = NULL, *roles = NULL;
        CLEANUP(table_freep) Table *table = NULL;
        TokenOptions o = { 0 };
        int r;

        r = tokens_open(&s, verb, &o, &argc, argv, true, 0);
        r = r ?: tokens_load(s, &tokens);
        if (r)
                return r;
        if (o.json)
                return print_json(tokens);
        if (json_object_array_length(tokens) == 0) {
                say("%s has no API token yet; 'iotc-token api-token create' makes one",
                    s->address.host);
                return 0;
        }
        r = roles_load(s, &roles);
        if (r)
                return r;
        r = table_new(&table, ARRAY_SIZE(headings), headings);
        for (size_t i = 0; r == 0 && i < json_object_array_length(tokens); i++)
                list_add(table, json_object_array_get_idx(tokens, i), roles);
        if (r == 0)
                r = table_print(table, stdout, output_look(&look));
        return r < 0 ? fail_errno(r) : 0;
}

int verb_token_show(const Verb *verb, int argc, char **argv) {
        CLEANUP(session_freep) Session *s = NULL;
        CLEANUP(json_objectp) json_object *tokens = NULL, *roles = NULL;
        CLEANUP(freep) char *names = NULL;
        TokenOptions o = { 0 };
        json_object *token;
        int r;

        r = tokens_open(&s, verb, &o, &argc, argv, true, 1);
        r = r ?: tokens_load(s, &tokens);
        if (r)
                return r;
        token = tokens_find(tokens, argv[0]);
        if (!token)
                return fail(EXIT_FAILED, "%s has no API token '%s'", s->address.host, argv[0]);
        if (o.json)
                return print_json(token);
        r = roles_load(s, &roles);
        if (r)
                return r;
        names = roles_text(token, roles);
        fputs("id\t", stdout);
        display_print(stdout, member_string(token, "id"));
        fputs("\nroles\t", stdout);
        display_print(stdout, names ?: "");
        fputs("\nexpiry\t", stdout);
        display_print(stdout, member_string(token, "expiry"));
        putc('\n', stdout);
        return 0;
}

int verb_token_revoke(const Verb *verb, int argc, char **argv) {
        CLEANUP(session_freep) Session *s = NULL;
        TokenOptions o = { 0 };
        int r;

        r = tokens_open(&s, verb, &o, &argc, argv, false, 1);
        r = r ?: tokens_delete(s, argv[0], false);
        if (r)
                return r;
        say("Deleted the API token '%s' at %s; an account that holds it is of no use any more",
            argv[0], s->address.host);
        return 0;
}
