/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api-token: IoT Central API tokens. Those that somebody made at the application are
 * kept here as they are; the other verbs, which make and delete them there, are another program's.
 */
#include "base/api-token.h"
#include "base/display.h"
#include "base/say.h"
#include "command/secret-input.h"
#include "command/verbs.h"

/* Nobody saw what was typed: tell that it was taken, and what its end says of it. */
static int add_tell(sd_bus *bus, const char *name) {
        CLEANUP(properties_deinit) Properties account = { 0 };
        CLEANUP(freep) char *path = NULL;
        char end[DISPLAY_TIME_SIZE];
        int r;

        r = bus_find_account(bus, name, &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &account);
        if (r)
                return r;
        if (str_empty(display_time_iso(end, properties_number(&account, "ExpiresAt"))))
                say("The API token is kept as account '%s'", name);
        else
                say("The API token is kept as account '%s'; it ends at %s", name, end);
        return EXIT_DONE;
}

/* One of another kind is not to be given a token. */
static int add_check_source(sd_bus *bus, const char *name, const char *path) {
        CLEANUP(properties_deinit) Properties account = { 0 };
        const char *source;
        int r;

        r = bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &account);
        if (r)
                return r;
        source = properties_string(&account, "Source");
        if (streq(source, "api-token"))
                return 0;
        return fail(EXIT_FAILED,
                    "the account '%s' is of the source %s, not %s; give another NAME, or "
                    "run 'iotc-token remove %s' first",
                    name, source, "api-token", name);
}

static int verb_add(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(secret_input_freep) char *secret = NULL;
        CLEANUP(string_list_deinit) StringList apps = { 0 };
        CLEANUP(freep) char *path = NULL;
        bool replace = false;
        const Option options[] = {
                { "app", "HOST", N_("an application that the token is for; repeatable"),
                  OPTION_LIST, &apps },
                { "replace", NULL, N_("give the account of this name a new token"), OPTION_FLAG,
                  &replace },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 1, 1);
        if (r)
                return r;
        if (str_empty(argv[0]) || strpbrk(argv[0], "/:."))
                return args_no_name(verb, "api-token add NAME", argv[0]);
        r = bus_open(&bus);
        r = r ?: secret_input_read(&secret, "API token (not shown): ");
        r = r ?: api_token_add(bus, argv[0], secret, &apps, NULL);
        if (r >= 0)
                return r ?: add_tell(bus, argv[0]);
        r = bus_find_account(bus, argv[0], &path);
        r = r ?: add_check_source(bus, argv[0], path);
        if (r == 0 && !replace)
                return fail(EXIT_FAILED,
                            "there is an account '%s' already; --replace gives it the "
                            "new token",
                            argv[0]);
        r = r ?: api_token_set(bus, path, secret);
        r = r ?: api_token_set_apps(bus, path, &apps);
        return r ?: add_tell(bus, argv[0]);
}

/* argv is the rest of main()'s own; see verb_remote(). */
static int verb_far(const Verb *verb, int argc, char **argv) {
        return verb_remote(verb, argc, argv - 1);
}

static const Verb api_token_verbs[] = {
        { "add",
          "NAME [--app HOST]... [--replace]",
          N_("Keep an API token, read from standard input"),
          verb_add,
          { "iotc-token api-token add ci --app contoso.azureiotcentral.com",
            "iotc-token api-token add ci --replace < new-token" } },
        { "create", VERB_TOKEN_CREATE_USAGE, VERB_TOKEN_CREATE_SUMMARY, verb_far, { NULL } },
        { "list", VERB_TOKEN_LIST_USAGE, VERB_TOKEN_LIST_SUMMARY, verb_far, { NULL } },
        { "show", VERB_TOKEN_SHOW_USAGE, VERB_TOKEN_SHOW_SUMMARY, verb_far, { NULL } },
        { "revoke", VERB_TOKEN_REVOKE_USAGE, VERB_TOKEN_REVOKE_SUMMARY, verb_far, { NULL } },
        { "rotate", VERB_TOKEN_ROTATE_USAGE, VERB_TOKEN_ROTATE_SUMMARY, verb_far, { NULL } },
        { 0 },
};

int verb_api_token(const Verb *verb, int argc, char **argv) {
        return args_group(verb, api_token_verbs, argc, argv);
}
