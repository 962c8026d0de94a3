/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api-token create: a new API token of an application, which tells its secret once. It
 * goes into the keyring before anything is printed; if that fails, or somebody loses patience, the
 * token is deleted again. From its creation on a signal waits until that is decided.
 */
#include <time.h>

#include "api/app.h"
#include "api/roles.h"
#include "api/token-text.h"
#include "api/tokens.h"
#include "api/verbs.h"
#include "base/api-token.h"
#include "base/display.h"
#include "base/loop.h"
#include "base/say.h"

typedef struct CreateOptions {
        const char *id, *app, *organization, *expiry, *store_as, *account;
        StringList roles;
        char expiry_at[TOKEN_TIME_SIZE];
} CreateOptions;

static void options_deinit(CreateOptions *o) {
        string_list_deinit(&o->roles);
}

static int options_check(const Verb *verb, CreateOptions *o, const char *id) {
        o->id = id;
        o->store_as = o->store_as ?: id;
        if (!token_id_is_valid(id))
                return args_wrong(verb,
                                  "'%s' can't be the id of an API token: up to %d letters, digits "
                                  "and '-'",
                                  id, TOKEN_ID_MAX);
        if (!*o->store_as || strpbrk(o->store_as, "/:."))
                return args_wrong(verb, "'%s' can't be the name of an account", o->store_as);
        o->app = app_or_environment(o->app);
        if (!o->app)
                return args_wrong(verb, "which application? Add --app HOST");
        if (o->roles.n == 0)
                return args_wrong(verb, "which role? Add --role ROLE");
        if (o->expiry && !token_expiry_parse(o->expiry_at, o->expiry, (uint64_t)time(NULL)))
                return args_wrong(verb,
                                  "'%s' is no time to come: a date (2027-01-31) or a duration "
                                  "(90d, 12h, 6w, 1y)",
                                  o->expiry);
        return 0;
}

/* The array of {role, organization} that the API wants. 0 or an exit code. */
static int roles_wanted(Session *s, json_object **ret, const CreateOptions *o) {
        CLEANUP(json_objectp) json_object *roles = NULL, *wanted = json_object_new_array();
        int r;

        if (!wanted)
                return fail_errno(-ENOMEM);
        r = roles_load(s, &roles);
        if (r)
                return r;
        for (size_t i = 0; i < o->roles.n; i++) {
                const char *id = roles_find(roles, s->address.host, o->roles.items[i]);
                json_object *role = json_object_new_object();

                if (!id || !role) {
                        json_object_put(role);
                        return id ? fail_errno(-ENOMEM) : EXIT_FAILED;
                }
                json_object_object_add(role, "role", json_object_new_string(id));
                if (o->organization)
                        json_object_object_add(role, "organization",
                                               json_object_new_string(o->organization));
                json_object_array_add(wanted, role);
        }
        *ret = STEAL(wanted);
        return 0;
}

/* Is the name free, and who lists the application? 0, *ret_lister (freed by free()) or NULL. */
static int accounts_look(sd_bus *bus, const Session *s, const char *name, char **ret_lister) {
        CLEANUP(accounts_deinit) Accounts accounts = { 0 };
        int r;

        r = bus_get_accounts(bus, &accounts);
        if (r)
                return r;
        for (size_t i = 0; i < accounts.n; i++) {
                const char *other = properties_string(&accounts.items[i], "Name");
                char *const *apps = properties_strings(&accounts.items[i], "Apps");

                if (streq(other, name))
                        return fail(EXIT_FAILED,
                                    "there is an account '%s' already; another name: --store-as "
                                    "NAME",
                                    name);
                for (; *apps && !*ret_lister; apps++)
                        if (address_is_app(&s->address, *apps))
                                *ret_lister = strdup(other);
        }
        return 0;
}

