/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api-token rotate: a new API token in the place of the one that an account holds. It is
 * created, proved by a call, put into the keyring, and then the old one is deleted. Until the
 * keyring has it, whatever goes wrong deletes the new one, and nothing has changed; after that
 * nothing is lost but the old one may be left, which is named. From the creation on a signal waits
 * between the steps. A rotation that was killed is recognized by the ids: "ci", "ci-r2", "ci-r3".
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

typedef struct Rotation {
        sd_bus *bus;      /* borrowed */
        const char *name; /* the account; borrowed */
        Session *s;
        char *path;                   /* the account's object */
        char *app;                    /* the application */
        char *old_id, *id;            /* the token's now, and after it */
        json_object *roles;           /* of the old one */
        uint64_t stored_at;           /* when the old one was put into the keyring, or 0 */
        uint64_t life;                /* what it was made to live, s; 0: not known */
        char expiry[TOKEN_TIME_SIZE]; /* "": the service's own idea */
} Rotation;

static void rotation_deinit(Rotation *o) {
        session_free(o->s);
        json_object_put(o->roles);
        free(o->path);
        free(o->app);
        free(o->old_id);
        free(o->id);
}

/* The account's application, which is app if that is given. 0 or an exit code. */
static int account_read(const Verb *verb, Rotation *o, const char *app) {
        CLEANUP(properties_deinit) Properties account = { 0 };
        char *const *apps;
        int r;

        r = bus_find_account(o->bus, o->name, &o->path);
        r = r ?: bus_get_all(o->bus, o->path, IOTC_INTERFACE_ACCOUNT, &account);
        if (r)
                return r;
        if (!streq(properties_string(&account, "Source"), "api-token"))
                return fail(EXIT_FAILED, "'%s' holds no API token, but is of source %s", o->name,
                            properties_string(&account, "Source"));
        apps = properties_strings(&account, "Apps");
        if (!app && (!apps[0] || apps[1]))
                app = app_or_environment(NULL);
        if (!app && (!apps[0] || apps[1]))
                return args_wrong(verb, "which application? '%s' lists %s: add --app HOST", o->name,
                                  apps[0] ? "more than one" : "none");
        o->stored_at = properties_number(&account, "LastRefreshAt");
        o->app = strdup(app ?: apps[0]);
        return o->app ? 0 : fail_errno(-ENOMEM);
}

/* The id in the token that the account holds, and its life. */
static int old_read(Rotation *o) {
        CLEANUP(iotc_token_freep) iotc_token *token = NULL;
        int r;

        r = api_token_held(o->name, &token);
        if (r)
                return r;
        o->life = token_life(o->stored_at, iotc_token_expires_at(token));
        o->old_id = token_id_of(iotc_token_value(token));
        if (str_empty(o->old_id))
                return fail(EXIT_FAILED,
                            "the token of '%s' does not say its id (skn=), so that it can't be "
                            "found at the application",
                            o->name);
        return 0;
}

/* What is there, which roles the old one has, how the new one will be called; and name what former
 * rotations have left. 0 or an exit code. */
static int plan(Rotation *o) {
        CLEANUP(json_objectp) json_object *tokens = NULL;
        json_object *old;
        unsigned number = 1;
        int r;

        r = tokens_load(o->s, &tokens);
        if (r)
                return r;
        old = tokens_find(tokens, o->old_id);
        if (!old)
                return fail(EXIT_FAILED,
                            "%s has no API token '%s' any more; make a new one: iotc-token "
                            "api-token create",
                            o->s->address.host, o->old_id);
        o->roles = json_object_get(json_object_object_get(old, "roles"));
        for (size_t i = 0; i < json_object_array_length(tokens); i++) {
                const char *id = member_string(json_object_array_get_idx(tokens, i), "id");

                if (!token_id_is_kin(id, o->old_id))
                        continue;
                number = MAX(number, token_id_number(id));
                if (!streq(id, o->old_id))
                        say("Note: %s has an API token '%s' that '%s' does not use, maybe of a "
                            "rotation that was interrupted. If nobody does: iotc-token api-token "
                            "revoke %s --app %s",
                            o->s->address.host, id, o->name, id, o->s->address.origin);
        }
        o->id = token_id_make(o->old_id, number + 1);
        return o->id ? 0 : fail_errno(-ENOMEM);
}

