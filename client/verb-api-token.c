/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api-token: IoT Central API tokens, which somebody made at the application and which
 * are kept here as they are.
 */
#include "api-token.h"
#include "say.h"
#include "secret-input.h"
#include "verbs.h"

static int verb_add(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(secret_input_freep) char *secret = NULL;
        CLEANUP(string_list_deinit) StringList apps = { 0 };
        CLEANUP(freep) char *path = NULL;
        bool replace = false;
        const Option options[] = {
                { "app", "HOST", "an application that the token is for; repeatable", OPTION_LIST,
                  &apps },
                { "replace", NULL, "give the account of this name a new token", OPTION_FLAG,
                  &replace },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 1, 1);
        if (r)
                return r;
        if (str_empty(argv[0]) || strpbrk(argv[0], "/:."))
                return args_wrong(verb, "'%s' can't be the name of an account", argv[0]);
        r = bus_open(&bus);
        r = r ?: secret_input_read(&secret, "API token (not shown): ");
        r = r ?: api_token_add(bus, argv[0], secret, &apps);
        if (r >= 0)
                return r;
        if (!replace)
                return fail(EXIT_FAILED,
                            "there is an account '%s' already; --replace gives it the "
                            "new token",
                            argv[0]);
        r = bus_find_account(bus, argv[0], &path);
        r = r ?: api_token_set(bus, path, secret);
        return r ?: api_token_set_apps(bus, path, &apps);
}

static const Verb api_token_verbs[] = {
        { "add", "NAME [--app HOST]... [--replace]", "Keep an API token, read from standard input",
          verb_add },
        { 0 },
};

int verb_api_token(const Verb *verb, int argc, char **argv) {
        const Verb *found;
        Verb inner;

        if (argc < 2)
                return args_wrong(verb, "an argument is missing");
        if (streq(argv[1], "--help") || streq(argv[1], "-h")) {
                for (const Verb *v = api_token_verbs; v->name; v++)
                        printf("Usage: iotc-token api-token %s %s\n\n%s.\n", v->name, v->usage,
                               v->summary);
                return ARGS_E_HELP;
        }
        found = args_verb(api_token_verbs, "api-token ", argv[1]);
        if (!found) {
                args_say_usage(verb);
                return EXIT_USAGE;
        }
        inner = *found;
        inner.name = "api-token add";
        return found->run(&inner, argc - 1, argv + 1);
}