static int check_absent(Session *s, const char *id) {
        CLEANUP(json_objectp) json_object *tokens = NULL;
        int r;

        r = tokens_load(s, &tokens);
        if (r)
                return r;
        if (!tokens_find(tokens, id))
                return 0;
        return fail(EXIT_FAILED,
                    "%s has an API token '%s' already. If a creation that was interrupted left it: "
                    "iotc-token api-token revoke %s --app %s",
                    s->address.host, id, id, s->address.origin);
}

/* Into the keyring, bound to the application unless another account is. 0 or an exit code. */
static int store(sd_bus *bus, const Session *s, const CreateOptions *o, const char *secret,
                 const char *lister, bool *ret_unsure) {
        const char *app[] = { s->address.origin, NULL };
        StringList apps = { .items = app, .n = lister ? 0 : 1 };
        int r;

        r = api_token_add(bus, o->store_as, secret, &apps, ret_unsure);
        if (r < 0)
                return fail(EXIT_FAILED, "there is an account '%s' already, since a moment ago",
                            o->store_as);
        return r == EXIT_USAGE ? EXIT_FAILED : r; /* what is wrong is not the person's usage */
}

static int create(sd_bus *bus, Session *s, const CreateOptions *o, json_object *roles,
                  const char *lister) {
        CLEANUP(created_token_deinit) CreatedToken token = { 0 };
        bool unsure = false;
        char end[DISPLAY_TIME_SIZE];
        int r;

        say("Creating the API token '%s' at %s", o->id, s->address.host);
        r = loop_block_signals();
        if (r < 0)
                return fail_errno(r);
        r = tokens_create(s, &token, o->id, roles, o->expiry ? o->expiry_at : NULL);
        r = r ?: loop_interrupted();
        r = r ?: store(bus, s, o, token.secret, lister, &unsure);
        if (r && token.may_exist)
                r = tokens_undo(s, o->id, r);
        if (unsure)
                say("If 'iotc-token list' shows an account '%s' when iotc-tokend runs again, it "
                    "holds that token. Remove it: iotc-token remove %s",
                    o->store_as, o->store_as);
        if (r)
                return r;

        if (str_empty(display_time_iso(end, token_time_parse(token.expiry ?: ""))))
                say("Its secret is in the keyring, as account '%s'", o->store_as);
        else
                say("Its secret is in the keyring, as account '%s'; it ends at %s", o->store_as,
                    end);
        if (lister)
                say("%s is served from '%s', which lists it; this one is used by its name: "
                    "iotc-token get %s",
                    s->address.host, lister, o->store_as);
        return 0;
}

int verb_token_create(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(options_deinit) CreateOptions o = { 0 };
        CLEANUP(json_objectp) json_object *roles = NULL;
        CLEANUP(session_freep) Session *s = NULL;
        CLEANUP(freep) char *lister = NULL;
        const Option options[] = {
                { "app", "HOST", N_("the application, if not that of IOTC_TOKEN_APP"),
                  OPTION_STRING, &o.app },
                { "role", "ROLE", N_("what it may do: a role's name or id; repeatable"),
                  OPTION_LIST, &o.roles },
                { "organization", "ID",
                  N_("where it may do it: an organization of the application"), OPTION_STRING,
                  &o.organization },
                { "expiry", "WHEN", N_("its end, a date or a duration; else about a year"),
                  OPTION_STRING, &o.expiry },
                { "store-as", "NAME", N_("the account that holds it, if not called as its id"),
                  OPTION_STRING, &o.store_as },
                { "account", "NAME", N_("the account that asks"), OPTION_STRING, &o.account },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 1, 1);
        r = r ?: options_check(verb, &o, argv[0]);
        r = r ?: bus_open(&bus);
        r = r ?: session_new_manager(&s, verb, bus, o.app, o.account);
        r = r ?: accounts_look(bus, s, o.store_as, &lister);
        r = r ?: roles_wanted(s, &roles, &o);
        r = r ?: check_absent(s, o.id);
        return r ?: create(bus, s, &o, roles, lister);
}