/*
 * Put it into the keyring. What the daemon refuses, it has not; but if it went away meanwhile, only
 * its keyring knows: then neither token may be deleted, and *ret_unsure tells so.
 */
static int swap(Rotation *o, const char *secret, bool *ret_unsure) {
        CLEANUP(iotc_token_freep) iotc_token *held = NULL;
        int r;

        r = api_token_set(o->bus, o->path, secret);
        if (r == 0)
                return 0;
        if (api_token_held(o->name, &held)) {
                *ret_unsure = true;
                return r;
        }
        if (streq(iotc_token_value(held), secret))
                return 0;
        return r == EXIT_USAGE ? EXIT_FAILED : r; /* what is wrong is not the person's usage */
}

/* Without a wish it lives as long as the old one was to. */
static void expiry_choose(Rotation *o) {
        char life[DISPLAY_DURATION_SIZE];

        if (*o->expiry)
                return;
        if (o->life && token_time_print(o->expiry, (uint64_t)time(NULL) + o->life))
                say("It gets the life that the old one was given: %s (--expiry WHEN gives another)",
                    display_duration(life, o->life));
        else
                say("How long the old one was to live is not known here: the application decides, "
                    "on about a year (--expiry WHEN gives another)");
}

/* Up to the keyring: what fails here changes nothing. */
static int replace(Rotation *o, CreatedToken *token) {
        bool unsure = false;
        int r;

        say("Creating the API token '%s' at %s, in the place of '%s'", o->id, o->s->address.host,
            o->old_id);
        expiry_choose(o);
        r = loop_block_signals();
        if (r < 0)
                return fail_errno(r);
        r = tokens_create(o->s, token, o->id, o->roles, *o->expiry ? o->expiry : NULL);
        r = r ?: loop_interrupted();
        r = r ?: tokens_prove(o->s, token->secret);
        r = r ?: loop_interrupted();
        r = r ?: swap(o, token->secret, &unsure);
        if (unsure)
                say("'%s' has either of the API tokens '%s' and '%s' now; both are left at %s. "
                    "Rotate again, and what is not used is named",
                    o->name, o->old_id, o->id, o->s->address.host);
        else if (r && token->may_exist)
                return tokens_undo(o->s, o->id, r);
        return r;
}

static int rotate(Rotation *o) {
        CLEANUP(created_token_deinit) CreatedToken token = { 0 };
        char end[DISPLAY_TIME_SIZE];
        int r;

        r = replace(o, &token);
        if (r)
                return r;
        r = tokens_delete(o->s, o->old_id, true);
        if (r) {
                say("'%s' has the new token, '%s'; the old one, '%s', may be left at %s. Delete it "
                    "there: iotc-token api-token revoke %s --app %s",
                    o->name, o->id, o->old_id, o->s->address.host, o->old_id, o->s->address.origin);
                return r;
        }
        if (str_empty(display_time_iso(end, token_time_parse(token.expiry ?: ""))))
                say("'%s' has the new token; the old one was deleted", o->name);
        else
                say("'%s' has the new token, which ends at %s; the old one was deleted", o->name,
                    end);
        return 0;
}

int verb_token_rotate(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const char *app = NULL, *account = NULL, *expiry = NULL;
        CLEANUP(rotation_deinit) Rotation o = { 0 };
        const Option options[] = {
                { "app", "HOST", N_("the application, if the account lists not just one"),
                  OPTION_STRING, &app },
                { "expiry", "WHEN", N_("its end, date or duration; else as the old one's life"),
                  OPTION_STRING, &expiry },
                { "account", "NAME", N_("the account that asks"), OPTION_STRING, &account },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 1, 1);
        if (r)
                return r;
        o.name = argv[0];
        if (!*o.name || strpbrk(o.name, "/:."))
                return args_wrong(verb, "'%s' is no account's name", o.name);
        if (expiry && !token_expiry_parse(o.expiry, expiry, (uint64_t)time(NULL)))
                return args_wrong(verb,
                                  "'%s' is no time to come: a date (2027-01-31) or a "
                                  "duration (90d, 12h, 6w, 1y)",
                                  expiry);
        r = bus_open(&bus);
        o.bus = bus;
        r = r ?: account_read(verb, &o, app);
        r = r ?: session_new_manager(&o.s, verb, bus, o.app, account);
        r = r ?: old_read(&o);
        r = r ?: plan(&o);
        return r ?: rotate(&o);
}
